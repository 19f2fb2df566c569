"""A trace as a marble diagram in SVG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from streamops.display.times import tick_label, ticks, time_in_words
from streamops.display.visible import in_one_line
from streamops.tracing.figures import cut, first_and_last, left_out, width_of
from streamops.tracing.signs import Sort, described, sorts_of
from streamops.tracing.stages import Event, EventKind, Stage
from streamops.tracing.table import milestones

if TYPE_CHECKING:
    from streamops.tracing.trace import Trace

_WIDTH = 960
_ROW = 46
_TOP = 34  # above the first row's line
_LANE, _LANES = 9, 12  # between lines that join rows, and how many there are next to each other
_RIGHT = 34
_FONT = "ui-monospace, Menlo, Consolas, monospace"
_NAME_SIZE, _NOTE, _SMALL = 13, 11, 10
_NAME_CHAR, _NOTE_CHAR, _SMALL_CHAR = 7.85, 6.65, 5.7  # how wide a character is, at most
_LONGEST_NAME = 30
_CLOSEST = 3.0  # pixels between marbles; what is closer is drawn as one
_LARGEST, _SMALLEST = 6.0, 2.4
_MARK = 10  # pixels between marks of one kind

_HIT = 'stroke="#000" stroke-opacity="0" stroke-width="6"'
_PANEL, _EDGE, _LINE, _INK, _FAINT = "#131a2b", "#2b3650", "#46557a", "#e8edf7", "#93a1bf"
_GOOD, _BAD = "#7fd6a8", "#ff6b6b"
_COLORS: dict[Sort, str] = {
    "chunk": "#8ea3c7",
    "snapshot": "#4cb8ff",
    "partial": "#b197fc",
    "item": "#ffc554",
    "progress": "#5ddfa3",
    "event": "#ff9ecb",
    "value": "#f2f5fb",
}


def svg_diagram(trace: Trace) -> str:
    """Return a trace as a picture of its own, readable on white and on dark pages."""
    return _Picture(trace).draw()


@dataclass(slots=True)
class _Marble:
    """Elements of one sort that come so close that they are drawn as one."""

    x: float
    sort: Sort
    events: list[Event]


class _Picture:
    def __init__(self, trace: Trace) -> None:
        stages = trace.stages
        first, last = first_and_last(range(len(stages)))
        # One row between them says how many are left out.
        self._gap = len(first) if last else None
        self._places = {index: index for index in first}
        self._places |= {index: place for place, index in enumerate(last, start=len(first) + 1)}
        self._trace = trace
        self._stages = [(stages[index], place) for index, place in self._places.items()]
        self._names = [cut(in_one_line(stage.name), _LONGEST_NAME) for stage, _ in self._stages]
        self._links = _laned([*self._linked()])
        self._sorts: set[Sort] = {
            sort for stage, _ in self._stages for sort in sorts_of(stage).values()
        }
        self._times = " · ".join(milestones(trace))
        lanes = max((lane for _, _, lane in self._links), default=0) + 1
        names = max(map(width_of, self._names), default=0) * _NAME_CHAR
        self._left = 40 + max(names, 90) + lanes * _LANE
        self._right = _WIDTH - _RIGHT
        rows = len(self._stages) + (self._gap is not None)
        self._bottom = _TOP + _ROW * rows - 20
        kinds = 26 + sum(map(_legend_width, self._sorts))
        fits = kinds + width_of(self._times) * _NOTE_CHAR <= _WIDTH - 20
        self._legend_at = self._bottom + 45
        self._times_at = self._legend_at if fits else self._legend_at + 20
        self._height = self._times_at + 17

    def draw(self) -> str:
        """Return the whole."""
        rows = zip(self._names, self._stages, strict=True)
        return "".join(
            [
                *self._panel(),
                *self._axis(),
                *self._joined(),
                *(part for name, (stage, place) in rows for part in self._row(name, stage, place)),
                *self._between(),
                *self._legend(),
                "</svg>",
            ]
        )

    def _linked(self) -> Iterator[tuple[int, int]]:
        """List what is drawn and read by what is drawn."""
        for stage, place in self._stages:
            for source in stage.sources:
                if source in self._places:
                    yield self._places[source], place

    # Without a width it is as wide as there is room, also where it stands as an image.
    def _panel(self) -> Iterator[str]:
        words = _text(f"Marble diagram: {', '.join(self._names)}")
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {self._height}" '
            f'role="img" aria-label="{words}" font-family="{_FONT}">'
        )
        yield (
            f'<rect x=".5" y=".5" width="{_WIDTH - 1}" height="{self._height - 1}" rx="12" '
            f'fill="{_PANEL}" stroke="{_EDGE}"/>'
        )

    def _x(self, at: float) -> float:
        seconds = self._trace.seconds or 1.0
        return self._left + 10 + (self._right - self._left - 30) * min(at / seconds, 1.0)

    @staticmethod
    def _y(index: int) -> float:
        return _TOP + _ROW * index

    def _axis(self) -> Iterator[str]:
        seconds = self._trace.seconds
        y = self._bottom + 6
        lines: list[str] = []
        labels: list[str] = []

        for tick in ticks(seconds, 8):
            x = self._x(tick)
            lines.append(f"M{x:.1f} {_TOP - 18}V{y:.1f}")
            label = _text(tick_label(tick, seconds))
            labels.append(f'<text x="{x:.1f}" y="{y + 14:.1f}">{label}</text>')

        yield f'<path d="{"".join(lines)}" stroke="{_EDGE}" stroke-dasharray="2 4" fill="none"/>'
        yield f'<g fill="{_FAINT}" font-size="{_SMALL}" text-anchor="middle">{"".join(labels)}</g>'

    def _joined(self) -> Iterator[str]:
        """Draw what reads what, at the left of the rows."""
        yield f'<g fill="none" stroke="{_LINE}" stroke-width="1.5" stroke-linecap="round">'

        for source, reader, lane in self._links:
            begin, end = self._y(source) + 7, self._y(reader) - 7
            x = self._left - 8

            if lane:
                bend = x - lane * _LANE
                begin, end = begin - 7, end + 7
                way = (
                    f"M{x} {begin}H{bend + 5}Q{bend} {begin} {bend} {begin + 5}"
                    f"V{end - 5}Q{bend} {end} {bend + 5} {end}H{x - 4}"
                )
                yield f'<path d="{way}m-4 -3.5l4 3.5l-4 3.5"/>'
            else:
                yield f'<path d="M{x} {begin}V{end}m-3.5 -4l3.5 4l3.5 -4"/>'

        yield "</g>"

    def _between(self) -> Iterator[str]:
        if self._gap is not None:
            yield (
                f'<text x="20" y="{self._y(self._gap) + 1}" fill="{_FAINT}" '
                f'font-size="{_NAME_SIZE}">{_text(left_out(len(self._trace.stages)))}</text>'
            )

    def _row(self, name: str, stage: Stage, place: int) -> Iterator[str]:
        y = self._y(place)
        counted = f"{stage.emitted:,} · {time_in_words(stage.seconds)}"
        told = f"{stage.received:,} received, {stage.emitted:,} emitted"
        yield (
            f"<g><title>{_text(f'{in_one_line(stage.name)}: {told}')}</title>"
            f'<text x="20" y="{y + 1}" fill="{_INK}" font-size="{_NAME_SIZE}">'
            f"{_text(name)}</text>"
            f'<text x="20" y="{y + 15}" fill="{_FAINT}" font-size="{_SMALL}">'
            f"{_text(counted)}</text></g>"
        )

        if stage.events:
            yield from self._line(stage, y)
            yield from self._marbles(stage, y)
            yield from self._marks(stage, y)

    def _line(self, stage: Stage, y: float) -> Iterator[str]:
        ways: dict[str, None] = {}

        for run in stage.runs:
            begin, end = self._x(run[0].at), self._x(run[-1].at) + (9 if _has_ended(run) else 15)
            # What is left early has no end of its own.
            arrow = "" if _has_ended(run) else "m-4 -3.5l4 3.5l-4 3.5"
            ways[f"M{begin:.0f} {y}H{end:.0f}{arrow}"] = None

        yield (
            f'<path d="{"".join(ways)}" fill="none" stroke="{_LINE}" stroke-width="2" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )

    def _marbles(self, stage: Stage, y: float) -> Iterator[str]:
        marbles = self._drawn_as_one(stage)
        radius = _radius(marbles)
        circles: dict[Sort, list[str]] = {}
        labels: list[str] = []
        free, shown = self._left, ""

        for marble in marbles:
            words, label = _said(marble)
            circles.setdefault(marble.sort, []).append(
                f'<circle cx="{marble.x:.1f}" cy="{y}" r="{radius:.1f}">'
                f"<title>{_text(words)}</title></circle>"
            )

            # Only large marbles leave room for how many elements they stand for.
            if len(marble.events) > 1 and radius > _LARGEST / 2:
                label += f" \N{MULTIPLICATION SIGN}{len(marble.events)}"

            half = width_of(label) * _SMALL_CHAR / 2
            is_news = label and (label != shown or marble.sort != "progress")

            if is_news and marble.x - half >= free and marble.x + half <= _WIDTH - 8:
                labels.append(f'<text x="{marble.x:.1f}" y="{y - 10}">{_text(label)}</text>')
                free, shown = marble.x + half + 8, label

        # Large ones are set off from each other; small ones are hit beside them, too.
        edge = f'stroke="{_PANEL}"' if radius > _LARGEST / 2 else _HIT

        # What is rare lies above what is not.
        for sort, drawn in sorted(circles.items(), key=lambda drawn: -len(drawn[1])):
            yield f'<g fill="{_COLORS[sort]}" {edge}>{"".join(drawn)}</g>'

        if labels:
            yield (
                f'<g fill="{_FAINT}" font-size="{_SMALL}" text-anchor="middle">'
                f"{''.join(labels)}</g>"
            )

    def _drawn_as_one(self, stage: Stage) -> list[_Marble]:
        marbles: list[_Marble] = []
        last: dict[Sort, _Marble] = {}
        sorts = sorts_of(stage)

        for event in stage.events:
            if event.kind == "next":
                x, sort = self._x(event.at), sorts[type(event.value)]

                if sort in last and x - last[sort].x < _CLOSEST:
                    last[sort].events.append(event)
                else:
                    last[sort] = _Marble(x, sort, [event])
                    marbles.append(last[sort])

        return marbles

    def _marks(self, stage: Stage, y: float) -> Iterator[str]:
        """Draw ends, and where it was begun again."""
        drawn: dict[EventKind, float] = {}

        ends = [run[-1] for run in stage.runs if _has_ended(run)]

        for event in [*stage.beginnings, *ends]:
            x = self._x(event.at)

            if event.kind in drawn and x - drawn[event.kind] < _MARK:
                continue

            drawn[event.kind] = x
            title = f"<title>{_text(f'{_at(event)}: {described(event).words}')}</title>"

            if event.kind == "subscribed":
                way = f"M{x - 4:.1f} {y + 11}a4 4 0 1 0 4 -4m-2.5 -2.5l3 2.5l-3 2.5"
                color, size = _FAINT, 1.3
            elif event.kind == "error":
                x += 9
                way = f"M{x - 6:.1f} {y - 6}l12 12m0 -12l-12 12"
                color, size = _BAD, 2.8
            else:
                x += 9
                way = f"M{x:.1f} {y - 8}v16"
                color, size = _GOOD, 2.6

            yield (
                f'<path d="{way}" fill="none" stroke="{color}" stroke-width="{size}" '
                f'stroke-linecap="round">{title}</path>'
            )

    def _legend(self) -> Iterator[str]:
        x, y = 26.0, self._legend_at

        for sort in _COLORS:
            if sort in self._sorts:
                yield (
                    f'<circle cx="{x:.1f}" cy="{y - 3.5}" r="4.5" fill="{_COLORS[sort]}"/>'
                    f'<text x="{x + 9:.1f}" y="{y}" fill="{_FAINT}" font-size="{_NOTE}">'
                    f"{sort}</text>"
                )
                x += _legend_width(sort)

        yield (
            f'<text x="{_WIDTH - 20}" y="{self._times_at}" fill="{_INK}" font-size="{_NOTE}" '
            f'text-anchor="end">{_text(self._times)}</text>'
        )


def _legend_width(sort: Sort) -> float:
    return 32 + len(sort) * _NOTE_CHAR


def _laned(links: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return who reads whom, with the lane that the line between them takes: 0 to the next row."""
    laned = [(source, reader, 0) for source, reader in links if reader - source == 1]
    taken: dict[int, list[range]] = {}

    for trunk in _trunks([(source, reader) for source, reader in links if reader - source > 1]):
        span = range(min(source for source, _ in trunk), max(reader for _, reader in trunk))
        lane = 1

        # Where there are more than fit, the last one is shared.
        while lane < _LANES and any(_overlap(span, other) for other in taken.get(lane, ())):
            lane += 1

        taken.setdefault(lane, []).append(span)
        laned += [(source, reader, lane) for source, reader in trunk]

    return laned


