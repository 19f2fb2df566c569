"""Frames of a terminal as one animated SVG, without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise

from pictures.terminal import Frame, Line, Run

_COLUMN, _ROW, _FONT = 8.4, 17, 14
_MARGIN, _BAR = 16, 34
_LONGEST = 1.5  # seconds that nothing happens are cut to
_HOLD = 5.0  # seconds that the last frame stays
_BACKGROUND, _FOREGROUND, _FAINT = "#15181e", "#d5dae2", "#7d8694"
_COLORS = {
    "default": _FOREGROUND,
    "faint": _FAINT,
    "black": "#4b5363",
    "brightblack": _FAINT,
    "red": "#f2777a",
    "green": "#8fd46e",
    "brown": "#e8c468",
    "blue": "#6cb2f2",
    "magenta": "#d39bea",
    "cyan": "#5fd0c5",
    "white": "#ffffff",
}


def animated_svg(frames: Sequence[Frame], *, title: str, columns: int, rows: int) -> str:
    """Draw frames as an SVG that plays them over and over.

    Lines that stand in several frames are drawn once. Where nothing moves, as for people who
    prefer that, the last frame shows.
    """
    lines = list(dict.fromkeys(line for frame in frames for line in frame.lines if line))
    names = {line: f"l{number}" for number, line in enumerate(lines)}
    width, height = columns * _COLUMN + 2 * _MARGIN, rows * _ROW + _BAR + _MARGIN
    film = [
        f'<use href="#{names[line]}" y="{(number * rows + row) * _ROW}"/>'
        for number, frame in enumerate(frames)
        for row, line in enumerate(frame.lines)
        if line
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_style(frames, rows)}</style>",
        "<defs>",
        *(f'<g id="{names[line]}">{_drawn(line)}</g>' for line in lines),
        "</defs>",
        f'<rect width="100%" height="100%" rx="8" fill="{_BACKGROUND}"/>',
        *(
            f'<circle cx="{_MARGIN + 6 + 20 * number}" cy="17" r="6" fill="{color}"/>'
            for number, color in enumerate(("#e0655f", "#dcaa47", "#6fae55"))
        ),
        f'<text x="50%" y="22" text-anchor="middle" fill="{_FAINT}">{escape(title)}</text>',
        f'<svg x="{_MARGIN}" y="{_BAR}" width="{columns * _COLUMN:.0f}" height="{rows * _ROW}">',
        '<g class="film">',
        *film,
        "</g></svg></svg>",
    ]
    return "\n".join(parts) + "\n"


def _style(frames: Sequence[Frame], rows: int) -> str:
    starts = [0.0]
    for before, frame in pairwise(frames):
        starts.append(starts[-1] + min(frame.seconds - before.seconds, _LONGEST))
    whole = starts[-1] + _HOLD
    height = rows * _ROW
    last = f"transform:translateY(-{(len(frames) - 1) * height}px)"
    steps = "".join(
        f"{100 * start / whole:.3f}%{{transform:translateY(-{number * height}px)}}"
        for number, start in enumerate(starts)
    )
    return (
        f"text{{font:{_FONT}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
        "monospace;white-space:pre}"
        f".film{{{last};animation:film {whole:.2f}s step-end infinite}}"
        f"@keyframes film{{{steps}100%{{{last}}}}}"
        "@media(prefers-reduced-motion:reduce){.film{animation:none}}"
    )


def _drawn(line: Line) -> str:
    return "".join(map(_drawn_run, line))


def _drawn_run(run: Run) -> str:
    text = run.text.lstrip()
    column = run.column + len(run.text) - len(text)
    look = ' font-weight="bold"' if run.bold else ""
    look += ' font-style="italic"' if run.italic else ""
    # Its length keeps columns in line in any font.
    return (
        f'<text x="{column * _COLUMN:.1f}" y="{_FONT}" textLength="{len(text) * _COLUMN:.1f}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{_color(run.color)}"{look}>{escape(text)}</text>'
    )


def _color(name: str) -> str:
    is_hexadecimal = len(name) == 6 and all(digit in "0123456789abcdef" for digit in name)
    return f"#{name}" if is_hexadecimal else _COLORS.get(name.removeprefix("bright"), _FOREGROUND)
