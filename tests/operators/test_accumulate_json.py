"""What `accumulate_json` promises; what it shows is the parser's, and tested there."""

from __future__ import annotations

import json
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex.subject import Subject

import streamops as so
from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import (
    ConnectionDropped,
    MalformedJson,
    NoJson,
    SourceFailed,
    TruncatedJson,
    UnknownElement,
)
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes, dumps, json_values
from tests.outcomes import Outcome, outcome, pushed, through


def snapshots(*items: Any, **options: Any) -> Outcome[Snapshot]:
    return through(items, ops.accumulate_json(**options))


def shown(received: Outcome[Snapshot]) -> list[tuple[Any, bool]]:
    return [(snapshot.value, snapshot.complete) for snapshot in received.values]


def value_of(snapshot: Snapshot) -> Any:
    return snapshot.value


def is_complete(snapshot: Snapshot) -> bool:
    return snapshot.complete


def call(text: str, index: int = 0, choice: int = 0) -> Delta:
    return Delta(text, kind="tool_call", index=index, choice=choice)


READ: dict[str, tuple[list[Any], list[tuple[Any, bool]]]] = {
    "one": (["{}"], [({}, True)]),
    "many": (['{"a"', ": 1", "2}"], [({}, False), ({}, False), ({"a": 12}, True)]),
    "nothing after the complete one": (["[1]", " ", "so it is"], [([1], True)]),
    "a root number": (["12", "3"], [(None, False), (None, False), (123, True)]),
    "text after the JSON": (['{"a": 1}```\nDone'], [({"a": 1}, True)]),
    "empty chunks": (["", "[", "", "]"], [([], False), ([], True)]),
    "deltas without text": (
        [Delta("[1"), Delta(kind="finish", finish_reason="stop"), Delta("]")],
        [([], False), ([1], True)],
    ),
    "text and deltas": (["[", Delta("1, "), "2]"], [([], False), ([1], False), ([1, 2], True)]),
    "reasoning is not content": (
        [Delta("no", kind="reasoning"), Delta("{}"), Delta(kind="usage", usage={})],
        [({}, True)],
    ),
    "only choice 0": (
        [Delta("[1,", choice=0), Delta('{"a"', choice=1), Delta("2]", choice=0)],
        [([1], False), ([1, 2], True)],
    ),
    "text before a tool call": (
        [Delta("I will call it. "), call('{"a": '), call("1}")],
        [(None, False), ({}, False), ({"a": 1}, True)],
    ),
    "an undecided bracket before a tool call": (
        [Delta("Use {"), call('{"a": 1}')],
        [(None, False), ({"a": 1}, True)],
    ),
    "text amid a tool call": (
        [call("[1,"), Delta("and"), Delta("[7]"), call("2]")],
        [([1], False), ([1, 2], True)],
    ),
    "the first of parallel tool calls": (
        [call("[1,", 0), call("[5,", 1), call("2]", 0), call("6]", 1)],
        [([1], False), ([1, 2], True)],
    ),
    "the call that comes first, whatever its index": (
        [call("[5", 3), call("[1", 0), call("]", 0), call("]", 3)],
        [([], False), ([5], True)],
    ),
    "calls of another choice": ([call("[7]", 0, choice=1), Delta("[1]")], [([1], True)]),
    "a tool call after JSON had begun as content": (
        [Delta("[1"), call("[2]"), Delta("]")],
        [([], False), ([1], True)],
    ),
    "a tool call that begins without arguments": (
        [call(""), call("[1"), call("]")],
        [([], False), ([1], True)],
    ),
}


@pytest.mark.parametrize(("items", "expected"), READ.values(), ids=READ)
def test_what_is_read_and_shown(items: list[Any], expected: list[tuple[Any, bool]]) -> None:
    received = snapshots(*items)

    assert received.completed
    assert shown(received) == expected


def test_the_complete_snapshot_comes_the_moment_the_root_closes() -> None:
    stage = Stage()
    source = "-a-b-c-d-|"
    result = "-x-y-----|"

    chunks = stage.cold(source, a="[1,", b="2] ", c="bye", d="[3]")
    values = stage.run(chunks.pipe(ops.accumulate_json(), rx.map(value_of)))

    assert values == stage.expect(result, x=[1], y=[1, 2])
    assert chunks.subscriptions == stage.window("^--------!")


