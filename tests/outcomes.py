"""What came out of a stream, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import reactivex
from reactivex import Observable

T = TypeVar("T")


@dataclass
class Outcome(Generic[T]):
    """What a subscriber received."""

    values: list[T] = field(default_factory=list[T])
    error: Exception | None = None
    completed: bool = False


def outcome(stream: Observable[T]) -> Outcome[T]:
    """Subscribe to a stream that pushes everything at once."""
    received: Outcome[T] = Outcome()

    def fail(error: Exception) -> None:
        received.error = error

    def complete() -> None:
        received.completed = True

    stream.subscribe(received.values.append, fail, complete)
    return received


def through(chunks: Iterable[Any], *operators: Callable[[Any], Any]) -> Outcome[Any]:
    """Push chunks through operators."""
    stream: Observable[Any] = reactivex.from_iterable(chunks)
    for operator in operators:
        stream = operator(stream)
    return outcome(stream)


def values(stream: Observable[T]) -> list[T]:
    """Return what a stream emits that completes at once, or raise what it ends with."""
    received = outcome(stream)
    if received.error is not None:
        raise received.error

    assert received.completed
    return received.values
