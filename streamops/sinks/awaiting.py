"""Pull by awaiting: what is behind an asynchronous generator."""

from __future__ import annotations

from asyncio import Task, create_task, wait
from collections.abc import AsyncGenerator
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from anyio import CancelScope, Event, create_task_group, move_on_after
from anyio.abc import TaskGroup
from reactivex import Observable

from streamops.eventloop import EventLoop, running_loop
from streamops.pulling import Outcome, Pull, PulledReading
from streamops.sources.connection import Connection
from streamops.sources.observing import push_awaited
from streamops.sources.opening import AsyncOpener

T = TypeVar("T")


class AsyncValues(AsyncGenerator[T, None]):
    """The values of a stream, for ``async for``; a context manager that closes the source.

    One task at a time may ask for the next value; a second one gets a RuntimeError.
    """

    # A class, because a native asynchronous generator that is dropped is the event loop's to
    # close, which on trio warns. The pull does not know this object, so it is dropped at once.

    def __init__(self, stream: Observable[T]) -> None:
        self._stream = stream
        self._pull: _AsyncPull[T] | None = None
        self._group: TaskGroup | None = None

    async def __anext__(self) -> T:
        return await self._begin().take()

    async def asend(self, value: None) -> T:
        """Return the next value, as ``anext`` does."""
        return await self._begin().take()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
    ) -> T:
        """Close the source and raise the exception."""
        await self.aclose()

        if isinstance(typ, BaseException):
            raise typ

        raise (val if isinstance(val, BaseException) else typ()).with_traceback(tb)

    async def aclose(self) -> None:
        """Close the source; whoever waits for a value is told that there are no more."""
        await self._begin().close()

    async def __aenter__(self) -> Self:
        self._group = self._begin().group = create_task_group()
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        group, self._group = self._group, None

        try:
            await self._begin().close()
        finally:
            if group is not None:
                group.cancel_scope.cancel()
                # Told of the error, the group would wrap it.
                await group.__aexit__(None, None, None)

    def __del__(self) -> None:
        if self._pull is not None:
            self._pull.abandon()

    def _begin(self) -> _AsyncPull[T]:
        if self._pull is None:
            loop = running_loop()

            if loop is None:
                raise RuntimeError("An asynchronous generator needs asyncio or trio to be running")

            self._pull = _AsyncPull(self._stream, loop)

        return self._pull


class _AsyncPull(Pull[T]):
    def __init__(self, stream: Observable[T], loop: EventLoop) -> None:
        super().__init__(stream)
        self.group: TaskGroup | None = None
        self._connections: dict[PulledReading[Any], AsyncOpener[Any]] = {}
        self._running: set[PulledReading[Any]] = set()
        self._in_tasks: set[PulledReading[Any]] = set()
        self._tasks: set[Task[None]] = set()
        self._loop = loop
        self._news: Event | None = None
        self._is_taking = False
        self._taken: Event | None = None
        self._closed = False

    async def take(self) -> T:
        if self._is_taking:
            raise RuntimeError("Another task is already waiting for the next value of this stream")

        self._is_taking = True

        try:
            return await self._advance()
        except BaseException:
            await self._finish()
            raise
        finally:
            self._is_taking = False

            if self._taken is not None:
                self._taken.set()
                self._taken = None

    async def close(self) -> None:
        self.unsubscribe()

        if self._is_taking:
            self._interrupt_reads()
            taken = self._taken = self._taken or Event()

            with CancelScope(shield=True):
                await taken.wait()

        await self._finish()

    def abandon(self) -> None:
        if self.is_subscribed and not self._closed:
            self.unsubscribe()
            self._loop.spawn(self._finish)

    def wake(self) -> None:
        news = self._news

        if news is None:
            return

        if self._loop.is_here():
            news.set()
        else:
            self._loop.soon(news.set)

    async def _advance(self) -> T:
        if self._closed:
            raise StopAsyncIteration

        self.subscribe()
        scheduler = self.scheduler

        while True:
            if scheduler.released:
                await self._close_released()

            if self.values:
                return self.values.popleft()

            if self.ended:
                raise self._end()

            if self.take_turn():
                continue

            seconds = scheduler.until_timer()

            if len(scheduler.reads) == 1 and seconds is None and not self._in_tasks:
                await self._read(scheduler.reads.popleft())
            else:
                await self._read_in_tasks(seconds)

    def _end(self) -> Exception:
        if isinstance(self.error, StopAsyncIteration):
            # It would look like the end.
            failure = RuntimeError("The stream ended with StopAsyncIteration as its error")
            failure.__cause__ = self.error
            return failure

        return self.error or StopAsyncIteration()

    async def _read_in_tasks(self, seconds: float | None) -> None:
        reads = self.scheduler.reads

        while reads:
            self._start(reads.popleft())

        # Set up before looking: whoever adds something sets it after that.
        self._news = Event()

        if not self.has_news():
            with move_on_after(seconds):
                await self._news.wait()

    def _start(self, reading: PulledReading[Any]) -> None:
        if self.group is not None:
            self.group.start_soon(self._read, reading)
        elif self._loop.name == "asyncio":
            task = create_task(self._read(reading))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            raise RuntimeError(
                "Several sources or timers at once need tasks, which trio has only inside of "
                "`async with to_async_generator(stream) as values:`"
            )

        self._in_tasks.add(reading)

    async def _read(self, reading: PulledReading[Any]) -> None:
        if self._closed or not reading.begin():
            self._in_tasks.discard(reading)
            return

        self._running.add(reading)

        try:
            outcome: Outcome[Any] = await self._connection_of(reading).read()
        except Exception as error:
            outcome = error
        finally:
            self._running.discard(reading)
            self._in_tasks.discard(reading)
            reading.end()

        # What cancels a read ends the stream, or cancels its consumer too, who is not to hear of
        # this as a failure.
        self.scheduler.arrive(reading, outcome)

    def _connection_of(self, reading: PulledReading[Any]) -> AsyncOpener[Any]:
        connection = self._connections.get(reading)

        if connection is None:
            connection = AsyncOpener(reading.connect, self._loop, blocking=reading.blocking)
            self._connections[reading] = connection
            reading.stop = connection.interrupt

        return connection

    def _interrupt_reads(self) -> None:
        for reading in self._running:
            self._connections[reading].interrupt()

    async def _finish(self) -> None:
        if self._closed:
            return

        self._closed = True
        self.unsubscribe()
        self._interrupt_reads()

        with CancelScope(shield=True):
            while self._running:
                self._news = Event()
                await self._news.wait()

            if self._tasks:
                await wait(self._tasks)

            self._hand_over()
            await self._close_released()

    def _hand_over(self) -> None:
        # Whoever shares a source that was read here goes on without us.
        scheduler = self.scheduler

        while scheduler.deliver_one():
            continue

        while scheduler.reads:
            reading = scheduler.reads.popleft()

            if not reading.is_disposed:
                connection = self._connection_of(reading)
                self._loop.spawn(partial(push_awaited, reading, connection, reading.observer))

    async def _close_released(self) -> None:
        while self.scheduler.released:
            reading = self.scheduler.released.popleft()
            connection = self._connections.pop(reading, None) or reading.unread()

            if connection is not None:
                try:
                    if isinstance(connection, Connection):
                        connection.close()
                    else:
                        await connection.close()
                except Exception as error:
                    self.fail(error)
