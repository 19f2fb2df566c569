"""Times as people read them, and along an axis."""

from __future__ import annotations

import math

_MINUTE, _HOUR = 60, 3600
# Steps of an axis where tens and hundreds of seconds are not round any more.
_STEPS = (10, 20, 30, 60, 120, 300, 600, 1200, 1800)


def time_in_words(seconds: float) -> str:
    """Write a time: ``35 µs``, ``4.20 ms``, ``1.24 s``, ``2:05 min``, ``1:02:05 h``."""
    if seconds < 0.0009995:
        return f"{seconds * 1e6:.0f} µs"

    if seconds < 0.9995:
        return f"{_digits(seconds * 1e3)} ms"

    if seconds < 59.95:
        return f"{_digits(seconds)} s"

    return _minutes(seconds) if round(seconds) < _HOUR else _hours(seconds)


def ticks(seconds: float, most: int) -> list[float]:
    """Return round times from 0 up to a time, at most so many steps between them."""
    if seconds <= 0 or most < 1:
        return [0.0]

    step = _round_step(seconds / most)
    return [index * step for index in range(int(seconds / step * (1 + 1e-9)) + 1)]


def tick_label(seconds: float, last: float) -> str:
    """Write a time below an axis; all of them in one unit."""
    if last < 0.001:
        return f"{seconds * 1e6:.4g} µs"

    if last < 1:
        return f"{seconds * 1e3:.4g} ms"

    if last < _MINUTE:
        return f"{seconds:.4g} s"

    return _minutes(seconds) if last < _HOUR else _hours(seconds)


def _digits(number: float) -> str:
    """Write a number with three digits, or as many as stand before its point."""
    places = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{places}f}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes}:{rest:02} min"


def _hours(seconds: float) -> str:
    hours, rest = divmod(round(seconds), _HOUR)
    return f"{hours:,}:{rest // _MINUTE:02}:{rest % _MINUTE:02} h"


def _round_step(rough: float) -> float:
    """Return the least round step that is no shorter."""
    rough *= 1 - 1e-9

    if _STEPS[0] < rough <= _STEPS[-1]:
        return next(step for step in _STEPS if step >= rough)

    unit = _HOUR if rough > _STEPS[-1] else 1
    power = 10.0 ** math.floor(math.log10(rough / unit))
    return next(step for factor in (1, 2, 5, 10) if (step := factor * power * unit) >= rough)
