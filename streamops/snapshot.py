"""Snapshot: the JSON so far.

A snapshot is a node and how many children it had. The plain value is built when somebody looks, out
of the finished values, which all snapshots share.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, cast

from streamops.nodes import (
    ContainerNode,
    DocumentNode,
    Mark,
    Node,
    Path,
    document_of,
    marks_of,
    path_of,
)


class _Unseen(Enum):
    """Marks a value that nobody has looked at; survives copying."""

    UNSEEN = 0


_UNSEEN = _Unseen.UNSEEN


def not_a_snapshot(item: object, operator: str) -> TypeError:
    """Return what is wrong, and the fix, with an element that is none of accumulate_json's."""
    return TypeError(
        f"{operator} reads Snapshots, not {type(item).__name__}: put accumulate_json() before it"
    )


@dataclass(frozen=True, slots=True)
class Finished:
    """A value that has arrived whole."""

    value: Any


class Snapshot:
    """The JSON so far. It never changes, and shares what is finished with later snapshots.

    Do not change what ``value`` holds: other snapshots hold the same objects.
    """

    __slots__ = ("_before", "_end", "_revision", "_same_as", "_value", "mark")

    _same_as: Snapshot | None

    def __init__(self, mark: Mark, end: int, revision: int, before: Snapshot | None = None) -> None:
        self.mark = mark
        """Where the parser stood, for what is built on snapshots."""
        self._end = end
        self._revision = revision
        self._value: Any = _UNSEEN
        if before is None:
            self._before, self._same_as = mark, None
        else:
            self._before = before.mark
            # The first one that showed the same.
            is_same = before._revision == revision
            self._same_as = before._same_as or before if is_same else None

    @property
    def value(self) -> Any:
        """What can be shown: plain dicts, lists, strings, numbers, booleans and None.

        None also before the first character of JSON, with ``started`` False. Built when first
        asked for, at the cost of copying the open containers.
        """
        if self._same_as is not None:
            return self._same_as.value

        if self._value is _UNSEEN:
            self._value = self.show(None)[0] if self.started else None

        return self._value

    @property
    def started(self) -> bool:
        """Whether there is a value to show."""
        node, count = self.mark
        return count > 0 or node.depth > 0

    @property
    def complete(self) -> bool:
        """Whether the root is closed: only the last snapshot of a whole document is complete."""
        node, count = self.mark
        return count > 0 and node.parent is None

    @property
    def path(self) -> Path:
        """The innermost value that is still open, which is where the text grows.

        Empty while that is the root, and once the root is closed.
        """
        return path_of(self.mark[0])

    @property
    def changed(self) -> tuple[Path, ...]:
        """What this chunk began, extended or closed, in the order of the text.

        Innermost values only: what contains a changed value has changed too.
        """
        return tuple(_changes(self._before, self.mark))

    @property
    def text(self) -> str:
        """The text of the JSON so far, without what stands around it."""
        document = self.document
        if document.start is None:
            return ""

        return document.text.read(document.start, self._end)

    @property
    def skipped(self) -> str:
        """What stood before the JSON: prose, reasoning in ``<think>`` tags, an opening fence."""
        document = self.document
        end = self._end if document.start is None else min(document.start, self._end)
        return document.text.read(0, end)

    def is_complete(self, path: Path) -> bool:
        """Return whether the value at a path has arrived and is closed."""
        return isinstance(self.locate(path), Finished)

    def locate(self, path: Path) -> Finished | Mark | None:
        """Return the finished value at a path, or the open one, or None if none has begun."""
        if not isinstance(path, tuple):
            raise TypeError(f"a path is a tuple of keys and indexes, not {path!r}")

        keys = (0, *path)
        marks = marks_of(self.mark)

        for depth, (node, count) in enumerate(marks):
            if depth == len(keys):
                return node, count

            if not isinstance(node, ContainerNode):
                return None

            leads_on = depth < len(marks) - 1 and node.key(count) == keys[depth]
            if not leads_on:
                return _finished(node, count, keys[depth:])

        return None

    def is_same(self, other: Snapshot) -> bool:
        """Return whether both show the same, without looking at the values."""
        if self.complete != other.complete:
            return False

        return (self._same_as or self) is (other._same_as or other)

    def show(self, top: Node | None) -> Any:
        """Return what an open value shows; for None, the list of the values in the document."""
        (node, count), revision = self.mark, self._revision
        value = node.show(revision, lambda: node.build(count))

        while node is not top and (parent := node.parent) is not None:
            value = parent.show(revision, partial(parent.build_around, node.index, value))
            node = parent

        return value

    @property
    def edge(self) -> Mark:
        """The mark as the parser had it; its nodes may only count what they held."""
        return self.mark

    @property
    def end(self) -> int:
        """Where in the text of the document what is shown ends."""
        return self._end

    def keep(self) -> None:
        """Say that somebody may look at this snapshot when later ones have come."""

    @property
    def marks(self) -> list[Mark]:
        """What was open, from the document inwards, each with its finished children."""
        return marks_of(self.mark)

    def finished_paths(self) -> tuple[Path, ...]:
        """List every path whose value is closed, in the order of the text, parents last."""
        return finished_paths(self.mark)

    @property
    def document(self) -> DocumentNode:
        """The root of what the snapshot was taken of."""
        return document_of(self.mark[0])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented

        return self.is_same(other) or (
            (self.started, self.complete) == (other.started, other.complete)
            and bool(self.value == other.value)
        )

    __hash__ = None  # type: ignore[assignment]  # as for a dict: what it holds has no hash

    def _repr_html_(self) -> str:
        from streamops.display.html import html_of

        return html_of(self)

    def __repr__(self) -> str:
        if not self.started:
            return "Snapshot(not started)"

        state = "complete" if self.complete else f"path={self.path}"
        return f"Snapshot({reprlib.repr(self.value)}, {state})"


