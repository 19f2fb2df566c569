"""Gauge: what to expect of a document, as far as anything lets us say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cached_property, partial, reduce
from math import fsum
from typing import Any, Literal, TypeAlias

from streamops.collection_shapes import DictOf, ListOf
from streamops.hints import Hints, Numbers, named_keys, number_here, numbers_below
from streamops.nodes import ContainerNode, Node
from streamops.patterns import ANY, AnyKey, Pattern
from streamops.priors import AROUND_KEY, Kind, Learned
from streamops.reading import reader_of
from streamops.record_shapes import RecordShape
from streamops.root_shapes import RootShape
from streamops.shapes import Shape, Whole, Wrapped
from streamops.union_shapes import OneOf, TaggedUnion
from streamops.value_shapes import Text

Basis: TypeAlias = Literal["expected", "weights", "prior", "schema", "structure", "items"]
"""What a percentage is based on, the most telling first: numbers that the caller expects, the
caller's weights, earlier runs, the fields and lengths of a type, or nothing but how much has
arrived of a document, or how many items of a list."""

# Without a number to expect, that many arrived children stand for half of the whole.
_HALF: Mapping[Kind, int] = {"object": 5, "array": 5, "string": 200}

_ALMOST = 99.9

# Types that appear at once, as pydantic calls them.
_UNCOUNTED = ("int", "float", "bool", "none")

# Where a value that goes by earlier ones slows down, in case it is longer than they were.
_KNEE = 0.9


class Gauge:
    """Says what to expect of a document.

    Raises ValueError for hints that lead nowhere in the model.
    """

    def __init__(self, model: Any, hints: Hints) -> None:
        shape = None if model is None else reader_of(model, operator="track_progress").shape
        hints = hints.for_model(model)
        if shape is not None:
            _check(hints, shape)

        learned = hints.prior.learned if hints.prior else None
        self.has_model = model is not None
        """Whether the type of the document is known."""
        self.root = Place(shape, learned, hints.expected, hints.weights)
        """The place of its root."""
        self.basis: Basis = _basis(hints, shape)
        """What the estimate is based on."""


def almost(percent: float) -> float:
    """Return a percentage that leaves room for the end."""
    return min(percent, _ALMOST)


def without_end(arrived: float, half: int) -> float:
    """Return what part of something of unknown length has arrived: nearly 1 at most."""
    # As arrived / (arrived + half), but rounding can never make more look like less.
    return 1 - half / (arrived + half)


Measure: TypeAlias = Callable[[float], float]
"""Tells what part has arrived, from 0 to 1, of a value whose children so far count so much. It
never falls when these count more."""


def _nothing(_: float) -> float:
    return 0.0


def _up_to(whole: float) -> Measure:
    """Measure by what is certain, or by what the caller expects."""
    return partial(_share_of, whole)


def _share_of(whole: float, arrived: float) -> float:
    return arrived / whole if arrived < whole else 1.0


def _around(whole: float) -> Measure:
    """Measure by what earlier runs say is the whole, without ever reaching it."""
    return partial(_share_around, whole)


def _share_around(whole: float, arrived: float) -> float:
    part, rest = arrived / whole, 1 - _KNEE
    return part if part <= _KNEE else max(_KNEE, 1 - rest * rest / (part - _KNEE + rest))


class Place:
    """What to expect at one place, or at several that are alike."""

    def __init__(
        self, shape: Shape | None, learned: Learned | None, expected: Numbers, weights: Numbers
    ) -> None:
        self._shape = shape
        self._learned = learned
        self._expected = expected
        self._weights = weights
        self._number = number_here(expected)
        self._has_hints = bool(expected or weights)
        self._turned_out: dict[Shape, Place] = {}
        self._named: dict[str | int, Place] = {}
        self._unnamed: dict[object, Place] = {}
        self._measures: dict[Kind, Measure] = {}

    def seen_in(self, node: Node, count: int) -> Place:
        """Return the place for what an open value turns out to be."""
        shape = self._shape.seen_in(node, count) if self._shape else None
        if shape is None or shape is self._shape:
            return self

        if shape not in self._turned_out:
            place = Place(shape, self._learned, self._expected, self._weights)
            self._turned_out[shape] = place
        return self._turned_out[shape]

    def child(self, node: Node, index: int) -> Place:
        """Return the place of a child of an open value."""
        assert isinstance(node, ContainerNode), "only containers have children"
        key = node.key(index)
        if key in self._named:
            return self._named[key]

        shape = self._shape.child(node, index) if self._shape else None
        if key in self.entries.fields:
            self._named[key] = self._new_child(key, shape)
            return self._named[key]

        # A list may have any number of items; what is known of them is mostly the same.
        hints = (self._expected_at(key), self._weights_at(key)) if self._has_hints else None
        alike = type(key), shape, hints
        if alike not in self._unnamed:
            self._unnamed[alike] = self._new_child(key, shape)
        return self._unnamed[alike]

    def measure(self, kind: Kind) -> Measure:
        """Return how to measure an open value of a kind."""
        if kind not in self._measures:
            self._measures[kind] = self._new_measure(kind)
        return self._measures[kind]

    def _new_measure(self, kind: Kind) -> Measure:
        """Go by what the caller expects, else by earlier runs, else by the type."""
        if isinstance(self._shape, TaggedUnion):
            # Which fields to expect is not known, and a guess might have to be taken back.
            return _nothing

        if kind == "object" and isinstance(self._shape, RecordShape):
            return _up_to(self.entries.whole) if self.entries.whole else _nothing

        learned = self._learned.length(kind) if self._learned else None
        if kind == "object":
            learned = self.entries.whole
        if self._number is None and learned:
            return _around(learned)

        expected = self._number or (self._shape.length if self._shape else None)
        return _up_to(expected) if expected else partial(without_end, half=_HALF[kind])

    def _new_child(self, key: str | int, shape: Shape | None) -> Place:
        return Place(shape, self._learned_at(key), self._expected_at(key), self._weights_at(key))

    def _expected_at(self, key: str | int) -> Numbers:
        return numbers_below(self._expected, key)

    def _weights_at(self, key: str | int) -> Numbers:
        return numbers_below(self._weights, key)

    def _learned_at(self, key: str | int) -> Learned | None:
        learned = self._learned
        if learned is None or isinstance(key, int):
            return learned and learned.each

        if isinstance(self._shape, RecordShape):
            name = self.entries.fields.get(key)
            return learned.at(_keys(self._shape, name)) if name else None

        return learned.at([key]) or learned.anywhere()

    @cached_property
    def entries(self) -> Entries:
        """What the properties of an object count."""
        if isinstance(self._shape, RecordShape):
            return _fields_of(self._shape, self._learned, self._weights)

        return _keys_of(self._learned, self._weights)


@dataclass(frozen=True, slots=True)
class Entries:
    """What the properties of an object count."""

    fields: Mapping[str, str]
    """The names of what is known, by the keys that these are read from."""
    weights: Mapping[str, float]
    """What these names count."""
    other: float
    """What anything else counts, and what is repeated."""
    whole: float | None
    """What all together count."""

    def weight(self, key: str, finished: Set[str]) -> float:
        """Return what the property at a key counts behind those with these names."""
        name = self.fields.get(key)
        return self.other if name is None or name in finished else self.weights[name]


def _fields_of(shape: RecordShape, learned: Learned | None, weights: Numbers) -> Entries:
    """Return what the fields of a model count: 1 each, on average if that was learned."""
    counts = dict.fromkeys(shape.types, 1.0)
    found = {name: learned.at(_keys(shape, name)) for name in counts} if learned else {}
    written = {name: _written(name, at) for name, at in found.items() if at}
    if learned and written:
        # What no run had may come now; the more runs there were, the less likely it is.
        unseen = fsum(written.values()) / len(written) / (learned.count("object") + 1)
        shares = {name: written.get(name, unseen) for name in counts}
        level = len(shares) / fsum(shares.values())
        counts = {name: share * level for name, share in shares.items()}

    fields = {key: name for key, (name, _) in shape.fields.items()}
    counts |= {name: n for key, name in fields.items() if (n := _weight(weights, key)) is not None}
    return Entries(fields, counts, 0.0, fsum(counts.values()))


def _keys_of(learned: Learned | None, weights: Numbers) -> Entries:
    """Return what entries count that no model tells of: 1 each, on average if that was learned."""
    seen = learned.fields if learned else {}
    characters = sum(_written(key, at) for key, at in seen.items())
    average = characters / (sum(at.seen for at in seen.values()) or 1)
    counts = {key: _written(key, at) / at.seen / average for key, at in seen.items()}
    named = {key: _weight(weights, key) for key in named_keys(weights)}
    counts |= {key: number for key, number in named.items() if number is not None}

    whole: float | None = None
    if learned is not None and (runs := learned.count("object")):
        others = learned.children("object") - sum(at.seen for at in seen.values())
        whole = fsum([others, *(counts[key] * at.seen for key, at in seen.items())]) / runs
    return Entries({key: key for key in counts}, counts, 1.0, whole)


def _written(key: str, learned: Learned) -> int:
    """Return how many characters earlier runs spent on a field."""
    return learned.characters + learned.seen * (len(key) + AROUND_KEY)


def _weight(weights: Numbers, key: str) -> float | None:
    return number_here(numbers_below(weights, key))


def _keys(shape: RecordShape, name: str) -> list[str]:
    """Return what a field is called in JSON and in what a model writes."""
    return list(dict.fromkeys([*shape.keys(name), name]))


def _basis(hints: Hints, shape: Shape | None) -> Basis:
    if hints.expected:
        return "expected"

    if hints.weights:
        return "weights"

    if hints.prior is not None and _knows_something(hints.prior.learned, shape):
        return "prior"

    return "schema" if shape is not None and _says_something(shape) else "structure"


def _knows_something(learned: Learned, shape: Shape | None) -> bool:
    """Return whether earlier runs had what the type has at its root."""
    if shape is None:
        return any(map(learned.children, _HALF))

    for at in _shapes_at(shape, ()):
        match at:
            case RecordShape():
                known = any(learned.at(_keys(at, name)) for name in at.types)
            case ListOf():
                known = learned.children("array") > 0
            case DictOf():
                known = learned.children("object") > 0
            case Text():
                known = learned.children("string") > 0
            case _:
                known = any(map(learned.children, _HALF))
        if known:
            return True
    return False


def _says_something(shape: Shape) -> bool:
    """Return whether a type tells of fields or lengths."""
    remaining, seen = [shape], set[Shape]()
    while remaining:
        shape = remaining.pop()
        if isinstance(shape, RecordShape) or shape.length:
            return True

        if shape not in seen:  # a type may contain itself
            seen.add(shape)
            remaining += [*_alternatives(shape), *(child for _, child in _children(shape))]
    return False


def _check(hints: Hints, shape: Shape) -> None:
    """Raise ValueError for numbers that do not fit what the type has at their place."""
    for path, number in hints.expected:
        found = list(_shapes_at(shape, path))
        if found and not any(map(_may_be_counted, found)):
            are_models = all(isinstance(at, RecordShape) for at in found)
            raise ValueError(
                f"track_progress: expected={number} at {path} counts items, entries or characters, "
                f"but a {'model' if are_models else 'single value'} stands there: name a list, "
                'such as expected={"users": 3}'
            )

    for path in {path[:-1] for path, _ in hints.weights}:
        weights = reduce(numbers_below, path, hints.weights)
        for at in _shapes_at(shape, path):
            if isinstance(at, RecordShape) and not _fields_of(at, None, weights).whole:
                raise ValueError(
                    f"track_progress: with these weights no field of {at.name} counts: "
                    "give one of them more than 0"
                )


def _may_be_counted(shape: Shape) -> bool:
    """Return whether a number of items, entries or characters says anything of a type."""
    match shape:
        case RecordShape():
            return False
        case Whole():
            return not shape.stands_alone or shape.core_schema["type"] not in _UNCOUNTED
        case _:
            return True


def _shapes_at(shape: Shape, path: Pattern) -> Iterator[Shape]:
    """List what may stand at a place."""
    alternatives = _alternatives(shape)
    for alternative in alternatives:
        yield from _shapes_at(alternative, path)

    if not alternatives and not path:
        yield shape

    for key, child in _children(shape) if path else ():
        if key is ANY or path[0] in (key, ANY):
            yield from _shapes_at(child, path[1:])


def _alternatives(shape: Shape) -> list[Shape]:
    """List what an open value of a type may turn out to be."""
    match shape:
        case OneOf():
            return shape.members
        case Wrapped():
            return [shape.shape]
        case RootShape():
            return [shape.root]
        case _:
            return []


def _children(shape: Shape) -> list[tuple[str | AnyKey, Shape]]:
    """List what a value of a type is made of."""
    match shape:
        case RecordShape():
            return [(key, field) for key, (_, field) in shape.fields.items()]
        case ListOf():
            return [(ANY, shape.item)]
        case DictOf():
            return [(ANY, shape.value)]
        case _:
            return []
