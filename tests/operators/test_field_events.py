"""What `field_events` promises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import SourceFailed, TruncatedJson
from streamops.nodes import Path
from streamops.operators import FieldEvent
from streamops.parser import IncrementalParser
from streamops.testing import Stage, chunked
from tests.documents import Dump, chunk_sizes, dumps, json_values
from tests.outcomes import Outcome, outcome, through, values
from tests.places import children, work_on
from tests.test_parser_work import LONGER


def events(chunks: Iterable[str]) -> Outcome[FieldEvent]:
    return through(chunks, ops.accumulate_json(), ops.field_events())


def started(*path: str | int) -> FieldEvent:
    return FieldEvent("started", path)


def grew(*path: str | int, text: str) -> FieldEvent:
    return FieldEvent("grew", path, text=text)


def closed(*path: str | int, value: Any) -> FieldEvent:
    return FieldEvent("closed", path, value)


EVENTS: dict[str, tuple[str, list[FieldEvent]]] = {
    "a number": ("12", [started(), closed(value=12)]),
    "null": ("null", [started(), closed(value=None)]),
    "a string": ('"x"', [started(), grew(text="x"), closed(value="x")]),
    "an empty string": ('""', [started(), closed(value="")]),
    "an empty list": ("[]", [started(), closed(value=[])]),
    "an empty object": ("{}", [started(), closed(value={})]),
    "items": (
        "[1, []]",
        [
            started(),
            started(0),
            closed(0, value=1),
            started(1),
            closed(1, value=[]),
            closed(value=[1, []]),
        ],
    ),
    "properties": (
        '{"a": {"b": "x"}, "c": true}',
        [
            started(),
            started("a"),
            started("a", "b"),
            grew("a", "b", text="x"),
            closed("a", "b", value="x"),
            closed("a", value={"b": "x"}),
            started("c"),
            closed("c", value=True),
            closed(value={"a": {"b": "x"}, "c": True}),
        ],
    ),
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("text", "expected"), EVENTS.values(), ids=EVENTS)
def test_each_path_starts_and_closes_once_and_in_order(
    text: str, expected: list[FieldEvent], size: int
) -> None:
    received = events(chunked(text, size))

    assert received.completed
    assert received.values == expected


def test_a_string_grows_by_what_each_chunk_brings() -> None:
    received = events(['["x', "y", "", "z", '"]'])

    assert [event.text for event in received.values if event.kind == "grew"] == ["x", "y", "z"]


def test_events_come_when_things_happen() -> None:
    stage = Stage()
    source = "-a-b-c-d-|"
    window = "^--------!"

    chunks = stage.cold(source, a='{"a', b='": "x', c='"', d="}")
    kinds = chunks.pipe(ops.accumulate_json(), ops.field_events(), rx.map(summary))

    assert stage.run(kinds) == [
        *stage.expect("-s", s=("started", ())),
        *stage.expect("---(s,g)", s=("started", ("a",)), g=("grew", ("a",))),
        *stage.expect("-----c-d-|", c=("closed", ("a",)), d=("closed", ())),
    ]
    assert chunks.subscriptions == stage.window(window)


def summary(event: FieldEvent) -> tuple[str, Path]:
    return event.kind, event.path


def test_a_key_that_is_repeated_starts_and_closes_again() -> None:
    assert [summary(event) for event in events('{"a": "", "a": []}').values] == [
        ("started", ()),
        ("started", ("a",)),
        ("closed", ("a",)),
        ("started", ("a",)),
        ("closed", ("a",)),
        ("closed", ()),
    ]


def test_of_an_object_that_came_whole_the_last_value_of_a_repeated_key_is_told() -> None:
    assert events(['{"a": 1, "b": 2, "a": 3}']).values == [
        started(),
        started("a"),
        closed("a", value=3),
        started("b"),
        closed("b", value=2),
        closed(value={"a": 3, "b": 2}),
    ]


def test_an_event_never_changes_and_shares_its_value_with_the_snapshots() -> None:
    snapshots = values(reactivex.of("[[1]", ", 2]").pipe(ops.accumulate_json()))

    seen = values(reactivex.from_iterable(snapshots).pipe(ops.field_events()))

    item = next(event for event in seen if event.kind == "closed" and event.path == (0,))
    assert item.value is snapshots[-1].value[0]
    with pytest.raises(AttributeError):
        item.kind = "grew"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]  # what is tested


def test_a_document_as_deep_as_the_limit_is_told() -> None:
    parser = IncrementalParser(max_depth=2_000)
    snapshots = parser.feed("[" * 2_000 + "]" * 2_000)

    told = values(reactivex.from_iterable(snapshots).pipe(ops.field_events(), rx.map(summary)))

    assert [kind for kind, _ in told] == ["started"] * 2_000 + ["closed"] * 2_000


def test_skipped_snapshots_lose_no_event() -> None:
    text = '{"a": ["x", {"b": "yz"}], "c": 1}'
    stream = reactivex.from_iterable(chunked(text, 3)).pipe(
        ops.accumulate_json(), rx.take_last(1), ops.field_events()
    )

    assert values(stream) == events([text]).values


def test_each_of_many_documents_is_told_from_its_root() -> None:
    received = through(["[1", "]\n2\n"], ops.accumulate_json(values="many"), ops.field_events())

    assert received.values == [
        started(),
        started(0),
        closed(0, value=1),
        closed(value=[1]),
        started(),
        closed(value=2),
    ]


def test_nothing_arrives() -> None:
    assert values(reactivex.empty().pipe(ops.field_events())) == []


def test_events_before_an_error_are_kept_and_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1, 2"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.field_events()))

    assert received.values == [started(), started(0), closed(0, value=1)]
    assert received.error is error


def test_what_is_open_when_the_text_is_cut_does_not_close() -> None:
    received = events(['{"a": "x'])

    assert received.values == [started(), started("a"), grew("a", text="x")]
    assert isinstance(received.error, TruncatedJson)


def test_taking_one_event_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a="[", b="1,", c="1]")

    first = chunks.pipe(ops.accumulate_json(), ops.field_events(), rx.map(summary), rx.take(1))

    assert stage.run(first) == stage.expect("-(s,|)", s=("started", ()))
    assert chunks.subscriptions == stage.window("^!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of("[1", ",3]").pipe(ops.accumulate_json(), ops.field_events())

    assert values(stream) == values(stream)


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(event: FieldEvent) -> None:
        raise KeyError(event.kind)

    source.pipe(ops.accumulate_json(), ops.field_events()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="started"):
        source.on_next("[1, ")
    assert errors == []


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["[]"], ops.field_events())

    assert isinstance(received.error, TypeError)
    assert "put accumulate_json() before it" in str(received.error)


def walk(value: Any, path: Path = ()) -> Iterator[FieldEvent]:
    """Tell the events of a whole document, but for the growth of strings."""
    yield FieldEvent("started", path)
    for key, child in children(value):
        yield from walk(child, (*path, key))
    yield FieldEvent("closed", path, value)


@given(json_values, dumps, chunk_sizes)
def test_however_the_text_is_cut_the_same_paths_start_and_close(
    document: Any, dump: Dump, sizes: list[int]
) -> None:
    received = events(chunked(dump(document), *sizes))

    assert received.completed
    assert [event for event in received.values if event.kind != "grew"] == list(walk(document))


@given(json_values, dumps, chunk_sizes)
def test_a_string_is_what_it_grew_by_between_its_start_and_its_end(
    document: Any, dump: Dump, sizes: list[int]
) -> None:
    texts: dict[Path, str] = {}
    for event in events(chunked(dump(document), *sizes)).values:
        if event.kind == "started":
            texts[event.path] = ""
        elif event.kind == "grew":
            assert event.text
            texts[event.path] += event.text
        else:
            text = texts.pop(event.path)
            assert text == (event.value if isinstance(event.value, str) else "")

    assert texts == {}


@given(json_values, st.data(), chunk_sizes)
def test_a_text_that_is_cut_brings_the_first_of_the_events(
    document: Any, data: st.DataObject, sizes: list[int]
) -> None:
    text = json.dumps(document)
    cut = text[: data.draw(st.integers(1, len(text)))]

    received = [e for e in events(chunked(cut, *sizes)).values if e.kind != "grew"]

    whole = list(walk(document))
    if received and received[-1].path == () and received[-1].kind == "closed":
        return  # a number as the root, which the end of the text closes
    assert received == whole[: len(received)]


def test_work_does_not_depend_on_how_much_came_before() -> None:
    short, long = (work_on(ops.field_events(), items) for items in (100, 100 * LONGER))

    assert long.calls <= LONGER * short.calls * 1.05 + 50
    assert long.characters <= LONGER * short.characters * 1.05 + 50
