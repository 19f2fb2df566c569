"""Event loops in threads, in which blocking callers read asynchronous sources."""

from __future__ import annotations

import atexit
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext

from anyio.from_thread import BlockingPortal, start_blocking_portal

from streamops.display.kernel import is_in_kernel


def open_portal() -> AbstractContextManager[BlockingPortal]:
    """Begin an event loop in a thread, which ends when it is left; a notebook keeps one."""
    return _kept() if is_in_kernel() else start_blocking_portal()


class KeptPortal:
    """An event loop that begins when it is first asked for, and lives as long as the process.

    A client's pooled connections stay valid from one reader to the next.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resources = ExitStack()
        self._portal: BlockingPortal | None = None
        self._thread: threading.Thread | None = None

    def __call__(self) -> AbstractContextManager[BlockingPortal]:
        """Lend the loop, and another one where this would wait for itself."""
        with self._lock:
            if self._thread is threading.current_thread():
                return start_blocking_portal()

            # A process that was forked has not got the thread.
            if self._portal is None or self._thread is None or not self._thread.is_alive():
                self._portal = self._resources.enter_context(start_blocking_portal())
                self._thread = self._portal.call(threading.current_thread)
                atexit.register(self.close)

            return nullcontext(self._portal)

    def close(self) -> None:
        """End the loop; whoever asks for it then gets a new one."""
        atexit.unregister(self.close)
        self._resources.close()


_kept = KeptPortal()
