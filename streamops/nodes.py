"""Nodes: values that are, or once were, open; what snapshots are rebuilt from.

What a node holds only ever grows at the end, so a node and a count say for ever what it looked like
when it had that many children: a snapshot is such a pair, and costs the same however large the
document is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from streamops.text import NO_TEXT, TextBuffer

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the root to a value: ``("users", 0, "name")``."""


class Node(ABC):
    """A value that was opened at ``parent[index]``."""

    __slots__ = ("closed_in", "copied_in", "copy", "depth", "final", "index", "parent", "size")

    def __init__(self, parent: ContainerNode | None, index: int) -> None:
        self.parent = parent
        self.index = index
        """How many children the parent had before this one."""
        self.depth: int = parent.depth + 1 if parent else 0
        self.size: int = 0
        """How many children there are by now."""
        self.final: Any = None
        """The finished value."""
        self.closed_in = -1
        """The revision of the document in which the value was finished."""
        self.copy: Any = None
        """What was last built while the value was open."""
        self.copied_in = -1
        """The revision that ``copy`` shows."""

    @abstractmethod
    def build(self, count: int) -> Any:
        """Build what the value looked like with ``count`` children."""

    def finish(self, revision: int) -> Any:
        """Return the finished value.

        If nothing was added since somebody looked, what they saw *is* the finished value.
        """
        self.final = self.copy if self.copied_in == revision else self.build(self.size)
        self.closed_in = revision
        return self.final

    def show(self, revision: int, build: Callable[[], Any]) -> Any:
        """Return what the value looked like in a revision, building it only if need be."""
        if self.closed_in == revision:
            return self.final

        shown = build()
        if revision > self.copied_in:
            self.copied_in, self.copy = revision, shown

        return shown


class ContainerNode(Node):
    """An array or an object; its finished children are ``values``."""

    __slots__ = ("values",)

    def __init__(self, parent: ContainerNode | None, index: int) -> None:
        super().__init__(parent, index)
        self.values: list[Any] = []

    def append(self, value: Any) -> None:
        """Add a finished child at the end."""
        self.values.append(value)
        self.size += 1

    def forget(self) -> None:
        """Count the children that come, and keep none of them."""
        self.values = _NOTHING

    @abstractmethod
    def build_around(self, index: int, child: Any) -> Any:
        """Build what the value looked like when ``child`` was open at ``index``."""

    @abstractmethod
    def key(self, index: int) -> str | int:
        """Return what the child at ``index`` is called in a path."""

    @abstractmethod
    def find(self, key: str | int, count: int) -> int | None:
        """Return which of the first ``count`` children is called ``key``."""

    @abstractmethod
    def lasting(self, first: int, count: int) -> Iterable[int]:
        """List which of the ``count`` children, from ``first`` on, no later one replaces."""


class _Nothing(list[Any]):
    """Stands for the children of an open container, and keeps none."""

    def append(self, _: Any, /) -> None:
        pass


_NOTHING = _Nothing()


class ArrayNode(ContainerNode):
    """An array."""

    __slots__ = ()

    def build(self, count: int) -> list[Any]:
        return self.values[:count]

    def build_around(self, index: int, child: Any) -> list[Any]:
        return [*self.values[:index], child]

    def key(self, index: int) -> int:
        return index

    def find(self, key: str | int, count: int) -> int | None:
        return key if isinstance(key, int) and 0 <= key < count else None

    def lasting(self, first: int, count: int) -> Iterable[int]:
        return range(first, count)


class ObjectNode(ContainerNode):
    """An object; ``keys`` may be one longer than ``values``.

    A key that is repeated stands in ``keys`` again. As in ``json.loads`` the last one wins.
    """

    __slots__ = ("_found", "keys")

    def __init__(self, parent: ContainerNode, index: int) -> None:
        super().__init__(parent, index)
        self.keys: list[str] = []
        self._found: dict[str | int, tuple[int, int | None]] | None = None

    def build(self, count: int) -> dict[str, Any]:
        return dict(zip(self.keys, self.values[:count], strict=False))

    def build_around(self, index: int, child: Any) -> dict[str, Any]:
        return self.build(index) | {self.keys[index]: child}

    def key(self, index: int) -> str:
        return self.keys[index]

    def find(self, key: str | int, count: int) -> int | None:
        # Asked for the same key with every chunk, look only at what is new.
        seen, found = self._found.get(key, (0, None)) if self._found else (0, None)
        if seen > count:
            seen, found = 0, None

        for index in range(seen, count):
            if self.keys[index] == key:
                found = index

        if self._found is None:
            self._found = {}
        self._found[key] = (count, found)
        return found

    def lasting(self, first: int, count: int) -> Iterable[int]:
        return sorted({self.keys[index]: index for index in range(first, count)}.values())


class StringNode(Node):
    """A string that did not end in the chunk it began in; its children are its characters."""

    __slots__ = ("_buffer",)

    def __init__(self, parent: ContainerNode, index: int) -> None:
        super().__init__(parent, index)
        self._buffer: TextBuffer | None = TextBuffer()

    def forget(self) -> None:
        """Count the characters that come, and keep none of them."""
        self._buffer = NO_TEXT

    def write(self, text: str) -> None:
        """Add characters at the end."""
        assert self._buffer is not None, "the string is closed"
        self._buffer.write(text)
        self.size += len(text)

    def build(self, count: int) -> str:
        return self.read(0, count)

    def read(self, start: int, stop: int) -> str:
        """Return some of the characters; cheap near the end."""
        buffer = self._buffer
        if buffer is not None:
            return buffer.read(start, stop)

        final: str = self.final
        return final[start:stop]

    def finish(self, revision: int) -> Any:
        assert self._buffer is not None, "the string is closed"
        self.final = self.copy if self.copied_in == revision else self._buffer.read()
        self.closed_in = revision
        self._buffer = None
        return self.final


class DocumentNode(ArrayNode):
    """The text: at most one value, and what stands around it."""

    __slots__ = ("__weakref__", "end", "has_ended", "start", "text")

    def __init__(self) -> None:
        super().__init__(None, 0)
        self.text = TextBuffer()
        """Everything that arrived."""
        self.end = 0
        """How many characters that is."""
        self.start: int | None = None
        """Where the JSON begins in the text."""
        self.has_ended = False
        """Whether no more text can come, though no value was closed."""


Mark: TypeAlias = tuple[Node, int]
"""A node, and how many children it had: the state of the whole document at some moment."""


def path_of(node: Node) -> Path:
    """Return the keys and indexes that lead to a node."""
    keys: list[str | int] = []
    while node.parent is not None and node.parent.parent is not None:
        keys.append(node.parent.key(node.index))
        node = node.parent

    return tuple(reversed(keys))


def marks_of(mark: Mark) -> list[Mark]:
    """List what was open, from the document inwards, each with its finished children."""
    marks = [mark]
    node = mark[0]
    while node.parent is not None:
        marks.append((node.parent, node.index))
        node = node.parent

    marks.reverse()
    return marks


def document_of(node: Node) -> DocumentNode:
    """Return the document that a node is in."""
    while node.parent is not None:
        node = node.parent

    assert isinstance(node, DocumentNode)
    return node