def test_a_root_number_is_complete_when_the_text_ends() -> None:
    stage = Stage()
    chunks = stage.cold("-a-|", a="12")

    completed = stage.run(chunks.pipe(ops.accumulate_json(), rx.map(is_complete)))

    assert completed == stage.expect("-x-(y,|)", x=False, y=True)


def test_nothing_arrives() -> None:
    received = snapshots()

    assert received.values == []
    assert isinstance(received.error, NoJson)
    assert received.error.text == ""


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    chunks = stage.cold("-a--", a="[1,")

    values = stage.run(chunks.pipe(ops.accumulate_json(), rx.map(value_of)))

    assert values == stage.expect("-x", x=[1])
    assert chunks.subscriptions == stage.window("^")


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-a-a|", a="[")

    stage.run(chunks.pipe(ops.accumulate_json()), until=4)

    assert chunks.subscriptions == stage.window("^---!")


def test_a_foreign_error_of_the_source_passes_through_as_the_same_object() -> None:
    error = KeyError("mine")
    source = reactivex.concat(reactivex.of("[1,"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json()))

    assert shown(received) == [([1], False)]
    assert received.error is error


def test_a_source_that_failed_gets_the_last_snapshot() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1,"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json()))

    assert received.error is error
    assert error.snapshot == received.values[-1]


def test_a_dropped_connection_leaves_truncated_json_with_its_cause() -> None:
    error = SourceFailed("reset", dropped=True)
    source = reactivex.concat(reactivex.of("[1, 2"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json()))

    assert isinstance(received.error, ConnectionDropped)
    assert received.error.__cause__ is error
    assert received.error.text == "[1, 2"
    assert received.error.snapshot == received.values[-1]


def test_a_connection_that_drops_after_the_root_closed_took_nothing_away() -> None:
    error = SourceFailed("reset", dropped=True)
    source = reactivex.concat(reactivex.of("[1]"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json()))

    assert received.error is None
    assert received.completed
    assert shown(received) == [([1], True)]


@pytest.mark.parametrize("size", range(1, 8))
def test_what_comes_before_a_syntax_error_is_shown_however_the_text_is_cut(size: int) -> None:
    received = pushed(chunked("[1, 2 3]", size), ops.accumulate_json())

    assert shown(received)[-1] == ([1, 2], False)
    assert isinstance(received.error, MalformedJson)
    assert received.error.offset == 6
    assert not received.completed


def test_every_subscriber_reads_from_the_start() -> None:
    source = Subject[str]()
    stream = source.pipe(ops.accumulate_json())
    first: list[Any] = []
    second: list[Any] = []

    stream.subscribe(lambda s: first.append(s.value))
    source.on_next("[")
    stream.subscribe(lambda s: second.append(s.value))
    source.on_next("[1")

    assert first == [[], [[]]]
    assert second == [[]]


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of("[1", ",2", "]").pipe(ops.accumulate_json())

    assert shown(outcome(stream)) == shown(outcome(stream))


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(snapshot: Snapshot) -> None:
        raise KeyError(snapshot.value)

    source.pipe(ops.accumulate_json()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match=r"\[\]"):
        source.on_next("[")
    assert errors == []


def test_what_is_neither_delta_nor_text_is_an_error_that_says_so() -> None:
    received = snapshots("[", b"1")

    assert isinstance(received.error, UnknownElement)
    assert "accumulate_json reads Delta and str" in str(received.error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": "all"}, 'values must be "one" or "many"'),
        ({"around": "keep"}, 'around must be "skip" or "reject"'),
        ({"max_depth": 0}, "max_depth must be at least 1"),
        ({"max_chars": 0}, "max_chars must be at least 1"),
    ],
)
def test_bad_arguments_raise_when_the_operator_is_built(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ops.accumulate_json(**options)


@given(json_values, dumps, chunk_sizes)
def test_the_last_snapshot_is_complete_and_what_json_reads(
    value: Any, dump: Any, sizes: list[int]
) -> None:
    received = snapshots(*chunked(dump(value), *sizes))

    assert received.error is None
    assert [snapshot.complete for snapshot in received.values][-1:] == [True]
    assert sum(snapshot.complete for snapshot in received.values) == 1
    assert received.values[-1].value == json.loads(dump(value))


@given(
    st.lists(json_values, min_size=1, max_size=4),
    st.sampled_from(["\n", " ", "\r\n\n"]),
    chunk_sizes,
)
def test_many_values_may_follow_each_other(
    documents: list[Any], between: str, sizes: list[int]
) -> None:
    text = between.join(map(json.dumps, documents))

    received = snapshots(*chunked(text, *sizes), values="many")

    assert received.error is None
    assert [s.value for s in received.values if s.complete] == documents


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}], id="NDJSON"),
        pytest.param('{"a": 1}{"a": 2}', [{"a": 1}, {"a": 2}], id="nothing in between"),
        pytest.param("[1][2] [3]", [[1], [2], [3]], id="lists"),
        pytest.param("1 2\n3", [1, 2, 3], id="numbers"),
        pytest.param('Here: {"a": 1}\nand {"a": 2}.', [{"a": 1}, {"a": 2}], id="prose in between"),
        pytest.param("```json\n[1]\n```\n", [[1]], id="a fence"),
        pytest.param('"a""b"', ["a", "b"], id="strings"),
    ],
)
def test_many_values_are_told_apart(text: str, expected: list[Any], size: int) -> None:
    received = snapshots(*chunked(text, size), values="many")

    assert received.error is None
    assert received.completed
    assert [s.value for s in received.values if s.complete] == expected


