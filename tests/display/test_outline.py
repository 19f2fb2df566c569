"""What `outline` promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, computed_field

from streamops import operators as ops
from streamops.display.outline import Row, cells, outline
from streamops.partial_type import Partial
from streamops.snapshot import Snapshot, children_of
from streamops.streaming import Stream
from tests.display.hostile import HOSTILE, UNSEEN
from tests.outcomes import through
from tests.strategies import json_texts, json_values


class User(BaseModel):
    name: str
    email: str | None = None
    tags: list[str] = []


@dataclass
class Point:
    x: int
    y: int = 3


class Team(BaseModel):
    title: str
    users: list[User] = []
    point: Point | None = None
    budget: int = 5


def partial(text: str, model: Any = Team) -> Any:
    return through([text], ops.accumulate_json(), ops.to_partial(model)).values[-1]


def snapshot(text: str) -> Snapshot:
    last: Snapshot = through([text], ops.accumulate_json()).values[-1]
    return last


def drawn(value: Any, **options: Any) -> list[str]:
    """Write an outline in one character and a text per row."""
    signs = {"done": "=", "growing": ">", "pending": "."}
    return [
        f"{signs[row.state]}{'  ' * row.depth}{row.key}: {row.text}"
        for row in outline(value, **options)
    ]


def test_fields_are_done_growing_or_pending_also_those_of_what_has_begun() -> None:
    text = '{"title": "A", "users": [{"name": "Jo", "tags": ["x", "y"]}, {"name": "Al'

    assert drawn(partial(text)) == [
        "=title: A",
        ">users: 2 items",
        "=  0: ",
        "=    name: Jo",
        "=    email: None",
        "=    tags: x, y",
        ">  1: ",
        ">    name: Al",
        ".    email: ",
        ".    tags: ",
        ".point: ",
        ".budget: ",
    ]


def test_what_is_shown_only_when_it_is_finished_grows_without_a_text() -> None:
    class Day(BaseModel):
        on: date

    assert drawn(partial('{"on": "2024-', Day)) == [">on: "]


def test_a_validated_model_is_done_with_its_defaults() -> None:
    assert drawn(partial('{"title": "A"}')) == [
        "=title: A",
        "=users: no items",
        "=point: None",
        "=budget: 5",
    ]


def test_a_partial_dataclass_shows_no_default_before_the_field_has_come() -> None:
    assert drawn(partial('{"x": 1, ', Point)) == ["=x: 1", ".y: "]
    assert drawn(partial('{"x": 1, "y": 2}', Point)) == ["=x: 1", "=y: 2"]


@dataclass
class Linked:
    name: str
    link: Annotated[str, Stream.done] = "none"


@dataclass(slots=True)
class Slotted:
    name: str
    link: Annotated[str, Stream.done] = "none"


@pytest.mark.parametrize("model", [Linked, Slotted])
def test_a_partial_dataclass_shows_no_default_while_the_field_is_held_back(model: Any) -> None:
    assert drawn(partial('{"name": "a", "link": "x', model))[:2] == ["=name: a", ">link: "]
    assert drawn(partial('{"name": "a", "link": "x",', model))[:2] == ["=name: a", "=link: x"]


def test_a_partial_that_somebody_made_has_what_was_given() -> None:
    assert drawn(Partial[Team](title="A"))[:2] == ["=title: A", ".users: "]


def test_a_snapshot_grows_at_its_edge() -> None:
    assert drawn(snapshot('{"a": {"b": 1, "c": [true, "x')) == [
        ">a: ",
        "=  b: 1",
        ">  c: True, x",
    ]


def test_a_snapshot_that_has_not_started_has_no_rows() -> None:
    assert outline(snapshot("So ")) == ()


def test_progress_shows_its_value() -> None:
    updates = through(
        ['{"title": "A'], ops.accumulate_json(), ops.to_partial(Team), ops.track_progress()
    )

    assert drawn(updates.values[-1])[0] == ">title: A"


@pytest.mark.parametrize(
    ("value", "text"),
    [(5, "5"), (None, "None"), ("", '""'), (b"x", "b'x'"), ([], "no items"), ({}, "{}")],
)
def test_what_holds_nothing_is_one_row(value: Any, text: str) -> None:
    assert [(row.key, row.text, row.state) for row in outline(value)] == [("", text, "done")]


def test_plain_values_are_done() -> None:
    class Pair(NamedTuple):
        left: int
        right: tuple[int, int]

    class Color(Enum):
        RED = "red"

    value = {"pair": Pair(1, (2, 3)), "color": Color.RED, 3: {4}}

    assert drawn(value) == [
        "=pair: ",
        "=  left: 1",
        "=  right: 2, 3",
        "=color: red",
        "=3: 4",
    ]


def test_a_root_model_is_shown_as_what_it_holds() -> None:
    assert drawn(partial('[{"name": "A', RootModel[list[User]]))[1] == ">  name: A"


def test_extra_fields_are_shown() -> None:
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        name: str

    assert drawn(partial('{"name": "A", "age": 5, ', Open)) == ["=name: A", "=age: 5"]


def test_what_repr_hides_is_hidden() -> None:
    class Account(BaseModel):
        secret: SecretStr
        hidden: str = Field(repr=False)

    assert drawn(partial('{"secret": "abc", "hidden": "def"}', Account)) == ["=secret: **********"]
    assert drawn(partial('{"secret": "abc", "hidden": "de', Account)) == ["=secret: **********"]


def test_no_property_of_a_model_is_called() -> None:
    class Touchy(BaseModel):
        name: str

        @computed_field
        def size(self) -> int:
            raise AssertionError("this was written for whole instances")

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} was asked for")

        def __str__(self) -> str:
            raise AssertionError("this was written for whole instances")

    assert drawn(partial('{"name": "A', Touchy)) == [">name: A"]


def test_what_cannot_write_itself_is_shown_by_its_type() -> None:
    class Broken:
        def __str__(self) -> str:
            raise ValueError("no")

    assert drawn({"a": Broken()}) == ["=a: <Broken>"]


def test_of_a_long_list_the_first_and_the_last_items_are_shown() -> None:
    rows = drawn([*range(1000)], limit=7)

    assert rows[:3] == ["=0: 0", "=1: 1", "=2: 2"]
    assert rows[3:] == ["=: … 994 more", "=997: 997", "=998: 998", "=999: 999"]


def test_of_a_long_text_the_middle_is_left_out_and_of_a_growing_one_the_beginning() -> None:
    letters = "abcdefghij" * 10

    assert drawn({"a": letters}, width=9) == ["=a: abcd…ghij"]
    assert drawn(snapshot(f'{{"a": "{letters}'), width=9) == [">a: …cdefghij"]


def test_what_grows_is_shown_even_if_there_is_little_room() -> None:
    class Wide(BaseModel):
        a: list[User]
        b: User
        c: str
        d: str
        e: str
        f: str
        g: str

    text = '{"a": [{"name": "x"}, {"name": "y"}], "b": {"name": "now'

    assert ">  name: now" in drawn(partial(text, Wide), limit=10)
    assert any(row.startswith(">b") for row in drawn(partial(text, Wide), limit=5))


def test_cells_are_the_fields_of_an_item() -> None:
    assert cells(User(name="A", tags=["x", "y"])) == {"name": "A", "email": "None", "tags": "x, y"}
    assert cells({"a": {"b": 1, "c": 2}}) == {"a": "1, 2"}
    assert cells(5) == {"": "5"}
    assert cells([1, 2]) == {"": "1, 2"}


def test_values_that_are_no_json_are_written_as_they_write_themselves() -> None:
    class Array:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("an array of truths has no truth")

        __hash__ = None  # type: ignore[assignment]

        def __str__(self) -> str:
            return "[1 2]"

    assert drawn({"a": Array()}, is_open=True) == [">a: [1 2]"]


class NoValues(dict[str, int]):
    def values(self) -> Any:
        raise ValueError("no")


class NoItems(list[int]):
    def __iter__(self) -> Any:
        raise ValueError("no")


class NoLength(str):
    def __len__(self) -> int:
        raise ValueError("no")


def test_a_container_that_fails_to_say_what_is_in_it_is_shown_by_its_type() -> None:
    assert drawn(NoValues(a=1)) == ["=: <NoValues>"]
    assert drawn({"a": NoItems([1]), "b": 2}) == ["=a: <NoItems>", "=b: 2"]
    assert cells({"a": NoValues(a=1)}) == {"a": "<NoValues>"}


@pytest.mark.parametrize("is_open", [False, True])
def test_a_text_is_what_it_holds_whatever_its_class_says(is_open: bool) -> None:
    text = NoLength("x")

    assert [row.text for row in outline({text: text}, is_open=is_open)] == ["x"]


def test_a_value_that_holds_itself_has_an_end() -> None:
    value: list[Any] = [1]
    value.append(value)

    assert len(outline(value, limit=20)) <= 20


@pytest.mark.parametrize("text", HOSTILE)
def test_what_cannot_be_seen_is_written_out(text: str) -> None:
    rows = outline({text: text, "inner": [text, {text: text}]})

    assert not any(character in f"{row.key}{row.text}" for row in rows for character in UNSEEN)


@given(json_values(), st.integers(1, 30))
def test_no_outline_has_more_rows_than_it_may(value: Any, limit: int) -> None:
    assert 1 <= len(outline(value, limit=limit)) <= limit


@given(json_texts(repeated_keys=False), st.data())
def test_rows_are_done_where_the_snapshot_is_complete(text: str, data: st.DataObject) -> None:
    shown = through(list(text), ops.accumulate_json()).values
    started = [snapshot for snapshot in shown if snapshot.started]
    if not started:
        return

    snapshot: Snapshot = data.draw(st.sampled_from(started))

    rows = outline(snapshot, limit=1000)

    for path, row in paths_of(snapshot.value, rows):
        assert (row.state == "done") == snapshot.is_complete(path)


def paths_of(value: Any, rows: tuple[Row, ...]) -> list[tuple[tuple[str | int, ...], Row]]:
    """Pair rows with the paths of what they show, by walking through the value."""
    remaining = list(rows)
    found: list[tuple[tuple[str | int, ...], Row]] = []

    def walk(value: Any, path: tuple[str | int, ...], depth: int) -> None:
        if not remaining or remaining[0].depth != depth:
            return

        for key, child in children_of(value):
            found.append(((*path, key), remaining.pop(0)))
            walk(child, (*path, key), depth + 1)

    if children_of(value):
        walk(value, (), 0)
    else:
        found.append(((), remaining.pop(0)))

    assert not remaining
    return found
