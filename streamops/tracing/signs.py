"""What the events of a trace are, and how they are described to people."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel

from streamops.delta import Delta
from streamops.display.visible import in_one_line, place_of, shortened
from streamops.items import ItemResult, Tagged
from streamops.nodes import Path
from streamops.operators.field_events import FieldEvent
from streamops.partial import partial_state
from streamops.progress import Progress
from streamops.snapshot import Finished, Snapshot, value_at
from streamops.tracing.stages import Event, Stage

Sort: TypeAlias = Literal["chunk", "snapshot", "partial", "item", "progress", "event", "value"]
"""What an element is to whoever looks at a diagram."""

SIGNS: dict[Sort, str] = {
    "chunk": "·",
    "snapshot": "○",
    "partial": "◐",
    "item": "●",
    "progress": "%",
    "event": "◇",
    "value": "*",
}

_CHANGES = 4  # that a description names
_LONGEST = 60  # characters of a value in a description

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _LONGEST
_shortened.maxdict = _shortened.maxlist = 3


@dataclass(frozen=True, slots=True)
class Described:
    """An element, in words."""

    words: str
    """What it is or what is new in it, in one line."""
    label: str = ""
    """The same in a few characters, if there is something worth it."""


def sorts_of(stage: Stage) -> dict[type, Sort]:
    """Return what the elements of a stage are, by their types."""
    types: dict[type, Any] = {}

    for event in stage.events:
        if event.kind == "next":
            types.setdefault(cast("type[Any]", type(event.value)), event.value)

    sorts: dict[type, Sort] = {kind: _sort_of(value, stage) for kind, value in types.items()}

    # What comes at last behind partials is the model itself.
    if "partial" in sorts.values():
        sorts.update({kind: "partial" for kind, sort in sorts.items() if sort == "item"})

    return sorts


def _sort_of(value: object, stage: Stage) -> Sort:
    match value:
        case Delta() | bytes():
            return "chunk"
        case Progress():
            return "progress"
        case Snapshot():
            return "snapshot"
        case FieldEvent():
            return "event"
        case Tagged() | ItemResult():
            return "item"
        case _ if stage.emits_items:
            return "item"
        case _ if partial_state(value) is not None:
            return "partial"
        case BaseModel():
            return "item"
        case str():
            return "chunk"
        case _:
            return "value"


def shows_something(value: Any) -> bool:
    """Return whether an element is a state of a document in which something can be seen."""
    if isinstance(value, Progress):
        return shows_something(cast("Progress[Any]", value).value)

    if isinstance(value, Snapshot):
        return value.complete or bool(value.value)

    return isinstance(value, BaseModel) and bool(value.model_fields_set)


def text_of(value: object) -> str | None:
    """Return the text of a chunk; None for anything else, and for a chunk without text."""
    if isinstance(value, Delta):
        return value.text or None

    return value if isinstance(value, str) and value else None


def described(event: Event, sort: Sort = "value") -> Described:
    """Return an event of a stage in words; nothing in it moves a cursor or turns a line."""
    if event.kind == "error":
        return Described(_said(f"{type(event.value).__name__}: {_message(event.value)}", 300))

    if event.kind != "next":
        return Described(event.kind)

    try:
        words = _element(event.value)
        is_whole = sort == "partial" and partial_state(event.value) is None
        return Described(words.words, f"{type(event.value).__name__} ✓") if is_whole else words
    except Exception:  # a user's own element may fail to say what it is
        return Described(_said(f"a {type(event.value).__name__}", _LONGEST))


def _element(value: Any) -> Described:
    match value:
        case Delta():
            return _delta(value)
        case str():
            return Described(_quoted(value), _said(value, 12))
        case Progress():
            return _progress(cast("Progress[Any]", value))
        case Snapshot():
            return _snapshot(value)
        case Tagged():
            item = _element(cast("Tagged[Any]", value).item)
            return Described(f"{_said(str(value.tag), 30)}: {item.words}", item.label)
        case ItemResult():
            return _result(cast("ItemResult[Any]", value))
        case FieldEvent():
            return Described(f"{value.kind} {place_of(value.path) or 'the whole'}")
        case _:
            return _other(value)


def _delta(delta: Delta) -> Described:
    if delta.text:
        kind = "" if delta.kind == "content" else f"{delta.kind} "
        return Described(f"{kind}{_quoted(delta.text)}", _said(delta.text, 12))

    return Described(_said(repr(delta), 120))


def _progress(progress: Progress[Any]) -> Described:
    shown = f"{int(progress.percent)}%"
    at = f" at {place_of(progress.current)}" if progress.current else ""
    inner = _changes_of(progress.value)
    return Described(f"{shown}{at}{f': {inner.words}' if inner else ''}", shown)


def _snapshot(snapshot: Snapshot) -> Described:
    return _changes_of(snapshot) or Described("nothing new")


def _other(value: Any) -> Described:
    label = _said(_name_of(value), 16)
    return _changes_of(value) or Described(_said(_shortened.repr(value), 200), label)


def _name_of(item: Any) -> str:
    """Return the first text in an item, which tells it from others."""
    if isinstance(item, BaseModel):
        fields = (getattr(item, name, None) for name in type(item).model_fields)
        return next((value for value in fields if isinstance(value, str) and value), "")

    if isinstance(item, float):
        return f"{item:.3g}"

    return _shortened.repr(item) if isinstance(item, int) else ""


def _result(result: ItemResult[Any]) -> Described:
    if result.error is None:
        return _other(result.value)

    return Described(_said(f"invalid: {_message(result.error)}", 200), "invalid")


def _changes_of(value: Any) -> Described | None:
    """Return what is new in a snapshot or partial; None for anything else."""
    state = None if isinstance(value, Snapshot) else partial_state(value)
    snapshot = value if isinstance(value, Snapshot) else state.snapshot if state else None

    if snapshot is None:
        return None

    changed = snapshot.changed
    names = [_change(snapshot, path) for path in changed[:_CHANGES]]
    names += [f"… {len(changed) - _CHANGES} more"] if len(changed) > _CHANGES else []
    names += ["complete"] if snapshot.complete else []
    closed = next(_closed(snapshot, changed), "")
    return Described("; ".join(names) or "nothing new", closed)


def _change(snapshot: Snapshot, path: Path) -> str:
    found = snapshot.locate(path)

    if isinstance(found, Finished):
        return f"{_place(path)} = {_value(found.value)} ✓"

    shown = value_at(snapshot.value, path)
    return f"{_place(path)} = {_value(shown.value if shown else None)} …"


def _closed(snapshot: Snapshot, paths: tuple[Path, ...]) -> Iterator[str]:
    for path in paths:
        if path and isinstance(snapshot.locate(path), Finished):
            name = next((key for key in reversed(path) if isinstance(key, str)), str(path[-1]))
            yield _said(name, 14)


def _place(path: Path) -> str:
    return _said(place_of(path), _LONGEST) or "the whole"


def _value(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else _said(_shortened.repr(value), _LONGEST)


def _quoted(text: str) -> str:
    return f"“{_said(text, _LONGEST)}”"


def _said(text: str, width: int) -> str:
    # Shortened first: what cannot be seen is written in more characters than it has.
    return shortened(in_one_line(shortened(text, width)), width)


def _message(error: object) -> str:
    try:
        return str(error).strip().partition("\n")[0]
    except Exception:  # a user's own error may fail to say what it is
        return ""
