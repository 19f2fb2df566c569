"""Histogram: how large the chunks of a stream were, and how far apart they came."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from streamops.display.times import time_in_words
from streamops.display.visible import counted
from streamops.tracing.signs import text_of

if TYPE_CHECKING:
    from streamops.tracing.stages import Stage
    from streamops.tracing.trace import Trace

_BAR = 30  # columns
_LEAST = 10  # gaps that say anything
_UNNOTICED = 0.005  # seconds
_AT_ONCE = 0.1  # of the mean gap, which is next to none
_MOST = 0.6  # of the gaps, so that chunks that come one by one do not pass for bursts
_WAITING = 0.9  # of the time


@dataclass(frozen=True, slots=True)
class Bar:
    """How many fell into one range."""

    label: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """Sizes of chunks in characters, and the gaps between chunks in seconds.

    Only chunks with text count, and a gap lies within one request, also where several overlap.
    """

    sizes: tuple[int, ...]
    gaps: tuple[float, ...]

    @property
    def size_bars(self) -> tuple[Bar, ...]:
        """How many chunks had how many characters."""
        edges = [1 << power for power in range(max(self.sizes, default=1).bit_length())]
        return _bars(self.sizes, edges, [_range_label(edge) for edge in edges])

    @property
    def gap_bars(self) -> tuple[Bar, ...]:
        """How many gaps were how long."""
        edges = [0.0, *_steps(max(self.gaps, default=0.0))]
        labels = [f"< {_round(edges[1])}"]
        labels += [f"{_round(a)} to {_round(b)}" for a, b in pairwise(edges[1:])]
        labels += [f"≥ {_round(edges[-1])}"]
        return _bars(self.gaps, edges, labels)

    @property
    def verdict(self) -> str:
        """Whether chunks come one by one or in bursts, with the figures that say so."""
        gaps = sorted(self.gaps)
        waiting = sum(gaps)

        if len(gaps) < _LEAST:
            return f"{counted(len(gaps), 'gap')}: too few to say whether chunks come in bursts."

        if gaps[-1] < _UNNOTICED:
            return (
                f"Chunks come as fast as they are read: the longest of {len(gaps)} gaps is "
                f"{time_in_words(gaps[-1])}."
            )

        mean = waiting / len(gaps)
        at_once = bisect_right(gaps, mean * _AT_ONCE)
        long = _least_that_hold(gaps, waiting * _WAITING)
        held = sum(gaps[-long:]) / waiting
        usual = f"the median gap is {time_in_words(median(gaps))}"

        if at_once >= _MOST * len(gaps):
            return (
                f"Chunks come in bursts: {at_once} of {len(gaps)} gaps are below "
                f"{time_in_words(mean * _AT_ONCE)}, and {counted(long, 'gap')} hold {held:.0%} of "
                "the waiting, as if something on their way collected them."
            )

        if at_once <= (1 - _MOST) / 2 * len(gaps):
            return (
                f"Chunks come one by one: {usual}, the longest {time_in_words(gaps[-1])}, and "
                f"{at_once} of {len(gaps)} are below {time_in_words(mean * _AT_ONCE)}."
            )

        return (
            f"Some chunks come together: {at_once} of {len(gaps)} gaps are below "
            f"{time_in_words(mean * _AT_ONCE)}; {usual}, the longest {time_in_words(gaps[-1])}."
        )

    def __str__(self) -> str:
        return "\n".join(
            [
                f"Characters in each of {counted(len(self.sizes), 'chunk')}",
                *_lines(self.size_bars),
                "",
                f"Time between chunks, {counted(len(self.gaps), 'gap')}",
                *_lines(self.gap_bars),
                "",
                self.verdict,
            ]
        )

    def __repr__(self) -> str:
        return f"<Histogram: {counted(len(self.sizes), 'chunk')}>"

    def _repr_pretty_(self, printer: object, cycle: bool) -> None:
        printer.text(str(self))  # type: ignore[attr-defined]  # IPython's

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return it for a notebook."""
        return (
            '<div style="font-size:13px">'
            f"{_html('Characters in a chunk', self.size_bars, '#3987e5')}"
            f"{_html('Time between chunks', self.gap_bars, '#2da160')}"
            f'<div style="max-width:70ch">{escape(self.verdict, quote=True)}</div></div>'
        )


def histogram_of(trace: Trace) -> Histogram:
    """Return how the chunks of a trace's sources came."""
    sizes: list[int] = []
    gaps: list[float] = []

    for stage in trace.stages:
        if not stage.sources:
            for size, gap in _chunks(stage):
                sizes.append(size)
                gaps += [] if gap is None else [gap]

    return Histogram(tuple(sizes), tuple(gaps))


def _chunks(stage: Stage) -> Iterator[tuple[int, float | None]]:
    """List the chunks of a source, each with the time since the one before it in its request."""
    before: dict[int, float] = {}

    for event in stage.events:
        if event.kind == "next" and (text := text_of(event.value)) is not None:
            last = before.get(event.subscription)
            yield len(text), None if last is None else event.at - last
            before[event.subscription] = event.at


def _bars(
    values: Iterable[float], edges: list[float] | list[int], labels: list[str]
) -> tuple[Bar, ...]:
    counts = [0] * len(edges)

    for value in values:
        counts[bisect_right(edges, value) - 1] += 1

    filled = [index for index, count in enumerate(counts) if count]
    shown = range(filled[0], filled[-1] + 1) if filled else range(0)
    return tuple(Bar(labels[index], counts[index]) for index in shown)


def _range_label(first: int) -> str:
    return str(first) if first == 1 else f"{first} to {first * 2 - 1}"


def _round(edge: float) -> str:
    return f"{edge:g} s" if edge >= 1 else f"{edge * 1e3:g} ms"


def _steps(longest: float) -> Iterator[float]:
    """List 1, 2, 5, 10 ms and so on, up to a time."""
    yield 0.001

    for power in range(-3, 1 + math.ceil(math.log10(max(longest, 0.001)))):
        for factor in (1, 2, 5):
            if 0.001 < factor * 10.0**power <= longest * 2:
                yield factor * 10.0**power


def _least_that_hold(ascending: list[float], wanted: float) -> int:
    held, count = 0.0, 0

    while held < wanted and count < len(ascending):
        count += 1
        held += ascending[-count]

    return count


def _lines(bars: tuple[Bar, ...]) -> Iterator[str]:
    most = max((bar.count for bar in bars), default=1)
    label = max((len(bar.label) for bar in bars), default=0)

    for bar in bars:
        filled = "█" * math.ceil(bar.count / most * _BAR)
        yield f"  {bar.label:>{label}}  {filled:<{_BAR}}  {bar.count:,}"


def _html(title: str, bars: tuple[Bar, ...], color: str) -> str:
    most = max((bar.count for bar in bars), default=1)
    clear = "border:0;background:transparent"
    cell = f"{clear};padding:1px 10px 1px 0;white-space:nowrap"
    rows = "".join(
        f'<tr style="{clear}"><td style="text-align:right;{cell}">{escape(bar.label)}</td>'
        f'<td style="text-align:left;{cell};color:{color};letter-spacing:-1px">'
        f"{'█' * math.ceil(bar.count / most * _BAR)}</td>"
        f'<td style="text-align:right;{cell}">{bar.count:,}</td></tr>'
        for bar in bars
    )
    return f'<b>{title}</b><table style="border-collapse:collapse;border:0">{rows}</table>'
