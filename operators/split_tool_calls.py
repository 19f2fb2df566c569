"""split_tool_calls: each tool call as a stream of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reactivex import Observable, abc
from reactivex.disposable import (
    CompositeDisposable,
    RefCountDisposable,
    SingleAssignmentDisposable,
)
from reactivex.subject import Subject

from streamops.delta import Delta
from streamops.errors import SourceFailed, UnknownElement
from streamops.lifting import Operator, Stream
from streamops.operators.select_channel import check_number


class ToolCall(Observable[Delta]):
    """The Deltas of one tool call, from the first on, whenever they are subscribed to."""

    def __init__(self, index: int, in_use: RefCountDisposable) -> None:
        super().__init__()
        self.index = index
        """Which call of its choice, as in Delta."""
        self.name: str | None = None
        """Name of the called tool, known when the call is emitted if the provider tells it."""
        self.id: str | None = None
        """Id of the call, if the provider gave it one."""
        self._in_use = in_use
        self._deltas: list[Delta] = []
        self._live: Subject[Delta] = Subject()

    def __repr__(self) -> str:
        return f"ToolCall({self.index}, name={self.name!r}, id={self.id!r})"

    if not TYPE_CHECKING:  # what it returns is as reactivex declares it

        def pipe(self, *operators: Any) -> Any:
            """Build a pipeline on it that knows its stages."""
            return Stream(self._subscribe_core, maker="ToolCall").pipe(*operators)

    def push(self, delta: Delta) -> None:
        """Emit a Delta, and keep it for those who subscribe later."""
        with self.lock:
            self.name = delta.name or self.name
            self.id = delta.id or self.id
            self._deltas.append(delta)
            self._live.on_next(delta)

    def end(self, error: Exception | None) -> None:
        """Complete, or fail."""
        with self.lock:
            if error is None:
                self._live.on_completed()
            else:
                self._live.on_error(error)

    def _subscribe_core(
        self, observer: abc.ObserverBase[Delta], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        in_use = self._in_use.disposable
        with self.lock:
            for delta in self._deltas:
                observer.on_next(delta)

            return CompositeDisposable(in_use, self._live.subscribe(observer, scheduler=scheduler))


def split_tool_calls(*, choice: int = 0) -> Operator[Delta, ToolCall]:
    """Emit a ToolCall, an Observable of its own Deltas, as each tool call of a choice begins.

        -a-a-a-b-b-c-|
        -A-----B---C-|    A: a-a-a-|    B: b-b-|    C: c-|

    Made for ``flat_map(lambda call: call.pipe(accumulate_json(), ...))``; ``name``, ``id`` and
    ``index`` say which call it is. It completes when the next call begins or the source completes,
    and fails if the source fails. The last one ends with the Delta of kind ``"finish"`` if the
    source sent one, which says why a call breaks off. A ToolCall keeps its Deltas: whoever
    subscribes late gets them all. The source is released when the stream and all of the ToolCalls
    in use are.

    Blank text that arrives for a call after the next one has begun is dropped; any other ends the
    stream in SourceFailed.

    Raises TypeError or ValueError for what is no choice. An element that is no Delta ends the
    stream in UnknownElement.
    """
    check_number("choice", choice)

    def operator(source: Observable[Delta]) -> Observable[ToolCall]:
        def subscribe(
            observer: abc.ObserverBase[ToolCall], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            connection = SingleAssignmentDisposable()
            in_use = RefCountDisposable(connection)
            splitter = _Splitter(choice, observer, in_use)
            connection.disposable = source.subscribe(
                splitter.on_next, splitter.end, splitter.end, scheduler=scheduler
            )
            return in_use

        return Stream(subscribe, source=source, maker="split_tool_calls")

    return operator


class _Splitter:
    def __init__(
        self, choice: int, observer: abc.ObserverBase[ToolCall], in_use: RefCountDisposable
    ) -> None:
        self._choice = choice
        self._observer = observer
        self._in_use = in_use
        self._begun: set[int] = set()
        self._call: ToolCall | None = None
        self._is_announced = False

    def on_next(self, delta: Delta) -> None:
        """Emit a Delta in its call, and the call if this begins it."""
        if not isinstance(delta, Delta):
            self.end(UnknownElement(delta, expected="split_tool_calls reads Deltas"))
        elif delta.choice != self._choice:
            return
        elif delta.kind == "finish" and self._call:
            self._call.push(delta)
        elif delta.kind == "tool_call":
            self._read(delta)

    def end(self, error: Exception | None = None) -> None:
        """Complete the open call and the stream, or have them fail."""
        self._end_call(error)
        if error is None:
            self._observer.on_completed()
        else:
            self._observer.on_error(error)

    def _read(self, delta: Delta) -> None:
        call = self._call
        if call is None or call.index != delta.index:
            if delta.index in self._begun:
                self._read_late(delta)
                return

            self._end_call()
            self._begun.add(delta.index)
            call = self._call = ToolCall(delta.index, self._in_use)

        call.push(delta)
        # Some providers send the id first and the name later.
        if not self._is_announced and (call.name or delta.text):
            self._is_announced = True
            self._observer.on_next(call)

    def _read_late(self, delta: Delta) -> None:
        if delta.text.strip():
            late = f"Tool call {delta.index} ({delta.name!r}) went on after the next one had begun"
            self.end(SourceFailed(f"{late}: tell interleaved calls apart with rx.group_by"))

    def _end_call(self, error: Exception | None = None) -> None:
        call, announced = self._call, self._is_announced
        self._call, self._is_announced = None, False
        if call is None:
            return

        if not announced:
            self._observer.on_next(call)
        call.end(error)
