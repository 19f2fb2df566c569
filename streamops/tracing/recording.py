"""Recorder: notes what each stage of a pipeline emits, and when, while the pipeline runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from reactivex import ConnectableObservable, Observable, abc

from streamops.lifting import Lifted, Stream, are_items, name_of, source_of, stage_of
from streamops.pulling import PullScheduler
from streamops.tracing.stages import Event, EventKind, Stage
from streamops.tracing.subscriptions import scope, unseen

T = TypeVar("T")
State = TypeVar("State")


class Recorder:
    """Notes what the subscribers of one pipeline get, and what the stages behind it do for that."""

    def __init__(self, pipeline: Observable[Any], clock: Callable[[], float]) -> None:
        self._pipeline = stage_of(pipeline)
        self._clock = clock
        self._began = clock()
        self._sink = _Row("", None)
        self._rows: list[_Row] = []
        self._by_observable: dict[int, _Row] = {}
        self._by_place: dict[tuple[int, bool, str], _Row] = {}
        self._readers: dict[int, _Row] = {}
        # An Observable that nobody holds any more would leave its identity to another one.
        self._held: list[Observable[Any]] = []
        self._running = _Running()
        self.is_over = False

    def subscribe(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        """Subscribe to the pipeline, with a note of all that happens."""
        if isinstance(scheduler, PullScheduler):
            scheduler = _ScopedScheduler(scheduler)

        self.switch(None)

        with self.within(_RowScope(self, self._sink, None)):
            return self._pipeline.subscribe(observer, scheduler=scheduler)

    def stages(self) -> tuple[Stage, ...]:
        """Return what was noted, from the sources to the end of the pipeline."""
        ordered = _ordered(self._sink)
        ordered += [row for row in self._rows if row not in ordered]
        visible = [row for row in ordered if not row.is_hidden and row is not self._sink]
        number = {id(row): index for index, row in enumerate(visible)}

        return tuple(
            Stage(
                name=row.name,
                sources=tuple(sorted(number[id(source)] for source in row.visible_sources())),
                received=row.received,
                seconds=row.seconds,
                events=tuple(Event(at, kind, value) for at, kind, value, _ in row.events),
                emits_items=row.emits_items,
            )
            for row in visible
        )

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return self._clock() - self._began

    def subscribed(self, row: _Row, reader: _Row, tap: _Tap) -> None:
        """Note that somebody reads a stage."""
        if row is not reader and not row.reads(reader):
            reader.sources[row] = None

        row.events.append((self.elapsed(), "subscribed", None, row.received))
        tap.seen = len(row.events)

    def row_of(self, observable: Observable[Any], reader: _Row) -> tuple[_Row, _Row] | None:
        """Return the row of a stage and of who reads it; None for what is no stage."""
        if reader is self._sink and observable is not self._pipeline:
            # What a trampoline runs, it runs on behalf of whoever came first.
            reader = self._readers.get(id(observable), reader)

        known = self._by_observable.get(id(observable))

        if known is not None:
            return known, reader

        is_source = self._readers.get(id(observable)) is reader
        is_last = observable is self._pipeline
        is_named = isinstance(observable, Stream)

        if isinstance(observable, Stream):
            if observable.maker is None:
                return None
        elif not is_last and not (is_source and reader.name and _is_plain(observable)):
            return None

        name = name_of(observable)
        # What streams of one name read tells them apart.
        place = id(reader), is_source, repr(observable) if is_named and name else name
        row = self._by_place.get(place)

        if row is None:
            row = self._by_place[place] = _Row(name, are_items(observable))
            row.is_junction = not is_named and not is_last
            self._rows.append(row)

        self._hold(observable, row)
        return row, reader

    def _hold(self, observable: Observable[Any], row: _Row) -> None:
        self._held.append(observable)
        self._by_observable[id(observable)] = row
        source = _origin(source_of(observable))

        if source is not None:
            self._held.append(source)
            self._readers[id(source)] = row

    @contextmanager
    def within(self, within: _RowScope) -> Generator[None]:
        """Do something on behalf of a stage."""
        token = scope.set(within)
        before = self.switch(within.row)

        try:
            yield
        finally:
            self.switch(before)
            scope.reset(token)

    def switch(self, row: _Row | None) -> _Row | None:
        """Charge the time that has passed to who was running, and let another stage run."""
        running, now = self._running, self._clock()
        before, passed = running.row, now - running.since
        running.row, running.since = row, now

        if before is not None:
            before.seconds += passed
        elif running.has_begun:
            running.idle += passed

        running.has_begun = True

        # The time in which nobody does anything is spent waiting for a source.
        if before is None and row is not None and not row.sources:
            row.seconds += running.idle
            running.idle = 0.0

        return before


def _origin(observable: Observable[Any] | None) -> Observable[Any] | None:
    """Return the stage whose elements an Observable passes on."""
    while isinstance(observable, Stream) and observable.maker is None:
        observable = source_of(observable)

    return observable


def _is_plain(observable: Observable[Any]) -> bool:
    return not isinstance(observable, ConnectableObservable)


class _Running(threading.local):
    """Who is running in a thread."""

    def __init__(self) -> None:
        self.row: _Row | None = None
        self.since = 0.0
        self.idle = 0.0
        self.has_begun = False


class _Row:
    """What is known of a stage so far."""

    def __init__(self, name: str, emits_items: bool | None) -> None:
        self.name = name
        self.emits_items = emits_items
        self.is_junction = False
        """Whether it may be somewhere that elements are only passed through, such as a Subject."""
        self.sources: dict[_Row, None] = {}
        self.received = 0
        self.seconds = 0.0
        self.events: list[tuple[float, EventKind, Any, int]] = []

    @property
    def is_hidden(self) -> bool:
        """Whether it is none of the stages that anybody knows of."""
        return not self.name or (self.is_junction and bool(self.sources))

    def reads(self, other: _Row) -> bool:
        """Return whether anything of another stage arrives here."""
        remaining: list[_Row] = [self]
        found: set[_Row] = {self}

        while remaining:
            row = remaining.pop()

            if row is other:
                return True

            new = row.sources.keys() - found
            found |= new
            remaining.extend(new)

        return False

    def visible_sources(self) -> set[_Row]:
        """Return the stages that it reads, through what is hidden."""
        sources: set[_Row] = set()

        for source in self.sources:
            sources |= source._visible_ends() if source.is_hidden else {source}

        return sources - {self}

    def _visible_ends(self) -> set[_Row]:
        ends = self.visible_sources()
        # What goes through another one of them is read there.
        return {end for end in ends if not any(one is not end and one.reads(end) for one in ends)}


@dataclass(frozen=True, slots=True)
class _RowScope:
    """Runs on behalf of a stage, which a source may have told something."""

    recorder: Recorder
    row: _Row
    teller: _Row | None

    def subscribe(
        self,
        observable: Observable[Any],
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> abc.DisposableBase:
        recorder = self.recorder
        stage = stage_of(observable)
        rows = None if recorder.is_over else recorder.row_of(stage, self.row)

        if rows is None:
            return unseen(stage, observer, scheduler)

        row, reader = rows
        tap = _Tap(recorder, row, reader, observer)
        recorder.subscribed(row, reader, tap)

        with recorder.within(_RowScope(recorder, row, None)):
            by_itself = stage.by_itself() if isinstance(stage, Lifted) else stage
            return unseen(by_itself, tap, scheduler)


class _Tap(abc.ObserverBase[Any]):
    """Stands between a stage and who reads it."""

    def __init__(
        self, recorder: Recorder, row: _Row, reader: _Row, observer: abc.ObserverBase[Any]
    ) -> None:
        self.seen = 0
        """How many events of the stage it has seen."""
        self._recorder = recorder
        self._row = row
        self._reader = reader
        self._observer = observer
        self._scope = _RowScope(recorder, reader, row)

    def on_next(self, value: Any) -> None:
        self._tell("next", value, self._observer.on_next, value)

    def on_error(self, error: Exception) -> None:
        self._tell("error", error, self._observer.on_error, error)

    def on_completed(self) -> None:
        self._tell("completed", None, self._observer.on_completed)

    def _tell(
        self, kind: EventKind, value: Any, tell: Callable[..., None], *arguments: Any
    ) -> None:
        recorder, row = self._recorder, self._row

        if recorder.is_over:
            tell(*arguments)
            return

        if not row.sources:
            self._find_source()

        before = recorder.switch(row)
        token = scope.set(self._scope)
        self._note(kind, value)
        self._reader.received += kind == "next"
        recorder.switch(self._reader)

        try:
            tell(*arguments)
        finally:
            recorder.switch(before)
            scope.reset(token)

    def _note(self, kind: EventKind, value: Any) -> None:
        row, events = self._row, self._row.events

        # What is shared tells each of its subscribers of the same event.
        if row.sources:
            for index in range(self._first_of_input(), len(events)):
                _, other_kind, other, _ = events[index]

                if other_kind == kind and other is value:
                    self.seen = index + 1
                    return

        events.append((self._recorder.elapsed(), kind, value, row.received))
        self.seen = len(events)

    def _first_of_input(self) -> int:
        """Return where the events begin that came of what the stage received last."""
        row, index = self._row, len(self._row.events)

        while index > self.seen and row.events[index - 1][3] == row.received:
            index -= 1

        return index

    def _find_source(self) -> None:
        current: _RowScope | None = scope.get()

        if current is None or current.recorder is not self._recorder:
            return

        for feeder in (current.row, current.teller):
            if feeder is not None and feeder is not self._row and not feeder.reads(self._row):
                self._row.sources[feeder] = None
                return


class _ScopedScheduler(PullScheduler):
    """A sink's scheduler that runs an action on behalf of who scheduled it."""

    def __init__(self, scheduler: PullScheduler) -> None:
        # It is the sink's in everything else: both look at the same queues.
        object.__setattr__(self, "__dict__", vars(scheduler))

    def schedule(
        self, action: abc.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        return super().schedule(_scoped(action), state)

    def schedule_relative(
        self, duetime: Any, action: abc.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        return super().schedule_relative(duetime, _scoped(action), state)


def _scoped(action: abc.ScheduledAction[State]) -> abc.ScheduledAction[State]:
    current: _RowScope | None = scope.get()

    if current is None:
        return action

    def scoped(scheduler: abc.SchedulerBase, state: State | None = None) -> Any:
        with current.recorder.within(current):
            return action(scheduler, state)

    return scoped


def _ordered(sink: _Row) -> list[_Row]:
    """Return the stages behind a sink, each after what it reads; not by recursion."""
    ordered: list[_Row] = []
    found = {sink}
    path = [(sink, iter(list(sink.sources)))]

    while path:
        row, sources = path[-1]
        source = next(sources, None)

        if source is None:
            ordered.append(row)
            path.pop()
        elif source not in found:
            found.add(source)
            path.append((source, iter(list(source.sources))))

    return ordered
