"""How far each value of a partial is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Field, RootModel

from streamops import operators as ops
from streamops import state_of
from tests.outcomes import through


class User(BaseModel):
    name: str = Field(alias="fullName")
    age: int


@dataclass
class Point:
    x: int
    y: int = 0


class Team(BaseModel):
    title: str
    users: list[User] = []
    point: Point = Field(default_factory=lambda: Point(0))
    scores: RootModel[dict[str, int]] = RootModel[dict[str, int]]({})
    lead: User | None = None


TEXT = '{"title": "A", "users": [{"fullName": "Jo", "age": 1}, {"fullName": "Al'


def emitted(model: Any, *chunks: str, **options: Any) -> list[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model, **options)).values


def test_a_value_is_pending_until_it_has_begun_growing_until_it_closes_and_then_done() -> None:
    state = state_of(emitted(Team, TEXT)[-1])

    assert state.at(("title",)) == "done"
    assert state.at(("users",)) == "growing"
    assert state.at(("users", 0)) == "done"
    assert state.at(("users", 0, "name")) == "done"
    assert state.at(("users", 1)) == "growing"
    assert state.at(("users", 1, "name")) == "growing"
    assert state.at(("users", 1, "age")) == "pending"
    assert state.at(("users", 2)) == "pending"
    assert state.at(("point",)) == "pending"
    assert state.at(()) == "growing"


def test_the_state_of_an_earlier_partial_stays_what_it_was() -> None:
    first, *_ = emitted(Team, '{"title": "A', '", "users": [')

    assert state_of(first).at(("title",)) == "growing"


def test_paths_lead_through_dataclasses_and_root_models() -> None:
    state = state_of(emitted(Team, '{"point": {"x": 1, "y": 2}, "scores": {"a": 1, "b": 2')[-1])

    assert state.at(("point", "x")) == "done"
    assert state.at(("scores", "a")) == "done"
    assert state.at(("scores", "b")) == "pending"


def test_a_closed_model_is_done_also_when_it_is_validated_later() -> None:
    closed = emitted(Team, TEXT, validate="final")[-1].users[0]

    assert state_of(closed).at(("name",)) == "done"
    assert state_of(closed).at(()) == "done"
    assert state_of(closed).at(("nothing",)) == "pending"


def test_of_a_validated_model_what_never_came_is_pending() -> None:
    whole = emitted(Team, '{"title": "A", "users": [{"fullName": "Jo", "age": 1}]}')[-1]

    assert state_of(whole).at(("users", 0, "age")) == "done"
    assert state_of(whole).at(("users", 1)) == "pending"
    assert state_of(whole).at(("point", "x")) == "pending"
    assert state_of(Team(title="A", point=Point(1))).at(("point", "x")) == "done"
    assert state_of(Team(title="A", scores={"a": 1})).at(("scores", "a")) == "done"  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # pydantic reads it
    assert state_of(whole).at(()) == "done"


def test_complete_is_another_word_for_done() -> None:
    state = state_of(emitted(Team, TEXT)[-1])

    assert state.is_complete(("users", 0))
    assert not state.is_complete(("users", 1))


def test_what_no_stream_emitted_has_no_state() -> None:
    with pytest.raises(TypeError, match="state_of needs an instance that to_partial emitted"):
        state_of("text")
