"""Recorder: notes what each stage of a pipeline emits, and when, while the pipeline runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from weakref import WeakSet

from reactivex import ConnectableObservable, Observable, abc
from reactivex.disposable import Disposable

from streamops.lifting import Lifted, Stream, are_items, name_of, source_of, stage_of
from streamops.pulling import PullScheduler
from streamops.tracing.stages import Event, EventKind, Stage
from streamops.tracing.subscriptions import current_scope, scope, unseen

T = TypeVar("T")
State = TypeVar("State")


class Recorder:
    """Notes what the subscribers of one pipeline get, and what the stages behind it do for that."""

    def __init__(self, pipeline: Observable[Any], clock: Callable[[], float]) -> None:
        self._pipeline = stage_of(pipeline)
        self._clock = clock
        self._began = clock()
        self._sink = _Row()
        self._rows: list[_Row] = []
        self._nodes: dict[int, _Node] = {}
        self._by_place: dict[tuple[int, bool, tuple[str, ...]], _Row] = {}
        self._readers: dict[int, _Row] = {}
        # An Observable that nobody holds any more would leave its identity to another one.
        self._held: list[Observable[Any]] = []
        self._running = _Running()
        self.made: WeakSet[Observable[Any]] = WeakSet()
        """What stages made while they ran."""
        self.is_over = False

    def subscribe(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        """Subscribe to the pipeline, with a note of all that happens."""
        if isinstance(scheduler, PullScheduler):
            scheduler = _ScopedScheduler(scheduler)

        self.switch(None)

        with _RowScope(self, self._sink):
            return self._pipeline.subscribe(observer, scheduler=scheduler)

    def stages(self) -> tuple[Stage, ...]:
        """Return what was noted, from the sources to the end of the pipeline."""
        ordered = _ordered(self._sink)
        found = set(ordered)
        ordered += [row for row in self._rows if row not in found]
        visible = [row for row in ordered if not row.is_hidden and row is not self._sink]
        number = {id(row): index for index, row in enumerate(visible)}

        return tuple(
            Stage(
                name=row.name,
                sources=tuple(sorted(number[id(source)] for source in row.visible_sources())),
                received=row.received,
                seconds=row.seconds,
                events=tuple(map(Event._make, row.events)),
                emits_items=row.emits_items,
            )
            for row in visible
        )

    def elapsed(self) -> float:
        """Return the seconds since the beginning."""
        return self._clock() - self._began

    def subscribed(self, row: _Row, reader: _Row) -> None:
        """Note that somebody reads a stage."""
        if row is not reader and not row.reads(reader):
            reader.sources[row] = None

    def node_of(self, observable: Observable[Any], reader: _Row) -> tuple[_Node, _Row] | None:
        """Return a stage and the row of who reads it; None for what is no stage."""
        if reader is self._sink and observable is not self._pipeline:
            # What a trampoline runs, it runs on behalf of whoever came first.
            reader = self._readers.get(id(observable), reader)

        known = self._nodes.get(id(observable))

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

        place = id(reader), is_source, tuple(_kinds(observable))
        row = self._by_place.get(place)

        # What somebody built beforehand is a stage of its own. What one stage makes while it runs,
        # such as the streams of flat_map, shares the row of its kind.
        if row is None or (is_named and observable not in self.made):
            row = _Row(are_items(observable))
            self._rows.append(row)
            self._by_place.setdefault(place, row)

        row.is_junction = not is_named and not is_last
        row.names.add(name_of(observable))
        return self._hold(observable, row), reader

    def _hold(self, observable: Observable[Any], row: _Row) -> _Node:
        self._held.append(observable)
        node = self._nodes[id(observable)] = _Node(row)
        source = _origin(source_of(observable))

        if source is not None:
            self._held.append(source)
            self._readers[id(source)] = row

        return node

    def switch(self, row: _Row | None) -> _Row | None:
        """Charge the time that has passed to who was running, and let another stage run."""
        running, now = self._running, self._clock()
        before, since = running.row, running.since
        running.row, running.since = row, now

        if before is not None:
            before.own_time += now - since

        return before


def _origin(observable: Observable[Any] | None) -> Observable[Any] | None:
    """Return the stage whose elements an Observable passes on."""
    while isinstance(observable, Stream) and observable.maker is None:
        observable = source_of(observable)

    return observable


def _kinds(observable: Observable[Any]) -> Iterator[str]:
    """List the names of a stage and of the named ones before it, without their arguments."""
    yield _kind(name_of(observable))
    stage = source_of(observable)

    while stage is not None:
        if isinstance(stage, Stream) and stage.maker is not None and stage.name:
            yield _kind(stage.name)

        stage = source_of(stage)


def _kind(name: str) -> str:
    return name.partition("(")[0]


def _is_plain(observable: Observable[Any]) -> bool:
    return not isinstance(observable, ConnectableObservable)


class _Running(threading.local):
    """Who is running in a thread."""

    def __init__(self) -> None:
        self.row: _Row | None = None
        self.since = 0.0


class _Node:
    """An Observable that is a stage."""

    def __init__(self, row: _Row) -> None:
        self.row = row
        self.readers = 0
        """How many subscriptions to it there were."""


class _Row:
    """What is known of a stage so far, and of those that share its row."""

    def __init__(self, emits_items: bool | None = None) -> None:
        self.names: set[str] = set()
        self.emits_items = emits_items
        self.is_junction = False
        """Whether it may be somewhere that elements are only passed through, such as a Subject."""
        self.sources: dict[_Row, None] = {}
        self.received = 0
        self.own_time = 0.0
        self.waits: list[tuple[float, float]] = []
        """From when to when a subscriber waited, if it is a source."""
        self.subscriptions = 0
        self.events: list[tuple[float, EventKind, Any, int]] = []

    @property
    def name(self) -> str:
        """Its name, without arguments if these differ."""
        name, count = next(iter(self.names), ""), len(self.names)
        return name if count < 2 else f"{_kind(name)}(…) \N{MULTIPLICATION SIGN}{count:,}"

    @property
    def seconds(self) -> float:
        """What it took itself; of a source, how long anybody waited for it."""
        return self.own_time if self.sources else _covered(self.waits)

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


class _RowScope:
    """Runs on behalf of a stage, which a source may have told something, until that is done."""

    def __init__(self, recorder: Recorder, row: _Row, teller: _Row | None = None) -> None:
        self.recorder = recorder
        self.row = row
        self.teller = teller
        self.is_done = False
        self._told: dict[_Node, list[tuple[EventKind, Any]]] = {}
        self._heard: dict[_Tap, int] = {}

    def __enter__(self) -> None:
        self._token = scope.set(self)
        self._before = self.recorder.switch(self.row)

    def __exit__(self, *_: object) -> None:
        self.recorder.switch(self._before)
        scope.reset(self._token)
        self.is_done = True

    def made(self, observable: Observable[Any]) -> None:
        self.recorder.made.add(observable)

    def subscribe(
        self,
        observable: Observable[Any],
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> abc.DisposableBase:
        recorder = self.recorder
        stage = stage_of(observable)
        found = None if recorder.is_over else recorder.node_of(stage, self.row)

        if found is None:
            return unseen(stage, observer, scheduler)

        node, reader = found
        recorder.subscribed(node.row, reader)
        tap = _Tap(recorder, node, reader, observer)

        with _RowScope(recorder, node.row):
            by_itself = stage.by_itself() if isinstance(stage, Lifted) else stage
            subscription = unseen(by_itself, tap, scheduler)

        return Disposable(lambda: tap.leave(subscription))

    def is_known(self, tap: _Tap, kind: EventKind, value: Any) -> bool:
        """Return whether another subscriber was told of an event that a stage shares."""
        # What comes of a subscription is the subscriber's alone.
        if self.teller is None or tap.node.readers == 1:
            return False

        told = self._told.setdefault(tap.node, [])

        for index in range(self._heard.get(tap, 0), len(told)):
            other_kind, other = told[index]

            if other_kind == kind and other is value:
                self._heard[tap] = index + 1
                return True

        told.append((kind, value))
        self._heard[tap] = len(told)
        return False


class _Tap(abc.ObserverBase[Any]):
    """Stands between a stage and who reads it."""

    def __init__(
        self, recorder: Recorder, node: _Node, reader: _Row, observer: abc.ObserverBase[Any]
    ) -> None:
        self.node = node
        self._recorder = recorder
        self._row = node.row
        self._reader = reader
        self._observer = observer
        self._number = node.row.subscriptions
        self._is_left = False
        self._waits_since: float | None = recorder.elapsed()
        node.readers += 1
        node.row.subscriptions += 1
        self._note(self._waits_since, "subscribed", None)

    def on_next(self, value: Any) -> None:
        self._tell("next", value, self._observer.on_next, value)

    def on_error(self, error: Exception) -> None:
        self._tell("error", error, self._observer.on_error, error)

    def on_completed(self) -> None:
        self._tell("completed", None, self._observer.on_completed)

    def leave(self, subscription: abc.DisposableBase) -> None:
        """End the subscription."""
        self._is_left = True

        if not self._recorder.is_over:
            self._wait_no_longer(self._recorder.elapsed())

        subscription.dispose()

    def _tell(
        self, kind: EventKind, value: Any, tell: Callable[..., None], *arguments: Any
    ) -> None:
        recorder, row, reader = self._recorder, self._row, self._reader

        if recorder.is_over:
            tell(*arguments)
            return

        now, cause = recorder.elapsed(), _scope_of(recorder)
        self._wait_no_longer(now)

        if cause is not None and not row.sources:
            _find_source(row, cause)

        if cause is None or not cause.is_known(self, kind, value):
            self._note(now, kind, value)

        reader.received += kind == "next"

        try:
            with _RowScope(recorder, reader, row):
                tell(*arguments)
        finally:
            if kind == "next" and not self._is_left:
                self._waits_since = recorder.elapsed()

    def _note(self, at: float, kind: EventKind, value: Any) -> None:
        self._row.events.append((at, kind, value, self._number))

    def _wait_no_longer(self, now: float) -> None:
        since, self._waits_since = self._waits_since, None

        if since is not None and not self._row.sources:
            self._row.waits.append((since, now))


def _scope_of(recorder: Recorder) -> _RowScope | None:
    current: Any = current_scope()
    return current if isinstance(current, _RowScope) and current.recorder is recorder else None


def _find_source(row: _Row, cause: _RowScope) -> None:
    for feeder in (cause.row, cause.teller):
        if feeder is not None and feeder is not row and not feeder.reads(row):
            row.sources[feeder] = None
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
    current: Any = current_scope()

    if not isinstance(current, _RowScope):
        return action

    recorder, row, teller = current.recorder, current.row, current.teller

    def scoped(scheduler: abc.SchedulerBase, state: State | None = None) -> Any:
        with _RowScope(recorder, row, teller):
            return action(scheduler, state)

    return scoped


def _covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much time lies in any of some spans."""
    covered, until = 0.0, 0.0

    for begin, end in sorted(spans):
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)

    return covered


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
