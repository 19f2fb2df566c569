"""What `to_partial` promises for models with a will of their own."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from streamops import operators as ops
from streamops.partial import state_of
from streamops.testing import chunked
from tests.outcomes import Outcome, through

SIZES = (1, 3, 7, 1000)


def partials(text: str, size: int, model: type[BaseModel]) -> Outcome[Any]:
    """Return what comes of a text in chunks of a size."""
    return through(chunked(text, size), ops.accumulate_json(), ops.to_partial(model))


class Person(BaseModel):
    name: str


class Team(BaseModel):
    people: list[Person]
    size: int

    @field_validator("people", mode="before")
    @classmethod
    def from_names(cls, people: Any) -> Any:
        return [{"name": person} if isinstance(person, str) else person for person in people]


class Renamed(BaseModel):
    person: Person
    done: bool

    @model_validator(mode="before")
    @classmethod
    def from_full(cls, data: Any) -> Any:
        return {**data, "person": {"name": data["person"]["full"]}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Team, '{"people": ["Jo", {"name": "Al"}], "size": 2}'),
        (Renamed, '{"person": {"full": "Jo Do"}, "done": true}'),
    ],
    ids=["a validator of the field", "a validator of the model"],
)
def test_what_a_validator_rewrites_is_judged_when_it_has(
    model: type[BaseModel], text: str, size: int
) -> None:
    received = partials(text, size, model)

    assert received.error is None
    assert received.values[-1] == model.model_validate_json(text)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_validator_could_rewrite_and_does_not_ends_in_one_mismatch(size: int) -> None:
    text = '{"people": [{"nickname": "Al"}], "size": 2}'

    received = partials(text, size, Team)

    assert "people.0.name" in str(received.error)
    assert getattr(received.error, "path", None) == ()


class Inner(BaseModel):
    id: UUID = Field(default_factory=uuid4)
    text: str


class Middle(BaseModel):
    inner: Inner
    rest: str


class Outer(BaseModel):
    middle: Middle
    rest: str


def test_a_closed_model_keeps_what_its_default_factory_made() -> None:
    text = '{"middle": {"inner": {"text": "a"}, "rest": "bcd"}, "rest": "efg"}'

    shown = partials(text, 2, Outer).values[:-1]
    inner = [
        partial.middle.inner
        for partial in shown
        if state_of(partial).is_complete(("middle", "inner"))
    ]

    assert len(inner) > 2
    assert all(model is inner[0] for model in inner)


class Sorted(BaseModel):
    people: list[Person]

    @field_validator("people")
    @classmethod
    def by_name(cls, people: list[Person]) -> list[Person]:
        return sorted(people, key=lambda person: person.name)


class Meeting(BaseModel):
    team: Sorted
    room: str


def test_what_a_validator_made_of_closed_models_stays_as_it_made_it() -> None:
    text = '{"team": {"people": [{"name": "B"}, {"name": "A"}]}, "room": "long name"}'

    shown = partials(text, 2, Meeting).values

    assert [person.name for person in shown[-2].team.people] == ["A", "B"]


class Registered(BaseModel):
    known: ClassVar[list[str]] = []

    def __init_subclass__(cls, *, kind: str, **_: Any) -> None:
        cls.known.append(kind)


class Note(Registered, kind="note"):
    text: str


def test_hooks_for_subclasses_do_not_see_the_partial() -> None:
    shown = partials('{"text": "a"}', 2, Note).values

    assert shown[-1] == Note(text="a")
    assert Registered.known == ["note"]


def test_a_field_may_have_the_name_of_a_method_of_pydantic() -> None:
    with pytest.warns(UserWarning, match="shadows an attribute"):

        class Document(BaseModel):
            copy: str  # type: ignore[assignment]  # the point of this test
            other: str

    shown = partials('{"copy": "abc", "other": "d"}', 3, Document).values

    assert {type(partial.copy) for partial in shown} == {str, type(None)}


def broken() -> str:
    raise RuntimeError("no default today")


class Broken(BaseModel):
    text: str = Field(default_factory=broken)
    more: str


def test_a_default_that_cannot_be_made_is_not_needed() -> None:
    shown = partials('{"text": "a", "more": "bcd"}', 2, Broken).values

    assert shown[0].text is None
    assert shown[-1] == Broken(text="a", more="bcd")
