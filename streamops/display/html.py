"""Blocks as HTML that is readable without its styles, on any background."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import Lock
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
    Tone,
    Written,
    blocks_of,
    figures,
    left_out,
    percent,
)
from streamops.display.outline import Row
from streamops.display.visible import counted, in_html, visible

_GREEN, _BLUE, _RED, _AMBER = "#2da160", "#3987e5", "#e0524d", "#c98a1b"
_FAINT = "opacity:.5"
_TABLE = (
    "color:inherit;border-collapse:collapse;border:0;margin:4px 0;font-size:13px;line-height:1.45"
)
_ROW = "background:transparent;border:0"
_CELL = "text-align:left;vertical-align:top;border:0;padding:1px 14px 1px 0;white-space:pre-wrap"
_MARK = f"{_CELL};padding-right:8px"
_TEXT = "overflow-wrap:anywhere;max-width:70ch"
_HEAD = f"{_CELL};font-weight:600;border-bottom:1px solid rgba(128,128,128,.4)"
_EDGE = f'<span style="color:{_BLUE}">▍</span>'
_GROWING = f'<span style="color:{_BLUE}">…</span>'
_DONE = f'<span style="color:{_GREEN}">✓</span>'
_drawing = Lock()
_TONES: dict[Tone, tuple[str, str]] = {
    "waiting": ("…", _BLUE),
    "running": ("▸", _BLUE),
    "done": ("✓", _GREEN),
    "interrupted": ("■", _AMBER),
    "failed": ("✗", _RED),
}


def html_of(value: Any) -> str:
    """Return a value as HTML: an outline, with a bar above it for Progress."""
    return to_html(blocks_of(value))


def to_html(blocks: Iterable[Block]) -> str:
    """Return blocks as HTML, one below the other."""
    return f"<div>{''.join(map(_block, blocks))}</div>"


def _block(block: Block) -> str:
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
            return _lines(block)
        case Failure():
            return _failure(block)
        case Note():
            return _note(block)


def _bar(bar: Bar) -> str:
    shown = percent(bar)
    color = _GREEN if bar.percent == 100 else _BLUE
    return (
        f'<div style="max-width:560px;margin:4px 0;font-size:13px">'
        f'<div role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{bar.percent:.0f}" '
        f'style="height:6px;border-radius:3px;background:rgba(128,128,128,.25);overflow:hidden">'
        f'<div style="width:{bar.percent:.1f}%;height:100%;background:{color}"></div></div>'
        f'<div style="margin-top:3px"><b>{shown}</b> '
        f'<span style="{_FAINT}">{in_html(figures(bar))}</span></div></div>'
    )


def _outline(block: Outline) -> str:
    if not block.rows:
        return f'<i style="font-size:13px;{_FAINT}">nothing yet</i>'

    return _table(map(_row, block.rows))


def _row(row: Row) -> str:
    indent = "&nbsp;" * 4 * row.depth
    if row.state == "pending":
        faint = f"{_CELL};{_FAINT}"
        return _cells((_MARK, ""), (faint, f"{indent}{in_html(row.key)}"), (faint, "—"))

    if row.is_note:
        text = f'<i style="{_FAINT}">{in_html(row.text)}</i>'
    elif row.state == "growing":
        text = f"<i>{in_html(row.text)}</i>{_EDGE}"
    else:
        text = in_html(row.text)

    if not row.key and row.is_note:
        return _cells((_MARK, ""), (_CELL, f"{indent}{text}"), (_CELL, ""))

    mark = _DONE if row.state == "done" else _GROWING
    name = f"{indent}<b>{in_html(row.key)}</b>" if row.key else ""
    return _cells((_MARK, mark), (_CELL, name), (f"{_CELL};{_TEXT}", text))


def _items(block: Items) -> str:
    name = f"<b>{in_html(block.name)}</b> · " if block.name else ""
    count = f"{counted(block.count, 'item')}{left_out(block)}"
    title = f'<div style="font-size:13px;margin:4px 0 0">{name}{count}</div>'
    if not block.items:
        return title

    has_faults = any(item.fault for item in block.items)
    return title + (_own_table(block) if has_faults else _frame(block) or _own_table(block))


def _frame(block: Items) -> str:
    """Return the table as pandas draws it, if the program uses that."""
    new_frame: Any = getattr(sys.modules.get("pandas"), "DataFrame", None)
    if new_frame is None:
        return ""

    columns = block.columns
    records = [[in_html(item.cells.get(name, "")) for name in columns] for item in block.items]
    frame = new_frame(
        records,
        index=[item.number for item in block.items],
        columns=list(map(in_html, _named(columns))),
    )
    # It changes an option of its own while it draws, for all threads.
    with _drawing:
        html: str = frame.to_html(escape=False, border=0, justify="left")
    return html


def _own_table(block: Items) -> str:
    columns = block.columns
    head = _cells((_HEAD, ""), *((_HEAD, in_html(name)) for name in _named(columns)), tag="th")
    return _table([head, *(_item(item, columns) for item in block.items)])


def _item(item: Item, columns: list[str]) -> str:
    number = (f"{_CELL};{_FAINT}", str(item.number))
    if not item.fault:
        texts = ((f"{_CELL};{_TEXT}", in_html(item.cells.get(name, ""))) for name in columns)
        return _cells(number, *texts)

    return (
        f'<tr style="{_ROW}"><td style="{number[0]}">{number[1]}</td>'
        f'<td colspan="{max(len(columns), 1)}" style="{_CELL};color:{_RED}">'
        f"✗ {in_html(item.fault)}</td></tr>"
    )


def _named(columns: list[str]) -> list[str]:
    return [visible(name) or "item" for name in columns]


def _written(block: Written) -> str:
    edge = _EDGE if block.is_growing else ""
    label = f'<div style="font-size:11px;{_FAINT}"><b>{in_html(block.label)}</b></div>'
    text = in_html(block.text).replace("\n", "<br>")
    return (
        f'<div style="margin:4px 0;max-width:90ch">{label}<div style="white-space:pre-wrap;'
        f'overflow-wrap:anywhere;font-size:13px;line-height:1.5">{text}{edge}</div></div>'
    )


def _lines(block: Lines) -> str:
    hidden = block.count - len(block.lines)
    more = f'<i style="{_FAINT}">… {hidden:,} before</i>\n' if hidden else ""
    text = "\n".join(map(in_html, block.lines))
    return (
        f'<pre style="margin:4px 0;font-size:12px;line-height:1.45;white-space:pre-wrap;'
        f'overflow-wrap:anywhere;background:transparent">{more}{text}</pre>'
    )


def _failure(block: Failure) -> str:
    place = f" at <code>{in_html(block.place)}</code>" if block.place else ""
    return (
        f'<div style="margin:6px 0;padding:2px 0 2px 10px;border-left:3px solid {_RED};'
        f'font-size:13px"><span style="color:{_RED}">✗</span> <b>{in_html(block.kind)}</b>{place}'
        f'<pre style="margin:2px 0 0;font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere;'
        f'background:transparent">{in_html(block.message)}</pre></div>'
    )


def _note(block: Note) -> str:
    sign, color = _TONES[block.tone]
    return (
        f'<div style="font-size:12px;margin:4px 0"><span style="color:{color}">{sign}</span> '
        f'<span style="opacity:.7">{in_html(block.text)}</span></div>'
    )


def _table(rows: Iterable[str]) -> str:
    return f'<table style="{_TABLE}">{"".join(rows)}</table>'


def _cells(*cells: tuple[str, str], tag: str = "td") -> str:
    """Return a row of a table, made of styles and HTML."""
    inner = "".join(f'<{tag} style="{style}">{html}</{tag}>' for style, html in cells)
    return f'<tr style="{_ROW}">{inner}</tr>'
