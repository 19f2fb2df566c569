"""What there is to see of a stream, by what it emits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel
from reactivex import Observable

from streamops import operators as ops
from streamops.delta import Delta
from streamops.display.blocks import Bar, Items, Lines, Outline, Written
from streamops.display.picture import Picture
from streamops.display.plain import to_lines
from streamops.lifting import are_items
from streamops.patterns import ANY
from streamops.sources.iterables import from_chunks
from tests.outcomes import outcome, through


class User(BaseModel):
    name: str


class Team(BaseModel):
    title: str
    users: list[User] = []


@dataclass
class Point:
    x: int


TEXT = '{"title": "A", "users": [{"name": "Jo"}, {"name": "Al"}, {"name": "Bo"}]}'


def picture_of(
    *operators: Any, text: str = TEXT, rows: int = 40, only_new: bool = False
) -> Picture:
    stream: Observable[Any] = from_chunks([text])
    for operator in operators:
        stream = operator(stream)
    picture = Picture(are_items=are_items(stream), rows=rows, only_new=only_new)
    for value in outcome(stream).values:
        picture.add(value)
    return picture


def of(*elements: Any, items: bool | None = None, rows: int = 40) -> Picture:
    picture = Picture(are_items=items, rows=rows)
    for element in elements:
        picture.add(element)
    return picture


def drawn(picture: Picture, **options: Any) -> list[str]:
    return list(to_lines(picture.blocks(**options)))


def kinds(picture: Picture) -> list[type[Any]]:
    return [type(block) for block in picture.blocks()]


PARTS: Iterable[Any] = [
    pytest.param([ops.accumulate_json()], [Outline], id="snapshots"),
    pytest.param([ops.accumulate_json(), ops.to_partial(Team)], [Outline], id="partials"),
    pytest.param(
        [ops.accumulate_json(), ops.to_partial(Team), ops.track_progress()],
        [Bar, Outline],
        id="progress",
    ),
    pytest.param([ops.accumulate_json(), ops.split_items(User)], [Items], id="items"),
    pytest.param(
        [ops.accumulate_json(), ops.split_items(User), ops.track_progress(expected=3)],
        [Bar, Items],
        id="progress of items",
    ),
    pytest.param(
        [ops.accumulate_json(), ops.split_items(User, on_invalid="result")],
        [Items],
        id="results of items",
    ),
    pytest.param([], [Written], id="deltas"),
    pytest.param([ops.accumulate_json(), ops.text_deltas(("title",))], [Lines], id="strings"),
    pytest.param([ops.accumulate_json(), ops.select(("users",))], [Outline], id="plain values"),
]


@pytest.mark.parametrize(("operators", "expected"), PARTS)
def test_what_is_seen_follows_the_elements(operators: list[Any], expected: list[Any]) -> None:
    assert kinds(picture_of(*operators)) == expected


def test_of_states_the_last_is_seen() -> None:
    picture = picture_of(ops.accumulate_json(), ops.to_partial(Team), text=TEXT[:36])

    assert drawn(picture) == ["✓ title: A", "… users: 1 item", "…   0", "…     name: J"]


def test_of_items_the_last_are_seen_with_their_numbers_and_how_many_there_are() -> None:
    picture = picture_of(ops.accumulate_json(), ops.split_items(User), rows=2)

    assert drawn(picture) == ["3 items", "1: name=Al", "2: name=Bo"]


def test_the_last_item_is_seen_once_though_its_progress_comes_again_at_the_end() -> None:
    picture = picture_of(ops.accumulate_json(), ops.split_items(User), ops.track_progress())

    assert picture.count == 4
    assert drawn(picture)[1:] == ["3 items", "0: name=Jo", "1: name=Al", "2: name=Bo"]


def test_items_of_several_lists_have_a_table_each() -> None:
    lists: Any = {("users", ANY): User, "title": str}
    text = '{"users": [[{"name": "Jo"}], [{"name": "Al"}]], "title": ["a"]}'

    picture = picture_of(ops.accumulate_json(), ops.split_items(lists), text=text)

    assert drawn(picture) == [
        "users[ANY]: 2 items",
        "0: name=Jo",
        "1: name=Al",
        "title: 1 item",
        "0: a",
    ]


def test_deltas_are_the_text_of_each_kind() -> None:
    picture = of(
        Delta("Let me", kind="reasoning"),
        Delta("He"),
        Delta(" see", kind="reasoning"),
        Delta("llo"),
        Delta('{"a"', kind="tool_call", name="search"),
        Delta(kind="finish", finish_reason="stop"),
        Delta(kind="usage", usage={"total_tokens": 7, "details": None}),
    )

    assert drawn(picture) == [
        "reasoning:",
        "Let me see",
        "content:",
        "Hello",
        "tool call search:",
        '{"a"',
        "finish:",
        "stop",
        "usage:",
        "total_tokens=7",
    ]


def test_of_a_long_text_the_end_is_seen() -> None:
    picture = of(*(Delta(f"{number}\n") for number in range(9999)), Delta("end"), rows=3)

    assert drawn(picture) == ["content:", "…", "9997", "9998", "end"]


def test_validated_models_that_follow_each_other_are_items() -> None:
    assert kinds(of(User(name="Jo"))) == [Outline]
    assert drawn(of(User(name="Jo"), User(name="Al"))) == [
        "User: 2 items",
        "0: name=Jo",
        "1: name=Al",
    ]
    assert kinds(of(Point(1), Point(2))) == [Items]


def test_a_validated_model_takes_the_place_of_its_partials() -> None:
    partial, whole = through(
        [TEXT[:30], TEXT[30:]], ops.accumulate_json(), ops.to_partial(Team)
    ).values

    picture = of(partial, whole)

    assert kinds(picture) == [Outline]
    assert drawn(picture)[-1] == "✓     name: Bo"


def test_elements_of_several_kinds_have_a_part_each() -> None:
    assert kinds(of({"a": 1}, User(name="Jo"), 5, Delta("x"))) == [Outline, Outline, Lines, Written]


def test_a_plain_value_is_open_at_its_end_as_long_as_more_may_come() -> None:
    picture = of({"a": 1, "b": ["x", {"c": 2}]})

    assert drawn(picture, is_open=True)[-1] == "…     c: 2"
    assert drawn(picture, is_open=True)[0] == "✓ a: 1"
    assert drawn(picture)[-1] == "✓     c: 2"


def test_anything_else_is_a_line_each() -> None:
    class Mute:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert drawn(of(5, "a\nb", None, (1, 2), Mute())) == [
        "5",
        "a\\nb",
        "None",
        "(1, 2)",
        "<Mute>",
    ]


def test_where_only_what_is_new_is_wanted_nothing_is_seen_twice_and_nothing_is_left_out() -> None:
    picture = Picture(are_items=True, rows=2, only_new=True)
    seen: list[str] = []
    for number in range(7):
        picture.add(User(name=str(number)))
        if number % 3 == 0:
            seen += drawn(picture)[1:]

    assert [*seen, *drawn(picture)[1:]] == [f"{number}: name={number}" for number in range(7)]
