"""run and arun: the value that a stream ends with."""

from __future__ import annotations

from collections import deque
from typing import TypeVar

from reactivex import Observable
from reactivex.internal import SequenceContainsNoElementsError

from streamops.sinks.generators import to_async_generator, to_generator

T = TypeVar("T")


def run(stream: Observable[T]) -> T:
    """Return the last value of a stream, or raise the error that it ends with.

    Raises reactivex's SequenceContainsNoElementsError if there was no value.
    """
    return _only(deque(to_generator(stream), maxlen=1))


async def arun(stream: Observable[T]) -> T:
    """Return the last value of a stream, or raise the error that it ends with, as ``run`` does."""
    last: deque[T] = deque(maxlen=1)

    async with to_async_generator(stream) as values:
        async for value in values:
            last.append(value)

    return _only(last)


def _only(last: deque[T]) -> T:
    if not last:
        raise SequenceContainsNoElementsError

    return last[0]
