"""LeanParser: snapshots for somebody who reads the text, and seldom looks at values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from streamops.errors import StreamopsError
from streamops.nodes import ContainerNode, Mark, document_of
from streamops.parser import IncrementalParser
from streamops.snapshot import Snapshot


class LeanParser(IncrementalParser):
    """Reads as IncrementalParser does, and keeps nothing of it but the text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._new_parser = partial(IncrementalParser, **options)

    @property
    def snapshot(self) -> Snapshot:
        node = self._string or self._container
        return LeanSnapshot(
            (node, node.size), self._begin, self._end, self.complete, self._new_parser
        )

    def _open(self, node_type: type[ContainerNode], state: Any, position: int) -> int:
        position = super()._open(node_type, state, position)
        self._container.values = _NOTHING
        return position

    def _add_key(self, key: str) -> None:
        self._state = self._read_colon


class LeanSnapshot(Snapshot):
    """Reads the text again when somebody looks; by the first law that shows the same."""

    __slots__ = ("_begin", "_edge", "_new_parser", "_read_to")

    def __init__(
        self,
        edge: Mark,
        begin: int,
        end: int,
        complete: bool,
        new_parser: Callable[[], IncrementalParser],
    ) -> None:
        self._edge = edge
        self._begin = begin
        self._read_to = end
        self._complete = complete
        self._new_parser = new_parser

    def __getattr__(self, name: str) -> Any:
        # The slots of the base class are empty until somebody looks.
        if name not in Snapshot.__slots__ or name == "_complete":
            raise AttributeError(name)

        again = self._read_again()
        for slot in Snapshot.__slots__:
            setattr(self, slot, getattr(again, slot))
        return getattr(self, name)

    @property
    def started(self) -> bool:
        node, count = self._edge
        return count > 0 or node.depth > 0

    @property
    def edge(self) -> Mark:
        return self._edge

    @property
    def end(self) -> int:
        return self._read_to

    def _read_again(self) -> Snapshot:
        text = document_of(self._edge[0]).text.read(0, self._read_to)
        parser = self._new_parser()
        # What the text ended with the first time, it ends with again.
        with suppress(StreamopsError):
            parser.feed(text[: self._begin])
            parser.feed(text[self._begin :])
            if self._begin == self._read_to:
                parser.close(finish_reason=None if self._complete else "length")

        return parser.snapshot


class _Nothing(list[Any]):
    """Stands for the children of an open container, and keeps none."""

    def append(self, _: Any, /) -> None:
        pass


_NOTHING = _Nothing()
