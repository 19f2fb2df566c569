"""The laws of IncrementalParser, over random documents and random chunkings.

What may be shown is told by ``SlowReading``, what is true by ``json.loads``.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamops.errors import MalformedJson, NoJson, StreamopsError, TruncatedJson
from streamops.nodes import Path
from streamops.parser import IncrementalParser
from streamops.snapshot import Snapshot
from tests.slow_reading import SlowReading, beginning, children, decided, mended, truth
from tests.strategies import (
    Sizes,
    broken_texts,
    chunk_sizes,
    cut,
    json_texts,
    json_values,
    surrounded_texts,
)

documents = json_texts(surrogates=True)
sizes = chunk_sizes()


def read(text: str, sizes: Sizes, **options: Any) -> list[Snapshot]:
    """Return the snapshots of a whole document."""
    parser = IncrementalParser(**options)
    snapshots = [snapshot for chunk in cut(text, sizes) for snapshot in parser.feed(chunk)]
    return [*snapshots, *parser.close()]


def read_with_text(text: str, sizes: Sizes) -> Iterator[tuple[str, Snapshot]]:
    """Return each snapshot with the text so far, for the chunks that bring one."""
    parser = IncrementalParser()
    so_far = ""
    for chunk in cut(text, sizes):
        so_far += chunk
        for snapshot in parser.feed(chunk):
            yield so_far, snapshot


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def assert_grows(before: Any, after: Any) -> None:
    """Check that a value has only grown at its end, and kept its type."""
    assert type(before) is type(after)
    if isinstance(before, str):
        assert after.startswith(before)
    elif old := children(before):
        new = children(after)[: len(old)]
        assert [key for key, _ in old] == [key for key, _ in new]
        assert repr(old[:-1]) == repr(new[:-1])
        assert_grows(old[-1][1], new[-1][1])
    elif not isinstance(before, (list, dict)):
        assert repr(before) == repr(after)


@given(surrounded_texts() | documents, sizes)
def test_law_1_split_proof(text: str, sizes: Sizes) -> None:
    try:
        for so_far, snapshot in read_with_text(text, sizes):
            known = decided(so_far)
            begin = beginning(known)
            model = SlowReading(known[begin.at :] if begin.found else "")

            assert repr(snapshot.value) == repr(model.value)
            assert snapshot.started == model.started
            assert snapshot.complete == model.complete
            assert snapshot.path == model.path
            if begin.found:
                assert snapshot.skipped == known[: begin.at]
            else:
                assert known[: begin.at].startswith(snapshot.skipped)
            json_so_far = known[begin.at :] if begin.found else ""
            assert snapshot.text == json_so_far[: model.at if model.complete else None]
    except MalformedJson as error:
        assert error.offset >= 0


@given(documents, sizes)
def test_law_1_what_is_finished_depends_only_on_the_text(text: str, sizes: Sizes) -> None:
    for so_far, snapshot in read_with_text(text, sizes):
        model = SlowReading(decided(so_far))
        for path in model.states:
            assert snapshot.is_complete(path) == (path in model.finished)
            assert snapshot.locate(path) is not None

        assert not snapshot.is_complete((*model.path, "no such key"))
        assert sorted(map(repr, snapshot.finished_paths())) == sorted(map(repr, model.finished))


@given(json_texts(repeated_keys=False), sizes)
def test_law_2_types_are_stable(text: str, sizes: Sizes) -> None:
    types: dict[Path, str] = {}

    def check(path: Path, value: Any) -> None:
        assert types.setdefault(path, type(value).__name__) == type(value).__name__
        for key, item in children(value):
            check((*path, key), item)

    for snapshot in read(text, sizes):
        if snapshot.started:
            check((), snapshot.value)


@given(json_texts(repeated_keys=False), sizes)
def test_law_3_atoms_are_whole(text: str, sizes: Sizes) -> None:
    whole = truth(text)

    def check(path: Path, value: Any) -> None:
        if not isinstance(value, (str, list, dict)):
            assert repr(value) == repr(at(whole, path))
        for key, item in children(value):
            check((*path, key), item)

    for snapshot in read(text, sizes):
        if snapshot.started:
            check((), snapshot.value)


@given(json_texts(surrogates=True, repeated_keys=False), sizes)
def test_law_4_strings_only_grow(text: str, sizes: Sizes) -> None:
    strings: dict[Path, str] = {}

    def check(path: Path, value: Any) -> None:
        if isinstance(value, str):
            assert value.startswith(strings.get(path, ""))
            value.encode()
            strings[path] = value
        for key, item in children(value):
            str(key).encode()
            check((*path, key), item)

    for snapshot in read(text, sizes):
        check((), snapshot.value)


@given(json_texts(surrogates=True, repeated_keys=False), sizes)
def test_law_5_containers_only_grow_at_the_end(text: str, sizes: Sizes) -> None:
    for before, after in pairwise(read(text, sizes)):
        if before.started:
            assert_grows(before.value, after.value)


@given(documents, sizes, st.randoms(use_true_random=False))
def test_law_6_snapshots_are_immutable(text: str, sizes: Sizes, order: random.Random) -> None:
    looked_at_once = [(snapshot, copy.deepcopy(snapshot.value)) for snapshot in read(text, sizes)]
    looked_at_late: list[tuple[Snapshot, Any]] = [
        (late, value) for late, (_, value) in zip(read(text, sizes), looked_at_once, strict=True)
    ]
    order.shuffle(looked_at_late)

    for snapshot, value in looked_at_once + looked_at_late:
        assert repr(snapshot.value) == repr(value)


@given(json_texts(surrogates=True, repeated_keys=False), sizes, st.integers())
def test_law_6_finished_subtrees_are_shared(text: str, sizes: Sizes, seed: int) -> None:
    parser = IncrementalParser()
    looking = random.Random(seed)
    snapshots: list[Snapshot] = []
    for chunk in cut(text, sizes):
        snapshots += parser.feed(chunk)
        for snapshot in looking.sample(snapshots, looking.randrange(min(4, len(snapshots) + 1))):
            assert snapshot.value is snapshot.value

    snapshots += parser.close()
    for before, after in pairwise(looking.sample(snapshots, len(snapshots))):
        for path in before.finished_paths():
            assert not after.is_complete(path) or at(before.value, path) is at(after.value, path)


@given(json_texts(surrogates=True, repeated_keys=False), sizes)
def test_law_6_a_chunk_that_changes_nothing_yields_the_same_value_again(
    text: str, sizes: Sizes
) -> None:
    for before, after in pairwise(read(text, sizes)):
        same = before.started == after.started and repr(before.value) == repr(after.value)
        assert (before.value is after.value) or not same
        assert before.is_same(after) == (same and before.complete == after.complete)
        assert (before == after) or not before.is_same(after)


@given(documents, sizes)
def test_law_7_the_last_one_is_the_truth(text: str, sizes: Sizes) -> None:
    *earlier, last = read(text, sizes)

    assert repr(last.value) == repr(truth(text))
    assert last.complete
    assert last.is_complete(())
    assert last.path == ()
    assert not any(snapshot.complete for snapshot in earlier)


@given(json_values(), st.sampled_from((None, 0, 2)), st.booleans(), sizes)
def test_law_7_holds_for_what_json_dumps_writes(
    value: Any, indent: int | None, ascii_only: bool, sizes: Sizes
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert repr(read(text, sizes, strict=True)[-1].value) == repr(value)
    assert repr(read(text, sizes)[-1].value) == repr(value)


@given(json_texts(strict=True), sizes, st.sampled_from(("strict", "reject", "skip")))
def test_every_dialect_reads_what_is_json_to_the_letter(
    text: str, sizes: Sizes, dialect: str
) -> None:
    options = {"strict": True} if dialect == "strict" else {"around": dialect}

    assert repr(read(text, sizes, **options)[-1].value) == repr(truth(text))


@given(documents | surrounded_texts(), sizes)
def test_the_path_leads_through_open_containers(text: str, sizes: Sizes) -> None:
    try:
        for _, snapshot in read_with_text(text, sizes):
            at(snapshot.value, snapshot.path)
            for length in range(len(snapshot.path) + 1):
                ancestor = snapshot.path[:length]
                assert snapshot.is_complete(ancestor) == snapshot.complete
                last = children(at(snapshot.value, ancestor))[-1:]
                if length < len(snapshot.path) and isinstance(at(snapshot.value, ancestor), list):
                    assert last[0][0] == snapshot.path[length]
    except MalformedJson as error:
        assert error.snapshot is not None


@given(json_texts(surrogates=True, repeated_keys=False), sizes)
def test_changed_names_the_innermost_paths_that_differ(text: str, sizes: Sizes) -> None:
    before: dict[Path, tuple[str, bool]] = {}

    for so_far, snapshot in read_with_text(text, sizes):
        now = SlowReading(decided(so_far)).states
        differing = [path for path in now if now[path] != before.get(path)]
        innermost = [
            path
            for path in differing
            if not any(other[: len(path)] == path and other != path for other in differing)
        ]

        assert list(snapshot.changed) == innermost
        before = now


@given(documents, sizes)
def test_changed_names_each_place_once_and_no_place_that_is_gone(text: str, sizes: Sizes) -> None:
    before: dict[Path, tuple[str, bool]] = {}

    for so_far, snapshot in read_with_text(text, sizes):
        now = SlowReading(decided(so_far)).states
        changed = snapshot.changed
        assert len(set(changed)) == len(changed)
        assert set(changed) <= now.keys()
        for path in changed:
            assert not any(other != path and other[: len(path)] == path for other in changed)
        for path in now:
            if now[path] != before.get(path):
                assert any(other[: len(path)] == path for other in changed)
        before = now


def outcome(text: str, sizes: Sizes, **options: Any) -> tuple[Any, ...]:
    """Return how reading ends, whatever the chunks."""
    parser = IncrementalParser(**options)
    try:
        for chunk in cut(text, sizes):
            parser.feed(chunk)
        parser.close()
    except StreamopsError as error:
        return (*_details(error), *_state(parser))
    return ("read", *_state(parser))


def _details(error: StreamopsError) -> tuple[Any, ...]:
    last = error.snapshot
    shown = last and (repr(last.value), last.path, last.text)
    match error:
        case MalformedJson():
            where = (error.offset, error.found, error.expected, error.line, error.column)
            return (*where, str(error), shown)
        case TruncatedJson() | NoJson():
            return (type(error), error.text, shown)
        case _:
            return (str(error), shown)


def _state(parser: IncrementalParser) -> tuple[Any, ...]:
    snapshot = parser.snapshot
    return (
        repr(snapshot.value), snapshot.started, snapshot.complete, snapshot.path, snapshot.text,
        snapshot.skipped, snapshot.finished_paths(), parser.text, parser.started, parser.complete,
    )  # fmt: skip


OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"around": "reject"},
    {"strict": True},
    {"values": "many"},
    {"max_chars": 9},
    {"max_depth": 2},
)


@given(
    broken_texts() | surrounded_texts() | documents,
    sizes,
    st.sampled_from(OPTIONS),
)
def test_how_it_ends_does_not_depend_on_the_chunks(
    text: str, sizes: Sizes, options: dict[str, Any]
) -> None:
    assert outcome(text, sizes, **options) == outcome(text, (1,), **options)


@given(surrounded_texts() | documents, sizes)
def test_what_follows_the_value_is_left_for_the_next_parser(text: str, sizes: Sizes) -> None:
    parser = IncrementalParser(values="many")
    rest = ""
    try:
        for chunk in cut(text, sizes):
            parser.feed(chunk)
            rest += parser.rest
    except MalformedJson:
        assert not parser.complete
        return

    if parser.complete:
        assert mended(parser.text + rest) == mended(text)


@given(broken_texts(), sizes)
def test_an_error_comes_as_soon_as_no_continuation_can_be_json(text: str, sizes: Sizes) -> None:
    known = decided(text)
    parser = IncrementalParser(around="reject")
    before = after = 0
    try:
        for chunk in cut(known, sizes):
            before, after = after, after + len(chunk)
            parser.feed(chunk)
    except MalformedJson as error:
        assert not some_continuation(known[: error.offset + 1])
        assert some_continuation(known[: error.offset])
        assert known[error.offset] == error.found
        assert before <= error.offset < after
        assert repr(parser.snapshot.value) == repr(
            SlowReading(known[: error.offset + 1].removeprefix("\ufeff")).value
        )
        with pytest.raises(MalformedJson) as again:
            parser.feed("]")
        assert again.value is error
    else:
        assert some_continuation(known)


TOKEN_ENDS = (
    '', '"', '0', '\\"', '"0"', 'u0000"', '0000"', '000"', '00"', '0"', 'n"',
    *("true"[at:] for at in range(4)), *("false"[at:] for at in range(5)),
    *("null"[at:] for at in range(4)), *("NaN"[at:] for at in range(3)),
    *("Infinity"[at:] for at in range(8)),
)  # fmt: skip
VALUES_AFTER = ("", "0", ":0", '"":0')


def some_continuation(text: str) -> bool:
    """Tell whether the text can go on to be JSON, by trying everything that could follow."""
    text = text.removeprefix("\ufeff")
    closings = _closings(text)
    for token in TOKEN_ENDS:
        for value in VALUES_AFTER:
            try:
                json.loads(text + token + value + closings, strict=False)
            except ValueError:
                continue
            return True
    return False


def _closings(text: str) -> str:
    closings = ""
    quoted = False
    position = 0
    while position < len(text):
        character = text[position]
        if quoted and character == "\\":
            position += 1
        elif character == '"':
            quoted = not quoted
        elif not quoted and character in "[{":
            closings = ("]" if character == "[" else "}") + closings
        elif not quoted and character in "]}":
            closings = closings[1:]
        position += 1
    return closings
