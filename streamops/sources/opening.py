"""Sources that are opened at the first read, and read by awaiting, whatever their kind."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

from anyio import CancelScope, Event
from anyio.lowlevel import checkpoint

from streamops.errors import SourceFailed
from streamops.eventloop import EventLoop, running_loop
from streamops.sources.connection import (
    AnyConnection,
    AsyncConnection,
    Connect,
    Connection,
    discard,
)

T = TypeVar("T")
Result = TypeVar("Result")


class AsyncOpener(AsyncConnection[T]):
    """Reads by awaiting; a blocking source is read in a thread that lives as long as it is open.

    Cancelling interrupts a blocking read and waits for it. Nothing can interrupt what opens a
    blocking source: it is left to its thread, which closes what it has opened, and then ends.
    """

    def __init__(self, connect: Connect[T], loop: EventLoop, *, blocking: bool) -> None:
        self._connect = connect
        self._connect_blocks = blocking
        self._thread = _Thread(loop)
        self._loop = loop
        self._scope: CancelScope | None = None
        self._interrupted = False
        self._opened: AnyConnection[T] | Awaitable[AnyConnection[T]] | None = None
        self._awaited: AsyncConnection[T] | None = None

    @classmethod
    def of(
        cls, opened: AnyConnection[T] | Awaitable[AnyConnection[T]], loop: EventLoop
    ) -> AsyncOpener[T]:
        """Read what is open already, and close it even if it is never read."""
        opener = cls(lambda: opened, loop, blocking=False)
        opener._opened = opened
        return opener

    async def read(self) -> tuple[T, ...] | None:
        """Read the next chunk, after opening the source if that was not done."""
        # A scope takes 2 us. A cancellation of asyncio's own would be cheaper, and break into what
        # shields itself, such as the closing of a connection.
        with CancelScope() as self._scope:
            if self._interrupted:
                self._scope.cancel()

            # Known by its kind once: asking for that at every read takes 0.5 us.
            return await (self._read() if self._awaited is None else self._awaited.read())

        raise SourceFailed("The read was interrupted")

    def interrupt(self) -> None:
        """End the read that is running, from whichever thread."""
        self._interrupted = True
        scope = self._scope

        if scope is None:
            return

        if self._loop.is_here() and running_loop() is not None:
            scope.cancel()
        else:
            # Also here, when the loop stands still: it may run again.
            self._loop.soon(scope.cancel)

    async def _read(self) -> tuple[T, ...] | None:
        if self._opened is None:
            self._opened = await self._open_in_thread() if self._connect_blocks else self._connect()

        if isinstance(self._opened, Awaitable):
            self._opened = await self._opened

        connection = self._opened

        if isinstance(connection, AsyncConnection):
            self._thread.end()
            self._awaited = connection
            return await connection.read()

        if connection.blocking:
            return await self._thread.run(connection.read, connection.interrupt)

        await checkpoint()
        return connection.read()

    async def close(self) -> None:
        """Close what was opened, also in a cancelled task; further calls do nothing."""
        connection, self._opened, self._awaited = self._opened, None, None

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

    async def _open_in_thread(self) -> AnyConnection[T] | Awaitable[AnyConnection[T]]:
        opening = self._thread.submit(self._connect)

        try:
            await self._thread.wait(opening)
        except BaseException:
            # The next call in the same thread, so that it finds whatever was opened.
            self._thread.submit(lambda: self._close_unwanted(opening))
            self._thread.leave()
            raise

        return opening.result()

    def _close_unwanted(
        self, opening: Future[AnyConnection[T] | Awaitable[AnyConnection[T]]]
    ) -> None:
        if opening.exception() is not None:
            return

        opened = opening.result()

        if isinstance(opened, Connection):
            opened.close()
        elif isinstance(opened, AsyncConnection):
            self._loop.spawn(opened.close)
        else:
            discard(opened)


class _Thread:
    """Runs one blocking call after the other in a thread of its own, started by the first."""

    # No executor's thread: Python would wait for what opens a source before it exits.

    def __init__(self, loop: EventLoop) -> None:
        self._loop = loop
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(
        self, call: Callable[[], Result], interrupt: Callable[[], None] | None = None
    ) -> Result:
        """Wait for the call, also when cancelled: then it is interrupted first."""
        future = self.submit(call)

        try:
            await self.wait(future)
        except BaseException:
            if interrupt is not None and not future.done():
                interrupt()

            with CancelScope(shield=True):
                await self.wait(future)

            raise

        return future.result()

    def submit(self, call: Callable[[], Result]) -> Future[Result]:
        """Have the thread make a call, after those before it."""
        if self._thread is None:
            self._calls = SimpleQueue()
            work = partial(_work, self._calls)
            self._thread = threading.Thread(target=work, name="streamops", daemon=True)
            self._thread.start()

        future: Future[Result] = Future()
        self._calls.put(partial(_resolve, future, partial(copy_context().run, call)))
        return future

    async def wait(self, future: Future[Result]) -> None:
        """Wait until the call has been made."""
        done = Event()
        future.add_done_callback(lambda _: self._loop.soon(done.set))
        await done.wait()

    def leave(self) -> None:
        """Have the thread end when it has made all calls."""
        self._calls.put(None)
        self._thread = None

    def end(self) -> None:
        """End the thread, which has nothing to do any more."""
        if (thread := self._thread) is not None:
            self.leave()
            thread.join()


def _work(calls: SimpleQueue[Callable[[], None] | None]) -> None:
    while (call := calls.get()) is not None:
        call()
        # What it holds on to would live until the next one comes.
        del call


def _resolve(future: Future[Result], call: Callable[[], Result]) -> None:
    try:
        result = call()
    except BaseException as error:
        # For whoever waits for it, as in an executor.
        future.set_exception(error)
    else:
        future.set_result(result)
