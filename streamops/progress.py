"""Progress: an element, and how much of a document or a list has arrived with it."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar, cast

from streamops.gauge import Basis, Gauge, almost, without_end
from streamops.nodes import Path
from streamops.snapshot import Snapshot

S = TypeVar("S")

_HALF_OF_ITEMS = 5

# A rate that rests on less than that many percent is noise.
_LEAST_RISE = 1.0


class Progress(Generic[S]):
    """An element, and how far the document had come with it.

    The figures are worked out when somebody looks.
    """

    __slots__ = ("_begun", "_elapsed", "_position", "_value")

    def __init__(
        self, value: S, position: Position, elapsed: float, begun: tuple[float, float] | None
    ) -> None:
        self._value = value
        self._position = position
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
        return self._position.percent

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
        return self._position.basis

    @property
    def current(self) -> Path:
        """The path that is being written; empty for items and when the document is complete."""
        return self._position.current

    @property
    def completed(self) -> tuple[Path, ...]:
        """The paths that are finished, in the order of the text, parents after their children.

        They are those of the JSON, with its keys. Of a validated model ``()`` alone, the root, with
        which all of it is finished. Of items ``(0,)``, ``(1,)`` and so on, as many as have come,
        whichever list they stand in.
        """
        return self._position.completed

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Progress):
            return NotImplemented

        other = cast("Progress[object]", other)
        figures = (self.percent, self.elapsed, self.eta, self.basis, self.current)
        others = (other.percent, other.elapsed, other.eta, other.basis, other.current)
        return figures == others and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # as for a dict: what it holds has no hash

    def __repr__(self) -> str:
        eta = "" if self.eta is None else f", eta={self.eta:.1f}s"
        return (
            f"Progress({self.percent:.1f}% by {self.basis}, {self.value!r}, "
            f"elapsed={self.elapsed:.1f}s{eta})"
        )


class Position(Protocol):
    """How far a document or a list had come."""

    @property
    def percent(self) -> float:
        """0 to 100."""
        ...

    @property
    def basis(self) -> Basis:
        """What the percentage is based on."""
        ...

    @property
    def current(self) -> Path:
        """The path that is being written."""
        ...

    @property
    def completed(self) -> tuple[Path, ...]:
        """The paths that are finished."""
        ...


class InDocument:
    """What a snapshot shows."""

    __slots__ = ("_gauge", "_snapshot")

    def __init__(self, gauge: Gauge, snapshot: Snapshot) -> None:
        self._gauge = gauge
        self._snapshot = snapshot

    @property
    def percent(self) -> float:
        return self._gauge.percent(self._snapshot)

    @property
    def basis(self) -> Basis:
        return self._gauge.basis

    @property
    def current(self) -> Path:
        return self._snapshot.path

    @property
    def completed(self) -> tuple[Path, ...]:
        return self._snapshot.finished_paths()


class AtEnd:
    """A validated model."""

    __slots__ = ("basis",)

    percent = 100.0
    current: Path = ()
    completed: tuple[Path, ...] = ((),)

    def __init__(self, basis: Basis) -> None:
        self.basis: Basis = basis


class InList:
    """So many items of a list, of which a number may be expected."""

    __slots__ = ("_count", "_ended", "_expected")

    current: Path = ()

    def __init__(self, count: int, expected: int | None, *, ended: bool = False) -> None:
        self._count = count
        self._expected = expected
        self._ended = ended

    @property
    def percent(self) -> float:
        if self._ended:
            return 100.0

        expected, count = self._expected, self._count
        return almost(100 * (count / expected if expected else without_end(count, _HALF_OF_ITEMS)))

    @property
    def basis(self) -> Basis:
        return "expected" if self._expected else "items"

    @property
    def completed(self) -> tuple[Path, ...]:
        return tuple((index,) for index in range(self._count))
