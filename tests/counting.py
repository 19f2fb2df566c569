"""Sources that count what is pulled from them, and how many of them are open."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

from anyio import Event
from anyio.lowlevel import checkpoint


class Counting:
    """Opens iterators over the same texts; ``error`` is raised after the last one."""

    def __init__(self, *texts: str, error: Exception | None = None) -> None:
        self.texts = texts
        self.error = error
        self.pulled = 0
        self.opened = 0
        self.open = 0

    def blocking(self) -> Generator[str]:
        """Yield the texts."""
        self.opened += 1
        self.open += 1

        try:
            for text in self.texts:
                self.pulled += 1
                yield text

            if self.error is not None:
                raise self.error
        finally:
            self.open -= 1

    async def awaited(self) -> AsyncGenerator[str]:
        """Yield the texts, letting other tasks run before each; closing takes a while too."""
        self.opened += 1
        self.open += 1

        try:
            for text in self.texts:
                await checkpoint()
                self.pulled += 1
                yield text

            if self.error is not None:
                raise self.error
        finally:
            await checkpoint()
            self.open -= 1


class Stuck:
    """An asynchronous source that yields one text and then waits for ever."""

    def __init__(self) -> None:
        self.waiting = Event()
        self.open = 0

    async def awaited(self) -> AsyncGenerator[str]:
        """Yield a text, then tell that it waits."""
        self.open += 1

        try:
            yield "first"
            self.waiting.set()
            await Event().wait()
        finally:
            self.open -= 1
