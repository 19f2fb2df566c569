"""The one place where a source becomes an Observable."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from anyio import Event
from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable
from reactivex.scheduler import CurrentThreadScheduler

from streamops.eventloop import EventLoop, running_loop
from streamops.lifting import Stream
from streamops.pulling import Outcome, PulledReading, PullScheduler, Reading
from streamops.sources.connection import Connect, Connection, discard, unread
from streamops.sources.opening import AsyncOpener

T = TypeVar("T")


def observe(connect: Connect[T], *, blocking: bool, once: bool = False, name: str) -> Observable[T]:
    """Make an Observable that connects once for every subscriber, at the first read.

    A sink of ours reads when it wants the next value. For everybody else the source pushes all it
    has: a blocking one on the scheduler of the subscription, an asynchronous one in a task of the
    event loop that runs in the thread. ``blocking`` says that ``connect`` itself may block,
    ``once`` that it gives away what is open already: that is closed when a subscription ends, even
    if it was never read. ``name`` is the source's.

    An asynchronous source that is pushed because another one was given up, as by ``retry``, is
    opened when that is closed.

    What connecting and reading raise ends the stream with that error; what a subscriber raises
    goes up to whoever pushes.
    """

    def subscribe(
        observer: abc.ObserverBase[T], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        if isinstance(scheduler, PullScheduler):
            reading = PulledReading(scheduler, connect, observer, blocking=blocking, once=once)
            scheduler.request(reading)
            return reading

        held = SingleAssignmentDisposable()

        def push(_: abc.SchedulerBase, __: object = None) -> None:
            if not held.is_disposed:
                _push(connect, observer, held)

        # Scheduled, so that the subscription is known before the first value comes.
        scheduled = (scheduler or CurrentThreadScheduler.singleton()).schedule(push)
        left = Disposable(lambda: _close_unread(connect)) if once else Disposable()
        return CompositeDisposable(scheduled, held, left)

    return Stream(subscribe, maker=name)


def _push(
    connect: Connect[T], observer: abc.ObserverBase[T], held: SingleAssignmentDisposable
) -> None:
    try:
        opened = connect()
    except Exception as error:
        observer.on_error(error)
        return

    if isinstance(opened, Connection):
        reading = _PushedReading(opened)
        held.disposable = reading
        reading.push_all(observer)
        return

    loop = running_loop()

    if loop is None:
        discard(opened)
        observer.on_error(
            RuntimeError(
                "An asynchronous source needs a running event loop to be subscribed to. "
                "Without one, use to_generator or run."
            )
        )
        return

    awaited = _AwaitedReading(AsyncOpener[Any].of(opened, loop), loop)
    held.disposable = awaited
    loop.spawn(partial(awaited.push_all, observer))


def _close_unread(connect: Connect[Any]) -> None:
    connection = unread(connect)

    if isinstance(connection, Connection):
        connection.close()
    elif connection is not None and (loop := running_loop()) is not None:
        loop.spawn(connection.close)


class _PushedReading(Reading, Generic[T]):
    def __init__(self, connection: Connection[T]) -> None:
        super().__init__()
        self._connection = connection

    def push_all(self, observer: abc.ObserverBase[T]) -> None:
        try:
            while self.begin():
                try:
                    outcome: Outcome[T] = self._connection.read()
                except Exception as error:
                    outcome = error
                finally:
                    self.end()

                self.push(outcome, observer)
        finally:
            self.dispose()

    def interrupt(self) -> None:
        self._connection.interrupt()

    def release(self) -> None:
        self._connection.close()


@dataclass(frozen=True, slots=True, eq=False)
class _Departure:
    """A connection that is disposed, and closed a while later."""

    loop: EventLoop
    closed: Event


_departures: ContextVar[list[_Departure] | None] = ContextVar("streamops_departures", default=None)
"""What was disposed by the subscribers to whom a task pushes, and by what they have scheduled."""


class _AwaitedReading(Reading):
    def __init__(self, connection: AsyncOpener[Any], loop: EventLoop) -> None:
        super().__init__()
        self._connection = connection
        self._departure = _Departure(loop, Event())
        # The list itself: some operators subscribe anew and dispose after that.
        self._before = _departures.get()
        self._has_begun = False

    async def push_all(self, observer: abc.ObserverBase[Any]) -> None:
        self._has_begun = True
        before = self._before or ()
        after = [other.closed for other in before if other.loop.is_here()]
        _departures.set([])

        try:
            await push_awaited(self, self._connection, observer, after=after)
        finally:
            self._departure.closed.set()

    def interrupt(self) -> None:
        self._depart()
        self._connection.interrupt()

    def release(self) -> None:
        # Closing has to be awaited, which the task does when it finds itself disposed.
        self._depart()

    def _depart(self) -> None:
        departures = _departures.get()

        # A task that has not begun may never do so, and has nothing to close.
        if departures is not None and self._has_begun and self._departure.loop.is_here():
            departures[:] = [other for other in departures if not other.closed.is_set()]
            departures.append(self._departure)


async def push_awaited(
    reading: Reading,
    connection: AsyncOpener[T],
    observer: abc.ObserverBase[T],
    *,
    after: Iterable[Event] = (),
) -> None:
    """Push all that an asynchronous source has; close it however that ends.

    It is not opened before everything has happened that it comes ``after``.
    """
    try:
        for event in after:
            await event.wait()

        while reading.begin():
            try:
                outcome: Outcome[T] = await connection.read()
            except Exception as error:
                outcome = error
            finally:
                reading.end()

            if not isinstance(outcome, tuple):
                await _close(connection)

            reading.push(outcome, observer)
    finally:
        reading.dispose()
        await _close(connection)


async def _close(connection: AsyncOpener[Any]) -> None:
    # A source that subscribes to another one while it closes would wait for itself.
    token = _departures.set(None)

    try:
        await connection.close()
    finally:
        _departures.reset(token)
