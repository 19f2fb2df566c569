"""Figures of a trace as people read them."""

from __future__ import annotations

import math
import unicodedata


def time_in_words(seconds: float) -> str:
    """Write a time: ``35 µs``, ``4.2 ms``, ``1.24 s``, ``2:05 min``."""
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"

    if seconds < 0.9995:
        return f"{_digits(seconds * 1e3)} ms"

    if seconds < 59.95:
        return f"{_digits(seconds)} s"

    return f"{round(seconds) // 60}:{round(seconds) % 60:02} min"


def _digits(number: float) -> str:
    """Write a number with three digits, or as many as stand before its point."""
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{places}f}"


def ticks(seconds: float, most: int) -> list[float]:
    """Return round times from 0 up to a time, at most so many steps between them."""
    if seconds <= 0 or most < 1:
        return [0.0]

    rough = seconds / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    return [index * step for index in range(int(seconds / step * (1 + 1e-9)) + 1)]


def tick_label(seconds: float, last: float) -> str:
    """Write a time below an axis; all of them in one unit."""
    if last < 0.001:
        return f"{seconds * 1e6:.4g} µs"

    return f"{seconds * 1e3:.4g} ms" if last < 1 else f"{seconds:.4g} s"


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def fitted(text: str, width: int) -> str:
    """Cut a text at its end, or fill it up, to so many columns."""
    if width_of(text) > width:
        while text and width_of(text) > width - 1:
            text = text[:-1]

        text += "…"

    return text + " " * (width - width_of(text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0

    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
