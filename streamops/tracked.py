"""Tracked: documents and lists of which somebody may ask at any moment how far they had come."""

from __future__ import annotations

from typing import Protocol, TypeVar

from streamops.gauge import Basis, Entries, Gauge, Measure, Place, almost, without_end
from streamops.nodes import ArrayNode, ContainerNode, Node, ObjectNode, Path
from streamops.priors import Kind
from streamops.snapshot import Snapshot

Moment = TypeVar("Moment", contravariant=True)

_HALF_OF_ITEMS = 5


class Tracked(Protocol[Moment]):
    """A document or a list."""

    @property
    def basis(self) -> Basis:
        """What the percentage is based on."""
        ...

    def percent(self, moment: Moment) -> float:
        """Return how far it had come, 0 to 100."""
        ...

    def current(self, moment: Moment) -> Path:
        """Return the path that was being written."""
        ...

    def completed(self, moment: Moment) -> tuple[Path, ...]:
        """Return the paths that were finished."""
        ...


class TrackedDocument:
    """A document that snapshots show.

    It remembers the way to the place that it was last asked for, so that the next time only what
    has changed is counted, with one addition for each value around it. Any thread may ask.
    """

    __slots__ = ("_latest", "_root", "basis")

    def __init__(self, gauge: Gauge) -> None:
        self._root = gauge.root
        self._latest: _Opened | None = None
        self.basis: Basis = gauge.basis

    def percent(self, moment: Snapshot) -> float:
        """Return 100 for a complete snapshot only."""
        if moment.complete:
            return 100.0

        node, count = moment.mark
        opened = self._opened(node)
        if opened is None:
            return 0.0

        part = opened.part(count)
        while opened.outer is not None:
            part = opened.measure(opened.before + opened.weight * part)
            opened = opened.outer
        return almost(100 * part)

    def current(self, moment: Snapshot) -> Path:
        return moment.path

    def completed(self, moment: Snapshot) -> tuple[Path, ...]:
        return moment.finished_paths()

    def _opened(self, node: Node) -> _Opened | None:
        """Follow what is open down to a node; None if that is the document itself."""
        begun: list[Node] = []
        opened = self._latest
        while node.parent is not None:
            while opened is not None and opened.node.depth > node.depth:
                opened = opened.outer
            if opened is not None and opened.node is node:
                break
            begun.append(node)
            node = node.parent
        else:
            opened = None

        for child in reversed(begun):
            opened = opened.child(child) if opened else _Opened(child, self._root)
        self._latest = opened
        return opened


class _Opened:
    """An open value, and how the part of it that has arrived counts in the value around it."""

    __slots__ = ("_kind", "_place", "_seen", "before", "measure", "node", "outer", "weight")

    def __init__(self, node: Node, place: Place) -> None:
        self.node = node
        self._kind: Kind = _kind_of(node)
        self._place = place
        # Replaced as a whole, since several threads may ask.
        self._seen: tuple[Entries | None, int, float, frozenset[str]] = None, 0, 0.0, frozenset()
        self.outer: _Opened | None = None
        """The value around it, unless it is the root."""
        self.before = 0.0
        """What the children before it count there."""
        self.weight = 1.0
        """What it will count itself."""
        self.measure: Measure
        """How to measure that value."""

    def part(self, count: int) -> float:
        """Return what part has arrived when so many children had, and nothing was open in it."""
        place = self._place.seen_in(self.node, count)
        arrived = self._arrived(place.entries, count)[0] if self._kind == "object" else count
        return place.measure(self._kind)(arrived)

    def child(self, node: Node) -> _Opened:
        """Follow an open child."""
        outer = self.node
        assert isinstance(outer, ContainerNode), "only containers have children"
        place = self._place.seen_in(outer, node.index)

        child = _Opened(node, place.child(outer, node.index))
        child.outer = self
        child.measure = place.measure(self._kind)
        if isinstance(outer, ObjectNode):
            entries = place.entries
            child.before, finished = self._arrived(entries, node.index)
            child.weight = entries.weight(outer.keys[node.index], finished)
        else:
            child.before = float(node.index)
        return child

    def _arrived(self, entries: Entries, count: int) -> tuple[float, frozenset[str]]:
        """Return what the first properties of an object count, and the known ones among them."""
        node = self.node
        assert isinstance(node, ObjectNode)
        known, seen, arrived, finished = self._seen
        if known is entries and seen == count:
            return arrived, finished

        if known is not entries or seen > count:
            seen, arrived, finished = 0, 0.0, frozenset[str]()

        # In the order of the text, so that rounding cannot make the sum fall.
        for key in node.keys[seen:count]:
            arrived += entries.weight(key, finished)
            if key in entries.fields:
                finished |= {entries.fields[key]}

        self._seen = entries, count, arrived, finished
        return arrived, finished


def _kind_of(node: Node) -> Kind:
    if isinstance(node, ObjectNode):
        return "object"

    return "array" if isinstance(node, ArrayNode) else "string"


class EndedDocument:
    """A validated model, which shows no way that it has come."""

    __slots__ = ("basis",)

    def __init__(self, basis: Basis) -> None:
        self.basis: Basis = basis

    def percent(self, moment: None) -> float:
        return 100.0

    def current(self, moment: None) -> Path:
        return ()

    def completed(self, moment: None) -> tuple[Path, ...]:
        return ((),)


class TrackedItems:
    """Items of a list, of which a number may be expected; a moment is how many had come."""

    __slots__ = ("_ended", "_expected")

    def __init__(self, expected: int | None, *, ended: bool = False) -> None:
        self._expected = expected
        self._ended = ended

    @property
    def basis(self) -> Basis:
        return "expected" if self._expected else "items"

    def percent(self, moment: int) -> float:
        if self._ended:
            return 100.0

        expected = self._expected
        return almost(
            100 * (moment / expected if expected else without_end(moment, _HALF_OF_ITEMS))
        )

    def current(self, moment: int) -> Path:
        return ()

    def completed(self, moment: int) -> tuple[Path, ...]:
        return tuple((index,) for index in range(moment))
