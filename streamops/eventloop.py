"""The running event loop, asyncio's or trio's: what can be asked of it from outside a task."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from trio.lowlevel import TrioToken

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

_log = logging.getLogger("streamops")


class EventLoop(ABC):
    """A running event loop."""

    name: str

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def is_here(self) -> bool:
        """Whether the loop runs in this thread."""
        return threading.get_ident() == self._thread

    def spawn(self, work: Work) -> None:
        """Run a coroutine function in a task that nobody waits for, from whichever thread.

        What it raises is logged. Does nothing when the loop has ended.
        """
        if self.is_here():
            self._start(work)
        else:
            self.soon(lambda: self._start(work))

    @abstractmethod
    def soon(self, callback: Callable[[], object]) -> None:
        """Call back in the loop's thread, unless the loop has ended by then."""

    @abstractmethod
    def _start(self, work: Work) -> None: ...


def running_loop() -> EventLoop | None:
    """Return the event loop that runs in this thread, or None."""
    if "trio" in sys.modules:
        from trio.lowlevel import current_trio_token, in_trio_run

        if in_trio_run():
            return _TrioLoop(current_trio_token())

    try:
        return _AsyncioLoop(asyncio.get_running_loop())
    except RuntimeError:
        return None


class _AsyncioLoop(EventLoop):
    name = "asyncio"
    # The loop itself holds its tasks only weakly.
    _tasks: set[asyncio.Task[None]] = set()  # noqa: RUF012 - shared on purpose

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop

    def soon(self, callback: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:
            _log.debug("The event loop has ended before %r", callback)

    def _start(self, work: Work) -> None:
        if not self._loop.is_closed():
            task = self._loop.create_task(_logged(work))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


class _TrioLoop(EventLoop):
    name = "trio"

    def __init__(self, token: TrioToken) -> None:
        super().__init__()
        self._token = token

    def soon(self, callback: Callable[[], object]) -> None:
        from trio import RunFinishedError

        try:
            self._token.run_sync_soon(callback)
        except RunFinishedError:
            _log.debug("The event loop has ended before %r", callback)

    def _start(self, work: Work) -> None:
        from trio.lowlevel import in_trio_run, spawn_system_task

        if in_trio_run():
            spawn_system_task(_logged, work)


async def _logged(work: Work) -> None:
    try:
        await work()
    except Exception:
        # Trio would take down the whole run for an exception in such a task.
        _log.exception("A task of streamops failed")
