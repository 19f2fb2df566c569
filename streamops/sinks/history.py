"""history and ahistory: all that a stream showed, and when."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any, Generic, TypeVar, cast

from reactivex import Observable
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.lifting import are_items
from streamops.moments import History, Moment
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.sinks.generators import check_stream, to_async_generator, to_generator

T = TypeVar("T")


def history(stream: Observable[T], *, clock: Callable[[], float] = time.monotonic) -> History[T]:
    """Run a stream, and return what it showed, with the seconds at which each of it came.

    What shows the same as its predecessor is left out, as by ``distinct_snapshots``; items and
    Deltas are all kept. An error that the stream ends with is not raised but kept: what came before
    it is there to be looked at. ``KeyboardInterrupt`` is raised, and closes the source.

    Finished parts are shared: the 14,700 snapshots of a document of 77 KB that comes four
    characters at a time take 8 MB, and 45 MB when every one of them has been looked at.

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
        kept = cast("T", value.delta if isinstance(value, _Piece) else value)
        self._moments.append(Moment(len(self._moments), self._clock() - self._begun, kept))

    def end(self, error: Exception | None) -> History[T]:
        return History(self._moments, self._clock() - self._begun, error)


class _Piece:
    """A Delta, which is no state: an equal one may follow it."""

    def __init__(self, delta: Delta) -> None:
        self.delta = delta


def _distinct(stream: Observable[Any]) -> Observable[Any]:
    if are_items(stream):
        return stream

    return stream.pipe(rx.map(_piece), distinct_snapshots())


def _piece(value: Any) -> Any:
    return _Piece(value) if isinstance(value, Delta) else value
