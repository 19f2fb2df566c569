"""The plot: what a chunk costs, against how long the document is, a line for each library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, Results
from benchmarks.ours import LIBRARY

SHAPES = ("conference", "users")
"""The documents that differ in little but their length."""
COLOURS = (
    "#1f4e9c",
    "#7b3fa0",
    "#0f8a8a",
    "#8c5a2b",
    "#2e7d32",
    "#a37b00",
    "#c2185b",
    "#5c6bc0",
    "#546e7a",
    "#3a3a3a",
    "#7cb342",
)
OURS = "#d9480f"
WHOLE_VALUES = ("JSON", "models")
GAP = 0.052
"""How far apart labels stand at least, as a part of the height."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    ours: bool
    dashed: bool
    """It gives less than partial models or JSON, or ours where nobody looks at it."""
    points: list[tuple[int, float]]
    """The length of a document, and microseconds per chunk."""


def lines(results: Results, chunk: str = "4") -> list[Line]:
    """Return the lines of the plot: one for each contender that has a name there."""
    found: dict[str, Line] = {}
    for figure in results.figures:
        shown = figure.line and figure.chunk == chunk and figure.workload.endswith(SHAPES)
        if shown and figure.microseconds is not None:
            ours = figure.library == LIBRARY
            dashed = (ours and figure.line != LIBRARY) or figure.gives not in WHOLE_VALUES
            line = found.setdefault(figure.line, Line(figure.line, ours, dashed, []))
            line.points.append((figure.characters, figure.microseconds))

    for line in found.values():
        line.points.sort()
    return list(found.values())


def plot(results: Results, folder: Path = RESULTS) -> list[Path]:
    """Write the plot as PNG and as SVG; raises ImportError without matplotlib."""
    matplotlib: Any = import_module("matplotlib")
    matplotlib.use("agg")
    pyplot: Any = import_module("matplotlib.pyplot")
    style = {"svg.hashsalt": "streamops", "font.size": 11, "font.family": "sans-serif"}
    with pyplot.rc_context(style):
        figure, axes = pyplot.subplots(figsize=(10.5, 6.2), layout="constrained", facecolor="white")
        _draw(axes, lines(results))
        written = [folder / "benchmarks.png", folder / "benchmarks.svg"]
        folder.mkdir(parents=True, exist_ok=True)
        for file in written:
            kept = {"Date": None} if file.suffix == ".svg" else {}
            figure.savefig(file, dpi=160, metadata=kept)
        pyplot.close(figure)
    return written


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Move heights so that any two are at least a gap apart, and none farther than it must."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    groups: list[tuple[float, list[int]]] = []
    for index in order:
        middle, members = heights[index], [index]
        while groups and groups[-1][0] + gap * (len(groups[-1][1]) + len(members)) / 2 > middle:
            members = groups.pop()[1] + members
            middle = sum(heights[member] for member in members) / len(members)
        groups.append((middle, members))

    placed = [0.0] * len(heights)
    for middle, members in groups:
        for number, member in enumerate(members):
            placed[member] = middle + gap * (number - (len(members) - 1) / 2)
    return placed


def _draw(axes: Any, shown: list[Line]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_facecolor("white")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, which="major", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_title(
        "What a chunk of 4 characters costs, by the length of the document it stands in",
        loc="left",
        fontsize=13,
        pad=14,
    )
    axes.set_xlabel("length of the document")
    axes.set_ylabel("microseconds per chunk")

    colours = iter(COLOURS * 3)
    drawn = [(line, OURS if line.ours else next(colours)) for line in shown]
    for line, colour in drawn:
        across, up = zip(*line.points, strict=True)
        thick = line.ours and line.name == LIBRARY
        axes.plot(
            across,
            up,
            color=colour,
            linewidth=4 if thick else 2 if line.ours else 1.6,
            linestyle=(0, (4, 2)) if line.dashed else "-",
            marker="o",
            markersize=6 if thick else 3.5,
            zorder=3 if line.ours else 2,
        )
    _scale(axes, shown)
    _label(axes, drawn)


def _scale(axes: Any, shown: list[Line]) -> None:
    lengths = sorted({length for line in shown for length, _ in line.points})
    costs = [cost for line in shown for _, cost in line.points]
    if not lengths:
        return

    axes.set_xlim(lengths[0] / 1.25, lengths[-1] * 1.2)
    axes.set_ylim(min(costs) / 1.6, max(costs) * 1.6)
    axes.set_xticks(lengths, labels=map(_length, lengths))
    axes.minorticks_off()
    low, high = (math.floor(math.log10(cost)) for cost in (min(costs), max(costs)))
    ticks = [10.0**power for power in range(low, high + 1)]
    axes.set_yticks(
        [tick for tick in ticks if min(costs) / 1.6 <= tick],
        labels=[_microseconds(tick) for tick in ticks if min(costs) / 1.6 <= tick],
    )


def _label(axes: Any, drawn: list[tuple[Line, str]]) -> None:
    """Name each line at the right side, with a grey thread to where it ends."""
    low, high = map(math.log10, axes.get_ylim())
    left, right = map(math.log10, axes.get_xlim())

    def height(cost: float) -> float:
        return (math.log10(cost) - low) / (high - low)

    longest = max((line.points[-1][0] for line, _ in drawn), default=0)
    placed = apart([height(line.points[-1][1]) for line, _ in drawn], GAP)
    for (line, colour), at in zip(drawn, placed, strict=True):
        length, cost = line.points[-1]
        so_far = "" if length == longest else f" (to {_length(length)})"
        end = (math.log10(length) - left) / (right - left)
        axes.annotate(
            line.name + so_far,
            xy=(end, height(cost)),
            xytext=(1.02, at),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            fontsize=13 if line.name == LIBRARY else 10.5,
            fontweight="bold" if line.ours else "normal",
            verticalalignment="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "relpos": (0, 0.5),
                "color": "#b0b0b0",
                "linewidth": 0.8,
                "linestyle": ":",
                "shrinkA": 2,
                "shrinkB": 4,
            },
        )


def _length(characters: int) -> str:
    if characters < 1000:
        return f"{characters} B"

    return f"{characters / 1000:.1f} KB" if characters < 10_000 else f"{characters / 1000:.0f} KB"


def _microseconds(cost: float) -> str:
    return f"{cost:g}" if cost < 1000 else f"{cost:,.0f}"
