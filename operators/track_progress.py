"""track_progress: elements with how much of the document has arrived."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel
from reactivex import Observable

from streamops.gauge import Gauge
from streamops.hints import Hints, checked_hints
from streamops.lifting import Step, are_items, lift
from streamops.model_shapes import ModelShape
from streamops.partial import partial_state
from streamops.priors import Prior
from streamops.progress import Progress
from streamops.root_shapes import RootShape
from streamops.shapes import Shape
from streamops.snapshot import Snapshot
from streamops.struct_shapes import DataclassShape
from streamops.tracked import EndedDocument, Tracked, TrackedDocument, TrackedItems

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
    its discriminator on. The percentage of a document never falls, and is 100.0 exactly once: with
    the complete snapshot, or the validated model. Each of several documents counts by itself, also
    if they are merged, and what ``rx.retry`` asks for again begins again.

    After ``to_partial`` the model or dataclass is known; before it, give it as ``model``. Paths go
    by the names of its fields, and may hold ANY. ``clock`` tells the seconds for ``elapsed`` and
    ``eta``.

    Behind ``split_items``, with nothing but our operators that pass elements on between them, items
    are counted against a whole number ``expected``. Only when the source completes is it known
    which was the last, so that one comes again then, with 100.0; without any item nothing comes.
    Items that come again, as of a document that is asked for again, count again.

    Raises TypeError or ValueError when called with something that is no type, number, weight or
    prior, and for paths that lead nowhere in the model; if that is not known before its first
    partial, the stream ends in that error. Elements that are neither Snapshots nor models nor
    items end the stream in a TypeError; so does a second validated model if no partial came before
    it and other operators stand in between, since it may be an item.
    """
    hints = checked_hints(expected, weights, prior)
    number = None if isinstance(expected, Mapping) else expected
    gauge = Gauge(model, hints)
    track = partial(lift, name="track_progress")

    def operator(source: Observable[S]) -> Observable[Progress[S]]:
        known = are_items(source)
        if not known:
            sure = known is not None
            return track(lambda: _DocumentTracker(gauge, hints, _Watch(clock), sure))(source)

        if model is not None or isinstance(expected, Mapping) or weights or prior:
            raise ValueError(
                "track_progress behind split_items counts items: it takes a whole number as "
                "expected, and no model, paths, weights or prior"
            )
        return track(lambda: _ItemTracker(number, _Watch(clock)))(source)

    return operator


class _Watch:
    """Pairs elements with the time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self._begun: tuple[float, float] | None = None

    def progress(self, item: Any, tracked: Tracked[Any], moment: Any) -> Progress[Any]:
        """Return the progress at an element, which was a moment of what is tracked."""
        elapsed = self._clock() - self._started
        if self._begun is None and (not isinstance(moment, Snapshot) or moment.started):
            self._begun = elapsed, tracked.percent(moment)
        return Progress(item, tracked, moment, elapsed, self._begun)

    def ended(self) -> None:
        """Take note that what follows is another document."""
        self._begun = None


class _DocumentTracker(Step[Any, Progress[Any]]):
    def __init__(self, gauge: Gauge, hints: Hints, watch: _Watch, sure: bool) -> None:
        self._gauge = gauge
        self._hints = hints
        self._watch = watch
        self._document = TrackedDocument(gauge)
        # A model that comes at once may be an item unless that is known; one is let pass.
        self._is_sure = sure
        self._has_ended = False

    def feed(self, item: object) -> Iterable[Progress[Any]]:
        snapshot = item if isinstance(item, Snapshot) else self._snapshot_of(item)
        if snapshot is None:
            return self._ended(item)

        progress = self._watch.progress(item, self._document, snapshot)
        if snapshot.complete:
            self._begin()
        return (progress,)

    def _snapshot_of(self, item: object) -> Snapshot | None:
        state = partial_state(item)
        if state is None:
            return None

        if not self._is_sure or not self._gauge.has_model:
            self._is_sure = True
            self._learn(_model_of(state.shape))
        return state.snapshot

    def _ended(self, item: object) -> Iterable[Progress[Any]]:
        if _may_be_document(item) and (self._is_sure or not self._has_ended):
            self._has_ended = True
            self._learn(type(item))
            progress = self._watch.progress(item, EndedDocument(self._gauge.basis), None)
            self._begin()
            return (progress,)

        raise TypeError(
            "track_progress reads Snapshots, the partials of one model, and items right behind "
            f"split_items; of other elements, such as this {type(item).__name__}, nobody knows how "
            "far they have come: put track_progress(T) before to_partial(T), or right behind "
            "split_items(T) to count items"
        )

    def _learn(self, model: Any) -> None:
        if model is not None and not self._gauge.has_model:
            self._gauge = Gauge(model, self._hints)
            self._document = TrackedDocument(self._gauge)

    def _begin(self) -> None:
        self._watch.ended()
        self._document = TrackedDocument(self._gauge)


def _model_of(shape: Shape) -> Any:
    """Return the type that is known of a model or dataclass, if any is."""
    if isinstance(shape, ModelShape | RootShape):
        return shape.model

    return shape.type if isinstance(shape, DataclassShape) else None


def _may_be_document(item: object) -> bool:
    """Return whether an element may be a validated model or dataclass."""
    if isinstance(item, type) or not is_dataclass(item):
        return isinstance(item, BaseModel)

    # Elements of ours such as Delta are dataclasses, too.
    return not type(item).__module__.startswith("streamops.")


class _ItemTracker(Step[Any, Progress[Any]]):
    def __init__(self, expected: int | None, watch: _Watch) -> None:
        self._expected = expected
        self._items = TrackedItems(expected)
        self._watch = watch
        self._count = 0
        self._last: Any = None

    def feed(self, item: Any) -> Iterable[Progress[Any]]:
        self._count += 1
        self._last = item
        return (self._watch.progress(item, self._items, self._count),)

    def close(self) -> Iterable[Progress[Any]]:
        if not self._count:
            return ()

        end = TrackedItems(self._expected, ended=True)
        return (self._watch.progress(self._last, end, self._count),)
