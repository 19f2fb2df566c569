"""outline: any value as rows, each with how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, TypeAlias, cast

from pydantic import BaseModel, RootModel

from streamops.display.visible import counted, ending, in_one_line, shortened, visible
from streamops.nodes import Path
from streamops.partial import is_partial, partial_state
from streamops.progress import without_progress
from streamops.snapshot import Snapshot
from streamops.states import FieldState

_KEY = 40  # characters
_INLINE = 60  # characters that a list takes in its own row
_SUMMED_UP = 8  # fields
_DEEPEST = 16
_HEAD_AND_TAIL = 7  # items of a list that does not fit, even if each of them is long

_StateAt: TypeAlias = Callable[[Path], FieldState]


class _Absent(Enum):
    """Stands for a value that has not arrived, or that cannot be read."""

    ABSENT = 0


_ABSENT = _Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an outline."""

    depth: int
    """How far it is indented."""
    key: str
    """The name of the field, the key, or the index; empty if the value is no container."""
    text: str
    """A scalar, or how much a container holds; empty where nothing is to be shown."""
    state: FieldState
    is_note: bool = False
    """Whether ``text`` is about the value and not the value itself."""


def outline(
    value: Any, *, limit: int = 60, width: int = 160, is_open: bool = False
) -> tuple[Row, ...]:
    """List the fields and items of a value, and what is in them, as at most ``limit`` rows.

    Fields of a partial that have not arrived have rows too. A Progress lists its value. Plain
    values are done, unless the value ``is_open``: then it grows at its end. Of a long list the
    first and the last items are shown, of a text that is longer than ``width`` the beginning and
    the end, and only the end while it grows. Fields with ``repr=False`` are left out. Only fields
    are looked at: no property is called.
    """
    value = without_progress(value)

    if isinstance(value, Snapshot):
        if not value.started:
            return ()

        node = _Node("", value.value, _edge_of(value), ())
    else:
        node = _Node("", value, _open_end if is_open else _all_done, ())

    layout = _Layout(width)
    return tuple(layout.below(node, 0, max(limit, 1))) or (layout.row(node, 0),)


def cells(value: Any, *, width: int = 80) -> dict[str, str]:
    """Return the fields of a value, each as a short text; of a scalar, that by an empty name."""
    layout = _Layout(width)
    node = _Node("", value, _all_done, ())
    if node.inside is None or node.inside.is_list:
        return {"": layout.row(node, 0).text}

    rows = (layout.row(node.child(index), 0) for index in range(node.count))
    return {row.key: row.text for row in rows}


class _Layout:
    """Shares the rows that there are among what wants to be shown."""

    def __init__(self, width: int) -> None:
        self._width = width

    def below(self, node: _Node, depth: int, room: int) -> list[Row]:
        """List what is in a value in at most ``room`` rows."""
        chosen = _chosen(node, room)
        if not chosen:
            return []

        children = [node.child(index) for index in chosen]
        nested = self._nested(children, depth + 1, room - _rows_for(chosen, node.count))
        rows: list[Row] = []
        following = 0

        for index, child in zip(chosen, children, strict=True):
            rows.extend(_left_out(depth, index - following))
            inner = nested.get(child, [])
            rows.append(self.row(child, depth, is_open=bool(inner)))
            rows.extend(inner)
            following = index + 1

        rows.extend(_left_out(depth, node.count - following))
        return rows

    def _nested(self, children: list[_Node], depth: int, room: int) -> dict[_Node, list[Row]]:
        """List what is in several values in at most ``room`` rows together."""
        wanting = [child for child in children if child.count and self._inline(child) is None]
        # Who needs little leaves the rest to others, and what grows takes all that is left.
        wanting.sort(key=lambda child: (child.state == "growing", child.count))
        nested: dict[_Node, list[Row]] = {}

        for position, child in enumerate(wanting if depth < _DEEPEST else ()):
            share = room // (len(wanting) - position)
            nested[child] = self.below(child, depth, share) if share else []
            room -= len(nested[child])

        return nested

    def row(self, node: _Node, depth: int, *, is_open: bool = False) -> Row:
        """Return the row of a value itself."""
        key = in_one_line(shortened(node.key, _KEY))

        if node.inside is None:
            return Row(depth, key, self._scalar(node), node.state)

        inline = self._inline(node)
        if inline is not None:
            return Row(depth, key, inline, node.state)

        text = self._count(node) if node.inside.is_list else ""
        if not is_open and not node.inside.is_list:
            text = self._summary(node)
        return Row(depth, key, text, node.state, is_note=True)

    def _inline(self, node: _Node) -> str | None:
        """Return a list of short scalars as one text, if it is that."""
        inside = node.inside
        if inside is None or not inside.is_list or not 0 < node.count <= _INLINE:
            return None

        children = [node.child(index) for index in range(node.count)]
        if any(child.inside is not None for child in children):
            return None

        text = ", ".join(map(self._scalar, children))
        return text if len(text) <= _INLINE and "\n" not in text else None

    def _summary(self, node: _Node) -> str:
        children = map(node.child, range(min(node.count, _SUMMED_UP)))
        scalars = (self._scalar(child) for child in children if child.inside is None)
        return shortened(", ".join(filter(None, scalars)), _INLINE) or ("" if node.count else "{}")

    def _count(self, node: _Node) -> str:
        return counted(node.count, "item") if node.count else "no items"

    def _scalar(self, node: _Node) -> str:
        value = node.value
        if node.state == "growing" and isinstance(value, str) and not str.__str__(value):
            return ""

        text = _written(value)
        if len(text) > self._width:
            text = (ending if node.state == "growing" else shortened)(text, self._width)
        return visible(text)


