"""Sees every subscription that belongs to a trace, and only while there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from reactivex import Observable, Observer, abc


class Scope(Protocol):
    """On whose behalf something is subscribed to."""

    def subscribe(
        self,
        observable: Observable[Any],
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> abc.DisposableBase:
        """Subscribe an observer, with a note of what it gets."""
        ...


scope: ContextVar[Any] = ContextVar("streamops_trace", default=None)
"""The Scope of what is running, or None where nothing is traced."""


@contextmanager
def seen() -> Generator[None]:
    """Let every subscription in a Scope be told to it, wherever the Observable comes from.

    Outside of these contexts reactivex is as it was. Other threads and tasks have no Scope.
    """
    _patch.add()

    try:
        yield
    finally:
        _patch.remove()


def unseen(
    observable: Observable[Any],
    observer: abc.ObserverBase[Any],
    scheduler: abc.SchedulerBase | None,
) -> abc.DisposableBase:
    """Subscribe without telling anybody; what that subscribes to is told."""
    return _patch.original(observable, observer, scheduler=scheduler)


class _Patch:
    """Stands in for ``Observable.subscribe`` while anybody needs it."""

    def __init__(self) -> None:
        self.original = _get_subscribe()
        self._count = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self._count += 1

            if self._count == 1:
                self.original = _get_subscribe()
                _set_subscribe(_subscribe)

    def remove(self) -> None:
        with self._lock:
            self._count -= 1

            if not self._count:
                _set_subscribe(self.original)


def _get_subscribe() -> Callable[..., abc.DisposableBase]:
    observable: Any = Observable
    subscribe: Callable[..., abc.DisposableBase] = observable.subscribe
    return subscribe


def _set_subscribe(function: Callable[..., abc.DisposableBase]) -> None:
    observable: Any = Observable
    observable.subscribe = function


_patch = _Patch()


def _subscribe(
    self: Observable[Any],
    on_next: Any = None,
    on_error: abc.OnError | None = None,
    on_completed: abc.OnCompleted | None = None,
    *,
    scheduler: abc.SchedulerBase | None = None,
) -> abc.DisposableBase:
    current: Scope | None = scope.get()

    if current is None:
        return _patch.original(self, on_next, on_error, on_completed, scheduler=scheduler)

    return current.subscribe(self, _observer(on_next, on_error, on_completed), scheduler)


def _observer(on_next: Any, on_error: Any, on_completed: Any) -> abc.ObserverBase[Any]:
    if callable(getattr(on_next, "on_next", None)):
        observer: abc.ObserverBase[Any] = on_next
        return observer

    # It fills in what was left out.
    return Observer(on_next, on_error, on_completed)
