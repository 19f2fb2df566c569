"""Picture: what there is to see of a stream, whatever it emits."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import is_dataclass
from typing import Any, TypeAlias, cast

from pydantic import BaseModel

from streamops.delta import Delta
from streamops.display.blocks import (
    Block,
    Items,
    Lines,
    Outline,
    Written,
    bar_of,
    blocks_of,
    item_of,
)
from streamops.display.outline import cells, outline
from streamops.display.visible import ending, in_one_line, place_of, shortened
from streamops.items import ItemResult, Tagged
from streamops.partial import is_partial
from streamops.progress import Progress
from streamops.snapshot import Snapshot
from streamops.text import TextBuffer

_CHARACTERS = 4000  # of a text
_LINE = 200  # characters

Look: TypeAlias = Callable[[int, bool], list[Block]]
"""What draws a part as it was at some moment, in so many rows, as open or not."""


class Picture:
    """Takes the elements of a stream; another thread may look at what there is to see of them.

    States (a Snapshot, a partial, a Progress, a plain value) are shown as the last of them, items
    as a table, Deltas as the text so far, and anything else in a line each. Elements of several
    kinds, as of streams that are merged, have a part of the picture each.
    """

    def __init__(self, *, are_items: bool | None, rows: int, only_new: bool = False) -> None:
        self.are_items = are_items
        """Whether the elements are items of a list, if anybody knows."""
        self._rows = rows
        self._only_new = only_new
        self._parts: dict[object, _Part] = {}
        self._value: Any = None
        self._lock = threading.Lock()
        self.count = 0
        """How many elements have come."""

    def add(self, element: Any) -> None:
        """Take an element."""
        with self._lock:
            self.count += 1
            self._add(element)

    def blocks(self, *, rows: int | None = None, is_open: bool = False) -> list[Block]:
        """Return what there is to see, each part in at most so many rows.

        ``is_open`` says that more may come. If only what is new was asked for, items, texts and
        lines are those that have come since the last call.
        """
        with self._lock:
            looks = [part.look() for part in self._parts.values()]

        room = self._rows if rows is None else rows
        return [block for look in looks for block in look(room, is_open)]

    def _add(self, element: Any) -> None:
        if isinstance(element, Delta):
            self._part(_key_of(element), lambda: _Text(label_of(element), self._only_new)).add(
                text_of(element)
            )
        elif isinstance(element, Progress):
            self._add_progress(cast("Progress[Any]", element))
        elif isinstance(element, Tagged):
            tagged = cast("Tagged[Any]", element)
            self._add_item(tagged.item, list_name(tagged.tag))
        elif self.are_items or isinstance(element, ItemResult):
            self._add_item(element, "")
        elif self._is_state(element):
            self._value = element
            self._part(Snapshot, _State).add(element)
        elif _is_record(element):
            kind = cast("type[Any]", type(element))
            self._part(kind, lambda: _Records(kind.__name__, self._kept)).add(element)
        else:
            self._part(str, lambda: _LastLines(self._kept)).add(element)

    def _add_progress(self, progress: Progress[Any]) -> None:
        count = progress.item_count
        if count is None:
            self._value = progress.value
            self._part(Snapshot, _State).add(progress)
            return

        self._part(Progress, _Bar).add(progress)
        table = self._part("", lambda: _Table("", self._kept))
        # The last one comes again, when there are no more.
        if count > table.count:
            self._add_item(progress.value, "")

    def _add_item(self, item: Any, name: str) -> None:
        if isinstance(item, Tagged):
            self._add(item)
        else:
            self._part(name, lambda: _Table(name, self._kept)).add(item)

    def _is_state(self, element: Any) -> bool:
        if isinstance(element, Snapshot | dict | list) or is_partial(element):
            return True

        # A validated model comes last of what has been shown as partials of it.
        is_end = is_partial(self._value) and isinstance(self._value, type(element))
        return _is_record(element) and (self.are_items is False or is_end)

    def _part(self, key: object, new: Callable[[], _Part]) -> _Part:
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = new()
        return part

    @property
    def _kept(self) -> deque[Any]:
        return deque(maxlen=None if self._only_new else self._rows)


class _Part(ABC):
    count: int = 0

    @abstractmethod
    def add(self, element: Any) -> None: ...

    @abstractmethod
    def look(self) -> Look: ...


class _State(_Part):
    _last: Any = None

    def add(self, element: Any) -> None:
        self._last = element

    def look(self) -> Look:
        last = self._last
        return lambda rows, is_open: list(blocks_of(last, limit=rows, is_open=is_open))


class _Bar(_State):
    def look(self) -> Look:
        bar = bar_of(self._last)
        return lambda _rows, _is_open: [] if bar is None else [bar]


class _Table(_Part):
    """The last items, or those that nobody has looked at."""

    def __init__(self, name: str, kept: deque[Any]) -> None:
        self._name = name
        self._kept = kept

    def add(self, element: Any) -> None:
        self.count += 1
        self._kept.append(element)

    def look(self) -> Look:
        items, count = list(self._kept), self.count
        if self._kept.maxlen is None:
            self._kept.clear()

        first = count - len(items)
        return lambda rows, _is_open: [self._drawn(items, first, rows)]

    def _drawn(self, items: list[Any], first: int, rows: int) -> Items:
        numbered = list(enumerate(items, first))
        shown = numbered if self._kept.maxlen is None else numbered[-rows:]
        drawn = [item_of(item, number) for number, item in shown]
        return Items(drawn, first + len(items), self._name)


class _Records(_Table):
    """Models that came as a whole: a state if there is one only, else items."""

    def look(self) -> Look:
        if self.count > 1 or not self._kept or self._kept.maxlen is None:
            return super().look()

        record = self._kept[0]
        return lambda rows, _is_open: [Outline(outline(record, limit=rows))]


class _Text(_Part):
    def __init__(self, label: str, only_new: bool) -> None:
        self._label = label
        self._buffer = TextBuffer()
        self._only_new = only_new
        self._size = 0
        self._seen = 0

    def add(self, element: str) -> None:
        self._buffer.write(element)
        self._size += len(element)

    def look(self) -> Look:
        if self._only_new:
            text, self._seen = self._buffer.read(self._seen), self._size
            new: list[Block] = [Written(self._label, text, is_growing=True)] if text else []
            return lambda _rows, _is_open: new

        text = self._buffer.read(max(0, self._size - _CHARACTERS - 1))

        def look(rows: int, is_open: bool) -> list[Block]:
            lines = ending(text, _CHARACTERS).split("\n")
            shown = "\n".join(lines if len(lines) <= rows else ["…", *lines[-rows:]])
            return [Written(self._label, shown, is_growing=is_open)]

        return look


class _LastLines(_Part):
    def __init__(self, kept: deque[Any]) -> None:
        self._kept = kept

    def add(self, element: Any) -> None:
        self.count += 1
        self._kept.append(element)

    def look(self) -> Look:
        elements, count = list(self._kept), self.count
        if self._kept.maxlen is None:
            self._kept.clear()
        return lambda _rows, _is_open: [Lines([_line_of(element) for element in elements], count)]


def _is_record(element: Any) -> bool:
    return isinstance(element, BaseModel) or (
        is_dataclass(element) and not isinstance(element, type)
    )


def _key_of(delta: Delta) -> object:
    return delta.kind, delta.choice, delta.index


def label_of(delta: Delta) -> str:
    """Say which of a model's texts a Delta belongs to."""
    name = f" {delta.name}" if delta.name else f" {delta.index}" if delta.index else ""
    choice = f" of choice {delta.choice}" if delta.choice else ""
    return f"{delta.kind.replace('_', ' ')}{name}{choice}"


def text_of(delta: Delta) -> str:
    """Return what a Delta says."""
    if delta.kind == "usage":
        counts = cells(dict(delta.usage or {}))
        return ", ".join(f"{name}={count}" for name, count in counts.items() if count != "None")

    return delta.finish_reason or "" if delta.kind == "finish" else delta.text


def list_name(tag: object) -> str:
    """Return the name of the list that a tag stands for."""
    return tag if isinstance(tag, str) else place_of(cast("tuple[Any, ...]", tag))


def _line_of(element: object) -> str:
    try:
        text = str.__str__(element) if isinstance(element, str) else repr(element)
    except Exception:
        text = f"<{type(element).__name__}>"
    return in_one_line(shortened(text, _LINE))
