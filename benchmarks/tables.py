"""Figures in rows and columns: a contender each, a document each, and how many times ours it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.contenders import Gives
from benchmarks.figures import Figure, Results
from benchmarks.ours import LIBRARY, REFERENCES

TITLES: dict[Gives, str] = {
    "nothing before the end": "nothing before the end (the floor)",
    "JSON": "the JSON so far, with each chunk",
    "models": "a partial model, with each chunk",
    "items": "each item of a list, when it is finished",
    "chat": "from the bytes of Chat Completions, over a client",
    "responses": "from the bytes of Responses, over a client",
    "bytes": "from bytes at hand",
}


@dataclass(frozen=True, slots=True)
class Cell:
    figure: Figure
    ratio: float | None
    """How many times as long as ours it took; None for ours, and where either is missing."""


@dataclass(frozen=True, slots=True)
class Row:
    contender: str
    ours: bool
    cells: list[Cell | None]
    """One for each document; None where the contender was not asked."""


@dataclass(frozen=True, slots=True)
class Table:
    """All that give the same, at documents that are cut in the same way."""

    gives: Gives
    chunk: str
    workloads: list[str]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Loss:
    """A peer that is faster than ours, and at which documents."""

    peer: str
    gives: Gives
    chunk: str
    cells: list[Cell]


def tables(results: Results, chunk: str, workloads: Sequence[str] | None = None) -> list[Table]:
    """Arrange the figures of one way to cut; of these documents, or of all."""
    figures = [figure for figure in results.figures if figure.chunk == chunk]
    found = _distinct(figure.workload for figure in figures)
    columns = [name for name in workloads or found if name in found]
    kinds = [gives for gives in TITLES if any(figure.gives == gives for figure in figures)]
    return [
        _table(results, [figure for figure in figures if figure.gives == gives], columns)
        for gives in kinds
    ]


def losses(results: Results, chunk: str) -> list[Loss]:
    """Return the peers that are faster than ours is when it is looked at."""
    return [
        Loss(row.contender, table.gives, chunk, faster)
        for table in tables(results, chunk)
        for row in table.rows
        if (faster := [cell for cell in row.cells if cell and cell.ratio and cell.ratio < 1])
    ]


def chunks_of(results: Results) -> list[str]:
    return _distinct(figure.chunk for figure in results.figures)


def _table(results: Results, figures: list[Figure], columns: list[str]) -> Table:
    def cell(contender: str, workload: str) -> Cell | None:
        for figure in figures:
            if (figure.contender, figure.workload) == (contender, workload):
                return Cell(figure, _ratio(results, figure))

        return None

    libraries = {figure.contender: figure.library for figure in figures}
    rows = [
        Row(name, library == LIBRARY, [cell(name, workload) for workload in columns])
        for name, library in libraries.items()
    ]
    return Table(figures[0].gives, figures[0].chunk, columns, rows)


def _ratio(results: Results, figure: Figure) -> float | None:
    reference = REFERENCES.get(figure.gives)
    if reference is None or figure.library == LIBRARY or figure.microseconds is None:
        return None

    ours = results.of(reference, figure.gives, figure.workload, figure.chunk)
    return figure.microseconds / ours if ours else None


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
