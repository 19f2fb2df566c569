"""Pull by blocking: what is behind a generator."""

from __future__ import annotations

import _thread
import atexit
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from anyio import Event
from reactivex import Observable

from streamops.errors import SourceFailed
from streamops.eventloop import EventLoop, running_loop
from streamops.pulling import Outcome, Pull, PulledReading, PullScheduler
from streamops.sinks.portals import open_portal
from streamops.sources.connection import AnyConnection, Connection
from streamops.sources.opening import AsyncOpener

T = TypeVar("T")


class BlockingPull(Pull[T]):
    """Reads blocking sources in the thread that asks for the next value.

    Asynchronous ones are read in the event loop of a portal, all of them at the same time.
    """

    def __init__(self, stream: Observable[T]) -> None:
        super().__init__(stream)
        self._connections: dict[PulledReading[Any], Connection[Any]] = {}
        self._awaited: dict[PulledReading[Any], AsyncOpener[Any]] = {}
        self._woken = threading.Event()
        self._is_waiting = False
        self._portal: _Portal | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._portal is not None and self._portal.loop.is_here():
            # Collected in the loop that a notebook keeps, which cannot wait for itself. Threads of
            # threading take locks that whoever was interrupted by the collection may hold.
            _thread.start_new_thread(self._finish, ())
        else:
            self._finish()

    def _finish(self) -> None:
        self.scheduler.thread = None

        try:
            self.unsubscribe()

            if self._portal is not None:
                self._portal.end_reads()

            self._fail_others()
            self._close_released()
        finally:
            if (portal := self._portal) is not None:
                self._portal = None
                atexit.unregister(self._finish)
                portal.close()

    def advance(self) -> bool:
        """Work until a value is there; False at the end. Raises what the stream ended with."""
        self.scheduler.thread = threading.get_ident()
        self.subscribe()

        while True:
            if self.scheduler.released:
                self._close_released()

            if self.values:
                return True

            if self.ended:
                if self.error is not None:
                    raise self.error

                return False

            if self.take_turn():
                continue

            if self.scheduler.reads:
                self._read(self.scheduler.reads.popleft())
            else:
                self._wait()

    def wake(self) -> None:
        """End the wait for something to do."""
        if self._is_waiting:
            self._woken.set()

    def _read(self, reading: PulledReading[Any]) -> None:
        if not reading.begin():
            return

        try:
            connection = self._connection_of(reading)
            outcome = None if connection is None else connection.read()
        except Exception as error:
            self._end_read(reading, error)
        except BaseException:
            self._end_read(reading, SourceFailed("The read was interrupted"))
            raise
        else:
            if connection is None:
                reading.end()
                self._open_portal().start(reading, self._awaited[reading])
            else:
                self._end_read(reading, outcome)

    def _end_read(self, reading: PulledReading[Any], outcome: Outcome[Any]) -> None:
        reading.end()
        self.scheduler.arrive(reading, outcome)

    def _connection_of(self, reading: PulledReading[Any]) -> Connection[Any] | None:
        """Return the connection that is read here, or None for one that is awaited."""
        connection = self._connections.get(reading)

        if connection is None and reading not in self._awaited:
            connection = self._connect(reading)

        return connection

    def _connect(self, reading: PulledReading[Any]) -> Connection[Any] | None:
        opened = reading.connect()

        if isinstance(opened, Connection):
            self._connections[reading] = opened
            reading.stop = opened.interrupt
            return opened

        awaited = self._awaited[reading] = AsyncOpener[Any].of(opened, self._open_portal().loop)
        reading.stop = awaited.interrupt
        return None

    def _wait(self) -> None:
        # Set before looking: whoever adds something looks at it after that.
        self._woken.clear()
        self._is_waiting = True

        try:
            if not self.has_news():
                seconds = self.scheduler.until_timer()

                if seconds is None and not self.scheduler.readings:
                    self._refuse_to_wait_for_itself()

                self._woken.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            self._is_waiting = False

    def _refuse_to_wait_for_itself(self) -> None:
        scheduler = self.scheduler

        if any(
            reader.readings and reader.thread == scheduler.thread for reader in scheduler.readers
        ):
            raise RuntimeError(
                "This stream is shared, and another generator of the same thread reads it, which "
                "cannot go on while this one waits: merge the two streams into one, or iterate "
                "each in a thread of its own"
            )

    def _close_released(self) -> None:
        while self.scheduler.released:
            reading = self.scheduler.released.popleft()
            connection: AnyConnection[Any] | None = (
                self._connections.pop(reading, None)
                or self._awaited.pop(reading, None)
                or reading.unread()
            )

            if connection is not None:
                try:
                    if isinstance(connection, Connection):
                        connection.close()
                    else:
                        self._open_portal().call(connection.close)
                except Exception as error:
                    self.fail(error)

    def _fail_others(self) -> None:
        # Whoever shares a source that was read here would wait for ever.
        scheduler = self.scheduler

        while scheduler.deliver_one():
            continue

        while scheduler.reads:
            scheduler.reads.popleft().deliver(
                SourceFailed("The generator that read this shared source was closed")
            )

    def _open_portal(self) -> _Portal:
        if self._portal is None:
            self._portal = _Portal(self.scheduler)
            # Later, when the generator is dropped, the loop's thread no longer runs.
            atexit.register(self._finish)

        return self._portal


class _Portal:
    """An event loop in a thread, with the reads that run in it."""

    def __init__(self, scheduler: PullScheduler) -> None:
        self._scheduler = scheduler
        self._running: dict[PulledReading[Any], AsyncOpener[Any]] = {}
        self._ended: Event | None = None
        self._resources = ExitStack()
        self._portal = self._resources.enter_context(open_portal())
        self.loop = cast("EventLoop", self._portal.call(running_loop))

    def start(self, reading: PulledReading[Any], connection: AsyncOpener[Any]) -> None:
        """Begin to read; the scheduler is told what came of it."""
        self._portal.start_task_soon(self._read, reading, connection)

    def call(self, work: Callable[[], Awaitable[None]]) -> None:
        """Wait for work in the event loop."""
        self._portal.call(work)

    def end_reads(self) -> None:
        """Interrupt the reads, and wait until they have ended; none begins after that."""
        self._portal.call(self._end_reads)

    def close(self) -> None:
        """Give up the event loop, which ends if nobody else has it."""
        self._resources.close()

    async def _read(self, reading: PulledReading[Any], connection: AsyncOpener[Any]) -> None:
        if self._ended is not None or not reading.begin():
            return

        self._running[reading] = connection

        try:
            outcome: Outcome[Any] = await connection.read()
        except Exception as error:
            outcome = error
        except (SystemExit, KeyboardInterrupt) as error:
            # It would end the loop, and with it what others read there.
            outcome = SourceFailed(f"The source raised {type(error).__name__}")
            outcome.__cause__ = error
        except BaseException:
            self._end_read(reading, SourceFailed("The read was cancelled"))
            raise

        self._end_read(reading, outcome)

    def _end_read(self, reading: PulledReading[Any], outcome: Outcome[Any]) -> None:
        del self._running[reading]
        reading.end()
        self._scheduler.arrive(reading, outcome)

        if self._ended is not None:
            self._ended.set()

    async def _end_reads(self) -> None:
        self._ended = Event()

        for connection in self._running.values():
            connection.interrupt()

        while self._running:
            await self._ended.wait()
            self._ended = Event()
