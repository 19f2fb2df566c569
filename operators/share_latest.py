"""share_latest: one subscription for many subscribers; late ones start from the latest."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from threading import RLock
from typing import Any, Generic, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import Disposable, SingleAssignmentDisposable
from reactivex.notification import Notification, OnCompleted, OnError

from streamops.lifting import PassThrough

S = TypeVar("S")

_NOTHING: Any = object()


def share_latest() -> PassThrough:
    """Subscribe to the source once for all subscribers; a late one gets the latest element at once.

        -a-b-c-d-|
        ^                  -a-b-c-d-|
             ^                  cd--|    subscribed between c and d
                    ^               (d|)  subscribed after the end

    The first subscriber subscribes to the source, with its scheduler. The source is left when its
    last subscriber leaves; whoever comes then begins anew, and sees nothing of what was. After the
    end a late subscriber gets the latest element and the end, or the error, without a subscription
    to the source: ``rx.retry`` stands before this operator.

    Behind ``accumulate_json`` late subscribers miss nothing, since a Snapshot holds all that came.
    """

    def operator(source: Observable[S]) -> Observable[S]:
        lock = RLock()
        sharing: _Sharing[S] = _Sharing(lock)

        def subscribe(
            observer: abc.ObserverBase[S], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            nonlocal sharing

            with lock:
                if sharing.is_left:
                    sharing = _Sharing(lock)

                joined = sharing
                is_first = joined.is_unused
                membership = joined.join(observer)

            if is_first:
                joined.connect(source, scheduler)

            return membership

        return Observable(subscribe)

    return operator


class _Sharing(Generic[S]):
    """One subscription to the source, and those who share it."""

    def __init__(self, lock: RLock) -> None:
        self.is_unused = True
        self.is_left = False
        # Never held while all are told: one of them may wait for a thread that leaves.
        self._lock = lock
        self._connection = SingleAssignmentDisposable()
        self._observers: tuple[abc.ObserverBase[S], ...] = ()
        self._latest: S = _NOTHING
        self._end: Notification[S] | None = None

    def connect(self, source: Observable[S], scheduler: abc.SchedulerBase | None) -> None:
        """Subscribe to the source."""
        self._connection.disposable = source.subscribe(
            self._on_next,
            lambda error: self._on_end(OnError(error)),
            lambda: self._on_end(OnCompleted()),
            scheduler=scheduler,
        )

    def join(self, observer: abc.ObserverBase[S]) -> abc.DisposableBase:
        """Tell an observer the state, under the lock, and what comes from now on."""
        self.is_unused = False
        membership = Disposable(partial(self._leave, observer))
        if self._end is None:
            self._observers = (*self._observers, observer)

        try:
            if self._latest is not _NOTHING:
                observer.on_next(self._latest)
        except BaseException:
            membership.dispose()
            raise

        if self._end is not None:
            self._end.accept(observer)

        return membership

    def _leave(self, observer: abc.ObserverBase[S]) -> None:
        with self._lock:
            self._observers = tuple(other for other in self._observers if other is not observer)
            self.is_left = not self._observers and self._end is None
            is_left = self.is_left

        if is_left:
            self._connection.dispose()

    def _on_next(self, item: S) -> None:
        with self._lock:
            self._latest = item
            observers = self._observers

        for observer in observers:
            observer.on_next(item)

    def _on_end(self, end: Notification[S]) -> None:
        with self._lock:
            self._end = end
            observers, self._observers = self._observers, ()

        # All, even if one without on_error raises: the others would wait for ever.
        with ExitStack() as all_are_told:
            for observer in reversed(observers):
                all_are_told.callback(end.accept, observer)
