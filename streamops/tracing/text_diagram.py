"""A trace as a marble diagram in text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from streamops.display.times import tick_label, ticks
from streamops.display.visible import in_one_line
from streamops.tracing.figures import first_and_last, fitted, left_out, width_of
from streamops.tracing.signs import SIGNS, Sort, described, sorts_of
from streamops.tracing.stages import Event, Stage
from streamops.tracing.table import milestones

if TYPE_CHECKING:
    from streamops.tracing.trace import Trace

_NARROWEST = 40
_NAMES = 0.4  # of the width, at most

_LINE, _ERROR, _END, _AGAIN = "─", "X", "|", "↻"
# What wins where several things happen within one column.
_RANKS = {
    sign: rank
    for rank, sign in enumerate(
        (" ", _LINE, "·", "*", "○", "◇", "◐", "%", "●", _AGAIN, _END, _ERROR)
    )
}
_WORDS = {_AGAIN: "begun again", _END: "completed", _ERROR: "failed"}


def text_diagram(trace: Trace, width: int) -> str:
    """Return a trace as lines of text, none of them wider than asked."""
    if width < _NARROWEST:
        raise ValueError(f"a diagram takes at least {_NARROWEST} columns, not {width}")

    first, last = first_and_last(trace.stages)
    shown = [*first, *last]
    named = [in_one_line(stage.name) for stage in shown]
    counted = [f"{stage.emitted:,}" for stage in shown]
    names = min(max(map(width_of, named), default=0), int(width * _NAMES))
    counts = max(map(len, counted), default=0)
    columns = width - names - counts - 4
    rows = [_marbles(stage, trace.seconds, columns) for stage in shown]

    lines = [
        f"{fitted(name, names)}  {row}  {count:>{counts}}".rstrip()
        for name, row, count in zip(named, rows, counted, strict=True)
    ]

    if last:
        lines.insert(len(first), left_out(len(trace.stages)))

    lines.append(f"{'':{names}}  {_axis(trace.seconds, columns)}".rstrip())
    lines += _wrapped([*_legend(shown, rows), *milestones(trace)], width)

    if trace.error is not None:
        lines += _wrapped(
            [f"ended with {described(Event(0.0, 'error', trace.error)).words}"], width
        )

    return "\n".join(lines)


def _marbles(stage: Stage, seconds: float, columns: int) -> str:
    row = [" "] * columns
    sorts = sorts_of(stage)
    again = {id(event) for event in stage.beginnings}

    for run in stage.runs:
        ended = begun = _column(run[0], seconds, columns)

        for event in run:
            ended = _column(event, seconds, columns)
            sign = _AGAIN if id(event) in again else _sign(event, sorts)

            # An end has a column of its own if there is one.
            if sign in (_END, _ERROR) and row[ended] not in (" ", _LINE) and ended + 1 < columns:
                ended += 1

            row[ended] = max(row[ended], sign, key=_RANKS.__getitem__)

        row[begun:ended] = [_LINE if sign == " " else sign for sign in row[begun:ended]]

    return "".join(row)


def _column(event: Event, seconds: float, columns: int) -> int:
    return min(int(event.at / seconds * columns), columns - 1) if seconds else 0


def _sign(event: Event, sorts: dict[type, Sort]) -> str:
    match event.kind:
        case "next":
            return SIGNS[sorts[type(event.value)]]
        case "error":
            return _ERROR
        case "completed":
            return _END
        case "subscribed":
            return _LINE


def _axis(seconds: float, columns: int) -> str:
    row = [" "] * columns
    taken = -2

    for tick in ticks(seconds, max(1, columns // 9)):
        label = tick_label(tick, seconds)
        column = min(int(tick / seconds * columns), columns - 1) if seconds else 0

        if column >= taken + 2 and column + len(label) + 1 <= columns:
            row[column : column + len(label) + 1] = f"╵{label}"
            taken = column + len(label)

    return "".join(row)


def _legend(stages: list[Stage], rows: list[str]) -> Iterator[str]:
    shown = set("".join(rows))
    sorts = {SIGNS[sort]: sort for stage in stages for sort in sorts_of(stage).values()}
    words: dict[str, str] = {**sorts, **_WORDS}
    yield from (f"{sign} {words[sign]}" for sign in _RANKS if sign in words and sign in shown)


def _wrapped(words: list[str], width: int) -> Iterator[str]:
    line = ""

    for word in words:
        if line and width_of(line) + 3 + width_of(word) > width:
            yield line
            line = ""

        line = f"{line}   {word}" if line else fitted(word, min(width, width_of(word)))

    if line:
        yield line
