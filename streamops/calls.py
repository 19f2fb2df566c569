"""read_calls: each tool call of an answer by its own operator, or the content if there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from reactivex import Subject, compose
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.lifting import Operator, Step, lift
from streamops.operators.accumulate_json import CODE_INTERPRETER, accumulate_json
from streamops.snapshot import Snapshot

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

Read: TypeAlias = Callable[[str | None], Operator[Snapshot, T]]
"""What makes the operator for a call, given the name of its tool; None is the content."""

_CUT = ("length", "content_filter")
"""Why a model stops in the middle: a call that has no arguments then was to have some."""


def read_calls(read: Read[T]) -> Operator[Delta, T]:
    """Emit what is read of every tool call, each by the operator for the tool's name.

    As in ``accumulate_json`` the content is read instead if it has begun to be JSON before the
    first call. Errors are those of ``accumulate_json`` and of the operators.
    """
    return lift(lambda: _Calls(read))


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


class _Calls(Step[Delta, T]):
    def __init__(self, read: Read[T]) -> None:
        self._read = read
        self._calls: dict[int, Branch[Delta | str, T]] = {}
        self._unwritten: dict[int, str | None] = {}
        self._content = Branch(self._content_operator())
        self._content_is_json = False

    def feed(self, delta: Delta) -> Iterable[T]:
        if delta.choice:
            return ()

        if delta.kind == "tool_call":
            return self._feed_call(delta)

        if delta.kind != "finish":
            return () if self._calls else self._content.feed(delta)

        if delta.finish_reason in _CUT:
            for index, name in [*self._unwritten.items()]:
                self._begin(index, name)

        # Why the model stopped says why the text of any of them breaks off.
        for branch in self._open():
            branch.feed(delta)

        return ()

    def close(self) -> Iterator[T]:
        for branch in self._open():
            yield from branch.close()

    def fail(self, error: Exception) -> Iterator[T]:
        for branch in self._open():
            yield from branch.fail(error)

    def _open(self) -> list[Branch[Delta | str, T]]:
        return [*self._calls.values()] or [self._content]

    def _feed_call(self, delta: Delta) -> Iterable[T]:
        if self._content_is_json or delta.name == CODE_INTERPRETER:
            return ()

        call = self._calls.get(delta.index)

        if call is None and not delta.text:
            # Some providers send the id first and the name later, but always before the arguments.
            self._unwritten[delta.index] = delta.name
            return ()

        return (call or self._begin(delta.index, delta.name)).feed(delta)

    def _begin(self, index: int, name: str | None) -> Branch[Delta | str, T]:
        self._unwritten.pop(index, None)
        call = self._calls[index] = Branch(compose(accumulate_json(), self._read(name)))
        return call

    def _content_operator(self) -> Operator[Delta | str, T]:
        return compose(accumulate_json(), rx.do_action(self._see), self._read(None))

    def _see(self, snapshot: Snapshot) -> None:
        self._content_is_json = snapshot.started