def _finished(node: ContainerNode, count: int, path: Path) -> Finished | None:
    """Return what a path leads to that starts at one of the first ``count`` children."""
    index = node.find(path[0], count)
    if index is None:
        return None

    return value_at(node.values[index], path[1:])


def value_at(value: Any, path: Path) -> Finished | None:
    """Return what a path leads to in a finished value, if it leads anywhere."""
    for key in path:
        if isinstance(value, list):
            items = cast("list[Any]", value)
            if not isinstance(key, int) or not 0 <= key < len(items):
                return None
            value = items[key]
        elif isinstance(value, dict) and key in value:
            value = cast("dict[Any, Any]", value)[key]
        else:
            return None

    return Finished(value)


def _changes(before: Mark, now: Mark) -> list[Path]:
    changes: list[Path] = []
    was, is_ = marks_of(before), marks_of(now)
    shared = sum(1 for (a, _), (b, _) in zip(was, is_, strict=False) if a is b)

    # What was open is closed from the inside out, ...
    for level in reversed(range(shared - 1, len(was))):
        node, first = was[level]
        innermost = level == len(was) - 1
        last = is_[level][1] if level < shared else node.size
        opened = level < shared < len(is_)

        if innermost and first == last and level >= shared:
            changes.append(path_of(node))
        elif innermost:
            changes.extend(_new_children(node, first, last, opened))
        else:
            if isinstance(node, ContainerNode) and first not in node.lasting(first, last + opened):
                changes.clear()  # what was open has been replaced

            changes.extend(_new_children(node, first + 1, last, opened))

    # ... and what is open now was opened from the outside in.
    for level in range(shared, len(is_)):
        node, count = is_[level]
        innermost = level == len(is_) - 1
        changes.extend(_new_children(node, 0, count, not innermost))

        if count == 0 and innermost:
            changes.append(path_of(node))

    return changes


def _new_children(node: Node, first: int, last: int, opened: bool) -> Iterator[Path]:
    """List what is new in the children before ``last``, where another one may be open."""
    if not isinstance(node, ContainerNode):
        if first < last:
            yield path_of(node)
        return

    for index, path in _lasting_paths(node, first, last, opened):
        yield from _innermost(path, node.values[index])


def finished_paths(mark: Mark) -> tuple[Path, ...]:
    """List every path whose value is closed, in the order of the text, parents last."""
    return tuple(_finished_paths(mark))


def _finished_paths(mark: Mark) -> Iterator[Path]:
    for node, count in marks_of(mark):
        if isinstance(node, ContainerNode):
            for index, path in _lasting_paths(node, 0, count, node is not mark[0]):
                yield from _paths_in(path, node.values[index])


def _lasting_paths(
    node: ContainerNode, first: int, last: int, opened: bool
) -> Iterator[tuple[int, Path]]:
    indexes = [index for index in node.lasting(first, last + opened) if index < last]
    path = path_of(node) if indexes else ()
    for index in indexes:
        yield index, path if node.parent is None else (*path, node.key(index))


def _paths_in(path: Path, value: Any) -> Iterator[Path]:
    """List a finished value's paths by a walk of its own stack: it may be deep."""
    remaining: list[tuple[Path, Any, bool]] = [(path, value, False)]
    while remaining:
        path, value, seen = remaining.pop()
        children = [] if seen else children_of(value)
        if children:
            remaining.append((path, value, True))
            remaining.extend(((*path, key), child, False) for key, child in reversed(children))
        else:
            yield path


def children_of(value: Any) -> list[tuple[str | int, Any]]:
    """List what a finished value holds, with keys or indexes."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).items())

    return list(enumerate(cast("list[Any]", value))) if isinstance(value, list) else []


def _innermost(path: Path, value: Any) -> Iterator[Path]:
    remaining = [(path, value)]
    while remaining:
        path, value = remaining.pop()
        children = children_of(value)
        if children:
            remaining.extend(((*path, key), child) for key, child in reversed(children))
        else:
            yield path
