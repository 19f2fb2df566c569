"""What `split_items` keeps in memory: the text, and nothing of items that nobody else keeps."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import reactivex
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import ANY
from streamops import operators as ops
from streamops.errors import (
    MalformedJson,
    SchemaMismatch,
    SourceFailed,
    StreamopsError,
    TruncatedJson,
)
from streamops.lifting import Operator
from streamops.operators import ItemResult
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.growing import User
from tests.outcomes import outcome, through, values
from tests.test_parser_work import Work

SPARE = 200_000  # bytes: thousands of items could not possibly be kept in that


class Point(BaseModel):
    x: int
    name: str


def a_list(number: int) -> Iterator[str]:
    yield '{"points": ['
    for n in range(number):
        yield f'{{"x": {n}, "name": "p"}}, '
    yield '{"x": 0, "name": "last"}]}'


def an_object(number: int) -> Iterator[str]:
    yield '{"points": {'
    for n in range(number):
        yield f'"key {n}": {{"x": {n}, "name": "p"}}, '
    yield '"last": {"x": 0, "name": "last"}}}'


def many_lists(number: int) -> Iterator[str]:
    yield '{"teams": ['
    for n in range(number // 10):
        yield '{"points": [' + f'{{"x": {n}, "name": "p"}}, ' * 9
        yield f'{{"x": {n}, "name": "p"}}]}}, '
    yield '{"points": [{"x": 0, "name": "last"}]}]}'


Write = Callable[[int], Iterator[str]]
WAYS: dict[str, tuple[int, Write, Any]] = {
    "a list": (100_000, a_list, ops.split_items(Point, ("points",))),
    "the first list": (20_000, a_list, ops.split_items(Point)),
    "the values of an object": (20_000, an_object, ops.split_items(Point, ("points",))),
    "many lists": (20_000, many_lists, ops.split_items(Point, ("teams", ANY, "points"))),
    "one of several lists": (20_000, a_list, ops.split_items({"points": Point, "others": str})),
    "results": (20_000, a_list, ops.split_items(Point, on_invalid="result")),
}


@pytest.mark.parametrize(("number", "write", "split"), WAYS.values(), ids=WAYS)
def test_items_that_nobody_keeps_take_no_more_than_their_text(
    number: int, write: Write, split: Operator[Snapshot, Any]
) -> None:
    few = number // 50
    text = sum(map(len, write(number))) - sum(map(len, write(few)))
    peak_of(write(few), split)  # pydantic fills its caches

    assert peak_of(write(number), split) - peak_of(write(few), split) < text * 1.05 + SPARE


@pytest.mark.parametrize("string", ['"{}"', '{{"key": "{}"}}', '[1, "{}"]'])
def test_escapes_take_no_more_memory_than_letters(string: str) -> None:
    def peak(character: str) -> int:
        pieces = iter(["[", string.format(character * 100_000), "]"])
        return peak_of(pieces, ops.split_items(Any))

    assert peak(r"\n") < 1.2 * peak("nn") + SPARE


def peak_of(pieces: Iterator[str], split: Operator[Snapshot, Any]) -> int:
    """Return how many bytes were in use at most while a text was read."""
    source: Subject[str] = Subject()
    completed: list[bool] = []
    source.pipe(ops.accumulate_json(), split).subscribe(on_completed=lambda: completed.append(True))

    gc.collect()
    tracemalloc.start()
    try:
        for chunk in in_chunks_of(499, pieces):
            source.on_next(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    source.on_completed()
    assert completed
    return peak


def in_chunks_of(size: int, pieces: Iterator[str]) -> Iterator[str]:
    text = ""
    for piece in pieces:
        text += piece
        while len(text) >= size:
            yield text[:size]
            text = text[size:]
    yield text


TEXT = '{"meta": {"a": [1, 2]}, "users": [{"x": 1, "name": "a"}, {"x": 2, "name": "b"}, '


def test_the_snapshot_of_a_mismatch_shows_everything() -> None:
    chunks = chunked(TEXT + '{"x": 3}, {"x": 4, "name": "d"}]}', 3)

    received = through(chunks, ops.accumulate_json(), ops.split_items(Point, ("users",)))

    assert len(received.values) == 2
    snapshot = snapshot_of(received.error, SchemaMismatch)
    assert snapshot.value["meta"] == {"a": [1, 2]}
    assert snapshot.value["users"] == [{"x": 1, "name": "a"}, {"x": 2, "name": "b"}, {"x": 3}]
    assert snapshot.path == ("users",)
    assert snapshot.is_complete(("users", 1))
    assert ("meta", "a", 1) in snapshot.finished_paths()


def test_the_snapshot_of_each_invalid_result_shows_what_had_come_with_it() -> None:
    chunks = chunked('{"users": [1, "a", 2, "b", 3]}', 2)

    received = through(chunks, ops.accumulate_json(), ops.split_items(int, on_invalid="result"))

    errors = [result.error for result in received.values if result.error is not None]
    assert [snapshot_of(error, SchemaMismatch).value for error in errors] == [
        {"users": [1, "a"]},
        {"users": [1, "a", 2, "b"]},
    ]


@pytest.mark.parametrize("first", [0, -1])
def test_the_snapshots_of_invalid_results_share_what_is_finished(first: int) -> None:
    chunks = chunked('{"a": [{"b": 1}, 2, "x", 3, "y", 4', 2)

    received = through(
        chunks, ops.accumulate_json(), ops.split_items(int, ("a",), on_invalid="result")
    )

    errors = [result.error for result in received.values if result.error is not None]
    snapshots = [snapshot_of(error, SchemaMismatch) for error in errors]
    snapshots.append(snapshot_of(received.error, TruncatedJson))
    object_seen_first = snapshots[first].value["a"][0]
    assert [snapshot.value["a"][0] is object_seen_first for snapshot in snapshots] == [True] * 4
    assert [len(snapshot.value["a"]) for snapshot in snapshots] == [1, 3, 5, 5]


def work_on_results(number: int, look: Callable[[Snapshot], None]) -> Work:
    source: Subject[str] = Subject()
    results: Observable[ItemResult[int]] = source.pipe(
        ops.accumulate_json(), ops.split_items(int, on_invalid="result")
    )
    results.subscribe(lambda result: look(snapshot_of(result.error, SchemaMismatch)))

    with Work() as work:
        for chunk in ["[", *(['{"a": [1]}, '] * number)]:
            source.on_next(chunk)

    return work


def look_at_the_path(snapshot: Snapshot) -> None:
    assert snapshot.path == ()


def test_looking_at_each_invalid_result_costs_the_text_and_no_more() -> None:
    short, long = (work_on_results(number, look_at_the_path) for number in (100, 400))

    assert long.calls < 4.5 * short.calls
    assert long.characters < 4.5 * short.characters


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_the_snapshot_of_a_text_that_ends_early_shows_everything(size: int) -> None:
    chunks = chunked(TEXT + '{"x": 3, "name": "c', size)

    received = through(chunks, ops.accumulate_json(), ops.split_items(Point, ("users",)))

    snapshot = snapshot_of(received.error, TruncatedJson)
    assert snapshot.value["users"][2] == {"x": 3, "name": "c"}
    assert snapshot.value["meta"] == {"a": [1, 2]}
    assert snapshot.path == ("users", 2, "name")


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_the_snapshot_of_malformed_json_shows_everything(size: int) -> None:
    chunks = chunked(TEXT + "3 4", size)

    received = through(chunks, ops.accumulate_json(), ops.split_items(Any, ("users",)))

    snapshot = snapshot_of(received.error, MalformedJson)
    assert received.values[2:] == snapshot.value["users"][2:] == [3]
    assert snapshot.value["meta"] == {"a": [1, 2]}


def test_the_snapshot_of_a_failed_source_shows_everything() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1, [2", "], 3"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.split_items(Any)))

    assert received.values == [1, [2]]
    assert snapshot_of(received.error, SourceFailed).value == [1, [2]]


def test_a_snapshot_of_an_error_can_be_read_by_other_operators() -> None:
    received = through(
        chunked('{"name": "Jo", "age": 3, "tags": ["a", "b', 4),
        ops.accumulate_json(),
        ops.split_items(str, ("tags",)),
    )
    snapshot = snapshot_of(received.error, TruncatedJson)

    (user,) = values(reactivex.of(snapshot).pipe(ops.to_partial(User)))
    (tags,) = values(reactivex.of(snapshot).pipe(ops.select(("tags",))))

    assert (user.name, user.age, user.tags) == ("Jo", 3, ["a", "b"])
    assert tags == ["a", "b"]


def test_whoever_else_reads_the_snapshots_finds_all_values() -> None:
    source: Subject[str] = Subject()
    snapshots = source.pipe(ops.accumulate_json())
    shared = snapshots.pipe(rx.share())
    items: list[Any] = []
    seen: list[Any] = []

    for stream in (snapshots, shared):
        stream.pipe(ops.split_items(Any)).subscribe(items.append)
        stream.subscribe(lambda snapshot: seen.append(snapshot.value))
    for chunk in ("[1, [2", "], 3, ", "4"):
        source.on_next(chunk)

    assert sorted(items, key=str) == [1, 1, 3, 3, [2], [2]]
    assert seen == [[1, []]] * 2 + [[1, [2], 3]] * 4


def snapshot_of(error: Exception | None, kind: type[StreamopsError]) -> Snapshot:
    assert isinstance(error, kind)
    assert error.snapshot is not None
    return error.snapshot
