"""Progress: an element, and how much of a document or a list has arrived with it."""

from __future__ import annotations

import reprlib
from typing import Any, Generic, TypeVar, cast

from streamops.gauge import Basis
from streamops.nodes import Path
from streamops.tracked import Tracked, TrackedItems

S = TypeVar("S")

# A rate that rests on less than that many percent is noise.
_LEAST_RISE = 1.0

_shortened = reprlib.Repr()
_shortened.maxother = 80


class Progress(Generic[S]):
    """An element, and how far the document had come with it.

    The figures are worked out when somebody looks.
    """

    __slots__ = ("_begun", "_elapsed", "_moment", "_tracked", "_value")

    def __init__(
        self,
        value: S,
        tracked: Tracked[Any],
        moment: object,
        elapsed: float,
        begun: tuple[float, float] | None,
    ) -> None:
        self._value = value
        self._tracked = tracked
        self._moment = moment
        self._elapsed = elapsed
        self._begun = begun

    @property
    def value(self) -> S:
        """The element."""
        return self._value

    @property
    def percent(self) -> float:
        """0 to 100; of one document it never falls, and is 100.0 once, when the JSON is complete.

        Each of several documents counts by itself, also if they are merged.
        """
        return self._tracked.percent(self._moment)

    @property
    def elapsed(self) -> float:
        """Seconds from the subscription to the element."""
        return self._elapsed

    @property
    def eta(self) -> float | None:
        """Seconds that the rest takes at the rate so far; 0.0 at the end.

        The rate counts from the first element that shows anything, so that waiting for it does not
        slow it down. None until the percentage has risen by one since then. Documents that are
        merged have no rates of their own: track each before merging them.
        """
        percent = self.percent
        if percent == 100:
            return 0.0

        if self._begun is None:
            return None

        begun, percent_then = self._begun
        passed, rise = self._elapsed - begun, percent - percent_then
        return passed * (100 - percent) / rise if passed > 0 and rise >= _LEAST_RISE else None

    @property
    def basis(self) -> Basis:
        """What ``percent`` is based on.

        ``"expected"``: on numbers that the caller expects; else ``"weights"``: the caller's
        weights; else ``"prior"``: earlier runs, if they were of such a document; else ``"schema"``:
        the fields and lengths of a type; else nothing but how much has arrived of a document
        (``"structure"``) or how many items of a list (``"items"``). What stands first wins where it
        says something, and what follows fills the gaps.
        """
        return self._tracked.basis

    @property
    def current(self) -> Path:
        """The path that is being written; empty for items and when the document is complete."""
        return self._tracked.current(self._moment)

    @property
    def completed(self) -> tuple[Path, ...]:
        """The paths that are finished, in the order of the text, parents after their children.

        They are those of the JSON, with its keys. Of a validated model ``()`` alone, the root, with
        which all of it is finished. Of items ``(0,)``, ``(1,)`` and so on, as many as have come,
        whichever list they stand in.
        """
        return self._tracked.completed(self._moment)

    @property
    def item_count(self) -> int | None:
        """How many items of a list have come, with the one that is the element.

        None if a document is tracked, and not items behind ``split_items``.
        """
        if not isinstance(self._tracked, TrackedItems):
            return None

        return cast("int", self._moment)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Progress):
            return NotImplemented

        other = cast("Progress[object]", other)
        figures = (self.percent, self.elapsed, self.eta, self.basis, self.current)
        others = (other.percent, other.elapsed, other.eta, other.basis, other.current)
        return figures == others and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # as for a dict: what it holds has no hash

    def _repr_html_(self) -> str:
        from streamops.display.html import html_of

        return html_of(self)

    def __repr__(self) -> str:
        eta = "" if self.eta is None else f", eta={self.eta:.1f}s"
        return (
            f"Progress({self.percent:.1f}% by {self.basis}, {_shortened.repr(self.value)}, "
            f"elapsed={self.elapsed:.1f}s{eta})"
        )


def without_progress(element: Any) -> Any:
    """Return what a Progress was made for, and anything else as it is."""
    while isinstance(element, Progress):
        element = cast("Progress[Any]", element).value
    return element
