"""Cutter: the text of each item of the lists and objects that patterns lead to."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from streamops.nodes import ContainerNode, DocumentNode, Mark, Node, Path, marks_of
from streamops.parser import value_of
from streamops.patterns import ANY, Pattern

_Ways: TypeAlias = tuple[tuple[Pattern, int], ...]
"""What is left of patterns, each with its number."""

_HERE: _Ways = (((), 0),)
_NOWHERE: _Ways = (((-1,), 0),)  # leads into a container, and to none of its children
_CLOSED = sys.maxsize  # children that there may be in a container that is closed

_separators = re.compile(r"[ \t\n\r,]*")
_colon = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
# Possessive: a pattern that could go back would keep where to, for each escape.
_string = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL)
_atom = re.compile(r"true|false|null|NaN|-?Infinity|[-+.0-9eE]+")
_strings_and_brackets = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}]', re.DOTALL)


class Item(NamedTuple):
    """One item, as it stands in the text."""

    pattern: int
    """The number of the pattern that led to the list."""
    path: Path
    before: int
    """How many items of the list came before."""
    text: str


class NoItems(Exception):  # becomes a SchemaMismatch
    """What a pattern leads to cannot hold items."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(path, text)
        self.path = path
        self.text = text


class Cutter:
    """Reads the text of a document once, forward, as far as values in it are closed.

    Nodes only tell which values are, by how many children they count. So what an object holds comes
    in the order of the text, repeated keys too, however the text was cut into chunks.

    Snapshots must come in order, but need not all come. Without patterns the items are those of the
    root, unless that is an object, else of its first field that is a list.
    """

    def __init__(self, document: DocumentNode, patterns: tuple[Pattern, ...] | None) -> None:
        # The root is the only child of the document.
        ways = tuple(((0, *pattern), number) for number, pattern in enumerate(patterns or ()))
        self._document = document
        self._is_seeking = patterns is None
        self._open = [_Open((), ways, is_object=False)]
        self._mark: Mark | None = None
        self._marks: list[Mark] = []
        self._position = -1
        self._passing: Node | None = None  # has to close before there is more to cut
        self.found = False
        """Whether a pattern has led to a list, an object or null."""

    def is_waiting(self, mark: Mark) -> bool:
        """Return whether nothing can be cut at a mark that could not be cut before."""
        node, _ = mark
        passing = self._passing
        if passing is None:
            return mark == self._mark

        while node.depth > passing.depth and node.parent is not None:
            node = node.parent
        return node is passing

    def follow(self, mark: Mark, end: int) -> Iterable[Item]:
        """Return what has become an item with a snapshot; has to be read to the end.

        Raises NoItems when what a pattern leads to is a string, a number or a truth value.
        """
        if self.is_waiting(mark):
            return ()

        marks = marks_of(mark)
        if [count for _, count in marks] < [opened.index for opened in self._open]:
            return ()  # it was taken before the one that came last

        self._mark, self._marks = mark, marks
        self._passing = None
        is_open = True
        for depth, opened in enumerate(self._open):
            opened.known = self._marks[depth][1] if is_open else _CLOSED
            is_open = is_open and depth + 1 < len(self._marks) and opened.index == opened.known

        return self._cut(end) if self._leads_on() else ()

    def _leads_on(self) -> bool:
        """Return whether the innermost open container holds more than was read."""
        innermost = self._open[-1]
        if innermost.index < innermost.known:
            return True

        level = len(self._open)
        child = self._marks[level][0] if level < len(self._marks) else None
        if innermost.pattern is None and isinstance(child, ContainerNode):
            return True

        self._passing = child
        return False

    def _cut(self, end: int) -> Iterator[Item]:
        if self._position < 0:
            self._position = self._document.start or 0
        begin = self._position
        text = self._document.text.read(begin, end)

        while self._leads_on():
            inside = self._open[-1]
            at = _end_of(_separators, text, self._position - begin)
            if inside.known == _CLOSED and text[at] in "]}":
                self._leave(begin + at + 1)
                continue

            key: str | int = inside.index
            if inside.is_object:
                key, at = _read_key(text, at)

            path = (*inside.path, key) if len(self._open) > 1 else ()
            ways = self._ways_to(key, text[at])
            if ways and text[at] in "[{":
                self._enter(path, ways, is_object=text[at] == "{", position=begin + at + 1)
                continue

            if inside.index == inside.known:
                self._passing = self._marks[len(self._open)][0]
                return

            end_of_value = _end_of_value(text, at)
            self._position = begin + end_of_value
            inside.index += 1
            if inside.pattern is not None:
                yield Item(inside.pattern, path, inside.index - 1, text[at:end_of_value])
            elif _pattern_of(ways) is not None:
                self._pass_scalar(path, text[at:end_of_value])

    def _enter(self, path: Path, ways: _Ways, *, is_object: bool, position: int) -> None:
        inside = self._open[-1]
        entered = _Open(path, ways, is_object=is_object)
        if inside.index < inside.known:
            entered.known = _CLOSED
        else:
            entered.known = self._marks[len(self._open)][1]

        self._open.append(entered)
        self._position = position
        self.found |= entered.pattern is not None

    def _leave(self, position: int) -> None:
        self._open.pop()
        self._open[-1].index += 1
        self._position = position

    def _pass_scalar(self, path: Path, text: str) -> None:
        if text != "null":
            raise NoItems(path, text)

        self.found = True

    def _ways_to(self, key: str | int, first: str) -> _Ways:
        """Return what is left of the patterns at a child, of which the first character is known."""
        if not self._is_seeking:
            ways = self._open[-1].ways
            return tuple((left[1:], n) for left, n in ways if left and left[0] in (key, ANY))

        is_root = len(self._open) == 1
        if first == "[" or (is_root and first != "{"):
            self._is_seeking = False
            return _HERE

        # The fields of the root are looked at one by one.
        return _NOWHERE if is_root else ()


class _Open:
    """A list or object that patterns lead to, or through."""

    __slots__ = ("index", "is_object", "known", "path", "pattern", "ways")

    def __init__(self, path: Path, ways: _Ways, *, is_object: bool) -> None:
        self.path = path
        self.ways = ways
        self.is_object = is_object
        self.pattern = _pattern_of(ways)
        """The number of the pattern that makes the children items."""
        self.index = 0
        """How many children were read."""
        self.known = 0
        """How many children are closed."""


def _pattern_of(ways: _Ways) -> int | None:
    return next((number for left, number in ways if not left), None)


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    assert match is not None, "the parser has read this text"
    return match.end()


def _read_key(text: str, position: int) -> tuple[str, int]:
    """Return a key, and where its value begins."""
    match = _string.match(text, position)
    assert match is not None, "the parser has read this text"
    key: str = value_of(match.group()) if "\\" in match.group(1) else match.group(1)
    return key, _end_of(_colon, text, match.end())


def _end_of_value(text: str, position: int) -> int:
    """Return where a value ends, without recursion: it may be deep."""
    if text[position] not in "[{":
        return _end_of(_string if text[position] == '"' else _atom, text, position)

    depth = 0
    for token in _strings_and_brackets.finditer(text, position):
        match token.group():
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
                if depth == 0:
                    return token.end()
            case _:
                pass

    raise AssertionError("the parser has read this text")
