"""share_latest: one subscription for many subscribers; late ones start from the latest."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import methodcaller
from threading import Lock, RLock
from typing import Any, Generic, TypeAlias, TypeVar

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable

from streamops.errors import SourceFailed, StreamopsError
from streamops.lifting import PassThrough, passing_on
from streamops.pulling import PullScheduler

S = TypeVar("S")

_News: TypeAlias = Callable[[abc.ObserverBase[Any]], object]
"""Tells an observer of an element or the end."""


def share_latest() -> PassThrough:
    """Subscribe to the source once for all subscribers; a late one gets the latest element at once.

        -a-b-c-d-|
        ^                  -a-b-c-d-|
             ^                  cd--|    subscribed between c and d
                    ^               (d|)  subscribed after the end

    The first subscriber subscribes to the source, with its scheduler. The source is left when its
    last subscriber leaves; whoever comes then begins anew, and sees nothing of what was. After the
    end a late subscriber gets the latest element and the end, or the error, without a subscription
    to the source: ``rx.retry`` stands before this operator. Only an error before any element that
    is no StreamopsError is not kept, as that of a ``subscribe`` to an asynchronous source
    outside of an event loop: whoever comes next begins anew.

    What a subscriber raises goes up to whoever pushes, which ends the source: all others get that
    element and then SourceFailed, and whoever comes next begins anew.

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
                if sharing.is_over:
                    sharing = _Sharing(lock)

                joined = sharing
                is_first = joined.is_unused
                member = joined.admit(observer)

                if is_first:
                    joined.is_unused = False
                    joined.scheduler = scheduler

            if is_first:
                joined.connect(source)

            return CompositeDisposable(
                joined.join(member), _waiting_for(joined.scheduler, scheduler)
            )

        return passing_on(source, subscribe, "share_latest")

    return operator


class _Member(Generic[S]):
    """A subscriber, and what it was not told yet."""

    def __init__(self, observer: abc.ObserverBase[S]) -> None:
        self.news: deque[_News] = deque()
        self._observer = observer
        self._telling = Lock()

    def tell(self) -> None:
        """Tell it the news, one after the other, unless that is being done; none once it raised."""
        while self.news and self._telling.acquire(blocking=False):
            while self.news:
                self.news.popleft()(self._observer)

            self._telling.release()


class _Sharing(Generic[S]):
    """One subscription to the source, and those who share it."""

    def __init__(self, lock: RLock) -> None:
        self.is_unused = True
        self.scheduler: abc.SchedulerBase | None = None
        self.is_over = False
        """Whether the next subscriber begins anew."""
        # Never held while anybody is told: that one may wait for a thread that joins or leaves.
        self._lock = lock
        self._connection = SingleAssignmentDisposable()
        self._members: tuple[_Member[S], ...] = ()
        self._latest: tuple[_News, ...] = ()
        self._end: tuple[_News, ...] = ()
        self._raised: BaseException | None = None

    def admit(self, observer: abc.ObserverBase[S]) -> _Member[S]:
        """Make a member that is to be told the state and what comes from now on; locked."""
        member = _Member(observer)
        member.news.extend((*self._latest, *self._end))

        if not self._end:
            self._members = (*self._members, member)

        return member

    def connect(self, source: Observable[S]) -> None:
        """Subscribe to the source."""
        self._connection.disposable = source.subscribe(
            self._on_next,
            self._on_error,
            lambda: self._on_end(methodcaller("on_completed")),
            scheduler=self.scheduler,
        )

        if self._raised is not None:
            # A source that pushes at once was told, by reactivex, that it had failed.
            raise self._raised

    def join(self, member: _Member[S]) -> abc.DisposableBase:
        """Tell a member the state."""
        membership = Disposable(lambda: self._leave(member))

        try:
            member.tell()
        except BaseException:
            membership.dispose()
            raise

        return membership

    def _leave(self, member: _Member[S]) -> None:
        with self._lock:
            self._members = tuple(other for other in self._members if other is not member)
            is_left = not self._members and not self._end
            self.is_over |= is_left

        if is_left:
            self._connection.dispose()

    def _on_next(self, item: S) -> None:
        element = methodcaller("on_next", item)

        try:
            with self._lock:
                self._latest = (element,)
                members = self._members
                _announce(element, members)

            _tell_all(members)
        except BaseException as raised:
            try:
                self._break_off(raised)
            finally:
                # Whatever the others make of it.
                raise raised

    def _break_off(self, raised: BaseException) -> None:
        with self._lock:
            self.is_over = True
            self._raised = raised

        self._connection.dispose()
        failure = SourceFailed(
            f"A subscriber of this shared stream raised {type(raised).__name__}: {raised}"
        )
        failure.__cause__ = raised
        self._on_end(methodcaller("on_error", failure))

    def _on_error(self, error: Exception) -> None:
        with self._lock:
            self.is_over |= not self._latest and not isinstance(error, StreamopsError)

        self._on_end(methodcaller("on_error", error))

    def _on_end(self, end: _News) -> None:
        with self._lock:
            if self._end:
                return

            self._end = (end,)
            members, self._members = self._members, ()
            _announce(end, members)

        _tell_all(members)


def _announce(what: _News, members: tuple[_Member[S], ...]) -> None:
    for member in members:
        member.news.append(what)


def _tell_all(members: tuple[_Member[S], ...]) -> None:
    first: BaseException | None = None

    for member in members:
        try:
            member.tell()
        except BaseException as raised:
            # All are told, or the others would wait for ever.
            first = first or raised

    if first is not None:
        raise first


def _waiting_for(
    reader: abc.SchedulerBase | None, scheduler: abc.SchedulerBase | None
) -> abc.DisposableBase:
    # The generator that subscribed first reads for the others.
    if (
        isinstance(reader, PullScheduler)
        and isinstance(scheduler, PullScheduler)
        and reader is not scheduler
    ):
        return scheduler.wait_for(reader)

    return Disposable()
