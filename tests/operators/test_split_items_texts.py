"""What `split_items` promises of the text of items, however it is written, cut and delivered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamops import ANY, IncrementalParser
from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.nodes import Path
from streamops.operators import ItemResult
from streamops.parser import Values
from streamops.patterns import Pattern
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.documents import chunk_sizes
from tests.outcomes import Outcome, through
from tests.slow_reading import truth
from tests.written import Written, patterns_in, reading, written_containers

arounds = st.sampled_from(
    [
        ("", ""),
        (" \n", "\t"),
        ("\ufeff", ""),
        ("Here is [it], {name}:\n```json\n", "\n```\nThat was it: [1]"),
        ("<think>[1] {}</think>", ""),
    ]
)


def results(
    chunks: list[str], path: Pattern | None, *, values: Values = "one"
) -> Outcome[ItemResult[Any]]:
    return through(
        chunks,
        ops.accumulate_json(values=values),
        ops.split_items(Any, path, on_invalid="result"),
    )


def described(received: Outcome[ItemResult[Any]]) -> list[Any]:
    return [(result.path, result.index, result.text) for result in received.values]


@given(written_containers, st.data(), arounds, chunk_sizes)
def test_the_text_of_an_item_is_its_part_of_the_source_however_that_is_cut(
    document: Written, data: st.DataObject, around: tuple[str, str], sizes: list[int]
) -> None:
    pattern = data.draw(patterns_in(document))
    expected = reading(document, [pattern])

    received = results(chunked(document.text.join(around), *sizes), pattern)

    assert described(received) == [(p.path, p.index, p.text) for p in expected.places]
    assert [repr(result.value) for result in received.values] == [
        repr(truth(place.text)) for place in expected.places
    ]
    if expected.scalar is None:
        assert received.completed
    else:
        assert isinstance(received.error, SchemaMismatch)
        assert received.error.path == expected.scalar


@given(written_containers, st.data(), chunk_sizes)
def test_several_lists_are_read_in_the_order_of_the_text(
    document: Written, data: st.DataObject, sizes: list[int]
) -> None:
    patterns: list[Pattern] = []
    for pattern in data.draw(st.lists(patterns_in(document), min_size=1, max_size=4)):
        if all(stand_apart(pattern, other) for other in patterns):
            patterns.append(pattern)
    expected = reading(document, patterns)

    received = through(
        chunked(document.text, *sizes),
        ops.accumulate_json(),
        ops.split_items(dict.fromkeys(patterns, Any), on_invalid="result"),
    )

    assert [(patterns.index(tag), result.path, result.text) for tag, result in received.values] == [
        (place.pattern, place.path, place.text) for place in expected.places
    ]
    assert received.completed is (expected.scalar is None)


def stand_apart(one: Pattern, other: Pattern) -> bool:
    pairs = zip(one, other, strict=False)
    return any(a != b and a is not ANY and b is not ANY for a, b in pairs)


@given(written_containers, chunk_sizes)
def test_without_a_path_the_first_list_is_read(document: Written, sizes: list[int]) -> None:
    lists: list[tuple[Path, Written]] = [((), document)]
    if document.text[0] == "{":
        lists = [((key,), value) for key, value in document.children if value.text[0] == "["]

    received = results(chunked(document.text, *sizes), None)

    assert received.completed is bool(lists)
    assert described(received) == [
        ((*path, index), index, item.text)
        for path, value in lists[:1]
        for index, (_, item) in enumerate(value.children)
    ]


@given(st.lists(written_containers, min_size=1, max_size=3), chunk_sizes)
def test_of_many_documents_in_one_text_each_is_read(
    documents: list[Written], sizes: list[int]
) -> None:
    text = "\n".join(document.text for document in documents)

    received = results(chunked(text, *sizes), (), values="many")

    assert received.completed
    assert described(received) == [
        ((key,), index, item.text)
        for document in documents
        for index, (key, item) in enumerate(document.children)
    ]


@given(st.lists(written_containers, min_size=1, max_size=3), st.data(), chunk_sizes)
def test_items_come_once_though_documents_take_turns_and_snapshots_are_missing(
    documents: list[Written], data: st.DataObject, sizes: list[int]
) -> None:
    queues = [snapshots_of(document.text, sizes) for document in documents]
    snapshots: list[Snapshot] = []
    begun: set[int] = set()
    while any(queues):
        turn = data.draw(st.sampled_from([at for at, queue in enumerate(queues) if queue]))
        snapshot = queues[turn].pop(0)
        if turn not in begun or data.draw(st.booleans()):
            begun.add(turn)
            snapshots.append(snapshot)

    received = through(snapshots, ops.split_items(Any, (), on_invalid="result"))

    assert received.completed
    assert sorted(described(received), key=str) == sorted(
        (
            ((key,), index, item.text)
            for document in documents
            for index, (key, item) in enumerate(document.children)
        ),
        key=str,
    )


def snapshots_of(text: str, sizes: list[int]) -> list[Snapshot]:
    parser = IncrementalParser()
    return [snapshot for chunk in chunked(text, *sizes) for snapshot in parser.feed(chunk)]


@pytest.mark.parametrize("size", [1, 1000])
def test_what_pydantic_alone_cannot_read_is_read_as_accumulate_json_reads_it(size: int) -> None:
    received = through(
        chunked('["a\nb", "\\ud83d", "\\ud83d\\ude00"]', size),
        ops.accumulate_json(),
        ops.split_items(str, on_invalid="result"),
    )

    assert [result.value for result in received.values] == ["a\nb", "\ufffd", "\U0001f600"]
    assert received.values[0].text == '"a\nb"'


@pytest.mark.parametrize("depth", [300, 20_000])
@pytest.mark.parametrize("size", [1000, 10**6])
def test_an_item_too_deep_for_pydantic_is_a_mismatch_and_no_crash(depth: int, size: int) -> None:
    text = f"[1, {'[' * depth}{']' * depth}, 2]"

    received = through(
        chunked(text, size),
        ops.accumulate_json(max_depth=100_000),
        ops.split_items(Any, on_invalid="result"),
    )

    assert [result.error is None for result in received.values] == [True, False, True]
    assert received.values[1].text == text[4:-4]


def test_what_is_passed_over_may_be_deep() -> None:
    deep = f"{'[' * 20_000}{']' * 20_000}"
    text = f'{{"a": {deep}, "b": [1, 2]}}'

    received = through(
        chunked(text, 500), ops.accumulate_json(max_depth=100_000), ops.split_items(int, ("b",))
    )

    assert received.values == [1, 2]
