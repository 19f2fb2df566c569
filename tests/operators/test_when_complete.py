"""What `when_complete` promises."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import ANY
from streamops import operators as ops
from streamops.errors import SourceFailed, TruncatedJson
from streamops.parser import IncrementalParser
from streamops.patterns import Pattern
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes
from tests.growing import Home, User
from tests.outcomes import Outcome, outcome, through, values
from tests.places import places, watched_documents, work_on
from tests.test_parser_work import LONGER


def completed(chunks: Iterable[str], path: Pattern, model: Any = None) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.when_complete(path, model))


USERS = '{"users": [{"name": "Jo"}, {"name": "Al", "age": 3}], "n": 1}'

COMPLETED: dict[str, tuple[str, Pattern, list[Any]]] = {
    "a string": ('{"a": "xy"}', ("a",), ["xy"]),
    "an empty string": ('{"a": ""}', ("a",), [""]),
    "a number": ('{"a": 12}', ("a",), [12]),
    "null": ('{"a": null}', ("a",), [None]),
    "a list": ('{"a": [1, [2]]}', ("a",), [[1, [2]]]),
    "an item": ("[1, [2], 3]", (1,), [[2]]),
    "the root": ("[1]", (), [[1]]),
    "a root that is a number": ("12", (), [12]),
    "each of many": (USERS, ("users", ANY), [{"name": "Jo"}, {"name": "Al", "age": 3}]),
    "each of those that have it": (USERS, ("users", ANY, "age"), [3]),
    "each value of an object": ('{"a": 1, "b": "x"}', (ANY,), [1, "x"]),
    "a place that is not there": (USERS, ("users", 2), []),
    "a place inside a string": ('{"a": "x"}', ("a", 0), []),
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("text", "path", "expected"), COMPLETED.values(), ids=COMPLETED)
def test_the_finished_value_comes_once(
    text: str, path: Pattern, expected: list[Any], size: int
) -> None:
    received = completed(chunked(text, size), path)

    assert received.completed
    assert received.values == expected


def test_the_value_comes_the_moment_it_closes() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"
    strings = "---x-------|"
    numbers = "-------y---|"

    chunks = stage.cold(source, a='{"a": "w', b='x", "b', c='": 1', d=" ", e="}")
    snapshots = chunks.pipe(ops.accumulate_json())

    assert stage.run(snapshots.pipe(ops.when_complete(("a",)))) == stage.expect(strings, x="wx")
    assert chunks.subscriptions == stage.window(window)

    stage = Stage()
    chunks = stage.cold(source, a='{"a": "w', b='x", "b', c='": 1', d=" ", e="}")
    snapshots = chunks.pipe(ops.accumulate_json())

    assert stage.run(snapshots.pipe(ops.when_complete(("b",)))) == stage.expect(numbers, y=1)


def test_a_key_that_is_repeated_closes_again() -> None:
    assert completed('{"a": "x", "a": [1]}', ("a",)).values == ["x", [1]]


def test_the_value_is_the_object_that_the_snapshots_share() -> None:
    chunks = chunked('{"a": [[1], [2], "x"], "b": 1}', 3)
    snapshots = values(reactivex.from_iterable(chunks).pipe(ops.accumulate_json()))

    (value,) = values(reactivex.from_iterable(snapshots).pipe(ops.when_complete(("a",))))

    assert value is snapshots[-1].value["a"]


def test_with_a_model_the_path_is_given_in_names_of_fields() -> None:
    text = '{"first": {"kind": "cat", "lives": 9}, "pets": [{"kind": "dog", "bark": "wu"}]}'

    assert completed([text], ("first", "lives"), Home).values == [9]
    assert completed([text], ("pets", ANY, "bark"), Home).values == ["wu"]


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_number_that_may_go_on_is_not_complete_when_the_text_is_cut(size: int) -> None:
    received = completed(chunked('{"a": 1, "b": 2', size), (ANY,))

    assert received.values == [1]
    assert isinstance(received.error, TruncatedJson)


def test_skipped_snapshots_lose_no_value() -> None:
    stream = reactivex.from_iterable(chunked(USERS, 3)).pipe(
        ops.accumulate_json(), rx.take_last(1), ops.when_complete(("users", ANY, "name"))
    )

    assert values(stream) == ["Jo", "Al"]


def test_of_many_documents_the_values_of_each_come() -> None:
    received = through(
        chunked('{"a": 1}\n{"b": 2}\n{"a": "x"}', 4),
        ops.accumulate_json(values="many"),
        ops.when_complete(("a",)),
    )

    assert received.values == [1, "x"]


def test_a_retry_in_between_starts_anew() -> None:
    attempts = iter(
        [
            reactivex.concat(reactivex.of("[[1, 2], [3,"), reactivex.throw(OSError())),
            reactivex.of("[[1], [2", "]]"),
        ]
    )
    source = reactivex.defer(lambda _: next(attempts))

    stream = source.pipe(ops.accumulate_json(), rx.retry(2), ops.when_complete((ANY,)))

    assert values(stream) == [[1, 2], [1], [2]]


def test_nothing_arrives() -> None:
    assert values(reactivex.empty().pipe(ops.when_complete(("a",)))) == []


def test_values_before_an_error_are_kept_and_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1, 2, 3"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.when_complete((ANY,))))

    assert received.values == [1, 2]
    assert received.error is error


def test_taking_the_value_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a='{"a": 1', b=", ", c="}")

    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.when_complete(("a",)), rx.take(1)))

    assert numbers == stage.expect("---(1,|)")
    assert chunks.subscriptions == stage.window("^--!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of("[1", ",3]").pipe(ops.accumulate_json(), ops.when_complete((ANY,)))

    assert values(stream) == values(stream) == [1, 3]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(value: Any) -> None:
        raise KeyError(value)

    source.pipe(ops.accumulate_json(), ops.when_complete((0,))).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="1"):
        source.on_next("[1, ")
    assert errors == []


def test_bad_arguments_raise_when_the_operator_is_built() -> None:
    keys: Any = ["users"]

    with pytest.raises(TypeError, match="when_complete takes a path"):
        ops.when_complete(keys)
    with pytest.raises(ValueError, match=r"when_complete: .* whose fields are: name, age, tags"):
        ops.when_complete(("nam",), User)


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["[]"], ops.when_complete(()))

    assert isinstance(received.error, TypeError)
    assert "put accumulate_json() before it" in str(received.error)


@given(watched_documents(), chunk_sizes)
def test_the_values_are_those_of_the_whole_text(
    watched: tuple[str, Pattern], sizes: list[int]
) -> None:
    text, pattern = watched

    received = completed(chunked(text, *sizes), pattern)

    assert received.completed
    assert received.values == list(places(json.loads(text), pattern).values())


@given(watched_documents(), st.data(), chunk_sizes)
def test_however_far_the_text_came_the_values_that_closed_are_emitted(
    watched: tuple[str, Pattern], data: st.DataObject, sizes: list[int]
) -> None:
    text, pattern = watched
    cut = text[: data.draw(st.integers(1, len(text)))]
    parser = IncrementalParser()
    parser.feed(cut)
    closed = places(parser.snapshot.value, pattern) if parser.snapshot.started else {}

    received = completed(chunked(cut, *sizes), pattern)

    expected = [value for path, value in closed.items() if parser.snapshot.is_complete(path)]
    if received.completed and not parser.complete:  # a number or a word as the root
        expected = received.values
    assert received.values == expected


@pytest.mark.parametrize("path", [(), ("last",), ("list", ANY, "id"), ("list",), ("a", ANY, "x")])
def test_work_does_not_depend_on_how_much_came_before(path: Pattern) -> None:
    short, long = (work_on(ops.when_complete(path), items) for items in (100, 100 * LONGER))

    assert long.calls <= LONGER * short.calls * 1.05 + 50
    assert long.characters <= LONGER * short.characters * 1.05 + 50
