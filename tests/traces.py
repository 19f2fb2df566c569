"""What a test may not leave behind: threads, tasks, and generators that nobody closed."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

import sniffio
from anyio import move_on_after
from anyio.lowlevel import checkpoint
from trio.lowlevel import current_statistics

NOT_OURS = ("wire", "asyncio_", "AnyIO worker", "Trio thread")
"""The test's own server, and the idle workers of event loops."""


PATIENCE = 10.0
"""Seconds after which a thread or a task that was to end never will."""


@contextmanager
def no_threads_left() -> Generator[None]:
    """Fail if a thread is left that was not there before."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    left = set(threading.enumerate()) - before

    for thread in left:
        if not thread.name.startswith(NOT_OURS):
            # Another one may be about to start it.
            with suppress(RuntimeError):
                thread.join(PATIENCE)

            assert not thread.is_alive(), thread.name


@asynccontextmanager
async def nothing_left() -> AsyncGenerator[None]:
    """Fail if a task or a thread is left; collect, so that warnings of finalizers come now."""
    with no_threads_left():
        tasks = living_tasks()
        yield
        gc.collect()

        # What a finalizer has asked the loop to do gets its turn.
        for _ in range(10):
            await checkpoint()

        # A finalizer's task may have to wait for a thread that closes what it read.
        with move_on_after(PATIENCE):
            while living_tasks() != tasks:
                await checkpoint()

        assert living_tasks() == tasks


def living_tasks() -> int:
    """Count the tasks of the running event loop."""
    if sniffio.current_async_library() == "trio":
        return current_statistics().tasks_living

    return len(asyncio.all_tasks())
