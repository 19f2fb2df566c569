"""The figures in the README: what stands between its two marks is written from the results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from benchmarks.figures import Results
from benchmarks.report import cells_of, cut, number, times
from benchmarks.tables import Cell, Table, losses, tables

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- benchmarks -->"
END = "<!-- /benchmarks -->"

WORKLOADS = (
    "conference",
    "tool call",
    "100 users",
    "1000 users",
    "10000 users",
    "string of 200 KB",
    "tree of 40 levels",
)
HEADS = {
    "JSON": "The JSON so far, with each chunk",
    "models": "A partial model, with each chunk",
    "items": "Each item, when it is finished",
    "chat": "From the bytes of Chat Completions",
    "responses": "From the bytes of Responses",
}
CHUNK = "4"


def update(results: Results, readme: Path = README) -> None:
    """Write the results between the marks; raises ValueError if they are not there."""
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme} needs the marks {BEGIN} and {END}")

    written = f"{before}{BEGIN}\n{section(results)}{END}{after}"
    readme.write_text(written, encoding="utf-8")


def between_marks(readme: Path = README) -> str:
    """Return what stands between the marks; raises ValueError if they are not there."""
    found = re.search(f"{BEGIN}\n(.*?){END}", readme.read_text(encoding="utf-8"), re.DOTALL)
    if found is None:
        raise ValueError(f"{readme} needs the marks {BEGIN} and {END}")

    return found[1]


def section(results: Results) -> str:
    """Write the tables, and where others are faster, as Markdown."""
    written = [table for table in tables(results, CHUNK, WORKLOADS) if table.gives in HEADS]
    parts = [
        _about(results),
        _markdown(results, written),
        f"Faster than streamops, looked at, in {cut(CHUNK)} (what they take as a part of it):",
        *_list(f"{loss.peer}: {cells_of(loss)}" for loss in losses(results, CHUNK)),
    ]
    return "\n\n".join(parts) + "\n"


def _about(results: Results) -> str:
    about = results.about
    return (
        f"Microseconds per {CHUNK}-character chunk, medians of {about.get('rounds')} interleaved "
        "rounds in one run, or of one to three where a reading takes half a second or more "
        f"(`make bench`, {about.get('date')}; Python {about.get('Python')}, "
        f"{about.get('machine')}), and in brackets how many times as long as streamops *looked "
        "at*: somebody reads the newest field of each value, which is when streamops builds it. "
        "~: measured with a sample of chunks from all over the document, all of which would take "
        f"more than half a second; —: given up, after {about.get('budget')} for the document or "
        "half a second for three chunks."
    )


def _markdown(results: Results, written: list[Table]) -> str:
    lengths = {figure.workload: figure.characters for figure in results.figures}
    columns = [name for name in WORKLOADS if name in lengths]
    heads = " | ".join(f"{name}<br>{_length(lengths[name])}" for name in columns)
    lines = [f"| | {heads} |", "| --- |" + " --: |" * len(columns)]
    for table in written:
        lines.append(f"| **{HEADS[table.gives]}** |" + " |" * len(columns))
        for row in table.rows:
            cells = dict(zip(table.workloads, row.cells, strict=True))
            name = f"`{row.contender}`" if row.ours else row.contender
            written_cells = " | ".join(_cell(cells.get(column)) for column in columns)
            lines.append(f"| {name.replace('|', chr(92) + '|')} | {written_cells} |")
    return "\n".join(lines)


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""

    if cell.figure.microseconds is None:
        return "—" if "budget" in cell.figure.note else "fails"

    mark = "~" if "places" in cell.figure.note else ""
    ratio = "" if cell.ratio is None else f" ({times(cell.ratio)})"
    return f"{mark}{number(cell.figure.microseconds)}{ratio}"


def _list(lines: Iterable[str]) -> list[str]:
    items = "\n".join(f"- {line}" for line in lines)
    return [items or "- none"]


def _length(characters: int) -> str:
    if characters < 1000:
        return f"{characters} B"

    return f"{characters / 1000:.1f} KB" if characters < 10_000 else f"{characters / 1000:.0f} KB"
