"""What fits: how wide texts are in a terminal, and how many rows are drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_FIRST, _LAST = 29, 10  # rows


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def cut(text: str, width: int) -> str:
    """Cut a text at its end to so many columns."""
    if width_of(text) <= width:
        return text

    while text and width_of(text) > width - 1:
        text = text[:-1]

    return f"{text}…"


def fitted(text: str, width: int) -> str:
    """Cut a text at its end, or fill it up, to so many columns."""
    text = cut(text, width)
    return text + " " * (width - width_of(text))


def first_and_last(rows: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Return the first and the last of more rows than anybody looks at, or all of them."""
    return (rows, ()) if len(rows) <= _FIRST + _LAST + 1 else (rows[:_FIRST], rows[-_LAST:])


def left_out(count: int) -> str:
    """Say how many rows lie between the first and the last."""
    return f"… {count - _FIRST - _LAST:,} more"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0

    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
