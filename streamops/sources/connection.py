"""What a source is once it is opened for one subscriber."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeAlias, TypeVar

from streamops.errors import SpentSource

T = TypeVar("T")


class Connection(ABC, Generic[T]):
    """A blocking source, read one chunk at a time."""

    blocking: bool = True
    """Whether a read can block; if not, an event loop reads without a thread."""

    @abstractmethod
    def read(self) -> tuple[T, ...] | None:
        """Read the next chunk and return its elements, or None at the end.

        The first call opens what there is to open. A chunk without elements is an empty tuple.
        """

    @abstractmethod
    def close(self) -> None:
        """Release everything; called once, and never while a read is running."""

    def interrupt(self) -> None:
        """Make a read that blocks in another thread end soon, if that can be done."""


class AsyncConnection(ABC, Generic[T]):
    """An asynchronous source, read one chunk at a time."""

    @abstractmethod
    async def read(self) -> tuple[T, ...] | None:
        """Read the next chunk and return its elements, or None at the end."""

    @abstractmethod
    async def close(self) -> None:
        """Release everything; called once, and never while a read is running."""

    def abandon(self) -> None:
        """Let go of what was never read, where no event loop runs that could close it."""


AnyConnection: TypeAlias = Connection[T] | AsyncConnection[T]
"""A connection of either kind."""

Connect: TypeAlias = Callable[[], AnyConnection[T] | Awaitable[AnyConnection[T]]]
"""What makes the connection for one subscriber."""


def unread(connect: Connect[T]) -> AnyConnection[T] | None:
    """Return the connection of a one-time source, to be closed; None if somebody has it."""
    try:
        opened = connect()
    except SpentSource:
        return None

    return opened if isinstance(opened, (Connection, AsyncConnection)) else None


def discard(opened: AsyncConnection[Any] | Awaitable[object]) -> None:
    """Close what nobody will await any more, so that Python does not complain about it."""
    if isinstance(opened, AsyncConnection):
        opened.abandon()
        return

    close = getattr(opened, "close", None)

    if close is not None:
        close()


def discard_manager(manager: object) -> None:
    """Close the coroutines that a context manager holds which nobody will enter any more."""
    for held in getattr(manager, "__dict__", {}).values():
        if inspect.iscoroutine(held):
            held.close()
