"""Pull by blocking: what is behind a generator."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal
from reactivex import Observable

from streamops.errors import SourceFailed
from streamops.pulling import Outcome, Pull, PulledReading
from streamops.sources.opening import BlockingOpener

T = TypeVar("T")


class BlockingPull(Pull[T]):
    """Does all work in the thread that asks for the next value."""

    def __init__(self, stream: Observable[T]) -> None:
        super().__init__(stream)
        self._connections: dict[PulledReading[Any], BlockingOpener[Any]] = {}
        self._resources = ExitStack()
        self._portal: BlockingPortal | None = None
        self._woken = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._resources:
            self.unsubscribe()
            self._fail_others()
            self._close_released()

    def advance(self) -> bool:
        """Work until a value is there; False at the end. Raises what the stream ended with."""
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
        if not self._woken.is_set():
            self._woken.set()

    def _read(self, reading: PulledReading[Any]) -> None:
        if not reading.begin():
            return

        outcome: Outcome[Any] = SourceFailed("The read was interrupted")

        try:
            outcome = self._connection_of(reading).read()
        except Exception as error:
            outcome = error
        finally:
            reading.end()
            self.scheduler.arrive(reading, outcome)

    def _connection_of(self, reading: PulledReading[Any]) -> BlockingOpener[Any]:
        connection = self._connections.get(reading)

        if connection is None:
            connection = BlockingOpener(reading.connect, self._open_portal)
            self._connections[reading] = connection
            reading.stop = connection.interrupt

        return connection

    def _wait(self) -> None:
        # Cleared before looking: whoever adds something sets it after that.
        self._woken.clear()

        if not self.has_news():
            seconds = self.scheduler.until_timer()
            self._woken.wait(None if seconds is None else min(seconds, threading.TIMEOUT_MAX))

    def _close_released(self) -> None:
        while self.scheduler.released:
            connection = self._connections.pop(self.scheduler.released.popleft(), None)

            if connection is not None:
                try:
                    connection.close()
                except Exception as error:
                    self.fail(error)

    def _fail_others(self) -> None:
        # Whoever shares a source that was read here would wait for ever.
        scheduler = self.scheduler

        while scheduler.arrived:
            reading, outcome = scheduler.arrived.popleft()
            reading.deliver(outcome)

        while scheduler.reads:
            scheduler.reads.popleft().deliver(
                SourceFailed("The generator that read this shared source was closed")
            )

    def _open_portal(self) -> BlockingPortal:
        if self._portal is None:
            self._portal = self._resources.enter_context(start_blocking_portal())

        return self._portal
