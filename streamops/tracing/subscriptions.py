"""Sees every subscription that belongs to a trace, and only while there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias

from reactivex import Observable, Observer, abc


class Scope(Protocol):
    """On whose behalf something is done."""

    is_done: bool
    """Whether that was all of it."""

    def made(self, observable: Observable[Any]) -> None:
        """Hear of an Observable that was made meanwhile."""
        ...

    def subscribe(
        self,
        observable: Observable[Any],
        observer: abc.ObserverBase[Any],
        scheduler: abc.SchedulerBase | None,
    ) -> abc.DisposableBase:
        """Subscribe an observer, with a note of what it gets."""
        ...


scope: ContextVar[Scope | None] = ContextVar("streamops_trace", default=None)
"""The Scope of what is running, or None where nothing is traced."""


def current_scope() -> Scope | None:
    """Return the Scope of what is running."""
    current = scope.get()
    # Tasks that a subscriber started meanwhile remember the Scope for good.
    return None if current is None or current.is_done else current


@contextmanager
def seen() -> Generator[None]:
    """Let every subscription in a Scope be told to it, wherever the Observable comes from.

    Outside of these contexts reactivex is as it was. Other threads have no Scope, and tasks none
    that lasts longer than what started them.
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
    subscription: abc.DisposableBase = _patch.subscribe(observable, observer, scheduler=scheduler)
    return subscription


class _Patch:
    """Stands in for how Observables are made and subscribed to while anybody needs it."""

    def __init__(self) -> None:
        self.init, self.subscribe = _methods()
        self._count = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self._count += 1

            if self._count == 1:
                self.init, self.subscribe = _methods()
                _set_methods(_init, _subscribe)

    def remove(self) -> None:
        with self._lock:
            self._count -= 1

            if not self._count:
                _set_methods(self.init, self.subscribe)


_Method: TypeAlias = Callable[..., Any]


def _methods() -> tuple[_Method, _Method]:
    observable: Any = Observable
    return observable.__init__, observable.subscribe


def _set_methods(init: _Method, subscribe: _Method) -> None:
    observable: Any = Observable
    observable.__init__ = init
    observable.subscribe = subscribe


_patch = _Patch()


def _init(self: Observable[Any], *arguments: Any, **named: Any) -> None:
    _patch.init(self, *arguments, **named)
    current = current_scope()

    if current is not None:
        current.made(self)


def _subscribe(
    self: Observable[Any],
    on_next: Any = None,
    on_error: abc.OnError | None = None,
    on_completed: abc.OnCompleted | None = None,
    *,
    scheduler: abc.SchedulerBase | None = None,
) -> abc.DisposableBase:
    current = current_scope()

    if current is None:
        subscription: abc.DisposableBase = _patch.subscribe(
            self, on_next, on_error, on_completed, scheduler=scheduler
        )
        return subscription

    return current.subscribe(self, _observer(on_next, on_error, on_completed), scheduler)


def _observer(on_next: Any, on_error: Any, on_completed: Any) -> abc.ObserverBase[Any]:
    if callable(getattr(on_next, "on_next", None)):
        observer: abc.ObserverBase[Any] = on_next
        return observer

    # It fills in what was left out.
    return Observer(on_next, on_error, on_completed)
