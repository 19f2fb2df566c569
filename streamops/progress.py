"""Progress: how much of a document has arrived, as far as its schema lets us say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from streamops.model_shapes import ModelShape
from streamops.shapes import Shape
from streamops.snapshot import ArrayNode, Node, ObjectNode, Path, Snapshot

S = TypeVar("S")

Basis: TypeAlias = Literal["schema", "expected", "structure"]
"""What a percentage is based on: the fields of a model, those and numbers that the caller
expects, or nothing but what has arrived."""

# Without a number to expect, that many arrived children stand for half of the whole.
_HALF_OF_LIST = 5
_HALF_OF_OBJECT = 5
_HALF_OF_STRING = 200
_ALMOST = 99.9


@dataclass(frozen=True, slots=True)
class Progress(Generic[S]):
    """An element, and how far the document had come with it."""

    value: S
    percent: float
    """0 to 100; never falls, and is 100.0 only when the JSON is complete."""
    elapsed: float
    """Seconds since the subscription."""
    eta: float | None
    """Seconds that the rest takes at the rate so far; None before there is a rate."""
    basis: Basis
    """What ``percent`` is based on."""
    _finished: Callable[[], tuple[Path, ...]] = field(repr=False, compare=False)
    current: Path = ()
    """The path that is being written; empty when the document is complete."""

    @property
    def completed(self) -> tuple[Path, ...]:
        """The paths that are finished, in the order of the text, parents after their children."""
        return self._finished()


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
        path = snapshot.path
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
