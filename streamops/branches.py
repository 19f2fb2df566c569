"""Branch: an operator that a step runs by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from reactivex import Subject

from streamops.errors import StreamopsError
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


class HeardOut(Generic[A, B]):
    """A branch that reads nothing more after an error, though more elements may come."""

    def __init__(self, operator: Operator[A, B], holds: Callable[[StreamopsError], bool]) -> None:
        self._values: Branch[A, B] = Branch(operator)
        self._holds = holds
        self.error: StreamopsError | None = None
        """Why nothing more is read; an error that is not held is raised instead."""

    def feed(self, element: A) -> Iterable[B]:
        """Return what an element brings."""
        if self.error is not None:
            return ()

        values = self._values.feed(element)
        # A tuple cannot fail while it is read.
        return self._guarded(values) if isinstance(values, Iterator) else values

    def close(self) -> Iterator[B]:
        """Return what is left at the end of the source."""
        if self.error is None:
            yield from self._guarded(self._values.close())

    def fail(self, error: Exception) -> Iterator[B]:
        """Return what is left when the source failed."""
        if self.error is None:
            yield from self._guarded(self._values.fail(error))

    def _guarded(self, values: Iterable[B]) -> Iterator[B]:
        try:
            yield from values
        except StreamopsError as error:
            if not self._holds(error):
                raise

            self.error = error
