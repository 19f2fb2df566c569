"""Blocks as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Any

from streamops.display.blocks import (
    Bar,
    Block,
    Failure,
    Item,
    Items,
    Lines,
    Note,
    Outline,
    Written,
    bar_of,
    blocks_of,
    figures,
    percent,
)
from streamops.display.outline import Row, outline
from streamops.display.visible import counted, ending, in_one_line, shortened

_MARKS = {"done": "✓", "growing": "…", "pending": "-"}
_SHORTEST = 20


def line_of(value: Any, *, width: int = 100) -> str:
    """Return a state in one line, as for a log: how much has arrived, and what grows."""
    return state_line(bar_of(value), outline(value, limit=40), width=width)


def state_line(bar: Bar | None, rows: Sequence[Row], *, width: int = 100) -> str:
    """Return in one line how much has arrived of what has these rows, and what grows."""
    if bar is None:
        return ending(_now(rows, width), width)

    start = f"{percent(bar):>4}  {figures(bar)}  "
    growing = [row for row in rows if row.state == "growing" and not row.is_note]
    text = in_one_line(growing[-1].text) if growing else ""
    return f"{start}{ending(text, max(width - len(start), _SHORTEST))}".rstrip()


def lines_of(value: Any, *, width: int = 100) -> list[str]:
    """Return a value as lines, what it holds indented."""
    return list(to_lines(blocks_of(value), width=width))


def to_lines(blocks: Iterable[Block], *, width: int = 100) -> Iterator[str]:
    """Return blocks as lines, one below the other."""
    for block in blocks:
        yield from _block(block, width)


def item_line(item: Item, *, name: str = "", width: int = 100) -> str:
    """Return an item in one line."""
    start = f"{f'{in_one_line(name)} ' if name else ''}{item.number}:"
    if item.fault:
        return f"{start} ✗ {in_one_line(item.fault)}"

    texts = (f"{key}={text}" if key else text for key, text in item.cells.items())
    return f"{start} {shortened(in_one_line(', '.join(texts)), width)}"


def _block(block: Block, width: int) -> Iterator[str]:
    match block:
        case Bar():
            yield in_one_line(f"{percent(block):>4}  {figures(block)}")
        case Outline():
            yield from _rows(block.rows, width)
        case Items():
            name = f"{in_one_line(block.name)}: " if block.name else ""
            yield f"{name}{counted(block.count, 'item')}"
            yield from (item_line(item, width=width) for item in block.items)
        case Written():
            yield f"{in_one_line(block.label)}:"
            yield from (in_one_line(line) for line in block.text.split("\n"))
        case Lines():
            yield from map(in_one_line, block.lines)
        case Failure():
            place = f" at {in_one_line(block.place)}" if block.place else ""
            first, *rest = map(in_one_line, block.message.split("\n"))
            yield f"✗ {in_one_line(block.kind)}{place}: {first}"
            yield from (f"  {line}" for line in rest)
        case Note():
            yield in_one_line(block.text)


def _rows(rows: Iterable[Row], width: int) -> Iterator[str]:
    for row in rows:
        indent = "  " * row.depth
        if row.is_note and not row.key:
            yield f"  {indent}{row.text}".rstrip()
            continue

        key = f"{row.key}: " if row.key else ""
        text = "-" if row.state == "pending" else in_one_line(row.text)
        room = max(width - len(indent) - len(key) - 2, _SHORTEST)
        shorten = ending if row.state == "growing" else shortened
        yield f"{_MARKS[row.state]} {indent}{key}{shorten(text, room)}".rstrip(": ")


def _now(rows: Sequence[Row], width: int) -> str:
    growing = [row for row in rows if row.state == "growing"]
    if not growing:
        return shortened(_in_one_line(rows), width)

    place = ".".join(row.key for row in growing if row.key)
    text = "" if growing[-1].is_note else in_one_line(growing[-1].text)
    return f"{place}: {text}" if place and text else f"{place}{text}"


def _in_one_line(rows: Sequence[Row]) -> str:
    """Write rows next to each other, and in braces what is in a record."""
    depth = rows[0].depth if rows else 0
    texts: list[str] = []

    for index, row in enumerate(rows):
        if row.depth == depth:
            inside = list(takewhile(lambda inner: inner.depth > depth, rows[index + 1 :]))
            text = in_one_line(row.text) or (f"{{{_in_one_line(inside)}}}" if inside else "")
            texts.append(f"{row.key}={text}" if row.key else text)

    return ", ".join(texts)
