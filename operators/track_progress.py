"""track_progress: elements with how much of the document has arrived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel
from reactivex import Observable

from streamops.lifting import Step, lift
from streamops.nodes import Path
from streamops.partial import partial_state
from streamops.progress import Gauge, Progress
from streamops.reading import reader_of
from streamops.snapshot import Snapshot

S = TypeVar("S")


class TrackProgress(Protocol):
    """An operator that pairs what it receives with Progress, whatever its type."""

    def __call__(self, source: Observable[S], /) -> Observable[Progress[S]]: ...


def track_progress(
    model: Any = None,
    *,
    expected: Mapping[Path | str, int] | int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> TrackProgress:
    """Emit each Snapshot or partial as a Progress: with percent, ETA and finished paths.

    The fields of a model share its weight equally, and nested models share that of their field. A
    list counts its items against ``expected`` (a number for the root, or numbers by path:
    ``{"users": 3}``), else against ``max_length`` or ``min_length``; without any of these, and for
    strings, it approaches its whole weight without reaching it. The percentage never falls, and is
    100.0 exactly once: with the complete snapshot, or the validated model.

    After ``to_partial`` the model is known; before it, give it as ``model``. ``clock`` tells the
    seconds for ``elapsed`` and ``eta``.

    Raises TypeError when called with something that is no type, or with numbers that are no
    lengths. Elements that are neither Snapshots nor models end the stream in a TypeError.
    """
    shape = None if model is None else reader_of(model, operator="track_progress").shape
    lengths = _lengths(expected)
    return lift(partial(_ProgressTracker, Gauge(shape, lengths), lengths, clock))


class _ProgressTracker(Step[Any, Progress[Any]]):
    def __init__(
        self, gauge: Gauge, expected: Mapping[Path, int], clock: Callable[[], float]
    ) -> None:
        self._gauge = gauge
        self._expected = expected
        self._clock = clock
        self._started = clock()
        self._before: Snapshot | None = None

    def feed(self, item: Any) -> Iterable[Progress[Any]]:
        snapshot = self._snapshot_of(item)
        elapsed = self._clock() - self._started
        before, self._before = self._before, snapshot
        return (Progress(item, self._gauge, snapshot, elapsed, before),)

    def _snapshot_of(self, item: Any) -> Snapshot | None:
        """Return the snapshot that an element shows, or None if it is a whole model."""
        if isinstance(item, Snapshot):
            return item

        state = partial_state(item)
        if state is not None:
            if not self._gauge.has_shape:
                self._gauge = Gauge(state.shape, self._expected)
            return state.snapshot

        if isinstance(item, BaseModel):
            return None

        raise TypeError(
            f"track_progress reads Snapshots and models, not {type(item).__name__}: "
            "put it right after accumulate_json() or to_partial(Model)"
        )


def _lengths(expected: Mapping[Path | str, int] | int | None) -> dict[Path, int]:
    if expected is None:
        return {}

    if not isinstance(expected, Mapping):
        expected = {(): expected}

    lengths = {(at,) if isinstance(at, str) else at: number for at, number in expected.items()}
    for at, number in lengths.items():
        if not isinstance(at, tuple) or not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(
                "expected is a number of items, or numbers by path such as "
                f'{{"users": 3}} or {{("team", "users"): 3}}, not {expected!r}'
            )

        if number < 1:
            raise ValueError(f"expected must be at least 1, not {number} at {at}")

    return lengths
