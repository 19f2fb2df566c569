"""What `text_deltas` promises."""

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
from streamops.errors import SchemaMismatch, SourceFailed, TruncatedJson
from streamops.nodes import StringNode
from streamops.parser import IncrementalParser
from streamops.patterns import Pattern
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes, json_values, names
from tests.growing import Aliased, User
from tests.outcomes import Outcome, outcome, pushed, through, values
from tests.places import places, watched_documents, work_on
from tests.test_parser_work import LONGER


def texts(chunks: Iterable[str], path: Pattern, model: Any = None) -> Outcome[str]:
    return through(chunks, ops.accumulate_json(), ops.text_deltas(path, model))


TEXTS: dict[str, tuple[str, Pattern, list[str]]] = {
    "a string": ('{"a": "xy"}', ("a",), ["x", "y"]),
    "an empty string": ('{"a": ""}', ("a",), []),
    "null": ('{"a": null}', ("a",), []),
    "escapes": ('{"a": "\\n\\u00e9\\ud83d\\ude00"}', ("a",), ["\n", "é", "😀"]),
    "the root": ('"xy"', (), ["x", "y"]),
    "an item": ('["x", "y"]', (1,), ["y"]),
    "what is around the place": ('{"a": 1, "b": "y", "c": []}', ("b",), ["y"]),
    "each of many": ('[{"a": "xy"}, {"b": 1}, {"a": "z"}]', (ANY, "a"), ["x", "y", "z"]),
    "a place that is not there": ('{"a": "x"}', ("b",), []),
    "a repeated key": ('{"a": "x", "a": "y"}', ("a",), ["x", "y"]),
}


@pytest.mark.parametrize(("text", "path", "expected"), TEXTS.values(), ids=TEXTS)
def test_each_new_character_comes_once(text: str, path: Pattern, expected: list[str]) -> None:
    received = texts(text, path)

    assert received.completed
    assert received.values == expected


def test_text_comes_when_it_arrives() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"
    result = "-w-x---z---|"

    chunks = stage.cold(source, a='[{"a": "w', b="x\\", c="u00", d='0ay"}, ', e="0]")
    deltas = stage.run(chunks.pipe(ops.accumulate_json(), ops.text_deltas((ANY, "a"))))

    assert deltas == stage.expect(result, w="w", x="x", z="\ny")
    assert chunks.subscriptions == stage.window(window)


def test_the_texts_of_one_chunk_come_with_it_one_for_each_string() -> None:
    assert texts(['["a', 'b", "cd", "", "e', 'f"]'], (ANY,)).values == ["a", "b", "cd", "e", "f"]


NO_STRING: dict[str, tuple[str, Pattern, list[str], Pattern]] = {
    "a number": ('{"a": 12}', ("a",), [], ("a",)),
    "a list": ('{"a": ["x"]}', ("a",), [], ("a",)),
    "an object": ('{"a": {}}', ("a",), [], ("a",)),
    "the root": ('{"a": {}}', (), [], ()),
    "one of many": ('[{"a": "x"}, {"a": true}, {"a": "y"}]', (ANY, "a"), ["x"], (1, "a")),
    "a list among many": ('["x", ["z"], "y"]', (ANY,), ["x"], (1,)),
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("text", "path", "before", "at"), NO_STRING.values(), ids=NO_STRING)
def test_what_is_no_string_is_a_mismatch_after_the_text_before_it(
    text: str, path: Pattern, before: list[str], at: Pattern, size: int
) -> None:
    received = pushed(chunked(text, size), ops.accumulate_json(), ops.text_deltas(path))

    assert received.values == before
    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == at
    assert received.error.snapshot is not None
    assert "text_deltas needs a string there: use select" in str(received.error)


def test_with_a_model_the_path_is_given_in_names_of_fields() -> None:
    text = '{"firstName": "Jo", "homeAddress": {"street": "x", "number": 1}}'

    assert texts([text], ("first_name",), Aliased).values == ["Jo"]
    assert texts([text], ("home_address", "street"), Aliased).values == ["x"]


def test_skipped_snapshots_lose_no_text() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d-e|", a='["a', b="bc", c="de", d='f", "gh', e='i"]')

    deltas = chunks.pipe(ops.accumulate_json(), rx.sample(6.0), ops.text_deltas((ANY,)))

    assert stage.run(deltas) == [
        *stage.expect("------x", x="abcde"),
        *stage.expect("------------(f,g,|)", f="f", g="ghi"),
    ]


def test_snapshots_that_come_late_bring_the_same_text() -> None:
    chunks = ['["a', "b", 'c", "d', 'e"]']
    snapshots = values(reactivex.from_iterable(chunks).pipe(ops.accumulate_json()))

    late = reactivex.from_iterable(snapshots).pipe(ops.text_deltas((ANY,)))

    assert values(late) == ["a", "b", "c", "d", "e"]


