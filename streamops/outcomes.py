"""outcome: how the requests behind a stream ended, and what they cost."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast, overload

from pydantic import BaseModel
from reactivex import ConnectableObservable, Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable

from streamops.delta import Delta
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
from streamops.lifting import Lifted, are_items, lean
from streamops.sources.openai_deltas import OpenAIDeltas

T = TypeVar("T")

Status: TypeAlias = Literal[
    "complete", "truncated", "refused", "filtered", "invalid", "failed", "cancelled"
]
"""How a request ended."""

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


@dataclass(frozen=True, slots=True)
class Timing:
    """When something of an answer arrived, in seconds from the request."""

    first_chunk: float | None
    """The first piece of text; None if none came."""
    first_field: float | None
    """The first value that shows anything; None if none came, or the values were not read here."""
    last: float
    """The end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one request ended."""

    status: Status
    """``"complete"``, ``"truncated"`` (the JSON was not closed), ``"refused"``, ``"filtered"``,
    ``"invalid"`` (malformed, no JSON, or the model says no), ``"failed"`` (network, provider, or a
    function of yours that raised), or ``"cancelled"`` (left before its end)."""
    attempt: int
    """Which attempt of its subscription, from 1."""
    error: Exception | None
    """What it ended with, if not well."""
    finish_reason: str | None
    usage: Mapping[str, Any] | None
    """Token counts as the provider sent them; None if it sent none, or they had not come yet."""
    model: str | None
    """The model that answered, as the provider names it."""
    response_id: str | None
    timing: Timing


class Outcome(Sequence[Ending]):
    """How the requests behind a stream ended: an Ending for each attempt, in order.

    It is alive: what it says is true of the requests that have ended so far, of all subscriptions.
    Beside the attempts, it says of the last of them what an Ending says; all of that is None before
    the first request has ended.
    """

    def __init__(self) -> None:
        self._endings: list[Ending] = []

    @property
    def attempts(self) -> tuple[Ending, ...]:
        """Every attempt that has ended."""
        return tuple(self._endings)

    @property
    def usage(self) -> Mapping[str, Any] | None:
        """Token counts of all attempts together."""
        counts = [ending.usage for ending in self._endings if ending.usage]
        return _sum(counts) if counts else None

    @property
    def status(self) -> Status | None:
        """How the last attempt ended."""
        return self._endings[-1].status if self._endings else None

    @property
    def error(self) -> Exception | None:
        """What the last attempt ended with, if not well."""
        return self._endings[-1].error if self._endings else None

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped, in the last attempt."""
        return self._endings[-1].finish_reason if self._endings else None

    @property
    def model(self) -> str | None:
        """The model that answered last."""
        return self._endings[-1].model if self._endings else None

    @property
    def response_id(self) -> str | None:
        """The id of the last answer."""
        return self._endings[-1].response_id if self._endings else None

    @property
    def timing(self) -> Timing | None:
        """When the last answer arrived."""
        return self._endings[-1].timing if self._endings else None

    @overload
    def __getitem__(self, index: int) -> Ending: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Ending]: ...
    def __getitem__(self, index: int | slice) -> Ending | Sequence[Ending]:
        return self._endings[index]

    def __len__(self) -> int:
        return len(self._endings)

    def __repr__(self) -> str:
        statuses = ", ".join(ending.status for ending in self._endings)
        return f"Outcome({statuses})"

    def add(self, ending: Ending) -> None:
        """Note how a request ended."""
        self._endings.append(ending)


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

    def __init__(self, stream: Observable[T], outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self._stream = stream
        self.emits_items = are_items(stream)
        unneeded = lean(stream)
        self.lean = None if unneeded is stream else Watched(unneeded, outcome)

    def pipe(self, *operators: Any) -> Any:
        """Build a pipeline on it, of which ``outcome`` may be asked, too."""
        piped = super().pipe(*operators)

        if not isinstance(piped, Observable) or isinstance(piped, (Watched, ConnectableObservable)):
            return piped  # pyright: ignore[reportUnknownVariableType]

        return Watched(cast("Observable[Any]", piped), self.outcome)

    def _subscribe_core(
        self, observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        above = _watch.get()

        if above is not None and above.outcome is self.outcome:
            return self._stream.subscribe(observer, scheduler=scheduler)

        watch = _Watch(self.outcome)

        def on_error(error: Exception) -> None:
            watch.end(error)
            observer.on_error(error)

        def on_completed() -> None:
            watch.end(None)
            observer.on_completed()

        with _watching(watch):
            return self._stream.subscribe(
                observer.on_next, on_error, on_completed, scheduler=scheduler
            )


class Record:
    """What is noted of one request until it has ended."""

    def __init__(self, outcome: Outcome, after: Record | None = None) -> None:
        self.deltas = OpenAIDeltas()
        """What is to translate the answer; it learns who answered."""
        self.attempt: int = after.attempt + 1 if after else 1
        """Which attempt of its subscription, from 1."""
        self._outcome = outcome
        self._watch: _Watch | None = after._watch if after else _watch.get()
        self._began = time.monotonic()
        self._first_chunk: float | None = None
        self._first_field: float | None = None
        self._finish_reason: str | None = None
        self._usage: Mapping[str, Any] | None = None
        self._has_completed = False
        self._has_ended = False
        if self._watch is not None:
            self._watch.records.append(self)

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
                emit(delta)

            def on_completed() -> None:
                self._has_completed = True
                observer.on_completed()

            subscription = deltas.subscribe(
                on_next, observer.on_error, on_completed, scheduler=scheduler
            )
            return CompositeDisposable(subscription, Disposable(self._leave))

        return Observable(subscribe)

    def seeing(self, values: Observable[T]) -> Observable[T]:
        """Return the values that were read, which say how the request ended."""

        def subscribe(
            observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            def on_next(value: T) -> None:
                if self._first_field is None and _shows_anything(value):
                    self._first_field = self._elapsed()

                observer.on_next(value)

            def on_error(error: Exception) -> None:
                self.end(error)
                observer.on_error(error)

            def on_completed() -> None:
                self.end(None)
                observer.on_completed()

            return values.subscribe(on_next, on_error, on_completed, scheduler=scheduler)

        return Observable(subscribe)

    def end(self, error: Exception | None) -> None:
        """Note how the request ended; what is said later of the same one does not count."""
        self._end(_status_of(error) if error else self._status_without_error(), error)

    def end_with_pipeline(self, error: Exception | None) -> None:
        """Note what the pipeline ended with, unless it left the request before that had ended."""
        if error is not None or self._has_completed:
            self.end(error)

    def _hear(self, delta: Delta) -> None:
        if delta.text and self._first_chunk is None:
            self._first_chunk = self._elapsed()
        elif delta.kind == "finish" and delta.choice == 0:
            self._finish_reason = delta.finish_reason
        elif delta.usage:
            self._usage = delta.usage

    def _leave(self) -> None:
        self.end_with_pipeline(self._watch.error if self._watch else None)
        self._end("cancelled", None)

    def _status_without_error(self) -> Status:
        by_reason: dict[str | None, Status] = {"length": "truncated", "content_filter": "filtered"}
        return by_reason.get(self._finish_reason, "complete")

    def _end(self, status: Status, error: Exception | None) -> None:
        if self._has_ended:
            return

        self._has_ended = True
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
    """What the outermost pipeline over a stream sees of its requests."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.records: list[Record] = []
        self.error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        self.error = error

        for record in self.records:
            record.end_with_pipeline(error)


_watch: ContextVar[_Watch | None] = ContextVar("streamops_watch", default=None)


@contextmanager
def _watching(watch: _Watch) -> Generator[None]:
    token = _watch.set(watch)

    try:
        yield
    finally:
        _watch.reset(token)


def _status_of(error: Exception) -> Status:
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status

    return "failed"


def _shows_anything(value: object) -> bool:
    return not isinstance(value, BaseModel) or bool(value.model_fields_set)


def _sum(counts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    names = dict.fromkeys(name for count in counts for name in count)
    return {name: _total([count[name] for count in counts if name in count]) for name in names}


def _total(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]

    if known and all(isinstance(value, Mapping) for value in known):
        return _sum(known)

    is_numeric = known and all(isinstance(value, int | float) for value in known)
    return sum(known) if is_numeric else values[-1]
