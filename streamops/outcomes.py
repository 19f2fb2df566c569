"""outcome: how the requests behind a stream ended, noted while they are read."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from pydantic import BaseModel
from reactivex import ConnectableObservable, Observable, abc
from reactivex.disposable import (
    CompositeDisposable,
    Disposable,
    SingleAssignmentDisposable,
)
from reactivex.subject import Subject

from streamops.delta import Delta
from streamops.endings import Ending, Outcome, Status, Timing
from streamops.errors import (
    ContentFiltered,
    LimitExceeded,
    MalformedJson,
    NoJson,
    Refused,
    SchemaMismatch,
    SourceFailed,
    TruncatedJson,
)
from streamops.lifting import Lifted, apply, are_items, lean
from streamops.naming import composed
from streamops.progress import Progress
from streamops.snapshot import Snapshot
from streamops.sources.openai_deltas import OpenAIDeltas

T = TypeVar("T")

_STATUS: tuple[tuple[type[Exception], Status], ...] = (
    (SourceFailed, "failed"),
    (TruncatedJson, "truncated"),
    (Refused, "refused"),
    (ContentFiltered, "filtered"),
    (MalformedJson, "invalid"),
    (NoJson, "invalid"),
    (SchemaMismatch, "invalid"),
    (LimitExceeded, "invalid"),
)


def outcome(stream: Observable[Any]) -> Outcome:
    """Return how the requests behind a stream ended, now or when they will have ended.

    The stream is what ``extract`` or ``request`` returned, or any pipeline built on it with
    ``.pipe``. Raises TypeError for any other, also for what reactivex makes of several streams.
    """
    if isinstance(stream, Watched):
        return stream.outcome

    raise TypeError(
        "outcome needs a stream that extract or request returned, or what .pipe made of it, not "
        f"{type(stream).__name__}: ask the stream itself where several were put together"
    )


class Watched(Lifted[T]):
    """A stream whose requests are recorded, and all that is built on it."""

    def __init__(
        self, stream: Observable[T], outcome: Outcome, *, emits_items: bool | None = None
    ) -> None:
        super().__init__(source=stream)
        self.outcome = outcome
        self.unwatched = stream
        """The same, of which nothing is noted."""
        self.emits_items = are_items(stream) if emits_items is None else emits_items
        unneeded = lean(stream)
        self.lean = None if unneeded is stream else Watched(unneeded, outcome)

    def pipe(self, *operators: Any) -> Any:
        """Build a pipeline on it, of which ``outcome`` may be asked, too."""
        piped: Any = self

        for operator in operators:
            for part in composed(operator):
                piped = self._watch_over(apply(part, self._as_stage(piped)))

        return piped

    def _as_stage(self, piped: Any) -> Any:
        watched: Any = piped
        is_ours = isinstance(piped, Watched) and watched.outcome is self.outcome
        return _Stage(watched.unwatched, watched.emits_items) if is_ours else watched

    def _watch_over(self, made: Any) -> Any:
        if not isinstance(made, Observable) or isinstance(made, _OTHERS):
            return made  # pyright: ignore[reportUnknownVariableType]  # whatever an operator made

        return Watched(cast("Observable[Any]", made), self.outcome)

    def _subscribe_core(
        self, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        watch = _Watch()
        subscription = SingleAssignmentDisposable()
        emit = observer.on_next

        def on_next(value: T) -> None:
            if (record := _speaking()) is not None:
                record.see(value)

            emit(value)

        def end(error: Exception | None) -> None:
            ended_by = watch.judge(error)
            # Left before anybody hears of the end, which is when its outcome is asked for.
            subscription.dispose()

            for record in ended_by:
                record.settle()

        def on_error(error: Exception) -> None:
            end(error)
            observer.on_error(error)

        def on_completed() -> None:
            end(None)
            observer.on_completed()

        with _watching(watch):
            subscription.disposable = self.unwatched.subscribe(
                on_next, on_error, on_completed, scheduler=scheduler
            )

        return subscription


_OTHERS = (Watched, ConnectableObservable, Subject)
"""Observables that are more than what they emit."""


class _Stage(Lifted[T]):
    """What an operator of a pipeline reads: how that ends says how its requests do.

    An operator behind it may have another say, or hide an error.
    """

    def __init__(self, stream: Observable[T], emits_items: bool | None) -> None:
        super().__init__(source=stream)
        self._stream = stream
        self.emits_items = emits_items
        unneeded = lean(stream)
        self.lean = None if unneeded is stream else _Stage(unneeded, emits_items)

    def _subscribe_core(
        self, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        def on_error(error: Exception) -> None:
            if (record := _speaking()) is not None:
                record.judge(error)

            observer.on_error(error)

        def on_completed() -> None:
            if (record := _speaking()) is not None:
                record.judge(None)

            observer.on_completed()

        return self._stream.subscribe(observer.on_next, on_error, on_completed, scheduler=scheduler)


class Record:
    """What is noted of one request until it has ended."""

    def __init__(self, outcome: Outcome, after: Record | None = None) -> None:
        self.deltas = OpenAIDeltas()
        """What is to translate the answer; it learns who answered."""
        self.attempt: int = after.attempt + 1 if after else 1
        """Which attempt of its subscription, from 1."""
        self._outcome = outcome
        self._is_sent = False
        self._watch: _Watch | None = after._watch if after else _watch.get()
        self._began = time.monotonic()
        self._first_chunk: float | None = None
        self._first_field: float | None = None
        self._finish_reason: str | None = None
        self._usage: Mapping[str, Any] | None = None
        self._has_refused = False
        self.speaks = False
        """Whether it is emitting something."""
        self._is_over = False
        self._error: Exception | None = None
        self._has_ended = False

        if self._watch is not None:
            self._watch.add(self)

    def sent(self) -> None:
        """Note that the request is being sent now."""
        self._is_sent, self._began = True, time.monotonic()

    def hearing(self, deltas: Observable[Delta]) -> Observable[Delta]:
        """Return the Deltas of the request, with a note of each and of their end.

        How the request ended is for whoever reads them to say: they may not be what was asked for.
        """

        def subscribe(
            observer: abc.ObserverBase[Delta], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            emit = observer.on_next

            def on_next(delta: Delta) -> None:
                self._hear(delta)

                # As in _speaking, which takes too long for every Delta.
                token = _speaker.set(self)
                self.speaks = True

                try:
                    emit(delta)
                except BaseException:
                    # A subscriber raised, and nobody disposes of anything then.
                    self._leave()
                    raise
                finally:
                    self.speaks = False
                    _speaker.reset(token)

            def on_error(error: Exception) -> None:
                self._is_over, self._error = True, error

                with self._speaking():
                    observer.on_error(error)

            def on_completed() -> None:
                self._is_over = True

                with self._speaking():
                    observer.on_completed()

            subscription = deltas.subscribe(on_next, on_error, on_completed, scheduler=scheduler)
            return CompositeDisposable(subscription, Disposable(self._leave))

        return Observable(subscribe)

    def seeing(self, values: Observable[T]) -> Observable[T]:
        """Return the values that were read, which say how the request ended."""

        def subscribe(
            observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            def on_next(value: T) -> None:
                self.see(value)
                observer.on_next(value)

            def on_error(error: Exception) -> None:
                self._end(self._status_of(error), error)
                observer.on_error(error)

            def on_completed() -> None:
                self._end("complete", None)
                observer.on_completed()

            return values.subscribe(on_next, on_error, on_completed, scheduler=scheduler)

        return Observable(subscribe)

    def see(self, value: object) -> None:
        """Note what was read of the answer."""
        if self._first_field is None and _shows_anything(value):
            self._first_field = self._elapsed()

    def judge(self, error: Exception | None) -> None:
        """Note what the pipeline makes of the request; the last word counts when it is left."""
        if error is not None or self._is_over:
            self._error = error

    def settle(self) -> None:
        """Note the end of the request if nothing of it is to come, though others may read on."""
        if self._is_over:
            self._leave()

    @contextmanager
    def _speaking(self) -> Generator[None]:
        token = _speaker.set(self)
        self.speaks = True

        try:
            yield
        finally:
            self.speaks = False
            _speaker.reset(token)

    def _hear(self, delta: Delta) -> None:
        if self._first_chunk is None and delta.text:
            self._first_chunk = self._elapsed()

        if delta.kind == "refusal":
            self._has_refused = True
        elif delta.kind == "finish" and delta.choice == 0:
            self._finish_reason = delta.finish_reason
        elif delta.usage:
            self._usage = delta.usage

    def _leave(self) -> None:
        if self._error is not None:
            self._end(self._status_of(self._error), self._error)
        else:
            self._end(self._status_without_error() if self._is_over else "cancelled", None)

    def _status_of(self, error: Exception) -> Status:
        if isinstance(error, NoJson) and self._finish_reason == "length":
            return "truncated"

        for kind, status in _STATUS:
            if isinstance(error, kind):
                return status

        return "failed"

    def _status_without_error(self) -> Status:
        by_reason: dict[str | None, Status] = {"length": "truncated", "content_filter": "filtered"}
        complete: Status = "refused" if self._has_refused else "complete"
        return by_reason.get(self._finish_reason, complete)

    def _end(self, status: Status, error: Exception | None) -> None:
        if self._has_ended:
            return

        self._has_ended = True

        if self._watch is not None:
            self._watch.remove(self)

        if not self._is_sent:
            return

        timing = Timing(self._first_chunk, self._first_field, self._elapsed())
        self._outcome.add(
            Ending(
                status,
                self.attempt,
                error,
                self._finish_reason,
                self._usage,
                self.deltas.model,
                self.deltas.id,
                timing,
            )
        )

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


class _Watch:
    """The requests that one subscription has made and not ended, as far as it knows of them."""

    def __init__(self) -> None:
        self._open: list[Record] = []

    def add(self, record: Record) -> None:
        self._open.append(record)

    def remove(self, record: Record) -> None:
        self._open.remove(record)

    def judge(self, error: Exception | None) -> list[Record]:
        """Note what the subscription ends with, of the request that made it end, and return that.

        Where no request has, as when the time is up, it is all of them.
        """
        speaker = _speaking()
        records = [*self._open] if speaker is None else [speaker]

        for record in records:
            record.judge(error)

        return records


_watch: ContextVar[_Watch | None] = ContextVar("streamops_watch", default=None)
"""Whose subscription a request is made for."""

_speaker: ContextVar[Record | None] = ContextVar("streamops_speaker", default=None)
"""The request that emits something."""


@contextmanager
def _watching(watch: _Watch) -> Generator[None]:
    token = _watch.set(watch)

    try:
        yield
    finally:
        _watch.reset(token)


def _speaking() -> Record | None:
    """Return the request whose answer is being emitted right now."""
    speaker = _speaker.get()
    # Tasks that a subscriber started meanwhile remember the speaker for good.
    return speaker if speaker is not None and speaker.speaks else None


def _shows_anything(value: object) -> bool:
    match value:
        case Progress():
            shown: object = cast("Progress[object]", value).value
            return _shows_anything(shown)
        case Snapshot():
            return value.complete or bool(value.value)
        case BaseModel():
            return bool(value.model_fields_set)
        case dict() | list():
            return bool(cast("list[object]", value))
        case _:
            return not isinstance(value, Delta)
