"""The figures as text for a terminal."""

from __future__ import annotations

from benchmarks.figures import Results
from benchmarks.ours import REFERENCES
from benchmarks.tables import TITLES, Cell, Loss, Table, chunks_of, losses, tables
from benchmarks.targets import LOOKED_AT, Verdict, verdicts

NAME = 46
COLUMN = 19


def report(results: Results) -> str:
    """Write all tables, the targets, and where others are faster."""
    parts = [_about(results)]
    for chunk in chunks_of(results):
        parts += [_written(table) for table in tables(results, chunk)]

    parts.append("Targets\n\n" + "\n".join(map(verdict_line, verdicts(results))))
    lost = [loss for chunk in chunks_of(results) for loss in losses(results, chunk)]
    parts.append("Where others are faster\n\n" + ("\n".join(map(_loss, lost)) or "nowhere"))
    parts += [f"Left out: {peer} ({why})" for peer, why in results.left_out.items()]
    return "\n\n".join(parts) + "\n"


def verdict_line(verdict: Verdict) -> str:
    """Write one target, and how it stands."""
    target = verdict.target
    name, _, workload = target.ours
    other, gives, at = target.other
    compared = f"{name}, {workload}: at most {times(float(target.limit))} of {other}"
    compared += "" if at == workload else f" at {at}"
    compared += f" ({gives})" if gives in ("chat", "responses") else ""
    looked = "" if verdict.looked_at is None else f",{LOOKED_AT[1:]} {times(verdict.looked_at)}"
    measured = "" if verdict.ratio is None else f" ({times(verdict.ratio)}{looked})"
    return f"{verdict.word}{measured}: {compared}"


def number(microseconds: float) -> str:
    return f"{microseconds:.2f}" if microseconds < 9.995 else f"{microseconds:,.0f}"


def times(ratio: float) -> str:
    """Write a ratio with two digits that count."""
    return f"{ratio:,.0f}x" if ratio >= 9.95 else f"{ratio:.2g}x"


def cells_of(loss: Loss) -> str:
    """List where a peer is faster, and what it takes as a part of what ours takes."""
    return ", ".join(
        f"{cell.figure.workload} {times(cell.ratio)}" for cell in loss.cells if cell.ratio
    )


def cut(chunk: str) -> str:
    """Say how the documents were cut."""
    if chunk.isdecimal():
        return f"{chunk}-character chunks"

    return "the whole document as one chunk" if chunk == "whole" else "chunks as recorded"


def _about(results: Results) -> str:
    about = ", ".join(f"{name} {value}" for name, value in results.about.items())
    references = "; ".join(f"{gives}: {name}" for gives, name in REFERENCES.items())
    return (
        f"Microseconds per chunk, medians of interleaved rounds ({about}).\n"
        "Ours are measured as they are emitted, and with somebody reading the newest field of\n"
        "each, since ours build what is looked at. Behind each peer: how many times ours it took,\n"
        f"where ours is ({references}).\n"
        "~ timed at places all over the document; ! read it wrong; (budget) too slow to read it"
    )


def _written(table: Table) -> str:
    head = f"{TITLES[table.gives]}; {cut(table.chunk)}"
    columns = "".join(f"{name:>{COLUMN}}" for name in table.workloads)
    rows = [
        f"{row.contender:{NAME}}" + "".join(f"{_cell(cell):>{COLUMN}}" for cell in row.cells)
        for row in table.rows
    ]
    return "\n".join([head, "", f"{'':{NAME}}{columns}", *rows])


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""

    if cell.figure.microseconds is None:
        return "(budget)" if "budget" in cell.figure.note else "(failed)"

    mark = "~" if "places" in cell.figure.note else "!" if cell.figure.note else ""
    ratio = "" if cell.ratio is None else f" {times(cell.ratio):>6}"
    return f"{mark}{number(cell.figure.microseconds)}{ratio}"


def _loss(loss: Loss) -> str:
    return f"{loss.peer} ({loss.gives}), {cut(loss.chunk)}: {cells_of(loss)}"
