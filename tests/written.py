"""JSON texts drawn with all the liberties of JSON, and what stands where in them.

White space is anywhere, characters are escaped or not, keys are repeated, numbers are spelled in
unusual ways. Each value knows its text, so nothing has to be read to know what stands where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from hypothesis import strategies as st

from streamops.nodes import Path
from streamops.patterns import ANY, Pattern

_spaces = st.text(" \t\n\r", max_size=2)
_numbers = st.sampled_from(["0", "-0", "7", "-12", "1.50", "2e3", "1E+2", "-0.0e-1", "9" * 20])
_words = st.sampled_from(["true", "false", "null"])
_escapes = [r"\n", r"\\", r"\"", r"\/", r"\u0041", r"\u00e9", r"\ud83d\ude00", r"\ud83d", r"\ude00"]
_character = st.sampled_from("aZ ]},:{[é😀\t") | st.sampled_from(_escapes)
_strings = st.lists(_character, max_size=4).map(lambda parts: '"' + "".join(parts) + '"')
_KEYS = {'"a"': "a", '"\\u0061"': "a", '"b"': "b", '"0"': "0", '"x\\"\\\\"': 'x"\\', '"é"': "é"}


@dataclass(frozen=True)
class Written:
    """A value, its text, and what it holds, with white space where it may stand."""

    text: str
    children: tuple[tuple[str | int, Written], ...] = ()

    @property
    def is_container(self) -> bool:
        return self.text[0] in "[{"


@st.composite
def _arrays(draw: st.DrawFn, values: st.SearchStrategy[Written]) -> Written:
    items = draw(st.lists(values, max_size=4))
    parts = [draw(_spaces) + item.text + draw(_spaces) for item in items]
    return Written(f"[{','.join(parts) or draw(_spaces)}]", tuple(enumerate(items)))


@st.composite
def _objects(draw: st.DrawFn, values: st.SearchStrategy[Written]) -> Written:
    fields = draw(st.lists(st.tuples(st.sampled_from(list(_KEYS)), values), max_size=4))
    parts = [
        f"{draw(_spaces)}{key}{draw(_spaces)}:{draw(_spaces)}{value.text}{draw(_spaces)}"
        for key, value in fields
    ]
    text = "{" + (",".join(parts) or draw(_spaces)) + "}"
    return Written(text, tuple((_KEYS[key], value) for key, value in fields))


def _containers(values: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    return _arrays(values) | _objects(values)


_atoms = (_numbers | _words | _strings).map(Written)
written_values: st.SearchStrategy[Written] = st.recursive(_atoms, _containers, max_leaves=12)
written_containers = _containers(written_values)


@dataclass(frozen=True)
class Place:
    """An item: which pattern leads to it, where it stands, and its text."""

    pattern: int
    path: Path
    index: int
    text: str


@dataclass
class Reading:
    """What patterns lead to, in the order of the text, up to something that has no items."""

    places: list[Place]
    scalar: Path | None = None
    found: bool = False


def reading(document: Written, patterns: Sequence[Pattern]) -> Reading:
    """Follow each pattern by itself, and put what they lead to in the order of the text."""
    read = Reading([])
    ends = [
        (position, number, path, end)
        for number, pattern in enumerate(patterns)
        for position, path, end in _ends(document, pattern)
    ]
    for _, number, path, end in sorted(ends, key=itemgetter(0)):
        if not end.is_container and end.text != "null":
            read.scalar = path
            return read

        read.found = True
        read.places += [
            Place(number, (*path, key), index, child.text)
            for index, (key, child) in enumerate(end.children)
        ]

    return read


def _ends(
    value: Written, pattern: Pattern, position: tuple[int, ...] = (), path: Path = ()
) -> Iterator[tuple[tuple[int, ...], Path, Written]]:
    if not pattern:
        yield position, path, value
        return

    for index, (key, child) in enumerate(value.children):
        if pattern[0] is ANY or pattern[0] == key:
            yield from _ends(child, pattern[1:], (*position, index), (*path, key))


def container_paths(value: Written, path: Path = ()) -> Iterator[Path]:
    """List where lists and objects are."""
    if value.is_container:
        yield path
    for key, child in value.children:
        yield from container_paths(child, (*path, key))


@st.composite
def patterns_in(draw: st.DrawFn, document: Written) -> Pattern:
    """Draw a pattern that leads to a list or an object."""
    path = draw(st.sampled_from(list(container_paths(document))))
    return tuple(draw(st.sampled_from((key, key, ANY))) for key in path)