def test_snapshots_that_lag_behind_bring_the_same_text() -> None:
    parser = IncrementalParser()
    source = Subject[Snapshot]()
    received = outcome(source.pipe(ops.text_deltas((0,))))

    a, b, c = (parser.feed(chunk)[0] for chunk in ('["a', "bc", "d"))
    source.on_next(a)
    source.on_next(b)
    parser.feed('"]')
    source.on_next(c)

    assert received.values == ["a", "bc", "d"]


def test_each_of_many_documents_is_read_anew() -> None:
    received = through(
        chunked('{"a": "xy"}\n{"b": 2}\n{"a": "z"}', 7),
        ops.accumulate_json(values="many"),
        ops.text_deltas(("a",)),
    )

    assert received.values == ["xy", "z"]


def test_nothing_arrives() -> None:
    assert values(reactivex.empty().pipe(ops.text_deltas(("a",)))) == []


def test_text_before_an_error_is_kept_and_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of('{"a": "x'), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.text_deltas(("a",))))

    assert received.values == ["x"]
    assert received.error is error


def test_a_truncated_text_ends_in_truncated_json() -> None:
    received = texts(['{"a": "x', "y"], ("a",))

    assert received.values == ["x", "y"]
    assert isinstance(received.error, TruncatedJson)


def test_taking_one_text_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a='{"a": "', b="x", c='"}')

    deltas = stage.run(chunks.pipe(ops.accumulate_json(), ops.text_deltas(("a",)), rx.take(1)))

    assert deltas == stage.expect("---(x,|)")
    assert chunks.subscriptions == stage.window("^--!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of('["x', 'y"]').pipe(ops.accumulate_json(), ops.text_deltas((0,)))

    assert values(stream) == values(stream) == ["x", "y"]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(value: str) -> None:
        raise KeyError(value)

    source.pipe(ops.accumulate_json(), ops.text_deltas((0,))).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="x"):
        source.on_next('["x')
    assert errors == []


def test_bad_arguments_raise_when_the_operator_is_built() -> None:
    key: Any = "name"

    with pytest.raises(TypeError, match=r"text_deltas takes a path.* such as \('name',\)"):
        ops.text_deltas(key)
    with pytest.raises(ValueError, match=r"text_deltas: .* whose fields are: name, age, tags"):
        ops.text_deltas(("nam",), User)


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["[]"], ops.text_deltas(()))

    assert isinstance(received.error, TypeError)
    assert "put accumulate_json() before it" in str(received.error)


@given(watched_documents(st.lists(names) | st.dictionaries(names, names)), chunk_sizes)
def test_joined_they_are_the_strings(watched: tuple[str, Pattern], sizes: list[int]) -> None:
    text, pattern = watched
    strings = places(json.loads(text), pattern).values()

    received = texts(chunked(text, *sizes), pattern)

    assert "" not in received.values
    if pattern:
        assert "".join(received.values) == "".join(strings)
    else:
        assert isinstance(received.error, SchemaMismatch)


@given(watched_documents(json_values), chunk_sizes)
def test_the_first_place_that_is_no_string_is_where_they_end(
    watched: tuple[str, Pattern], sizes: list[int]
) -> None:
    text, pattern = watched
    expected, wrong = "", None
    for path, value in places(json.loads(text), pattern).items():
        if not isinstance(value, str | None):
            wrong = path
            break
        expected += value or ""

    received = texts(chunked(text, *sizes), pattern)

    assert "".join(received.values) == expected
    assert received.completed is (wrong is None)
    if wrong is not None:
        assert isinstance(received.error, SchemaMismatch)
        assert received.error.path == wrong


@pytest.mark.parametrize("path", [("text",), ("list", ANY, "x"), ("a", ANY, "x")])
def test_work_does_not_depend_on_how_much_came_before(path: Pattern) -> None:
    short, long = (work_on(ops.text_deltas(path), items) for items in (100, 100 * LONGER))

    assert long.calls <= LONGER * short.calls * 1.05 + 50
    assert long.characters <= LONGER * short.characters * 1.05 + 50


def test_what_has_arrived_of_a_string_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = IncrementalParser()
    source = Subject[Snapshot]()
    received = outcome(source.pipe(ops.text_deltas((0,))))

    def refuse(node: StringNode, count: int) -> str:
        raise AssertionError(f"{node} was built with {count} characters")

    monkeypatch.setattr(StringNode, "build", refuse)
    for chunk in ('["', "ab", "c", "de"):
        source.on_next(parser.feed(chunk)[0])

    assert received.values == ["ab", "c", "de"]
