"""What `select` promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import reactivex
from hypothesis import given
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import ANY
from streamops import operators as ops
from streamops.errors import SourceFailed, TruncatedJson
from streamops.patterns import Pattern
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes
from tests.growing import Aliased, User
from tests.outcomes import Outcome, outcome, through, values
from tests.places import places, watched_documents, work_on
from tests.test_parser_work import LONGER


def selected(chunks: Iterable[str], path: Pattern, model: Any = None) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.select(path, model))


USERS = '{"users": [{"name": "Jo"}, {"name": "Al", "age": 3}], "n": 1}'

SELECTED: dict[str, tuple[str, Pattern, list[Any]]] = {
    "a string": ('{"a": "xy"}', ("a",), ["", "x", "xy"]),
    "a number": ('{"a": 12}', ("a",), [12]),
    "null": ('{"a": null}', ("a",), [None]),
    "a list": ('{"a": [1, 2]}', ("a",), [[], [1], [1, 2]]),
    "an object": ('{"a": {"b": "x"}}', ("a",), [{}, {"b": ""}, {"b": "x"}]),
    "an empty list": ('{"a": []}', ("a",), [[]]),
    "an item": ("[1, [2], 3]", (1,), [[], [2]]),
    "the root": ("[1]", (), [[], [1]]),
    "a root that is a number": ("12", (), [12]),
    "what is around the place": ('{"b": "x", "a": true, "c": [1]}', ("a",), [True]),
    "each of many": (USERS, ("users", ANY, "name"), ["", "J", "Jo", "", "A", "Al"]),
    "each of those that have it": (USERS, ("users", ANY, "age"), [3]),
    "each value of an object": ('{"a": 1, "b": 2}', (ANY,), [1, 2]),
    "a place that is not there": (USERS, ("users", 2), []),
    "a key where indexes are": (USERS, ("users", "0"), []),
    "an index where keys are": ('{"0": 1}', (0,), []),
    "a place inside a string": ('{"a": "x"}', ("a", 0), []),
    "a repeated key": ('{"a": "x", "a": [1]}', ("a",), ["", "x", [], [1]]),
}


@pytest.mark.parametrize(("text", "path", "expected"), SELECTED.values(), ids=SELECTED)
def test_the_value_comes_each_time_it_changes(
    text: str, path: Pattern, expected: list[Any]
) -> None:
    received = selected(text, path)

    assert received.completed
    assert received.values == expected


def test_a_value_comes_when_it_changes_and_not_when_others_do() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"
    result = "-w-x---y-z-|"

    chunks = stage.cold(source, a='{"a": "w', b='x", "b', c='": "', d='z", "a": [', e="1]}")
    strings = stage.run(chunks.pipe(ops.accumulate_json(), ops.select(("a",))))

    assert strings == stage.expect(result, w="w", x="wx", y=[], z=[1])
    assert chunks.subscriptions == stage.window(window)


def test_closing_without_news_is_no_change() -> None:
    assert selected(["[[1 ", "]", ' , "x', '"', "]"], (0,)).values == [[1]]
    assert selected(["[[1 ", "]", ' , "x', '"', "]"], ()).values == [[[1]], [[1], "x"]]


def test_with_a_chunk_that_changes_several_places_they_come_in_the_order_of_the_text() -> None:
    received = selected(['[{"a": "x', 'y", "b": 1}, {"a": 2}, {"a": [3, ', "4]}]"], (ANY, "a"))

    assert received.values == ["x", "xy", 2, [3], [3, 4]]


def test_finished_values_are_shared_with_the_snapshots() -> None:
    chunks = chunked('{"a": [[1], [2], "x"]}', 3)
    snapshots = values(reactivex.from_iterable(chunks).pipe(ops.accumulate_json()))

    lists = values(reactivex.from_iterable(snapshots).pipe(ops.select(("a",))))

    assert lists[-1][0] is snapshots[-1].value["a"][0]


def test_with_a_model_the_path_is_given_in_names_of_fields() -> None:
    text = '{"firstName": "Jo", "homeAddress": {"street": "x", "number": 1}}'

    assert selected([text], ("first_name",), Aliased).values == ["Jo"]
    assert selected([text], ("home_address", "street"), Aliased).values == ["x"]
    assert selected(['{"first_name": "Jo"}'], ("first_name",), Aliased).values == ["Jo"]


def test_skipped_snapshots_lose_only_values_that_were_replaced() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d-e|", a='[{"a": "', b='x"}, {"a', c='": "y', d='"}, ', e="0]")

    names = chunks.pipe(ops.accumulate_json(), rx.sample(6.0), ops.select((ANY, "a")))

    assert stage.run(names) == stage.expect("------(x,y)") + stage.expect("------------|")


def test_each_of_many_documents_is_watched_anew() -> None:
    received = through(
        chunked('{"a": 1}\n{"b": 2}\n{"a": "x"}', 4),
        ops.accumulate_json(values="many"),
        ops.select(("a",)),
    )

    assert received.values == [1, "x"]


def test_nothing_arrives() -> None:
    assert values(reactivex.empty().pipe(ops.select(("a",)))) == []


def test_what_came_before_an_error_is_kept_and_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of('{"a": [1, '), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.select(("a",))))

    assert received.values == [[1]]
    assert received.error is error


def test_a_truncated_text_ends_in_truncated_json() -> None:
    received = selected(['{"a": "x'], ("a",))

    assert received.values == ["x"]
    assert isinstance(received.error, TruncatedJson)


def test_taking_one_value_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a='{"a": 1', b=", ", c="}")

    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.select(("a",)), rx.take(1)))

    assert numbers == stage.expect("---(1,|)")
    assert chunks.subscriptions == stage.window("^--!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of("[1", ",3]").pipe(ops.accumulate_json(), ops.select((ANY,)))

    assert values(stream) == values(stream) == [1, 3]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(value: Any) -> None:
        raise KeyError(value)

    source.pipe(ops.accumulate_json(), ops.select((0,))).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="1"):
        source.on_next("[1, ")
    assert errors == []


def test_bad_arguments_raise_when_the_operator_is_built() -> None:
    text: Any = "users"

    with pytest.raises(TypeError, match=r"select takes a path.* such as \('users',\)"):
        ops.select(text)
    with pytest.raises(ValueError, match=r"select: .* whose fields are: name, age, tags"):
        ops.select(("nam",), User)


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["[]"], ops.select(()))

    assert isinstance(received.error, TypeError)
    assert "select reads Snapshots, not str: put accumulate_json() before it" in str(received.error)


@given(watched_documents(), chunk_sizes)
def test_each_place_comes_when_it_differs_from_what_it_was(
    watched: tuple[str, Pattern], sizes: list[int]
) -> None:
    text, pattern = watched
    chunks = chunked(text, *sizes)
    expected: list[Any] = []
    before: dict[Any, Any] = {}
    for snapshot in values(reactivex.from_iterable(chunks).pipe(ops.accumulate_json())):
        now = places(snapshot.value, pattern) if snapshot.started else {}
        expected += [v for path, v in now.items() if path not in before or before[path] != v]
        before = now

    assert selected(chunks, pattern).values == expected


@pytest.mark.parametrize("path", [("last",), ("list", ANY, "id"), ("list", 1), ("a", ANY, "x")])
def test_work_does_not_depend_on_how_much_came_before(path: Pattern) -> None:
    short, long = (work_on(ops.select(path), items) for items in (100, 100 * LONGER))

    assert long.calls <= LONGER * short.calls * 1.05 + 50
    assert long.characters <= LONGER * short.characters * 1.05 + 50
