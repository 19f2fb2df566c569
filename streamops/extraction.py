"""Extraction: the attempts that it takes to get a type from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import reactivex
from reactivex import Observable, abc
from reactivex import operators as rx
from reactivex.disposable import SerialDisposable, SingleAssignmentDisposable

from streamops.branches import HeardOut
from streamops.calls import read_calls
from streamops.delta import Delta
from streamops.emitted import Emitted
from streamops.endings import Outcome
from streamops.errors import MalformedJson, SchemaMismatch, StreamopsError
from streamops.forms import Form, Reading
from streamops.lifting import Operator, Step, Stream, lift
from streamops.modes import TOOL_MODES, Mode
from streamops.operators.accumulate_json import accumulate_json
from streamops.outcomes import Record
from streamops.reasking import Heard, next_request
from streamops.snapshot import Snapshot
from streamops.sources.openai import ask


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of the requests that an extraction takes.

    Partials that are emitted after it start anew; items go on, since the same is not emitted again.
    """

    number: int
    """From 1."""
    error: Exception | None
    """What the attempt before it ended with; None for the first."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that can be sent."""

    resource: Any
    """The part of the client that sends it."""
    mode: Mode
    form: Form
    request: Mapping[str, Any]
    streams: bool

    def ask(self, request: Mapping[str, Any], record: Record) -> Observable[Delta]:
        """Send a request, perhaps another than the first one, and emit the answer."""
        deltas = ask(self.resource, request, lambda: record.deltas, on_send=record.sent)
        return record.hearing(deltas)

    def reads(self, reading: Reading) -> Operator[Delta, Any]:
        """Return the operator that reads the answer."""
        form = self.form

        if self.mode in TOOL_MODES and form.reads_every_call:
            return read_calls(lambda tool: self._read(tool, reading), fail_fast=reading.fail_fast)

        reads = reactivex.compose(accumulate_json(), self._read(None, reading))
        # Calls of tools that the caller has given are none of the answer's.
        has_others = self.mode not in TOOL_MODES and {"tools", "functions"} & self.request.keys()
        return reactivex.compose(rx.filter(_is_no_call), reads) if has_others else reads

    def _read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        read = self.form.read(tool, reading)

        if self.streams or self.form.has_items:
            return read

        # What comes before an error is no answer.
        return reactivex.compose(rx.filter(_is_complete), read)


def _is_no_call(delta: Delta) -> bool:
    return delta.kind != "tool_call"


def _is_complete(snapshot: Snapshot) -> bool:
    return snapshot.complete


@dataclass(frozen=True, slots=True)
class Options:
    """How an answer is read, and what is done if it is no good."""

    reading: Reading
    read: Operator[Delta, Any]
    """What reads an answer so."""
    max_retries: int
    on_attempt: Callable[[Attempt], object] | None
    emits_attempts: bool


def extraction(asking: Asking, options: Options, outcome: Outcome, name: str) -> Observable[Any]:
    """Emit what is read of one attempt after the other, for every subscriber."""

    def subscribe(
        observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        attempts = _Attempts(asking, options, outcome, observer, scheduler)
        attempts.begin(asking.request)
        return attempts.current

    return Stream(subscribe, maker=name)


class _Attempts:
    """What one subscriber gets."""

    def __init__(
        self,
        asking: Asking,
        options: Options,
        outcome: Outcome,
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> None:
        self.current = SerialDisposable()
        """The attempt that is under way."""
        self._asking = asking
        self._options = options
        self._outcome = outcome
        self._observer = observer
        self._scheduler = scheduler
        self._record: Record | None = None
        self._emitted: Emitted | None = None

    def begin(self, request: Mapping[str, Any], after: Exception | None = None) -> None:
        """Send a request, and emit what is read of the answer; ask again if that is no good."""
        options = self._options
        record = self._record = Record(self._outcome, after=self._record)
        attempt = Attempt(record.attempt, after)
        heard = Heard()

        def on_error(error: Exception) -> None:
            following = None

            if record.attempt <= options.max_retries:
                following = next_request(self._asking.mode, request, heard, error)

            if following is None:
                self._observer.on_error(error)
            else:
                self.begin(following, error)

        if options.on_attempt is not None:
            try:
                options.on_attempt(attempt)
            except Exception as error:
                self._observer.on_error(error)
                return

        if options.emits_attempts:
            self._observer.on_next(attempt)

        # Closed before the next one is opened.
        subscription = SingleAssignmentDisposable()
        self.current.disposable = subscription
        subscription.disposable = self._values(request, record, heard).subscribe(
            self._observer.on_next,
            on_error,
            self._observer.on_completed,
            scheduler=self._scheduler,
        )

    def _values(self, request: Mapping[str, Any], record: Record, heard: Heard) -> Observable[Any]:
        asking, reading, read = self._asking, self._options.reading, self._options.read
        is_last = record.attempt > self._options.max_retries
        deltas = asking.ask(request, record)

        if not is_last:
            deltas = deltas.pipe(rx.do_action(heard.add))

        if asking.form.has_items and asking.streams and self._options.max_retries:
            self._emitted = Emitted(self._emitted)
            read = asking.reads(replace(reading, emitted=self._emitted))

        values = deltas.pipe(lift(lambda: _ToItsEnd(read, reading.fail_fast, is_last), name=""))

        if not asking.streams:
            values = values.pipe(lift(lambda: _AtItsEnd(asking.form), name=""))

        return record.seeing(values)


class _AtItsEnd(Step[Any, Any]):
    """Emits what was read of an answer when all of it is good."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._values: list[Any] = []

    def feed(self, value: Any) -> Iterable[Any]:
        self._values.append(value)
        return ()

    def close(self) -> Iterable[Any]:
        return self._form.gathered(self._values)


class _ToItsEnd(Step[Delta, Any]):
    """Reads an answer, and hears an invalid one out where that is worth the while.

    The next request quotes the whole of it, and the usage comes at its end.
    """

    def __init__(self, read: Operator[Delta, Any], fail_fast: bool, is_last: bool) -> None:
        self._values = HeardOut(read, self._is_worth_it)
        self._fail_fast = fail_fast
        self._is_last = is_last

    def feed(self, delta: Delta) -> Iterable[Any]:
        return self._values.feed(delta)

    def close(self) -> Iterator[Any]:
        yield from self._values.close()
        self._raise_held()

    def fail(self, error: Exception) -> Iterator[Any]:
        yield from self._values.fail(error)
        self._raise_held()

    def _is_worth_it(self, error: StreamopsError) -> bool:
        is_over = error.snapshot is not None and error.snapshot.complete
        is_invalid = isinstance(error, (SchemaMismatch, MalformedJson))
        return is_invalid and not self._fail_fast and (is_over or not self._is_last)

    def _raise_held(self) -> None:
        if self._values.error is not None:
            raise self._values.error
