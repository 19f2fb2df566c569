"""What a display is made of, however it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from streamops.display.outline import Row, cells, outline
from streamops.display.visible import place_of, visible
from streamops.errors import SchemaMismatch
from streamops.items import ItemResult
from streamops.nodes import Path
from streamops.progress import Progress

_COLUMNS = 12
_FAULTS = 5
_MESSAGE = 2000  # characters


@dataclass(frozen=True, slots=True)
class Bar:
    """How much has arrived."""

    percent: float
    elapsed: float
    eta: float | None
    place: str
    basis: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A value as rows."""

    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list, as texts by the names of its fields."""

    number: int
    cells: dict[str, str]
    fault: str = ""
    """Why it is invalid."""


@dataclass(frozen=True, slots=True)
class Items:
    """The last items of a list."""

    items: Sequence[Item]
    count: int
    """How many have come."""
    name: str = ""
    """The list, where there are several."""

    @property
    def columns(self) -> list[str]:
        """The names of the fields that have columns: the first that came."""
        return self._fields[:_COLUMNS]

    @property
    def fields(self) -> int:
        """How many fields there are."""
        return len(self._fields)

    @property
    def _fields(self) -> list[str]:
        return list(dict.fromkeys(name for item in self.items for name in item.cells))


@dataclass(frozen=True, slots=True)
class Written:
    """Text that a model writes, by what it is."""

    label: str
    text: str
    is_growing: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """The last of elements that are shown in a line each."""

    lines: Sequence[str]
    count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """What a stream ended with."""

    kind: str
    message: str
    place: str = ""


Tone: TypeAlias = Literal["waiting", "running", "done", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Note:
    """How the stream itself is doing."""

    text: str
    tone: Tone


Block: TypeAlias = Bar | Outline | Items | Written | Lines | Failure | Note


def blocks_of(value: Any, *, limit: int = 60, is_open: bool = False) -> tuple[Block, ...]:
    """Return how a value is shown: Progress as a bar and its value, anything else as an outline.

    A plain value that ``is_open`` may grow at its end.
    """
    shown = Outline(outline(value, limit=limit, is_open=is_open))
    bar = bar_of(value)
    return (shown,) if bar is None else (bar, shown)


def bar_of(value: Any) -> Bar | None:
    """Return how much has arrived with a Progress; None for anything else."""
    if not isinstance(value, Progress):
        return None

    progress = cast("Progress[Any]", value)
    return Bar(
        progress.percent,
        progress.elapsed,
        progress.eta,
        place_of(progress.current),
        progress.basis,
    )


def item_of(value: Any, number: int) -> Item:
    """Return an item, or the ItemResult of one, as texts."""
    if not isinstance(value, ItemResult):
        return Item(number, cells(value))

    result = cast("ItemResult[Any]", value)
    if result.error is None:
        return Item(number, cells(result.value))

    return Item(number, {}, _message(result.error))


def failure_of(error: BaseException) -> Failure:
    """Return what to say of an error."""
    return Failure(type(error).__name__, _message(error), _place(error))


def _place(error: BaseException) -> str:
    try:
        path: Any = getattr(error, "path", ())
        return place_of(cast("Path", path)) if isinstance(path, tuple) else ""
    except Exception:  # a user's own error may fail to say where it is
        return ""


def _message(error: BaseException) -> str:
    try:
        message = "\n".join(_faults(error)) if isinstance(error, SchemaMismatch) else str(error)
    except Exception:  # a user's own error may fail to say what it is
        message = ""
    return visible(message if len(message) <= _MESSAGE else f"{message[:_MESSAGE]}…")


def _faults(error: SchemaMismatch) -> Iterable[str]:
    faults = error.faults
    for fault in faults[:_FAULTS]:
        yield f"{place_of(fault.path) or 'the whole'}: {fault.message}"

    if len(faults) > _FAULTS:
        yield f"… {len(faults) - _FAULTS} more"


def seconds(value: float) -> str:
    """Write a time: ``2.1 s``, ``3:05 min``."""
    return f"{value:.1f} s" if value < 59.95 else f"{round(value) // 60}:{round(value) % 60:02} min"


def figures(bar: Bar) -> str:
    """Write what stands beside a bar, in one line."""
    left = "" if not bar.eta else f", {seconds(bar.eta)} left"
    at = f" · {bar.place}" if bar.place else ""
    return f"{seconds(bar.elapsed)}{left}{at} · by {bar.basis}"


def left_out(block: Items) -> str:
    """Write what a table does not show, behind how many items there are."""
    items = f", the last {len(block.items)}" if len(block.items) < block.count else ""
    fields = f", {_COLUMNS} of {block.fields:,} fields" if block.fields > _COLUMNS else ""
    return items + fields


def percent(bar: Bar) -> str:
    """Write how much has arrived; never 100% before the end."""
    return f"{int(bar.percent)}%"
