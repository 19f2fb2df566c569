"""Branch: an operator that a step runs by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from reactivex import Subject

from streamops.lifting import Operator

A = TypeVar("A")
B = TypeVar("B")


class Branch(Generic[A, B]):
    """Runs an operator by hand: elements in, what it emits out."""

    def __init__(self, operator: Operator[A, B]) -> None:
        self._source: Subject[A] = Subject()
        self._emitted: list[B] = []
        self._error: Exception | None = None
        operator(self._source).subscribe(self._emitted.append, self._fail)

    def feed(self, element: A) -> Iterable[B]:
        """Return what an element brings, or raise what it ends the operator with."""
        self._source.on_next(element)
        return self._take()

    def close(self) -> Iterable[B]:
        """Return what is left at the end of the source, or raise what is wrong with that."""
        self._source.on_completed()
        return self._take()

    def fail(self, error: Exception) -> Iterable[B]:
        """Return what is left when the source failed, or raise the error."""
        self._source.on_error(error)
        return self._take()

    def _fail(self, error: Exception) -> None:
        self._error = error

    def _take(self) -> Iterable[B]:
        emitted = tuple(self._emitted)
        self._emitted.clear()
        return emitted if self._error is None else _then_raise(emitted, self._error)


def _then_raise(emitted: tuple[B, ...], error: Exception) -> Iterator[B]:
    yield from emitted
    raise error
