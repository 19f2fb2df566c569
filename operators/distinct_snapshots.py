"""distinct_snapshots: only what differs from its predecessor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar, cast, overload

from streamops.keeping import is_equal
from streamops.lifting import Operator, PassThrough, Step, lift
from streamops.partial import partial_state
from streamops.progress import Progress
from streamops.snapshot import Snapshot

S = TypeVar("S")

_NOTHING = object()


@overload
def distinct_snapshots() -> PassThrough: ...
@overload
def distinct_snapshots(key: Callable[[S], Any]) -> Operator[S, S]: ...
def distinct_snapshots(key: Callable[[Any], Any] | None = None) -> Any:
    """Drop each element that shows the same as the one before; never drop the last.

    Snapshots and partials know whether anything was added, so comparing them costs the same
    however large they are; anything else is compared by ``==``, and differs where that has no
    answer, as with arrays. With ``key``, elements of which ``key(element)`` is the same count as
    the same, but the last one is still emitted. It is also emitted, before the error, when the
    source fails, even if it only repeats what was shown: its text may be longer.

    That a value has been closed does not show: put this behind operators that wait for that
    (``split_items``, ``when_complete``, ``track_progress``), else what they emit comes late.
    """
    if key is not None and not callable(key):
        raise TypeError(f"distinct_snapshots takes a function as key, not {key!r}")

    return lift(partial(_Distinct, key), name="distinct_snapshots", emits_items=None)


class _Distinct(Step[Any, Any]):
    def __init__(self, key: Callable[[Any], Any] | None) -> None:
        self._key = key
        self._shown: Any = _NOTHING
        self._dropped: Any = _NOTHING

    def feed(self, item: Any) -> Iterable[Any]:
        compared = item if self._key is None else self._key(item)
        shown = _what_shows(compared)
        if _same(self._shown, shown):
            self._dropped = item
            return ()

        self._shown, self._dropped = shown, _NOTHING
        return (item,)

    def fail(self, error: Exception) -> Iterator[Any]:
        if self._dropped is not _NOTHING:
            yield self._dropped
        raise error

    def close(self) -> Iterable[Any]:
        # Without a key, what was dropped last shows the same as what was emitted last.
        return () if self._key is None or self._dropped is _NOTHING else (self._dropped,)


class _Shown:
    """What has to be kept of a partial: itself, it would keep all that it was made of."""

    __slots__ = ("place", "revision")

    def __init__(self, place: object, revision: object) -> None:
        self.place = place
        self.revision = revision


def _what_shows(item: Any) -> Any:
    """Return what has to be kept of an element to compare others with it."""
    state = partial_state(item)
    if state is None:
        return item

    revision = state.revision
    return item if revision is None else _Shown(state.place, revision)


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True

    if isinstance(a, _Shown) and isinstance(b, _Shown):
        return a.place is b.place and a.revision is b.revision

    if isinstance(a, Snapshot) and isinstance(b, Snapshot):
        return a.is_same(b)

    if isinstance(a, Progress) and isinstance(b, Progress):
        before, now = cast("Progress[Any]", a), cast("Progress[Any]", b)
        same_percent = before.percent == now.percent
        return same_percent and _same(_what_shows(before.value), _what_shows(now.value))

    return is_equal(a, b)
