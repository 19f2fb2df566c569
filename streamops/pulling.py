"""Pull through reactivex: a scheduler that a sink drives, and the readings that sources ask for."""

from __future__ import annotations

import heapq
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any, Generic, TypeAlias, TypeVar

from reactivex import Observable, abc, typing
from reactivex.disposable import Disposable
from reactivex.internal.constants import UTC_ZERO
from reactivex.scheduler.periodicscheduler import PeriodicScheduler
from reactivex.scheduler.scheduleditem import ScheduledItem

from streamops.sources.connection import AnyConnection, Connect, unread

T = TypeVar("T")
State = TypeVar("State")

Outcome: TypeAlias = tuple[T, ...] | Exception | None
"""What a read brought: a chunk, an error, or None at the end."""


class Reading(abc.DisposableBase, ABC):
    """One subscriber's use of a connection, which is closed once and never during a read."""

    def __init__(self) -> None:
        self.is_disposed = False
        self._busy = False
        self._lock = threading.RLock()

    def begin(self) -> bool:
        """Claim the connection for a read; False when nobody wants it any more."""
        with self._lock:
            self._busy = not self.is_disposed
            return self._busy

    def end(self) -> None:
        """Give the connection back after a read, to be closed if it was disposed meanwhile."""
        with self._lock:
            self._busy = False
            unwanted = self.is_disposed

        if unwanted:
            self.release()

    def dispose(self) -> None:
        """Close the connection, or interrupt its read, which closes it then."""
        with self._lock:
            if self.is_disposed:
                return

            self.is_disposed = True

            if self._busy:
                # Under the lock: a moment later the socket may belong to somebody else.
                self.interrupt()
                return

        self.release()

    def push(self, outcome: Outcome[T], observer: abc.ObserverBase[T]) -> None:
        """Push what a read brought, up to where it is disposed; an end disposes it."""
        if isinstance(outcome, tuple):
            for item in outcome:
                if self.is_disposed:
                    return

                observer.on_next(item)
        elif not self.is_disposed:
            # Closed before anybody hears of the end: what follows may open a new one.
            self.dispose()

            if outcome is None:
                observer.on_completed()
            else:
                observer.on_error(outcome)

    @abstractmethod
    def interrupt(self) -> None:
        """Make the read that is running end soon."""

    @abstractmethod
    def release(self) -> None:
        """Close the connection; called once."""


class PulledReading(Reading, Generic[T]):
    """A source that is read when a sink asks for it."""

    def __init__(
        self,
        scheduler: PullScheduler,
        connect: Connect[T],
        observer: abc.ObserverBase[T],
        *,
        blocking: bool,
        once: bool,
    ) -> None:
        super().__init__()
        self.connect = connect
        self.blocking = blocking
        self.stop: Callable[[], None] = _nothing
        """How the sink that reads it wants to be interrupted."""
        self._once = once
        self._scheduler = scheduler
        self.observer = observer
        scheduler.readings.add(self)

    def interrupt(self) -> None:
        """Make the read that is running end soon."""
        self.stop()

    def release(self) -> None:
        """Have the sink close the connection."""
        self._scheduler.release(self)

    def unread(self) -> AnyConnection[T] | None:
        """Return what has to be closed although it was never read."""
        return unread(self.connect) if self._once else None

    def deliver(self, outcome: Outcome[T]) -> None:
        """Push what was read, and ask for the next read."""
        self.push(outcome, self.observer)

        if not self.is_disposed:
            self._scheduler.request(self)


