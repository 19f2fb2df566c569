"""Blocks as renderables of rich; imported only where that is installed."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from streamops.display.blocks import (
    Bar,
    Block,
    Failure,
    Items,
    Lines,
    Note,
    Outline,
    Tone,
    Written,
    figures,
    left_out,
    percent,
)
from streamops.display.outline import Row
from streamops.display.visible import counted, in_one_line

_EDGE = ("▍", "bright_blue")
_TONES: dict[Tone, tuple[str, str]] = {
    "waiting": ("", "bright_blue"),
    "running": ("▸", "bright_blue"),
    "done": ("✓", "green"),
    "interrupted": ("■", "yellow"),
    "failed": ("✗", "red"),
}


def to_renderable(blocks: Iterable[Block], *, lines: int | None = None) -> RenderableType:
    """Return what rich draws of blocks, one below the other.

    Of what takes more than so many lines, only the last ones, and the bars above them.
    """
    if lines is None:
        return Group(*map(_block, blocks))

    bars: list[RenderableType] = []
    others: list[RenderableType] = []
    for block in blocks:
        (bars if isinstance(block, Bar) else others).append(_block(block))
    return Group(*bars, _End(Group(*others), max(lines - len(bars), 1)))


class _End:
    """The last lines of what is too long for a terminal, where it grows."""

    def __init__(self, drawn: RenderableType, lines: int) -> None:
        self._drawn = drawn
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self._drawn, options.update(height=None), pad=False)
        for line in lines[-self._lines :]:
            yield from line
            yield Segment.line()


def _block(block: Block) -> RenderableType:
    match block:
        case Bar():
            return _bar(block)
        case Outline():
            return _outline(block)
        case Items():
            return _items(block)
        case Written():
            return _written(block)
        case Lines():
            return Group(*(_line(line) for line in block.lines))
        case Failure():
            return _failure(block)
        case Note():
            return _note(block)


def _bar(bar: Bar) -> RenderableType:
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(width=4, justify="right", no_wrap=True)
    line.add_column(width=24)
    line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    drawn = ProgressBar(total=100, completed=bar.percent, complete_style="bright_blue")
    line.add_row(Text(percent(bar), "bold"), drawn, _line(figures(bar), "dim"))
    return line


def _outline(block: Outline) -> RenderableType:
    if not block.rows:
        return Text("nothing yet", "dim")

    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in block.rows:
        table.add_row(*_row(row))
    return table


def _row(row: Row) -> tuple[Text, Text, Text]:
    indent = "  " * row.depth
    key = Text(f"{indent}{row.key}")
    if row.state == "pending":
        key.stylize("dim")
        return Text(), key, Text("—", "dim")

    is_left_out = row.is_note and not row.key
    text = _line(row.text, "dim" if row.is_note else "")
    if row.state == "growing":
        text.append("" if row.is_note else _EDGE[0], _EDGE[1])
        return Text("…", "bright_blue"), key, text

    key.stylize("bold")
    if is_left_out:
        return Text(), Text(f"{indent}{row.text}", "dim"), Text()
    return Text("✓", "green"), key, text


def _items(block: Items) -> RenderableType:
    title = _line(f"{block.name}: " if block.name else "", "bold")
    title.append(counted(block.count, "item"), "" if block.name else "bold")
    title.append(left_out(block), "dim")
    if not block.items:
        return title

    columns = block.columns
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("", justify="right", style="dim", no_wrap=True)
    for name in columns or [""]:
        table.add_column(_line(name or "item"), overflow="fold")
    for item in block.items:
        texts = [_line(item.cells.get(name, "")) for name in columns]
        fault = [_line(f"✗ {item.fault}", "red")]
        table.add_row(str(item.number), *(fault if item.fault else texts))
    return Group(title, table)


def _written(block: Written) -> RenderableType:
    text = _lines(block.text, "dim" if block.label != "content" else "")
    if block.is_growing:
        text.append(_EDGE[0], _EDGE[1])
    return Group(_line(block.label, "dim bold"), Padding(text, (0, 0, 0, 2)))


def _failure(block: Failure) -> RenderableType:
    title = Text.assemble(("✗ ", "red"), (in_one_line(block.kind), "bold red"))
    title.append(f" at {in_one_line(block.place)}" if block.place else "")
    return Group(title, Padding(_lines(block.message), (0, 0, 0, 2)))


def _note(block: Note) -> RenderableType:
    sign, style = _TONES[block.tone]
    text = _line(block.text, "dim")
    if block.tone == "waiting":
        return Spinner("dots", text, style=style)

    return Text.assemble((f"{sign} ", style), text)


def _lines(text: str, style: str = "") -> Text:
    return Text("\n".join(map(in_one_line, text.split("\n"))), style, overflow="fold")


def _line(text: str, style: str = "") -> Text:
    return Text(in_one_line(text), style)
