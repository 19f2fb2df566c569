"""track_progress: elements with how much of the document has arrived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, RootModel
from reactivex import Observable

from streamops.gauge import Gauge
from streamops.hints import Hints, checked_hints
from streamops.lifting import Step, emits_items, lift
from streamops.model_shapes import ModelShape
from streamops.partial import partial_state
from streamops.priors import Prior
from streamops.progress import AtEnd, InDocument, InList, Position, Progress
from streamops.root_shapes import RootShape
from streamops.snapshot import Snapshot

S = TypeVar("S")


class TrackProgress(Protocol):
    """An operator that pairs what it receives with Progress, whatever its type."""

    def __call__(self, source: Observable[S], /) -> Observable[Progress[S]]: ...


def track_progress(
    model: Any = None,
    *,
    expected: Mapping[Any, int] | int | None = None,
    weights: Mapping[Any, float] | None = None,
    prior: Prior | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> TrackProgress:
    """Emit each Snapshot, partial or item as a Progress: with percent, ETA and finished paths.

    The fields of a model share its weight equally, and nested models share that of their field;
    ``weights`` says what a field counts instead of 1, by path: ``{"summary": 3}``, 0 for one that
    does not count. A list counts its items against ``expected`` (a number for the root, or numbers
    by path: ``{"users": 3}``), else against ``max_length`` or ``min_length``; without any of these,
    and for strings, it approaches its whole weight without reaching it. ``prior`` tells how long
    fields, lists and strings were in earlier runs (``Prior.from_runs``); it gives way to
    ``expected`` and ``weights``, and goes before what the type says. A union of models counts from
    its discriminator on. The percentage never falls, and is 100.0 exactly once: with the complete
    snapshot, or the validated model.

    After ``to_partial`` the model is known; before it, give it as ``model``. Paths go by the names
    of its fields, and may hold ANY. ``clock`` tells the seconds for ``elapsed`` and ``eta``.

    Right behind ``split_items``, items are counted against a whole number ``expected``. Only when
    the source completes is it known which was the last, so that one comes again then, with 100.0;
    without any item nothing comes. With such an ``expected``, elements of other origin are counted,
    too, unless they show a document or might be one that grows (lists, strings, dataclasses ...).

    Raises TypeError or ValueError when called with something that is no type, number, weight or
    prior, and for paths that lead nowhere in the model; if that is not known before its first
    partial, the stream ends in that error. Elements that are neither Snapshots nor models nor
    items end the stream in a TypeError.
    """
    hints = checked_hints(expected, weights, prior)
    number = None if isinstance(expected, Mapping) else expected
    gauge = Gauge(model, hints)

    def operator(source: Observable[S]) -> Observable[Progress[S]]:
        if not emits_items(source):
            return lift(lambda: _DocumentTracker(gauge, hints, number, _Watch(clock)))(source)

        if model is not None or isinstance(expected, Mapping) or weights or prior:
            raise ValueError(
                "track_progress right behind split_items counts items: it takes a whole number as "
                "expected, and no model, paths, weights or prior"
            )
        return lift(lambda: _ItemTracker(number, _Watch(clock)))(source)

    return operator


class _Watch:
    """Pairs elements with the time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._begun: tuple[float, float] | None = None

    def progress(self, item: Any, position: Position, *, shows: bool = True) -> Progress[Any]:
        """Return the progress at an element; ``shows`` says whether it shows anything yet."""
        elapsed = self._clock() - self._started
        if self._begun is None and shows:
            self._begun = elapsed, position.percent
        return Progress(item, position, elapsed, self._begun)

    def ended(self) -> None:
        """Take note that what follows is another document."""
        self._begun = None


class _DocumentTracker(Step[Any, Progress[Any]]):
    def __init__(self, gauge: Gauge, hints: Hints, number: int | None, watch: _Watch) -> None:
        self._gauge = gauge
        self._hints = hints
        self._watch = watch
        self._before: Snapshot | None = None
        self._items = None if number is None else _ItemTracker(number, watch)

    def feed(self, item: object) -> Iterable[Progress[Any]]:
        if isinstance(item, Snapshot):
            return self._shown(item, item)

        state = partial_state(item)
        if state is not None:
            if not self._gauge.has_model and isinstance(state.shape, ModelShape | RootShape):
                self._gauge = Gauge(state.shape.model, self._hints)
            self._before = state.snapshot
            return self._shown(item, state.snapshot)

        if self._items is not None and _may_be_item(item):
            return self._items.feed(item)

        if isinstance(item, BaseModel):
            progress = self._watch.progress(item, AtEnd(self._gauge.basis, self._before))
            self._before = None
            self._watch.ended()
            return (progress,)

        raise TypeError(
            "track_progress reads Snapshots, models and items; of other elements, such as this "
            f"{type(item).__name__}, nobody knows how far they have come: put track_progress(T) "
            "before to_partial(T), or right behind split_items(T) to count items"
        )

    def close(self) -> Iterable[Progress[Any]]:
        return () if self._items is None else self._items.close()

    def _shown(self, item: Any, snapshot: Snapshot) -> Iterable[Progress[Any]]:
        # A number that is expected of a document is no number of elements.
        self._items = None

        position = InDocument(self._gauge, snapshot)
        progress = self._watch.progress(item, position, shows=snapshot.started)
        if snapshot.complete:
            self._watch.ended()
        return (progress,)


class _ItemTracker(Step[Any, Progress[Any]]):
    def __init__(self, expected: int | None, watch: _Watch) -> None:
        self._expected = expected
        self._watch = watch
        self._count = 0
        self._last: Any = None

    def feed(self, item: Any) -> Iterable[Progress[Any]]:
        self._count += 1
        self._last = item
        return (self._watch.progress(item, InList(self._count, self._expected)),)

    def close(self) -> Iterable[Progress[Any]]:
        if not self._count:
            return ()

        end = InList(self._count, self._expected, ended=True)
        return (self._watch.progress(self._last, end),)


def _may_be_item(element: object) -> bool:
    """Return whether an element is nothing that to_partial might show again while it grows."""
    if isinstance(element, BaseModel):
        return not isinstance(element, RootModel)

    return not isinstance(element, Iterable) and not is_dataclass(element)