class PullScheduler(PeriodicScheduler):
    """Collects what is to be done until a sink does it.

    Everything may be called from any thread. ``wake`` is called after each addition.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        super().__init__()
        self.reads: deque[PulledReading[Any]] = deque()
        """Who wants to be read."""
        self.arrived: deque[tuple[PulledReading[Any], Outcome[Any]]] = deque()
        """What was read and not yet delivered."""
        self.released: deque[PulledReading[Any]] = deque()
        """Whose connection is to be closed."""
        self.readings: set[PulledReading[Any]] = set()
        """All that are not disposed, wherever they are."""
        self.thread: int | None = None
        """The thread in which the sink works, if it blocks."""
        self.readers: list[PullScheduler] = []
        """Whose sinks read what this one's waits for."""
        self._wake = wake
        self._ready: deque[ScheduledItem] = deque()
        self._timers: list[tuple[float, int, ScheduledItem]] = []
        self._order = count()
        self._lock = threading.Lock()

    def request(self, reading: PulledReading[Any]) -> None:
        """Ask for one read."""
        self.reads.append(reading)
        self._wake()

    def arrive(self, reading: PulledReading[T], outcome: Outcome[T]) -> None:
        """Keep what was read until it is its turn."""
        self.arrived.append((reading, outcome))
        self._wake()

    def release(self, reading: PulledReading[Any]) -> None:
        """Ask for a connection to be closed."""
        self.readings.discard(reading)
        self.released.append(reading)
        self._wake()

    def wait_for(self, reader: PullScheduler) -> abc.DisposableBase:
        """Remember, until disposed, that this one's sink gets what another one's reads."""
        self.readers.append(reader)
        return Disposable(lambda: self.readers.remove(reader))

    def schedule(
        self, action: abc.ScheduledAction[State], state: State | None = None
    ) -> abc.DisposableBase:
        """Run an action at the sink's next turn."""
        item = ScheduledItem(self, state, action, UTC_ZERO)
        self._ready.append(item)
        self._wake()
        return item.disposable

    def schedule_relative(
        self,
        duetime: typing.RelativeTime,
        action: abc.ScheduledAction[State],
        state: State | None = None,
    ) -> abc.DisposableBase:
        """Run an action some seconds from now, by a clock that nobody sets."""
        item = ScheduledItem(self, state, action, UTC_ZERO)
        due = time.monotonic() + self.to_seconds(duetime)

        with self._lock:
            heapq.heappush(self._timers, (due, next(self._order), item))

        self._wake()
        return item.disposable

    def schedule_absolute(
        self,
        duetime: typing.AbsoluteTime,
        action: abc.ScheduledAction[State],
        state: State | None = None,
    ) -> abc.DisposableBase:
        """Run an action at a time of day, however the clock is set until then."""
        until: Any = self.to_datetime(duetime) - self.now
        return self.schedule_relative(until, action, state)

    def deliver_one(self) -> bool:
        """Deliver one chunk that was read; False when there is none."""
        if not self.arrived:
            return False

        reading, outcome = self.arrived.popleft()
        reading.deliver(outcome)
        return True

    def run_one(self) -> bool:
        """Run one action that is due; False when there is none."""
        item = self._next_due() if self._timers or self._ready else None

        if item is None:
            return False

        if not item.is_cancelled():
            item.invoke()

        return True

    def has_ready(self) -> bool:
        """Whether an action waits for nothing but its turn."""
        return bool(self._ready)

    def until_timer(self) -> float | None:
        """Return the seconds until the next timer, or None when there is none."""
        if not self._timers:
            return None

        with self._lock:
            self._drop_cancelled()
            return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _next_due(self) -> ScheduledItem | None:
        if self._timers:
            with self._lock:
                self._drop_cancelled()

                if self._timers and self._timers[0][0] <= time.monotonic():
                    return heapq.heappop(self._timers)[2]

        return self._ready.popleft() if self._ready else None

    def _drop_cancelled(self) -> None:
        while self._timers and self._timers[0][2].is_cancelled():
            heapq.heappop(self._timers)


class Pull(ABC, Generic[T]):
    """A subscription whose values are kept until they are asked for."""

    def __init__(self, stream: Observable[T]) -> None:
        self.values: deque[T] = deque()
        self.error: Exception | None = None
        self.ended = False
        self.scheduler = PullScheduler(self.wake)
        self._stream = stream
        self._subscription: abc.DisposableBase | None = None

    @property
    def is_subscribed(self) -> bool:
        """Whether anything was asked of the stream yet."""
        return self._subscription is not None

    def subscribe(self) -> None:
        """Subscribe, unless that was done before."""
        if self._subscription is None:
            self._subscription = self._stream.subscribe(
                self._on_next, self._on_error, self._on_completed, scheduler=self.scheduler
            )

    def unsubscribe(self) -> None:
        """Dispose the subscription; nothing arrives after that."""
        self.ended = True

        if self._subscription is not None:
            self._subscription.dispose()

    def fail(self, error: Exception) -> None:
        """End with this error, unless there is one."""
        self.error = self.error or error
        self.unsubscribe()

    def take_turn(self) -> bool:
        """Do one thing that needs no waiting; False when there is none."""
        return self.scheduler.run_one() or self.scheduler.deliver_one()

    def has_news(self) -> bool:
        """Whether something happened that is worth another turn."""
        scheduler = self.scheduler
        return bool(
            self.values
            or self.ended
            or scheduler.reads
            or scheduler.arrived
            or scheduler.released
            or scheduler.has_ready()
        )

    @abstractmethod
    def wake(self) -> None:
        """End the wait for something to do, from whichever thread."""

    def _on_next(self, value: T) -> None:
        self.values.append(value)
        self.wake()

    def _on_error(self, error: Exception) -> None:
        self.error = error
        self._on_completed()

    def _on_completed(self) -> None:
        self.ended = True
        self.wake()


def _nothing() -> None: ...
