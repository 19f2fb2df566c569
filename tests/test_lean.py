"""A LeanParser keeps only the text, and its snapshots show what an IncrementalParser's show."""

from __future__ import annotations

import copy
import pickle
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamops.errors import StreamopsError
from streamops.lean import LeanParser
from streamops.nodes import Path
from streamops.parser import IncrementalParser
from streamops.snapshot import Finished, Snapshot
from streamops.testing import chunked
from tests.documents import chunk_sizes
from tests.test_parser_work import Work
from tests.written import written_values

ENDINGS = ["", "]", "}", ",", '"', "\\", "1", "-", "x", "\n```", "\ud83d"]


def taken_from(parser: IncrementalParser, chunks: list[str]) -> list[Snapshot]:
    """Feed chunks and return every snapshot that anybody gets to see, those of errors too."""
    taken: list[Snapshot] = []
    try:
        for chunk in chunks:
            told = parser.feed(chunk)
            taken += told if parser.complete else [parser.snapshot]
        taken += parser.close()
    except StreamopsError as error:
        assert error.snapshot is not None
        taken.append(error.snapshot)

    return taken


def described(snapshot: Snapshot) -> list[Any]:
    return [
        snapshot.started,
        snapshot.complete,
        repr(snapshot.value),
        snapshot.path,
        snapshot.changed,
        snapshot.finished_paths(),
        snapshot.text,
        snapshot.skipped,
        repr(snapshot),
        [repr(snapshot.locate(path)) for path in snapshot.finished_paths()],
        repr(snapshot.show(None)) if snapshot.started else None,
        [count for _, count in snapshot.marks],
    ]


@given(
    written_values,
    st.data(),
    st.sampled_from(["", "\ufeff ", "So [it] is: ", "<think>[1]</think>"]),
    st.sampled_from(ENDINGS),
    st.sampled_from(
        [
            {},
            {"strict": True},
            {"around": "reject"},
            {"max_depth": 2},
            {"max_chars": 20},
            {"values": "many", "offset": 7},
        ]
    ),
    chunk_sizes,
)
def test_every_snapshot_shows_the_same(
    document: Any,
    data: st.DataObject,
    before: str,
    ending: str,
    options: dict[str, Any],
    sizes: list[int],
) -> None:
    cut = data.draw(st.integers(0, len(document.text)) | st.just(len(document.text)))
    chunks = chunked(before + document.text[:cut] + ending, *sizes)

    expected = taken_from(IncrementalParser(**options), chunks)
    lean = taken_from(LeanParser(**options), chunks)

    assert [snapshot.started for snapshot in lean] == [snapshot.started for snapshot in expected]
    assert [described(snapshot) for snapshot in lean] == list(map(described, expected))
    assert lean == expected


def test_the_nodes_count_children_and_hold_none() -> None:
    parser = LeanParser()
    (snapshot,) = parser.feed('{"a": [1, {"b": 2}, "x"], "c": {"d": [], "e": "text')

    node, count = snapshot.edge

    assert count == len("text")
    assert node.parent is not None
    assert (node.parent.size, node.parent.values) == (1, [])
    assert isinstance(snapshot.locate(("a", 1, "b")), Finished)


def test_it_can_be_copied_and_pickled() -> None:
    parser = LeanParser()
    parser.feed('{"a": [1, ')
    (snapshot,) = parser.feed("2, 3")

    for again in (
        copy.copy(snapshot),
        copy.deepcopy(snapshot),
        pickle.loads(pickle.dumps(snapshot)),
    ):
        assert described(again) == described(snapshot)


def test_it_has_no_other_attributes() -> None:
    (snapshot,) = LeanParser().feed("[")

    assert not hasattr(snapshot, "values")


@given(written_values, st.sampled_from(ENDINGS), chunk_sizes, st.data())
def test_in_whatever_order_somebody_looks_each_shows_the_same_and_shares_what_is_finished(
    document: Any, ending: str, sizes: list[int], data: st.DataObject
) -> None:
    chunks = chunked(document.text + ending, *sizes)
    expected = taken_from(IncrementalParser(), chunks)
    lean = taken_from(LeanParser(), chunks)
    for snapshot in lean:
        snapshot.keep()

    order = data.draw(st.permutations(range(len(lean))))
    looks = {at: described(lean[at]) for at in order}

    assert looks == {at: described(expected[at]) for at in order}
    for (a, b), (c, d) in zip(pairwise(lean), pairwise(expected), strict=True):
        assert a.is_same(b) is c.is_same(d)
        assert (a.value is b.value) is (c.value is d.value)
        for path in a.finished_paths():
            assert (found_at(a, path) is found_at(b, path)) is (
                found_at(c, path) is found_at(d, path)
            )


def found_at(snapshot: Snapshot, path: Path) -> Any:
    located = snapshot.locate(path)
    return located.value if isinstance(located, Finished) else None


def test_the_text_is_read_again_once_for_all_who_look() -> None:
    parser = LeanParser()
    snapshots = [parser.feed(chunk)[0] for chunk in ["[", *(["[1], "] * 1000)]]
    for snapshot in snapshots:
        snapshot.keep()

    with Work() as work:
        lengths = [len(snapshot.value) for snapshot in snapshots]

    assert lengths == list(range(1001))
    assert work.calls < 200_000
