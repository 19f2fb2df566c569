"""LeanParser: snapshots for somebody who reads the text, and seldom looks at values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import copy
from functools import partial
from threading import Lock
from typing import Any, TypeAlias, cast
from weakref import WeakValueDictionary

from streamops.errors import StreamopsError
from streamops.nodes import DocumentNode, Mark, StringNode
from streamops.parser import IncrementalParser
from streamops.snapshot import Snapshot

_Chunk: TypeAlias = tuple[int, int, bool]
"""Where what a snapshot was taken after begins and ends (nothing once the text has ended), and
whether the value is closed."""


class LeanParser(IncrementalParser):
    """Reads as IncrementalParser does, and keeps nothing of it but the text.

    There is a snapshot only after a chunk in which a value was closed, or a container opened.
    """

    keeps_values = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._again = _SecondReading(self.document, partial(IncrementalParser, **options))
        self._told: Mark = (self.document, 0)

    @property
    def snapshot(self) -> Snapshot:
        return self._take_snapshot()

    def _news(self) -> tuple[Snapshot, ...]:
        node = self._grammar.node
        if isinstance(node, StringNode) and node.parent is not None:
            node = node.parent

        mark = (node, node.size)
        if mark == self._told:
            return ()

        self._told = mark
        return (self._take_snapshot(),)

    def _take_snapshot(self) -> Snapshot:
        node = self._grammar.node
        chunk = self._begin, self.document.end, self.complete
        return LeanSnapshot((node, node.size), chunk, self._again)


class LeanSnapshot(Snapshot):
    """Reads the text again when somebody looks; by the first law that shows the same."""

    __slots__ = ("__weakref__", "_again", "_edge", "chunk", "found")

    def __init__(self, edge: Mark, chunk: _Chunk, again: _SecondReading) -> None:
        self._edge = edge
        self._again = again
        self.chunk = chunk
        self.found: Snapshot | None = None
        """What the second reading found, once somebody has looked."""

    def __getattr__(self, name: str) -> Any:
        # The other slots of the base class stay empty.
        if name not in Snapshot.__slots__:
            raise AttributeError(name)

        found = self._look()
        value = getattr(found, name)
        return value or found if name == "_same_as" else value

    def __reduce__(self) -> tuple[Any, ...]:
        return copy, (self._look(),)

    def _look(self) -> Snapshot:
        return self.found or self._again.find(self)

    @property
    def started(self) -> bool:
        node, count = self._edge
        return count > 0 or node.depth > 0

    @property
    def complete(self) -> bool:
        return self.chunk[2]

    @property
    def edge(self) -> Mark:
        return self._edge

    @property
    def end(self) -> int:
        return self.chunk[1]

    def keep(self) -> None:
        self._again.keep(self)


class _SecondReading:
    """Reads a document again, as far as somebody looks, and once for all who look.

    It must not pass a snapshot that somebody may still look at, so it is told of them: then what
    is finished is shared, in whatever order they look. Several threads may.
    """

    def __init__(self, document: DocumentNode, new_parser: Callable[[], IncrementalParser]) -> None:
        self._document = document
        self._new_parser = new_parser
        self._parser: IncrementalParser | None = None
        self._chunk: _Chunk = (0, 0, False)
        self._kept: WeakValueDictionary[int, LeanSnapshot] = WeakValueDictionary()
        self._lock = Lock()

    def keep(self, snapshot: LeanSnapshot) -> None:
        """Take note of a snapshot that somebody may look at when later ones have come."""
        with self._lock:
            self._kept[id(snapshot)] = snapshot

    def find(self, snapshot: LeanSnapshot) -> Snapshot:
        """Return what a snapshot shows, and tell those that were kept what they show."""
        with self._lock:
            sought = [*self._kept.values(), snapshot]
            self._kept.clear()

            # All text at once: what is far from the end is not cheap to read.
            begin = self._chunk[1]
            text = self._document.text.read(begin, max(one.end for one in sought))
            for one in sought:
                one.found = one.found or self._read(one.chunk, text, begin)

            return cast("Snapshot", snapshot.found)

    def _read(self, chunk: _Chunk, text: str, begin: int) -> Snapshot:
        if self._parser is None:
            self._parser = self._new_parser()

        if chunk != self._chunk:
            last_begin, last_end, _ = self._chunk
            has_ended = 0 < last_begin == last_end
            if has_ended or chunk[0] < last_end:  # it was not kept
                return self._read_apart(chunk)

            self._chunk = chunk
            _feed(self._parser, text[last_end - begin : chunk[1] - begin], chunk)

        return self._parser.snapshot

    def _read_apart(self, chunk: _Chunk) -> Snapshot:
        parser = self._new_parser()
        _feed(parser, self._document.text.read(0, chunk[1]), chunk)
        return parser.snapshot


def _feed(parser: IncrementalParser, text: str, chunk: _Chunk) -> None:
    """Feed text that ends with a chunk."""
    begin, end, complete = chunk
    middle = len(text) - (end - begin)
    # What the text ended with the first time, it ends with again.
    with suppress(StreamopsError):
        parser.feed(text[:middle])
        parser.feed(text[middle:])
        if begin == end:
            parser.close(finish_reason=None if complete else "length")
