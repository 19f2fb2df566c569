"""The work of `split_items` is linear in the text, whatever the text holds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, zip_longest
from typing import Any

import pytest
from reactivex.subject import Subject

from streamops import ANY, IncrementalParser
from streamops import operators as ops
from streamops.lean import LeanParser
from streamops.lifting import Operator
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.test_parser_work import Work

LONGER = 4
ITEM = '{"id": 1, "tags": ["a", "b"]}, '

TEXTS: dict[str, tuple[Any, Callable[[int], str]]] = {
    "many items": (ops.split_items(Any), lambda n: f"[{ITEM * n}0]"),
    "many numbers": (ops.split_items(Any), lambda n: f"[{'12.5, ' * n}0]"),
    "many values of an object": (
        ops.split_items(Any, ()),
        lambda n: "{" + "".join(f'"k{i}": 1, ' for i in range(n)) + '"last": 0}',
    ),
    "one long item": (ops.split_items(Any), lambda n: f"[[{ITEM * n}0], 1]"),
    "one long string as an item": (ops.split_items(Any), lambda n: f'["{"word " * n}", 1]'),
    "many lists": (
        ops.split_items(Any, ("teams", ANY, "members")),
        lambda n: '{"teams": [' + '{"name": "x", "members": [1, 2]}, ' * n + "{}]}",
    ),
    "one of many lists": (
        ops.split_items({("teams", 1, "members"): Any, "last": Any}),
        lambda n: '{"teams": [' + '{"name": "x", "members": [1, 2]}, ' * n + '{}], "last": []}',
    ),
    "much to pass over": (
        ops.split_items(Any, ("list",)),
        lambda n: f'{{"before": [{ITEM * n}0], "list": [1], "after": "{"word " * n}"}}',
    ),
    "much before the first list": (
        ops.split_items(Any),
        lambda n: f'{{"before": {{"a": [{ITEM * n}0]}}, "text": "{"word " * n}", "list": [1]}}',
    ),
    "white space": (ops.split_items(Any), lambda n: f"[1, {' ' * n * 10}2{' ' * n * 10}]"),
    "results": (ops.split_items(Any, on_invalid="result"), lambda n: f"[{ITEM * n}0]"),
}


def work_on(
    operator: Operator[Snapshot, Any], parsers: list[IncrementalParser], texts: list[str]
) -> Work:
    """Count the work on documents that take turns."""
    chunks = [
        [(parser, chunk) for chunk in chunked(text, 4)]
        for parser, text in zip(parsers, texts, strict=True)
    ]
    source = Subject[Snapshot]()
    operator(source).subscribe()
    work = Work()

    for turn in chain.from_iterable(zip_longest(*chunks)):
        if turn is not None:
            parser, chunk = turn
            for snapshot in parser.feed(chunk):
                with work:
                    source.on_next(snapshot)

    return work


@pytest.mark.parametrize("parsers", [[IncrementalParser], [LeanParser], [LeanParser] * 2])
@pytest.mark.parametrize(("operator", "write"), TEXTS.values(), ids=TEXTS)
def test_work_grows_with_the_text_and_no_faster(
    operator: Operator[Snapshot, Any],
    write: Callable[[int], str],
    parsers: list[type[IncrementalParser]],
) -> None:
    short = work_on(operator, [new() for new in parsers], [write(150)] * len(parsers))
    long = work_on(operator, [new() for new in parsers], [write(150 * LONGER)] * len(parsers))

    # Short texts pay a little for what a long one pays once.
    assert long.calls <= LONGER * short.calls * 1.1 + 100
    assert long.characters <= LONGER * short.characters * 1.1 + 5000
