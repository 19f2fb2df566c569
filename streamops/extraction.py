"""Extraction: the attempts that it takes to get a type from a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import reactivex
from reactivex import Observable
from reactivex import operators as rx

from streamops.calls import Branch, read_calls
from streamops.delta import Delta
from streamops.errors import MalformedJson, SchemaMismatch, StreamopsError
from streamops.forms import Form, Reading
from streamops.lifting import Operator, Step, lift
from streamops.modes import TOOL_MODES, Mode
from streamops.operators.accumulate_json import accumulate_json
from streamops.outcomes import Outcome, Record
from streamops.reasking import Heard, next_request
from streamops.sources.openai import ask


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of the requests that an extraction takes; what is emitted after it starts anew."""

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
            return read_calls(lambda tool: form.read(tool, reading), emits_items=form.has_items)

        return reactivex.compose(accumulate_json(), form.read(None, reading))


@dataclass(frozen=True, slots=True)
class Options:
    """How an answer is read, and what is done if it is no good."""

    read: Operator[Delta, Any]
    fail_fast: bool
    max_retries: int
    on_attempt: Callable[[Attempt], object] | None
    emits_attempts: bool


class Extraction:
    """What one subscriber gets: the values of one attempt after the other."""

    def __init__(self, asking: Asking, options: Options, outcome: Outcome) -> None:
        self._asking = asking
        self._options = options
        self._outcome = outcome
        self._record: Record | None = None
        self._emitted: list[Any] = []

    def attempt(
        self, request: Mapping[str, Any], after: Exception | None = None
    ) -> Observable[Any]:
        """Send a request and emit what is read of the answer; ask again if that is no good."""
        asking, options = self._asking, self._options
        record = self._record = Record(self._outcome, after=self._record)
        attempt = Attempt(record.attempt, after)

        if options.on_attempt is not None:
            options.on_attempt(attempt)

        deltas = asking.ask(request, record)
        last = record.attempt > options.max_retries
        heard = Heard()

        if not last:
            deltas = deltas.pipe(rx.do_action(heard.add))

        read = partial(_ToItsEnd, options.read, options.fail_fast, last)
        values = deltas.pipe(lift(read, emits_items=asking.form.has_items))

        if asking.form.has_items and not asking.streams:
            values = values.pipe(rx.to_list())
        elif asking.form.has_items and options.max_retries:
            values = values.pipe(lift(partial(_NotAgain, self._emitted), emits_items=True))

        values = record.seeing(values)

        if not last:
            values = values.pipe(rx.catch(partial(self._ask_again, request, heard)))

        return values.pipe(rx.start_with(attempt)) if options.emits_attempts else values

    def _ask_again(
        self, request: Mapping[str, Any], heard: Heard, error: Exception, _: Observable[Any]
    ) -> Observable[Any]:
        following = next_request(self._asking.mode, request, heard, error)

        if following is None:
            raise error

        return self.attempt(following, after=error)


class _ToItsEnd(Step[Delta, Any]):
    """Reads an answer, and hears an invalid one out where that is worth the while.

    The next request quotes the whole of it, and the usage comes at its end.
    """

    def __init__(self, read: Operator[Delta, Any], fail_fast: bool, last: bool) -> None:
        self._values = Branch(read)
        self._fail_fast = fail_fast
        self._last = last
        self._error: StreamopsError | None = None

    def feed(self, delta: Delta) -> Iterable[Any]:
        return self._guarded(partial(self._values.feed, delta)) if self._error is None else ()

    def close(self) -> Iterable[Any]:
        if self._error is not None:
            raise self._error

        return self._values.close()

    def fail(self, error: Exception) -> Iterable[Any]:
        if self._error is not None:
            raise self._error

        return self._values.fail(error)

    def _guarded(self, feed: Callable[[], Iterable[Any]]) -> Iterator[Any]:
        try:
            yield from feed()
        except (SchemaMismatch, MalformedJson) as error:
            is_over = error.snapshot is not None and error.snapshot.complete

            if self._fail_fast or (self._last and not is_over):
                raise

            self._error = error


class _NotAgain(Step[Any, Any]):
    """Drops what equals an item that an earlier attempt has emitted, as often as it has."""

    def __init__(self, emitted: list[Any]) -> None:
        self._emitted = emitted
        self._before = [*emitted]

    def feed(self, item: Any) -> Iterable[Any]:
        # Answers repeat each other mostly in order, so that the first is the one.
        for place, known in enumerate(self._before):
            if type(known) is type(item) and known == item:
                del self._before[place]
                return ()

        self._emitted.append(item)
        return (item,)