def _written(value: Any) -> str:
    """Write a scalar; of one that fails to write itself, its type."""
    if value is _ABSENT:
        return ""

    if isinstance(value, str) and not isinstance(value, Enum):
        return str.__str__(value) or '""'

    try:
        if isinstance(value, Enum):
            return _written(value.value)

        return repr(value) if isinstance(value, bytes) else str(value)
    except Exception:
        return _kind_of(value)


def _kind_of(value: Any) -> str:
    return f"<{type(value).__name__}>"


def _chosen(node: _Node, room: int) -> Sequence[int]:
    """Say which of the children get a row: all, or the first and the last, and what grows."""
    count = node.count
    # Items of a list tend to be alike.
    is_list = count > 0 and node.inside is not None and node.inside.is_list
    height = 1 + node.child(0).count if is_list else 1
    if count * height <= room:
        return range(count)

    fitting = max(room // height, min(room, _HEAD_AND_TAIL, count))
    if fitting >= count:
        return range(count)

    shown = min(fitting, room - 1)
    while True:
        head = shown // 2
        chosen = sorted({*range(head), *range(count - (shown - head), count), *node.growing})
        if _rows_for(chosen, count) <= room:
            return chosen

        shown -= 1
        if shown < 0:
            return ()


def _rows_for(chosen: Sequence[int], count: int) -> int:
    """Return how many rows these children take, with those that say how many are left out."""
    gaps = sum(after - before > 1 for before, after in pairwise((-1, *chosen, count)))
    return len(chosen) + gaps


def _left_out(depth: int, count: int) -> Iterator[Row]:
    if count:
        yield Row(depth, "", f"… {count:,} more", "done", is_note=True)


@dataclass(frozen=True, slots=True)
class _Inside:
    """What a value holds."""

    keys: Sequence[Any]
    values: Sequence[Any]
    states: Sequence[FieldState] | None = None
    """Where that is known of each; else only the last one can grow."""
    is_list: bool = False


class _Node:
    """A value, what it is called, and how far it has come."""

    def __init__(
        self,
        key: str,
        value: Any,
        state_at: _StateAt,
        path: Path,
        state: FieldState | None = None,
    ) -> None:
        while True:
            own = partial_state(value)
            if own is not None:
                state_at, path = own.at, ()

            if not isinstance(value, RootModel):
                break
            value = object.__getattribute__(cast("Any", value), "__dict__").get("root", _ABSENT)

        self.key = key
        self._state_at = state_at
        self._path = path
        self.state: FieldState = state if state is not None and own is None else state_at(path)
        try:
            self.value: Any = value
            self.inside = _inside(value, state_at, path)
        except Exception:  # a user's own container may fail to say what is in it
            self.value = _kind_of(value)
            self.inside = None

    @property
    def count(self) -> int:
        """How many children there are."""
        return 0 if self.inside is None else len(self.inside.keys)

    @property
    def growing(self) -> list[int]:
        """Which children of a record grow."""
        states = None if self.inside is None else self.inside.states
        return [index for index, state in enumerate(states or ()) if state == "growing"]

    def child(self, index: int) -> _Node:
        """Return one of the children."""
        inside = self.inside
        assert inside is not None, "a scalar has none"
        key = inside.keys[index]
        state = self._state_of_item(key, index) if inside.states is None else inside.states[index]
        return _Node(_called(key), inside.values[index], self._state_at, (*self._path, key), state)

    def _state_of_item(self, key: Any, index: int) -> FieldState:
        # Containers grow at their end.
        if self.state == "done" or index < self.count - 1:
            return "done"

        state = self._state_at((*self._path, key))
        return "growing" if state == "pending" else state


def _called(key: Any) -> str:
    return str.__str__(key) if isinstance(key, str) and not isinstance(key, Enum) else _written(key)


def _inside(value: Any, state_at: _StateAt, path: Path) -> _Inside | None:
    """Return what a value holds, or None for a scalar."""
    if isinstance(value, BaseModel):
        return _record(_fields_of_model(value), value, state_at, path)

    if is_dataclass(value) and not isinstance(value, type):
        return _record(_fields_of_dataclass(value), value, state_at, path)

    if isinstance(value, Mapping):
        mapping = cast("Mapping[Any, Any]", value)
        return _Inside(list(mapping), list(mapping.values()))

    if isinstance(value, Set):
        items = list(cast("Set[Any]", value))
        states: list[FieldState] = ["done"] * len(items)
        return _Inside(range(len(items)), items, states, is_list=True)

    if isinstance(value, list | tuple):
        sequence = cast("Sequence[Any]", value)
        if type(sequence) not in (list, tuple):
            sequence = list(sequence)  # what its class says of it is asked once

        names: Any = getattr(cast("Any", value), "_fields", None)
        return _Inside(names or range(len(sequence)), sequence, is_list=not names)

    return None


def _record(values: dict[str, Any], record: Any, state_at: _StateAt, path: Path) -> _Inside:
    """Return the fields of a model or dataclass, of which any may be missing."""
    states: list[FieldState]
    if partial_state(record) is not None:
        states = [state_at((*path, name)) for name in values]
    else:
        has_arrived = [value is not _ABSENT for value in values.values()]
        states = ["done" if arrived else "pending" for arrived in has_arrived]

    shown = [
        _ABSENT if state == "pending" else value
        for value, state in zip(values.values(), states, strict=True)
    ]
    return _Inside(list(values), shown, states)


def _fields_of_model(model: BaseModel) -> dict[str, Any]:
    # Not by attributes: the model may have something to say to that.
    values: dict[str, Any] = object.__getattribute__(model, "__dict__")
    arrived: set[str] = object.__getattribute__(model, "__pydantic_fields_set__")
    extra: dict[str, Any] = object.__getattribute__(model, "__pydantic_extra__") or {}
    names = [name for name, field in type(model).model_fields.items() if field.repr]
    read = {name: values.get(name, _ABSENT) for name in names}

    if is_partial(model):
        read = {name: value if name in arrived else _ABSENT for name, value in read.items()}
    return read | extra


def _fields_of_dataclass(instance: Any) -> dict[str, Any]:
    names = [field.name for field in fields(instance) if field.repr]
    state = partial_state(instance)
    # What else a partial holds is defaults.
    arrived = names if state is None else state.arrived
    return {name: _attribute(instance, name) if name in arrived else _ABSENT for name in names}


def _attribute(instance: Any, name: str) -> Any:
    try:
        return getattr(instance, name)
    except Exception:
        return _ABSENT


def _edge_of(snapshot: Snapshot) -> _StateAt:
    """Return what tells how far something is that stands in a snapshot."""
    edge = None if snapshot.complete else snapshot.path

    def at(path: Path) -> FieldState:
        return "growing" if edge is not None and edge[: len(path)] == path else "done"

    return at


def _open_end(_: Path) -> FieldState:
    return "growing"


def _all_done(_: Path) -> FieldState:
    return "done"
