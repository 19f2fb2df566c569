"""Hints: what the caller tells of a document beside its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from streamops.patterns import ANY, AnyKey, Pattern, patterns_for
from streamops.priors import Prior

Numbers: TypeAlias = tuple[tuple[Pattern, float], ...]
"""Numbers by place; where several patterns lead to one place, the first holds."""

_LARGEST_WEIGHT = 1_000_000


@dataclass(frozen=True, slots=True)
class Hints:
    """How much to expect and what weighs more, by place, and what earlier runs were like."""

    expected: Numbers = ()
    weights: Numbers = ()
    prior: Prior | None = None

    def for_model(self, model: Any) -> Hints:
        """Return the same by places in the JSON, where these go by the names of fields.

        Raises TypeError for what is no path, and ValueError for one that leads nowhere.
        """
        return Hints(_in_json(self.expected, model), _in_json(self.weights, model), self.prior)


def checked_hints(
    expected: Mapping[Any, int] | int | None,
    weights: Mapping[Any, float] | None,
    prior: Prior | None,
) -> Hints:
    """Return hints, or raise TypeError or ValueError for what is none."""
    if prior is not None and not isinstance(prior, Prior):
        raise TypeError(f"prior is what so.Prior.from_runs([...]) returns, not {prior!r}")

    lengths = expected if isinstance(expected, Mapping) or expected is None else {(): expected}
    return Hints(_checked_lengths(lengths), _checked_weights(weights), prior)


def _checked_lengths(expected: Mapping[Any, int] | None) -> Numbers:
    lengths = _by_path(expected)
    for at, number in lengths:
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(
                "expected is a number of items, or numbers by path such as "
                f'{{"users": 3}} or {{("team", "users"): 3}}, not {number!r} at {at}'
            )

        if number < 1:
            raise ValueError(f"expected must be at least 1, not {number} at {at}")

    return lengths


def _checked_weights(weights: Mapping[Any, float] | None) -> Numbers:
    by_path = _by_path(weights) if isinstance(weights, Mapping | None) else None
    if by_path is None or not all(_is_number(number) for _, number in by_path):
        raise TypeError(
            'weights are numbers by path such as {"summary": 3} or {("team", "name"): 0}, '
            f"not {weights!r}"
        )

    for at, number in by_path:
        if not at or not isinstance(at[-1], str):
            raise ValueError(f"a weight belongs to a field: {at} does not end in the name of one")

        if not 0 <= number <= _LARGEST_WEIGHT:
            raise ValueError(f"a weight is a number from 0 to a million, not {number} at {at}")

    return by_path


def _is_number(weight: object) -> bool:
    return isinstance(weight, int | float) and not isinstance(weight, bool)


def number_here(numbers: Numbers) -> float | None:
    """Return the number of the place that has been reached, if there is one."""
    return next((number for pattern, number in numbers if not pattern), None)


def numbers_below(numbers: Numbers, key: str | int | AnyKey) -> Numbers:
    """Return the numbers of what is in the child at a key; of ANY, those that hold anywhere."""
    return tuple((p[1:], number) for p, number in numbers if p and (p[0] == key or p[0] is ANY))


def named_keys(numbers: Numbers) -> list[str]:
    """List the keys of the children that the numbers name."""
    return [pattern[0] for pattern, _ in numbers if pattern and isinstance(pattern[0], str)]


def _by_path(numbers: Mapping[Any, float] | None) -> Numbers:
    by_path = {(at,) if isinstance(at, str) else at: n for at, n in (numbers or {}).items()}
    return _in_json(tuple(by_path.items()), None)


def _in_json(numbers: Numbers, model: Any) -> Numbers:
    found = [
        (pattern, number)
        for path, number in numbers
        for pattern in patterns_for(path, model, operator="track_progress")
    ]

    # What says exactly where it holds comes before what holds anywhere.
    return tuple(sorted(found, key=lambda hint: [key is ANY for key in hint[0]]))
