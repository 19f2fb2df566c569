"""text_deltas: the newly arrived text of the string at one place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from pydantic_core import ValidationError

from streamops.errors import SchemaMismatch
from streamops.following import Follower
from streamops.lifting import Operator, Step, lift
from streamops.naming import call_name
from streamops.nodes import Path, StringNode
from streamops.patterns import Pattern, patterns_for
from streamops.snapshot import Snapshot


def text_deltas(path: Pattern, model: Any = None) -> Operator[Snapshot, str]:
    """Emit what is new in the string at a path; joined, that is the whole string.

        {"a": "x  y", "b": "z  "}  |
        ---x------y-----------------|    text_deltas(("a",))

    Escapes are decoded, and nothing empty is emitted. With ``ANY`` in the path the strings follow
    each other in the order of the text. The string of a repeated key follows the one before it.
    A place that is null, or not there, has no text.

    With ``model``, a type, the path is given in names of fields, and strings are found also under
    their aliases.

    Raises TypeError for what is no path or no type, and ValueError for a path that leads nowhere in
    the model. The stream ends in SchemaMismatch as soon as what stands at the path is no string.
    """
    patterns = patterns_for(path, model, operator="text_deltas")
    return lift(partial(_Reader, patterns), name=call_name("text_deltas", path))


class _Reader(Step[Snapshot, str]):
    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self._follower = Follower("text_deltas", patterns)

    def feed(self, snapshot: Snapshot) -> Iterable[str]:
        texts: list[str] = []

        for what, opened, first, last in self._follower.follow(snapshot):
            if what == "opened" and opened.is_place and not isinstance(opened.node, StringNode):
                found = snapshot.show(opened.node)
                return _failing(texts, _no_string(opened.path, found, snapshot))

            if what == "grew" and opened.is_place:
                texts.append(opened.text(first, last))
            elif what == "grew":
                for place, value in opened.places(first, last):
                    if not isinstance(value, str | None):
                        return _failing(texts, _no_string(place, value, snapshot))
                    texts.append(value or "")

        return tuple(filter(None, texts))


def _failing(texts: list[str], error: SchemaMismatch) -> Iterator[str]:
    yield from filter(None, texts)
    raise error


def _no_string(path: Path, found: Any, snapshot: Snapshot) -> SchemaMismatch:
    error = ValidationError.from_exception_data(
        "text_deltas", [{"type": "string_type", "loc": (), "input": found}]
    )
    return SchemaMismatch(
        validation_error=error,
        path=path,
        snapshot=snapshot,
        hint="text_deltas needs a string there: use select or when_complete for other values",
    )