def test_the_last_of_many_values_may_be_truncated_too() -> None:
    received = snapshots('{"a": 1}\n{"a": ', values="many")

    assert [s.value for s in received.values if s.complete] == [{"a": 1}]
    assert isinstance(received.error, TruncatedJson)


def test_many_values_need_one() -> None:
    assert isinstance(snapshots("sorry", values="many").error, NoJson)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_many_values_come_before_a_syntax_error(size: int) -> None:
    received = snapshots(*chunked('{"a": 1}\n{"a" 2}', size), values="many")

    assert [s.value for s in received.values if s.complete] == [{"a": 1}]
    assert isinstance(received.error, MalformedJson)


def many(*chunks: str) -> Outcome[Any]:
    """Return what comes of several values in a text."""
    return through(chunks, ops.accumulate_json(values="many"))


@pytest.mark.parametrize("word", ["NaN", "Infinity"])
def test_a_last_value_that_is_a_word_counts(word: str) -> None:
    complete = [s.value for s in many(f"[1] {word}").values if s.complete]

    assert repr(complete) == repr([[1], float(word)])


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_the_offset_of_an_error_counts_from_the_first_value(size: int) -> None:
    text = '{"a": 1}\n\n {"b": 2}\n{"c" 3}'

    error = many(*chunked(text, size)).error

    assert isinstance(error, so.MalformedJson)
    assert error.offset == text.index("3")


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_the_text_of_a_truncated_value_begins_with_it(size: int) -> None:
    error = many(*chunked('[1]\n{"a":', size)).error

    assert isinstance(error, so.TruncatedJson)
    assert error.text == '{"a":'


def test_many_values_in_one_chunk_are_copied_once() -> None:
    line = '{"a": 1}\n'
    parsed = many(line * 5000)

    assert [s.value for s in parsed.values] == [{"a": 1}] * 5000
    assert sum(len(s.document.text.read()) for s in parsed.values) < 5000 * 4097


def choice_is_one(delta: so.Delta) -> bool:
    return delta.choice == 1


def text_of(delta: so.Delta) -> str:
    return delta.text


def test_two_readers_of_one_failing_source_each_keep_their_snapshot() -> None:
    source: Subject[so.Delta] = Subject()
    first = outcome(source.pipe(ops.accumulate_json()))
    is_second = rx.filter(choice_is_one)
    second = outcome(source.pipe(is_second, rx.map(text_of), ops.accumulate_json()))

    source.on_next(so.Delta('{"a": 1,'))
    source.on_next(so.Delta("[1, 2,", choice=1))
    source.on_error(so.SourceFailed("gone"))

    snapshots = [getattr(received.error, "snapshot", None) for received in (first, second)]
    assert [snapshot and snapshot.value for snapshot in snapshots] == [{"a": 1}, [1, 2]]


def test_another_choice_can_be_read() -> None:
    deltas = [so.Delta("[1,"), so.Delta("[3,", choice=1), so.Delta("2]"), so.Delta("4]", choice=1)]

    assert through(deltas, ops.accumulate_json(choice=1)).values[-1].value == [3, 4]
