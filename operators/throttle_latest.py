"""throttle_latest: at most one element per interval, and never without the last."""

from __future__ import annotations

from math import isfinite
from threading import RLock
from typing import Any, Generic, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, SerialDisposable
from reactivex.scheduler import TimeoutScheduler

from streamops.lifting import PassThrough, passing_on
from streamops.naming import call_name

S = TypeVar("S")

_NOTHING: Any = object()


def throttle_latest(seconds: float) -> PassThrough:
    """Emit at most one element per interval: the first at once, then the latest of each interval.

        -a-b-c---------d----e-|
        -a----c--------d----e-|    intervals as long as five characters

    What is replaced by a later element before it is due is never looked at. When the source ends,
    completed or failed, an element that still waits is emitted before the end. The timer, one at a
    time, runs on the scheduler of the subscription.

    Raises TypeError for what is no number, and ValueError if it is not above 0.
    """
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise TypeError(f"throttle_latest takes a number of seconds, not {seconds!r}")

    if not (seconds > 0 and isfinite(seconds)):
        raise ValueError(f"throttle_latest takes a number of seconds above 0, not {seconds}")

    name = call_name("throttle_latest", seconds)

    def operator(source: Observable[S]) -> Observable[S]:
        def subscribe(
            observer: abc.ObserverBase[S], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            throttle = _Throttle(observer, seconds, scheduler or TimeoutScheduler.singleton())
            subscription = source.subscribe(
                throttle.on_next, throttle.on_error, throttle.on_completed, scheduler=scheduler
            )
            return CompositeDisposable(subscription, throttle.timer)

        return passing_on(source, subscribe, name)

    return operator


class _Throttle(Generic[S]):
    def __init__(
        self, observer: abc.ObserverBase[S], seconds: float, scheduler: abc.SchedulerBase
    ) -> None:
        self.timer = SerialDisposable()
        self._observer = observer
        self._seconds = seconds
        self._scheduler = scheduler
        self._waiting: S = _NOTHING
        self._running = False
        # A timer may fire in another thread than the one that pushes.
        self._lock = RLock()

    def on_next(self, item: S) -> None:
        """Emit an element, or keep it until the interval is over."""
        with self._lock:
            self._waiting = item
            if not self._running:
                self._emit_and_wait()

    def on_error(self, error: Exception) -> None:
        """Emit what waits, then the error."""
        with self._lock:
            self._flush()
            self._observer.on_error(error)

    def on_completed(self) -> None:
        """Emit what waits, then complete."""
        with self._lock:
            self._flush()
            self._observer.on_completed()

    def _emit_and_wait(self) -> None:
        self._running = True
        item, self._waiting = self._waiting, _NOTHING
        self.timer.disposable = self._scheduler.schedule_relative(self._seconds, self._on_timer)
        self._observer.on_next(item)

    def _on_timer(self, _: abc.SchedulerBase, __: Any = None) -> None:
        with self._lock:
            self._running = False
            if self._waiting is not _NOTHING:
                self._emit_and_wait()

    def _flush(self) -> None:
        self.timer.dispose()
        item, self._waiting = self._waiting, _NOTHING
        if item is not _NOTHING:
            self._observer.on_next(item)
