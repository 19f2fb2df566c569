"""history and ahistory: all that a stream showed, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Generic, TypeVar, cast

from reactivex import Observable
from reactivex import operators as rx

from streamops.moments import History, Moment
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.partial import partial_state
from streamops.progress import Progress
from streamops.sinks.generators import check_stream, to_async_generator, to_generator
from streamops.snapshot import Snapshot

T = TypeVar("T")


def history(stream: Observable[T], *, clock: Callable[[], float] = time.monotonic) -> History[T]:
    """Run a stream, and return what it showed, with the seconds at which each of it came.

    A Snapshot, partial or Progress of a document that shows the same as its predecessor is left
    out, as by ``distinct_snapshots``; everything else is kept, equal or not: Deltas, items, texts,
    events, and plain values (of those that are states, too: ``distinct_snapshots`` before this
    leaves out what repeats). Values are kept as they are, not copied: a list that a ``scan``
    changes in place looks at every moment as it does at the end.

    An error that the stream ends with is not raised but kept: what came before it is there to be
    looked at. ``KeyboardInterrupt`` is raised, and closes the source.

    Finished parts are shared: a snapshot that nobody has looked at takes about 420 bytes, a partial
    about 860. One that somebody has looked at holds a copy of each list, object and text that was
    open, so that a look at every moment takes memory by the square of their lengths: 19 MB for a
    list of 38 KB that came four characters at a time, 65 MB for one of 77 KB
    (``python -m benchmarks --memory``). What displays a history looks at what it shows.

    Raises TypeError if this is no stream. ``clock`` tells the seconds.
    """
    check_stream(stream, "history")
    recorder = _Recorder[T](clock)
    try:
        with closing(to_generator(_distinct(stream))) as values:
            for value in values:
                recorder.keep(value)
    except Exception as error:
        return recorder.end(error)

    return recorder.end(None)


async def ahistory(
    stream: Observable[T], *, clock: Callable[[], float] = time.monotonic
) -> History[T]:
    """Run a stream, and return what it showed, as ``history`` does; cancelling it is raised."""
    check_stream(stream, "ahistory")
    recorder = _Recorder[T](clock)
    try:
        async with to_async_generator(_distinct(stream)) as values:
            async for value in values:
                recorder.keep(value)
    except Exception as error:
        return recorder.end(error)

    return recorder.end(None)


class _Recorder(Generic[T]):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self._moments: list[Moment[T]] = []

    def keep(self, value: Any) -> None:
        kept = cast("T", value.value if isinstance(value, _Other) else value)
        self._moments.append(Moment(len(self._moments), self._clock() - self._begun, kept))

    def end(self, error: Exception | None) -> History[T]:
        return History(self._moments, self._clock() - self._begun, error)


class _Other:
    """What is no state of a document: an equal one may follow it."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _distinct(stream: Observable[Any]) -> Observable[Any]:
    return stream.pipe(rx.map(_marked), distinct_snapshots())


def _marked(value: Any) -> Any:
    return value if _is_state(value) else _Other(value)


def _is_state(value: Any) -> bool:
    if isinstance(value, Progress):
        return cast("Progress[Any]", value).item_count is None

    partial = partial_state(value)
    return isinstance(value, Snapshot) if partial is None else partial.revision is not None
