"""What was measured, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.contenders import Gives

RESULTS = Path(__file__).parent / "results"
FILE = RESULTS / "benchmarks.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contender needed per chunk of one document, cut in one way."""

    contender: str
    library: str
    gives: Gives
    workload: str
    characters: int
    """How long the document is."""
    chunk: str
    """Characters per chunk, ``"recorded"`` or ``"whole"``."""
    microseconds: float | None
    """The median per chunk; None if there is none, and then the note says why."""
    note: str = ""
    """How it was taken if not by reading all chunks, or why there is none, or what is wrong."""
    line: str = ""
    """What its line in the plot is called."""


@dataclass(frozen=True, slots=True)
class Results:
    """All figures of a run, and what it ran on."""

    about: dict[str, str]
    left_out: dict[str, str]
    """The peers that could not be measured, and why."""
    figures: list[Figure] = field(default_factory=list[Figure])

    def of(self, contender: str, gives: Gives, workload: str, chunk: str = "4") -> float | None:
        """Return what a contender needed per chunk; None if that was not measured."""
        asked = (contender, gives, workload, chunk)
        for figure in self.figures:
            if (figure.contender, figure.gives, figure.workload, figure.chunk) == asked:
                return figure.microseconds

        return None


def save(results: Results, file: Path = FILE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figures = [_without_nothing(asdict(figure)) for figure in results.figures]
    head = {"about": results.about, "left_out": results.left_out}
    lines = ",\n".join(f"    {json.dumps(figure)}" for figure in figures)
    written = json.dumps(head, indent=2).removesuffix("\n}")
    file.write_text(f'{written},\n  "figures": [\n{lines}\n  ]\n}}\n', encoding="utf-8")


def load(file: Path = FILE) -> Results:
    read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    given: Iterable[dict[str, Any]] = read["figures"]
    nothing: dict[str, Any] = {"microseconds": None}
    figures = [Figure(**nothing | figure) for figure in given]
    return Results(read["about"], read["left_out"], figures)


def _without_nothing(figure: dict[str, Any]) -> dict[str, Any]:
    rounded = figure["microseconds"]
    if rounded is not None:
        figure["microseconds"] = float(f"{rounded:.4g}")
    return {name: value for name, value in figure.items() if value not in (None, "")}
