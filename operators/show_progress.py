"""show_progress: a progress bar that people already use follows the stream."""

from __future__ import annotations

from _thread import start_new_thread
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast
from weakref import finalize

from reactivex import Observable, abc
from reactivex.disposable import CompositeDisposable, Disposable, SingleAssignmentDisposable

from streamops.bars import AnyBar, Follower, follower_of
from streamops.lifting import PassThrough, passing_on
from streamops.progress import Progress

S = TypeVar("S")


def show_progress(bar: AnyBar, *, description: str | None = None) -> PassThrough:
    """Show the percentage of each Progress on a bar of tqdm, rich or ipywidgets.

    ``tqdm.tqdm``, ``tqdm.auto.tqdm`` and ``rich.progress.Progress``, or ``functools.partial`` of
    them with arguments, are made anew for every subscription and closed when it ends;
    ``ipywidgets.FloatProgress`` is displayed, too. ``tqdm.tqdm(total=100)`` and
    ``ipywidgets.FloatProgress()`` are set from 0 to their ends, and are yours to show and to close.
    A ``rich.progress.Progress()`` gets a bar for every subscription: several streams may share it.
    It is started for them, and stopped after the last, unless it is already running.

    The bar shows whole percents, and 100 only of what is complete. By it stands the ``description``
    if there is one, else the place where the document grows; tqdm has both, the place at the right.
    When the stream fails, or is left, the bar stays where it was; an error is named there, but for
    a ``tqdm(total=100)``. What the bar itself raises ends the stream.

    Raises TypeError when called with anything else; elements that are no Progress end the stream in
    a TypeError.
    """
    if description is not None and not isinstance(description, str):
        raise TypeError(f"description is a text, not {description!r}")

    new_follower = follower_of(bar, description)

    def operator(source: Observable[S]) -> Observable[S]:
        def subscribe(
            observer: abc.ObserverBase[S], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            following = _Following(observer, new_follower())
            try:
                following.subscription.disposable = source.subscribe(
                    following.on_next,
                    following.on_error,
                    following.on_completed,
                    scheduler=scheduler,
                )
            except BaseException:
                following.leave()
                raise

            return CompositeDisposable(following.subscription, Disposable(following.leave))

        return passing_on(source, subscribe, "show_progress")

    return operator


class _Leaving(finalize):  # type: ignore[type-arg]  # no subscript at runtime
    """Leaves a bar once: when asked to, when nobody holds the stream any more, or at exit."""

    def __call__(self, unheld: Any = None) -> None:
        if unheld is None:
            super().__call__()
        else:
            # The garbage collector may have come while this thread, or one that it waits for, holds
            # a lock of the bar's package; so may Thread, of its own.
            start_new_thread(super().__call__, ())


class _Following(Generic[S]):
    def __init__(self, observer: abc.ObserverBase[S], follower: Follower) -> None:
        self.subscription = SingleAssignmentDisposable()
        self.leave = _Leaving(self, follower.close)
        self._observer = observer
        self._follower = follower

    def on_next(self, item: S) -> None:
        """Show how far the stream has come, and pass the element on."""
        try:
            self._show(item)
        except Exception as error:
            self.on_error(error)
            return

        try:
            self._observer.on_next(item)
        except BaseException:
            # Whoever pushes need not dispose, and rich would go on.
            self.leave()
            raise

    def on_error(self, error: Exception) -> None:
        """Name the error on the bar, and pass it on."""
        # Where the bar is what fails, it fails again.
        with suppress(Exception):
            self._follower.fail(type(error).__name__)
        with suppress(Exception):
            self.leave()
        self._observer.on_error(error)
        self.subscription.dispose()

    def on_completed(self) -> None:
        """Close the bar, and complete."""
        try:
            self._follower.complete()
            self.leave()
        except Exception as error:
            self.on_error(error)
        else:
            self._observer.on_completed()

    def _show(self, item: S) -> None:
        if not isinstance(item, Progress):
            raise TypeError(
                f"show_progress shows Progress, not {type(item).__name__}: put track_progress() "
                "before it"
            )

        progress = cast("Progress[object]", item)
        self._follower.show(progress.percent, progress.current)
