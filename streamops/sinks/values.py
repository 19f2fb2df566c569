"""run and arun: the value that a stream ends with."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from reactivex import Observable
from reactivex.internal import SequenceContainsNoElementsError

from streamops.sinks.generators import check_stream, to_async_generator, to_generator

T = TypeVar("T")


def run(stream: Observable[T]) -> T:
    """Return the last value of a stream, or raise the error that it ends with.

    Raises reactivex's SequenceContainsNoElementsError if there was no value,
    and TypeError if this is no stream.

    A timer, as in ``rx.timeout``, cannot interrupt a blocking read: set the client's own timeout.
    An asynchronous source is read in an event loop that ends here, except in a notebook, and the
    connections that its client keeps open end with it: make the client in the function that the
    source calls, or use ``arun``.
    """
    check_stream(stream, "run")
    return only(deque(to_generator(stream), maxlen=1))


async def arun(stream: Observable[T]) -> T:
    """Return the last value of a stream, or raise the error that it ends with, as ``run`` does."""
    check_stream(stream, "arun")
    last: deque[T] = deque(maxlen=1)

    async with to_async_generator(stream) as values:
        async for value in values:
            last.append(value)

    return only(last)


def only(last: deque[T]) -> T:
    """Return the last value, or raise that there is none."""
    if not last:
        raise SequenceContainsNoElementsError

    return last[0]
