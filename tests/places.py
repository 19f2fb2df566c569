"""Patterns drawn for a document, where they lead by a plain walk, and what watching costs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from reactivex.subject import Subject

from streamops.lifting import Operator
from streamops.nodes import Path
from streamops.parser import IncrementalParser
from streamops.patterns import ANY, Pattern
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.documents import Dump, dumps, json_values
from tests.outcomes import is_dict, is_list
from tests.test_parser_work import Work


def children(value: Any) -> list[tuple[str | int, Any]]:
    if is_dict(value):
        return list(value.items())

    return list(enumerate(value)) if is_list(value) else []


def places(value: Any, pattern: Pattern) -> dict[Path, Any]:
    """Return what a pattern leads to, by path, in the order of the text."""
    found: dict[Path, Any] = {(): value}
    for wanted in pattern:
        found = {
            (*path, key): child
            for path, value in found.items()
            for key, child in children(value)
            if wanted is ANY or wanted == key
        }
    return found


def all_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    for key, child in children(value):
        yield from all_paths(child, (*path, key))


@st.composite
def watched_documents(
    draw: st.DrawFn, values: st.SearchStrategy[Any] = json_values
) -> tuple[str, Pattern]:
    """Draw the text of a document and a pattern that leads somewhere in it."""
    document = draw(values)
    path = draw(st.sampled_from(list(all_paths(document))))
    pattern = tuple(draw(st.sampled_from((key, ANY))) for key in path)
    dump: Dump = draw(dumps)
    return dump(document), pattern


def work_on(operator: Operator[Snapshot, Any], items: int) -> Work:
    """Count the work of an operator on a document of many keys, items and characters."""
    keys = "".join(f'"k{number:05}": 1, ' for number in range(items))
    text = f'{{{keys}"list": [' + '{"id": 1, "x": "text"}, ' * items
    text += '{}], "text": "' + "word " * items + '", "last": 1}'
    parser = IncrementalParser()
    source = Subject[Snapshot]()
    operator(source).subscribe()
    work = Work()

    # A copy is a single call, however long it is; so nobody may ask for one.
    with patch.object(Snapshot, "value", property(refuse)):
        for chunk in chunked(text, 4):
            for snapshot in parser.feed(chunk):
                with work:
                    source.on_next(snapshot)

    return work


def refuse(_: Snapshot) -> Any:
    raise AssertionError("the whole document was built")
