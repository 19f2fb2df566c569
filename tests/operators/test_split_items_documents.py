"""What `split_items` promises of several documents, and of snapshots that were left out."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import reactivex
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import IncrementalParser
from streamops import operators as ops
from streamops.errors import TruncatedJson
from streamops.nodes import DocumentNode
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.outcomes import through


@pytest.mark.parametrize("size", [1, 4])
def test_documents_whose_last_snapshot_was_left_out_lose_no_item(size: int) -> None:
    received = through(
        chunked('[1, 2]\n[3] {"a": [4, 5]}\n[[', size),
        ops.accumulate_json(values="many"),
        rx.filter(lambda snapshot: not snapshot.complete),
        ops.split_items(Any),
    )

    assert received.values == [1, 2, 3, 4, 5]
    assert isinstance(received.error, TruncatedJson)


def test_a_document_whose_last_snapshot_was_left_out_is_finished_when_the_stream_completes() -> (
    None
):
    received = through(["[1, 2", ", 3]"], ops.accumulate_json(), rx.take(1), ops.split_items(int))

    assert received.values == [1]

    received = through(
        ["[1, 2", ", 3]"],
        ops.accumulate_json(),
        rx.filter(lambda snapshot: not snapshot.complete),
        ops.split_items(int),
    )

    assert received.completed
    assert received.values == [1, 2, 3]


def test_snapshots_that_come_late_bring_no_item_twice() -> None:
    late, other = Subject[Snapshot](), Subject[Snapshot]()
    received: list[Any] = []
    reactivex.merge(late, other).pipe(ops.split_items(int)).subscribe(received.append)
    parsers = [IncrementalParser(), IncrementalParser()]
    first, last = (parsers[0].feed(chunk)[0] for chunk in ("[1, ", "2, 3]"))

    late.on_next(first)
    other.on_next(parsers[1].feed("[4, ")[0])
    late.on_next(last)
    other.on_next(parsers[1].feed("5]")[0])

    assert received == [1, 2, 3, 4, 5]


def test_of_attempts_that_failed_nothing_is_kept() -> None:
    endings: list[str | Exception] = ["", "x", '"', OSError()]
    documents: list[weakref.ref[DocumentNode]] = []

    def attempt() -> Observable[str]:
        ending = endings.pop(0) if endings else "]"
        begin = reactivex.of("[1, 2,")
        if isinstance(ending, Exception):
            return reactivex.concat(begin, reactivex.throw(ending))
        return reactivex.concat(begin, reactivex.of(" 3" + ending))

    def note(snapshot: Snapshot) -> None:
        documents.append(weakref.ref(snapshot.document))

    source = reactivex.defer(lambda _: attempt())
    items: list[Any] = []
    alive: list[int] = []

    def count(item: Any) -> None:
        items.append(item)
        if not endings and item == 3:
            gc.collect()
            alive.append(len({id(document()) for document in documents if document()}))

    source.pipe(
        ops.accumulate_json(), rx.do_action(note), rx.retry(5), ops.split_items(int)
    ).subscribe(count)

    assert items[-3:] == [1, 2, 3]
    assert alive[0] <= 2  # its own, and the one whose error is still travelling
