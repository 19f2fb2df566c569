"""Follower: what each snapshot adds to a document, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from streamops.nodes import ContainerNode, Node, Path, StringNode, path_of
from streamops.patterns import Pattern, advance, places_in
from streamops.snapshot import Snapshot, not_a_snapshot

Move: TypeAlias = tuple[Literal["opened", "grew", "closed"], "Opened", int, int]
"""What happened to an open value; what grew got the children, or characters, from one number to
the other. A child that was itself seen open is not among them."""


class Opened:
    """A value that was seen open."""

    __slots__ = ("node", "patterns", "seen")

    def __init__(self, node: Node, patterns: tuple[Pattern, ...]) -> None:
        self.node = node
        self.patterns = patterns
        """What is left of the patterns that lead here."""
        self.seen = 0
        """How many children, or characters, were taken in."""

    @property
    def is_place(self) -> bool:
        """Whether a pattern leads to this value itself."""
        return bool(self.patterns) and not self.patterns[0]

    @property
    def path(self) -> Path:
        """Where the value stands."""
        return path_of(self.node)

    @property
    def final(self) -> Any:
        """The value, once it is closed."""
        return self.node.final

    def text(self, first: int, last: int) -> str:
        """Return characters of a string."""
        node = self.node
        assert isinstance(node, StringNode)
        return node.read(first, last)

    def children(self, first: int, last: int) -> Iterator[tuple[Path, Any]]:
        """Yield path and value of finished children."""
        node = self.node
        assert isinstance(node, ContainerNode)
        path = path_of(node)
        for index in range(first, last):
            # The only child of the document is the root, which no key leads to.
            yield (*path, node.key(index)) if node.parent else path, node.values[index]

    def places(self, first: int, last: int) -> list[tuple[Path, Any]]:
        """List the places that patterns lead to in finished children."""
        node = self.node
        if not self.patterns or self.is_place or not isinstance(node, ContainerNode):
            return []

        return [
            place
            for index in range(first, last)
            if (left := advance(self.patterns, node.key(index)))
            for path, value in self.children(index, index + 1)
            for place in places_in(left, path, value)
        ]


class Follower:
    """Keeps what is open, and tells what each snapshot adds.

    Snapshots must come in order, but need not all come. One of another document starts anew. The
    work is that of what was added, however much came before.
    """

    def __init__(self, operator: str, patterns: tuple[Pattern, ...] = ()) -> None:
        self._operator = operator
        # The root is the only child of the document.
        self._patterns: tuple[Pattern, ...] = tuple((0, *pattern) for pattern in patterns)
        self._open: list[Opened] = []

    @property
    def place(self) -> Opened | None:
        """The open value that a pattern leads to, if there is one."""
        level = len(self._patterns[0])
        opened = self._open[level] if level < len(self._open) else None
        return opened if opened and opened.is_place else None

    def follow(self, snapshot: Snapshot) -> Iterator[Move]:
        """Yield what the snapshot adds; has to be read to the end."""
        if not isinstance(snapshot, Snapshot):
            raise not_a_snapshot(snapshot, self._operator)

        node, count = snapshot.mark
        if not self._open or self._open[-1].node is not node:
            yield from self._reach(node)
        yield from self._grow(count)

    def _reach(self, node: Node) -> Iterator[Move]:
        """Close what is closed by now, and open what is open down to a node."""
        begun: list[Node] = []
        while node.depth >= len(self._open) or self._open[node.depth].node is not node:
            begun.append(node)
            if node.parent is None:
                self._open = []
                break
            node = node.parent

        while len(self._open) > node.depth + 1:
            yield from self._grow(self._open[-1].node.size)
            closed = self._open.pop()
            self._open[-1].seen = closed.node.index + 1
            yield "closed", closed, 0, 0

        for child in reversed(begun):
            yield from self._begin(child)

    def _begin(self, node: Node) -> Iterator[Move]:
        if node.parent is None:
            self._open.append(Opened(node, self._patterns))
            return

        yield from self._grow(node.index)
        opened = Opened(node, advance(self._open[-1].patterns, node.parent.key(node.index)))
        self._open.append(opened)
        yield "opened", opened, 0, 0

    def _grow(self, count: int) -> Iterator[Move]:
        innermost = self._open[-1]
        first, innermost.seen = innermost.seen, count
        if count > first:
            yield "grew", innermost, first, count
