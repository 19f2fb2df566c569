"""Progress: how much of a document has arrived, as far as its schema lets us say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Literal, TypeAlias, TypeVar, cast

from streamops.model_shapes import ModelShape
from streamops.nodes import ArrayNode, Node, ObjectNode, Path
from streamops.shapes import Shape
from streamops.snapshot import Snapshot, finished_paths
from streamops.union_shapes import TaggedUnion

S = TypeVar("S")

Basis: TypeAlias = Literal["schema", "expected", "structure"]
"""What a percentage is based on: the fields of a model, those and numbers that the caller
expects, or nothing but what has arrived."""

# Without a number to expect, that many arrived children stand for half of the whole.
_HALF_OF_LIST = 5
_HALF_OF_OBJECT = 5
_HALF_OF_STRING = 200
_ALMOST = 99.9


class Progress(Generic[S]):
    """An element, and how far the document had come with it.

    The figures are worked out when somebody looks.
    """

    __slots__ = ("_before", "_elapsed", "_gauge", "_snapshot", "_value")

    def __init__(
        self,
        value: S,
        gauge: Gauge,
        snapshot: Snapshot | None,
        elapsed: float,
        before: Snapshot | None = None,
    ) -> None:
        self._value = value
        self._gauge = gauge
        self._snapshot = snapshot
        self._elapsed = elapsed
        self._before = before

    @property
    def value(self) -> S:
        """The element."""
        return self._value

    @property
    def percent(self) -> float:
        """0 to 100; never falls, and is 100.0 only when the JSON is complete."""
        return 100.0 if self._snapshot is None else self._gauge.percent(self._snapshot)

    @property
    def elapsed(self) -> float:
        """Seconds from the subscription to the element."""
        return self._elapsed

    @property
    def eta(self) -> float | None:
        """Seconds that the rest takes at the rate so far; None before there is a rate."""
        percent = self.percent
        return self._elapsed * (100 - percent) / percent if percent else None

    @property
    def basis(self) -> Basis:
        """What ``percent`` is based on."""
        return self._gauge.basis

    @property
    def current(self) -> Path:
        """The path that is being written; empty when the document is complete."""
        return self._snapshot.path if self._snapshot else ()

    @property
    def completed(self) -> tuple[Path, ...]:
        """The paths that are finished, in the order of the text, parents after their children.

        Of a validated model without a partial before it: its fields that were set.
        """
        if self._snapshot is not None:
            return self._snapshot.finished_paths()

        if self._before is not None:
            document = self._before.document
            return finished_paths((document, document.size))

        arrived = getattr(self._value, "model_fields_set", ())
        return tuple((name,) for name in getattr(self._value, "__dict__", ()) if name in arrived)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Progress):
            return NotImplemented

        other = cast("Progress[object]", other)
        figures = (self.percent, self.elapsed, self.basis, self.current)
        others = (other.percent, other.elapsed, other.basis, other.current)
        return figures == others and bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]  # as for a dict: what it holds has no hash

    def __repr__(self) -> str:
        eta = "" if self.eta is None else f", eta={self.eta:.1f}s"
        return f"Progress({self.percent:.1f}%, {self.value!r}, elapsed={self.elapsed:.1f}s{eta})"


class Gauge:
    """Estimates what part of a document a snapshot is."""

    def __init__(self, shape: Shape | None, expected: Mapping[Path, int]) -> None:
        self._shape = shape
        self._expected = dict(expected)
        if shape is not None:
            for path, number in expected.items():
                self._expected.update(dict.fromkeys(shape.json_paths(path), number))

    @property
    def has_shape(self) -> bool:
        """Whether the type of the document is known."""
        return self._shape is not None

    @property
    def basis(self) -> Basis:
        """What the estimate is based on."""
        if self._expected:
            return "expected"

        return "schema" if isinstance(self._shape, ModelShape) else "structure"

    def percent(self, snapshot: Snapshot) -> float:
        """Return 0 to 100; 100 for a complete snapshot only."""
        if snapshot.complete:
            return 100.0

        return min(100 * self._fraction(snapshot), _ALMOST)

    def _fraction(self, snapshot: Snapshot) -> float:
        marks = snapshot.marks[1:]
        path = snapshot.path if self._expected else ()
        shape = self._shape
        shapes: list[Shape | None] = []
        for node, index in marks:
            shape = shape.seen_in(node, index) if shape else None
            shapes.append(shape)
            shape = shape.child(node, index) if shape else None

        fraction = 0.0
        for level in reversed(range(len(marks))):
            node, count = marks[level]
            expected = self._expected.get(path[:level])
            fraction = _part(shapes[level], node, count, fraction, expected)
        return fraction


def _part(shape: Shape | None, node: Node, count: int, inner: float, expected: int | None) -> float:
    """Return what part of a value has arrived; ``inner`` is that of its open child."""
    if isinstance(shape, TaggedUnion):
        # Which fields to expect is not known, and a guess might have to be taken back.
        return 0.0

    if isinstance(shape, ModelShape) and isinstance(node, ObjectNode):
        return _part_of_model(shape, node, count, inner)

    expected = expected or (shape.length if shape else None)
    arrived = count + inner
    if expected:
        return min(arrived / expected, 1.0)

    if isinstance(node, ObjectNode):
        half = _HALF_OF_OBJECT
    elif isinstance(node, ArrayNode):
        half = _HALF_OF_LIST
    else:
        half = _HALF_OF_STRING
    return arrived / (arrived + half)


def _part_of_model(shape: ModelShape, node: ObjectNode, count: int, inner: float) -> float:
    fields = shape.fields
    finished = {fields[key][0] for key in node.keys[:count] if key in fields}
    arrived = float(len(finished))
    if len(node.keys) > count and (key := node.keys[count]) in fields:
        arrived += inner if fields[key][0] not in finished else 0

    return arrived / (len(shape.model.model_fields) or 1)
