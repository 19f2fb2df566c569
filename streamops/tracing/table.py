"""Table: figures in rows, for people and for pandas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from streamops.display.times import time_in_words
from streamops.display.visible import in_html, in_one_line
from streamops.tracing.figures import first_and_last, fitted, left_out, width_of

if TYPE_CHECKING:
    from streamops.tracing.trace import Trace

Row = dict[str, Any]

_TIMES = frozenset({"own time", "first at", "last at"})
_CLEAR = "border:0;background:transparent"  # a notebook shades every other row
_CELL = "text-align:{};padding:2px 14px 2px 0;" + _CLEAR


@dataclass(frozen=True, slots=True, eq=False)
class Table(Sequence[Row]):
    """Rows of figures, and what is to be said beneath them. Times are in seconds.

    Shown are the first and the last where there are dozens of them.
    """

    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What is to be said of the whole."""

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        return self.rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __str__(self) -> str:
        first, last = first_and_last(self.rows)
        cells = [self._columns(), *map(_cells, first), *map(_cells, last)]
        widths = [max(map(width_of, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(_aligned, row, widths, range(len(row)))).rstrip() for row in cells]

        if last:
            lines.insert(len(first) + 1, left_out(len(self.rows)))

        return "\n".join([*lines, "", " · ".join(self.notes)])

    def __repr__(self) -> str:
        return f"<Table: {len(self.rows)} rows>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return it for a notebook."""
        head = "".join(
            f'<th style="{_cell(index)};opacity:.7">{_escaped(name)}</th>'
            for index, name in enumerate(self._columns())
        )
        first, last = first_and_last(self.rows)
        between = [_html_cells([left_out(len(self.rows))])] if last else []
        body = "".join([*map(_html_row, first), *between, *map(_html_row, last)])
        notes = _escaped(" · ".join(self.notes))
        return (
            '<div style="font-size:13px"><table style="border-collapse:collapse;border:0">'
            f'<thead><tr style="{_CLEAR}">{head}</tr></thead><tbody>{body}</tbody></table>'
            f'<div style="opacity:.8;margin-top:4px">{notes}</div></div>'
        )

    def _columns(self) -> list[str]:
        return list(self.rows[0]) if self.rows else []


def table_of(trace: Trace) -> Table:
    """Return the figures of a trace."""
    rows = tuple(
        {
            "stage": stage.name,
            "received": stage.received,
            "emitted": stage.emitted,
            "own time": stage.seconds,
            "first at": stage.first,
            "last at": stage.last,
        }
        for stage in trace.stages
    )
    return Table(rows, tuple(milestones(trace)))


def milestones(trace: Trace) -> Iterator[str]:
    """List when a trace came how far, of what came at all."""
    for name, seconds in (
        ("first chunk", trace.time_to_first_chunk),
        ("first field", trace.time_to_first_field),
        ("first item", trace.time_to_first_item),
        ("whole", trace.seconds),
    ):
        if seconds is not None:
            yield f"{name} {time_in_words(seconds)}"


def _cells(row: Row) -> list[str]:
    return [_figure(name, value) for name, value in row.items()]


def _figure(name: str, value: Any) -> str:
    if name in _TIMES:
        return "" if value is None else time_in_words(value)

    return f"{value:,}" if isinstance(value, int) else in_one_line(str(value))


def _aligned(text: str, width: int, index: int) -> str:
    return fitted(text, width) if index == 0 else " " * (width - width_of(text)) + text


def _html_row(row: Row) -> str:
    return _html_cells(_cells(row))


def _html_cells(texts: list[str]) -> str:
    cells = "".join(
        f'<td style="{_cell(index)}">{_escaped(text)}</td>' for index, text in enumerate(texts)
    )
    return f'<tr style="{_CLEAR}">{cells}</tr>'


def _cell(index: int) -> str:
    return _CELL.format("right" if index else "left")


def _escaped(text: str) -> str:
    return in_html(in_one_line(text))