def _trunks(links: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the lines that leave one source, or arrive at one reader, together: short ones first.

    What reads a shared stage, and what is merged, takes one lane and not dozens.
    """
    leaving = Counter(source for source, _ in links)
    arriving = Counter(reader for _, reader in links)
    trunks: dict[tuple[bool, int], list[tuple[int, int]]] = {}

    for source, reader in links:
        leaves = leaving[source] >= arriving[reader]
        trunks.setdefault((leaves, source if leaves else reader), []).append((source, reader))

    return sorted(trunks.values(), key=lambda trunk: max(map(_length, trunk)))


def _length(link: tuple[int, int]) -> int:
    return link[1] - link[0]


def _overlap(a: range, b: range) -> bool:
    return a.start < b.stop and b.start < a.stop


def _said(marble: _Marble) -> tuple[str, str]:
    first = marble.events[0]
    words = described(first, marble.sort)
    said = f"{_at(first)}: {words.words}"

    if len(marble.events) > 1:
        last = marble.events[-1]
        said = f"{len(marble.events):,} until {_at(last)}, from {said}"

    return said, words.label


def _radius(marbles: list[_Marble]) -> float:
    """Return how large marbles may be so that most of them stand apart."""
    gaps = sorted(b.x - a.x for a, b in pairwise(marbles) if b.x - a.x >= _CLOSEST)
    usual = gaps[len(gaps) // 4] if gaps else _LARGEST * 2
    return min(max(usual * 0.46, _SMALLEST), _LARGEST)


def _has_ended(run: list[Event]) -> bool:
    return run[-1].kind in ("completed", "error")


def _at(event: Event) -> str:
    return time_in_words(event.at)


def _text(text: str) -> str:
    """Escape a text; what XML forbids was written out before, or is here."""
    return escape(in_one_line(text), quote=True)
