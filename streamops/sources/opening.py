"""Sources that are opened at the first read, and read the way the sink can, whatever their kind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from anyio import CancelScope, Event, Lock
from anyio.from_thread import BlockingPortal
from anyio.lowlevel import checkpoint

from streamops.errors import SourceFailed
from streamops.eventloop import EventLoop
from streamops.sources.connection import (
    AnyConnection,
    AsyncConnection,
    Connect,
    Connection,
    discard,
)

T = TypeVar("T")
Result = TypeVar("Result")


class BlockingOpener(Connection[T]):
    """Reads by blocking; an asynchronous source is read in the event loop of a portal."""

    def __init__(self, connect: Connect[T], portal: Callable[[], BlockingPortal]) -> None:
        self._connect = connect
        self._portal = portal
        self._connection: AnyConnection[T] | None = None
        self._running: Future[Any] | None = None
        # An interrupted read may still be unwinding in the loop when close is called.
        self._turn = Lock()
        self._reading: CancelScope | None = None

    def read(self) -> tuple[T, ...] | None:
        """Read the next chunk, after opening the source if that was not done."""
        if self._connection is None:
            opened = self._connect()
            self._connection = (
                self._wait(lambda: self._in_turn(lambda: _result_of(opened)))
                if isinstance(opened, Awaitable)
                else opened
            )

        connection = self._connection
        if isinstance(connection, Connection):
            return connection.read()

        return self._wait(lambda: self._in_turn(connection.read))

    def close(self) -> None:
        """Close what was opened."""
        connection = self._connection

        if isinstance(connection, Connection):
            connection.close()
        elif connection is not None:
            self._wait(lambda: self._close(connection))

    def interrupt(self) -> None:
        """End the read that is running, from another thread."""
        running = self._running

        if isinstance(self._connection, Connection):
            self._connection.interrupt()
        elif running is not None:
            running.cancel()

    def _wait(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        running: Future[Result] = self._portal().start_task_soon(work)
        self._running = running

        try:
            return running.result()
        finally:
            # Does nothing unless it was the waiting that ended, by KeyboardInterrupt for one.
            running.cancel()
            self._running = None

    async def _in_turn(self, work: Callable[[], Awaitable[Result]]) -> Result:
        async with self._turn:
            with CancelScope() as self._reading:
                return await work()

        raise SourceFailed("The read was interrupted")

    async def _close(self, connection: AsyncConnection[T]) -> None:
        # A KeyboardInterrupt may have come before anybody waited for the read that it ends.
        if self._reading is not None:
            self._reading.cancel()

        async with self._turn:
            await connection.close()


class AsyncOpener(AsyncConnection[T]):
    """Reads by awaiting; a blocking source is read in a thread that lives as long as it is open."""

    def __init__(self, connect: Connect[T], loop: EventLoop, *, blocking: bool) -> None:
        self._connect = connect
        self._connect_blocks = blocking
        self._thread = _Thread(loop)
        self._loop = loop
        self._scope: CancelScope | None = None
        self._interrupted = False
        self._opened: AnyConnection[T] | Awaitable[AnyConnection[T]] | None = None

    async def read(self) -> tuple[T, ...] | None:
        """Read the next chunk, after opening the source if that was not done."""
        with CancelScope() as self._scope:
            if self._interrupted:
                self._scope.cancel()

            return await self._read()

        raise SourceFailed("The read was interrupted")

    def interrupt(self) -> None:
        """End the read that is running, from whichever thread."""
        self._interrupted = True
        scope = self._scope

        if scope is None:
            return

        if self._loop.is_here():
            scope.cancel()
        else:
            self._loop.soon(scope.cancel)

    async def _read(self) -> tuple[T, ...] | None:
        if self._opened is None:
            if self._connect_blocks:
                await self._thread.run(self._open)
            else:
                self._open()

        if isinstance(self._opened, Awaitable):
            self._opened = await self._opened

        connection = self._opened

        if isinstance(connection, AsyncConnection):
            self._thread.end()
            return await connection.read()

        if connection is None:
            raise RuntimeError("connect() returned None instead of a connection")

        if connection.blocking:
            return await self._thread.run(connection.read, connection.interrupt)

        await checkpoint()
        return connection.read()

    async def close(self) -> None:
        """Close what was opened, also in a cancelled task; further calls do nothing."""
        connection, self._opened = self._opened, None

        try:
            with CancelScope(shield=True):
                if isinstance(connection, AsyncConnection):
                    await connection.close()
                elif isinstance(connection, Connection):
                    if connection.blocking:
                        await self._thread.run(connection.close)
                    else:
                        connection.close()
                elif connection is not None:
                    discard(connection)
        finally:
            self._thread.end()

    def _open(self) -> None:
        # Kept at once: when the task was cancelled meanwhile, it must still be closed.
        self._opened = self._connect()


class _Thread:
    """Runs one blocking call after the other in a thread of its own, started by the first."""

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._executor: ThreadPoolExecutor | None = None

    async def run(
        self, call: Callable[[], Result], interrupt: Callable[[], None] | None = None
    ) -> Result:
        """Wait for the call, also when cancelled: then it is interrupted first."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, "streamops")

        done = Event()
        future = self._executor.submit(copy_context().run, call)
        future.add_done_callback(lambda _: self._loop.soon(done.set))

        try:
            await done.wait()
        except BaseException:
            if interrupt is not None and not future.done():
                interrupt()

            with CancelScope(shield=True):
                await done.wait()

            raise

        return future.result()

    def end(self) -> None:
        """End the thread, which has nothing to do any more."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None


async def _result_of(awaitable: Awaitable[Result]) -> Result:
    return await awaitable
