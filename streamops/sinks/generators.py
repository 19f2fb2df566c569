"""to_generator and to_async_generator: a stream's values, each when it is asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

from reactivex import Observable

from streamops.sinks.awaiting import AsyncValues
from streamops.sinks.blocking import BlockingPull

T = TypeVar("T")


def to_generator(stream: Observable[T]) -> Generator[T, None, None]:
    """Iterate over a stream, reading the next chunk only when the next value is asked for.

    A blocking source is read in the thread that iterates, an asynchronous one in an event loop in
    a thread, which lives as long as the generator runs. The source is closed before the iteration
    ends, before ``close()`` returns, and when a generator that was left early is collected.

    That loop ends with the generator, and an asynchronous client that keeps connections open cannot
    be used in the next one: open it in the function that the source calls, or use ``arun``. A
    notebook keeps the loop, so that one client serves many cells.

    A timer, as in ``rx.timeout``, cannot interrupt a blocking read: set the client's own timeout.
    Two of these generators over one shared stream need a thread each, or their streams be merged
    into one: behind ``share_latest`` the one that would wait for the other in one thread raises
    RuntimeError. When the one that reads is left, the others end with SourceFailed.

    Errors are raised after the values before them. TypeError now if this is no stream.
    """
    check_stream(stream, "to_generator")
    return _pull(stream)


def _pull(stream: Observable[T]) -> Generator[T, None, None]:
    with BlockingPull(stream) as pull:
        values = pull.values

        while values or pull.advance():
            yield values.popleft()


def to_async_generator(stream: Observable[T]) -> AsyncValues[T]:
    """Iterate asynchronously over a stream, on asyncio or trio, as ``to_generator`` does.

    Leaving ``async with`` and ``aclose()`` close the source before they return. After a bare
    ``break`` it is closed as soon as the generator is collected, by a task where awaiting is
    needed. A single source is awaited in the task that iterates; a blocking one is read in a
    thread of its own. Leaving does not wait for a blocking client to be answered: its thread closes
    the response when that has come.

    Errors are raised after the values before them. Several sources, or timers, at once need
    tasks: outside of ``async with``, trio has none for them, which is a RuntimeError.
    TypeError now if this is no stream.
    """
    check_stream(stream, "to_async_generator")
    return AsyncValues(stream)


def check_stream(stream: object, taker: str) -> None:
    """Raise TypeError for what cannot be subscribed to."""
    if not isinstance(stream, Observable):
        raise TypeError(
            f"{taker} takes a stream (an Observable), not {type(stream).__name__}: make one with "
            "from_openai or from_chunks"
        )
