"""Some moments of a history next to each other, as HTML and as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from streamops.display.blocks import Failure, Outline, bar_of, failure_of, percent
from streamops.display.html import to_html
from streamops.display.look import look_at
from streamops.display.plain import state_line, to_lines
from streamops.display.times import time_in_words
from streamops.display.visible import counted, shortened

_MOST, _FEWEST = 6, 3  # moments, as many as there is room for
_MOST_LINES = 12
_LINE = 100
_ROWS = 18
_WIDTH = 26  # characters of a text
_ROOM = 110  # characters next to each other
_CELL = "text-align:left;vertical-align:top;border:0;padding:2px 22px 2px 0;background:transparent"
_SMALL = "font-size:13px;opacity:.6"
_TABLE = "color:inherit;border-collapse:collapse;border:0;font-size:13px"


class Shown(Protocol):
    """A moment of a history."""

    @property
    def seconds(self) -> float:
        """When it began."""
        ...

    @property
    def value(self) -> Any:
        """What was shown."""
        ...


class Shows(Protocol):
    """A history."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...

    @property
    def error(self) -> Exception | None:
        """What it ended with."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Shown: ...


def html_strip(history: Shows) -> str:
    """Return evenly spaced moments as HTML: side by side if they are narrow enough."""
    chosen = next((few for few in _choices(history) if _fits(few)), _chosen(history, _FEWEST))
    cells = [
        f'<td style="{_CELL}">{html_heading(moment)}{to_html([_look(moment)])}</td>'
        for moment in chosen
    ]
    rows = ("" if _fits(chosen) else "</tr><tr>").join(cells)
    table = f'<table style="{_TABLE}"><tr>{rows}</tr></table>' if cells else ""
    return (
        f'<div><div style="{_SMALL}">{_summary(history)}</div>{table}{html_ending(history)}</div>'
    )


def text_strip(history: Shows) -> Iterator[str]:
    """List evenly spaced moments, each as a line."""
    yield _summary(history)

    chosen = _chosen(history, _MOST_LINES)
    headings = list(map(heading, chosen))
    indent = max(map(len, headings), default=0) + 2
    for start, moment in zip(headings, chosen, strict=True):
        yield f"{start:<{indent}}{_line(moment, _LINE - indent)}".rstrip()

    if history.error is not None:
        yield from to_lines([failure_of(history.error)])


def heading(moment: Shown) -> str:
    """Write when a moment was, and how much had arrived."""
    time, bar = time_in_words(moment.seconds), bar_of(moment.value)
    return time if bar is None else f"{time} · {percent(bar)}"


def html_heading(moment: Shown) -> str:
    """Return the same as HTML."""
    time, dot, rest = heading(moment).partition(" · ")
    return f'<div><b>{time}</b><span style="opacity:.6">{dot}{rest}</span></div>'


def html_look(moment: Shown) -> str:
    """Return what was shown at a moment, with all that there is room for."""
    bar = bar_of(moment.value)
    return to_html([*([] if bar is None else [bar]), look_at(moment.value)])


def html_ending(history: Shows) -> str:
    """Return the error that a history ends with, if there is one."""
    return "" if history.error is None else to_html([failure_of(history.error)])


def _summary(history: Shows) -> str:
    return f"{counted(len(history), 'moment')} in {time_in_words(history.seconds)}"


def _chosen(history: Shows, most: int) -> Sequence[Shown]:
    count = len(history)
    if count <= most:
        return [history[index] for index in range(count)]

    return [history[round(place * (count - 1) / (most - 1))] for place in range(most)]


def _choices(history: Shows) -> Iterator[Sequence[Shown]]:
    return (_chosen(history, most) for most in range(_MOST, _FEWEST - 1, -1))


def _fits(moments: Sequence[Shown]) -> bool:
    return sum(map(_width, moments)) <= _ROOM


def _look(moment: Shown) -> Outline | Failure:
    return look_at(moment.value, limit=_ROWS, width=_WIDTH)


def _line(moment: Shown, width: int) -> str:
    look = look_at(moment.value)
    if isinstance(look, Outline):
        return state_line(None, look.rows, width=width)

    return shortened(next(to_lines([look])), width)


def _width(moment: Shown) -> int:
    """Return about how many characters wide its look is."""
    look = _look(moment)
    if isinstance(look, Failure):
        return max(map(len, look.message.split("\n")))

    keys = max((2 * row.depth + len(row.key) for row in look.rows), default=0)
    return 6 + keys + max((len(row.text) for row in look.rows), default=0)
