"""distinct_snapshots: only what differs from its predecessor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast, overload

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
    however large they are; anything else is compared by ``==``. With ``key``, elements of which
    ``key(element)`` is the same count as the same, but the last one is still emitted if it differs
    from what was.
    """
    if key is not None and not callable(key):
        raise TypeError(f"distinct_snapshots takes a function as key, not {key!r}")

    return lift(partial(_Distinct, key))


class _Distinct(Step[Any, Any]):
    def __init__(self, key: Callable[[Any], Any] | None) -> None:
        self._key = key
        self._seen: Any = _NOTHING
        self._emitted: Any = _NOTHING
        self._dropped: Any = _NOTHING

    def feed(self, item: Any) -> Iterable[Any]:
        seen = self._key(item) if self._key else item
        if self._seen is not _NOTHING and _show_the_same(self._seen, seen):
            self._dropped = item
            return ()

        self._seen = seen
        self._emitted = item
        self._dropped = _NOTHING
        return (item,)

    def close(self) -> Iterable[Any]:
        if self._dropped is _NOTHING or _show_the_same(self._emitted, self._dropped):
            return ()

        return (self._dropped,)


def _show_the_same(a: Any, b: Any) -> bool:
    if a is b:
        return True

    if isinstance(a, Snapshot) and isinstance(b, Snapshot):
        return a.is_same(b)

    if isinstance(a, Progress) and isinstance(b, Progress):
        was, is_ = cast("Progress[Any]", a), cast("Progress[Any]", b)
        return was.percent == is_.percent and _show_the_same(was.value, is_.value)

    state, other = partial_state(a), partial_state(b)
    if state is not None and other is not None:
        return state.view.revision is other.view.revision

    return bool(a == b)
