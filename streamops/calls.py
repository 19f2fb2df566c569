"""read_calls: each tool call of an answer by its own operator, or the content if there are none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

from reactivex import compose
from reactivex import operators as rx

from streamops.branches import HeardOut
from streamops.delta import Delta
from streamops.errors import MalformedJson, SchemaMismatch, TruncatedJson
from streamops.lifting import Operator, Step, lift
from streamops.operators.accumulate_json import CODE_INTERPRETER, accumulate_json
from streamops.snapshot import Snapshot

T = TypeVar("T")

Read: TypeAlias = Callable[[str | None], Operator[Snapshot, T]]
"""What makes the operator for a call, given the name of its tool; None is the content."""

_CUT = ("length", "content_filter")
"""Why a model stops in the middle: a call that has no arguments then was to have some."""


def read_calls(read: Read[T], *, fail_fast: bool = False) -> Operator[Delta, T]:
    """Emit what is read of every tool call, each by the operator for the tool's name.

    As in ``accumulate_json`` the content is read instead if it has begun to be JSON before the
    first call. Errors are those of ``accumulate_json`` and of the operators. A call that is no good
    does not end the others, unless it is to ``fail_fast``: the stream fails at its end.
    """
    return lift(lambda: _Calls(read, fail_fast=fail_fast), name="read_calls")


class _Calls(Step[Delta, T]):
    def __init__(self, read: Read[T], *, fail_fast: bool) -> None:
        self._read = read
        self._fail_fast = fail_fast
        self._calls: dict[int, HeardOut[Delta | str, T]] = {}
        self._unwritten: dict[int, str | None] = {}
        self._content = self._text(
            compose(accumulate_json(), rx.do_action(self._see), self._read(None))
        )
        self._content_is_json = False
        self._is_finished = False

    def feed(self, delta: Delta) -> Iterable[T]:
        if delta.choice:
            return ()

        if delta.kind == "tool_call":
            return self._feed_call(delta)

        if delta.kind != "finish":
            return () if self._calls else self._content.feed(delta)

        self._is_finished = True

        if delta.finish_reason in _CUT:
            for index, name in [*self._unwritten.items()]:
                self._begin(index, name)

        # Why the model stopped says why the text of any of them breaks off.
        for text in self._texts():
            text.feed(delta)

        return ()

    def close(self) -> Iterator[T]:
        for text in self._texts():
            yield from text.close()

        if self._unwritten and not self._is_finished:
            self._raise_joined(TruncatedJson(snapshot=None, text=""))

        self._raise_joined()

    def fail(self, error: Exception) -> Iterator[T]:
        for text in self._texts():
            yield from text.fail(error)

        # Complete as far as they have come, but one of them has not come.
        if self._unwritten and not self._is_finished:
            self._raise_joined(error)

        self._raise_joined()

    def _texts(self) -> list[HeardOut[Delta | str, T]]:
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

    def _begin(self, index: int, name: str | None) -> HeardOut[Delta | str, T]:
        self._unwritten.pop(index, None)
        call = self._calls[index] = self._text(compose(accumulate_json(), self._read(name)))
        return call

    def _text(self, operator: Operator[Delta | str, T]) -> HeardOut[Delta | str, T]:
        return HeardOut(operator, lambda _: not self._fail_fast)

    def _see(self, snapshot: Snapshot) -> None:
        self._content_is_json = snapshot.started

    def _raise_joined(self, *ended: Exception) -> None:
        """Raise what is wrong with any of them; first what ended the answer before its time."""
        errors = [*ended, *(text.error for text in self._texts() if text.error is not None)]
        errors.sort(key=lambda error: isinstance(error, (SchemaMismatch, MalformedJson)))

        if errors:
            first, *others = errors
            raise first if not isinstance(first, SchemaMismatch) else first.joined(others)
