"""Shapes of unions: shown once it is certain which member the value is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from itertools import islice
from typing import Any, Literal, cast, get_args, get_origin

from streamops.annotations import unwrapped
from streamops.collection_shapes import DictOf, ListOf
from streamops.nodes import ArrayNode, Node, ObjectNode, Path, StringNode
from streamops.record_shapes import RecordShape
from streamops.root_shapes import RootShape
from streamops.shapes import HELD, NEVER, Branch, HeldBranch, Shape, View, Whole, Wrapped
from streamops.states import FieldState
from streamops.value_shapes import Atom, Guessed, Text

_NODES: dict[type, type[Node]] = {dict: ObjectNode, list: ArrayNode, str: StringNode}


class OneOf(Shape):
    """A union; an open value is shown once only one member can take it."""

    def __init__(self, judge: Whole, members: list[Shape], *, nullable: bool) -> None:
        self._judge = judge
        self.members = members
        self._nullable = nullable
        self.holds_models = judge.holds_models
        self._takers: dict[type[Node], Shape | None] = {}

    @property
    def is_atomic(self) -> bool:  # type: ignore[override]  # as its members are
        return all(member.is_atomic for member in self.members)

    def open(self, node: Node, *, visible: bool) -> Branch:
        member = self._member_for(type(node))
        if member is None:
            return HeldBranch(self, node, visible=visible)

        return member.open(node, visible=visible)

    def finish(self, raw: Any) -> Any:
        if raw is None and self._nullable:
            return None

        kind = next((node for kind, node in _NODES.items() if isinstance(raw, kind)), None)
        if len(self.members) == 1:
            return self.members[0].finish(raw)

        member = self._member_for(kind) if kind else None
        return (member or self._judge).finish(raw)

    def seen_in(self, node: Node, count: int) -> Shape:
        member = self._member_for(type(node))
        return member.seen_in(node, count) if member else self

    def _member_for(self, kind: type[Node]) -> Shape | None:
        """Return the only member that can take a string, an array or an object."""
        if kind not in self._takers:
            candidates = [m for m in self.members if _may_take(m, kind)]
            self._takers[kind] = candidates[0] if len(candidates) == 1 else None

        return self._takers[kind]


class TaggedUnion(OneOf):
    """A union of types with fields, one of which tells them apart."""

    def __init__(
        self, judge: Whole, discriminator: str, members: list[Shape], *, nullable: bool
    ) -> None:
        super().__init__(judge, members, nullable=nullable)
        self._discriminator = discriminator

    @cached_property
    def by_tag(self) -> dict[tuple[str, Any], Shape]:
        """The member that a key with a value stands for."""
        return {
            tag: member for member in self.members for tag in tags_of(member, self._discriminator)
        }

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return TaggedBranch(self, node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    def seen_in(self, node: Node, count: int) -> Shape:
        if isinstance(node, ObjectNode):
            for tag in zip(node.keys, islice(node.values, count), strict=False):
                if isinstance(tag[1], str | int) and tag in self.by_tag:
                    return self.by_tag[tag].seen_in(node, count)

        return self

    def finish(self, raw: Any) -> Any:
        if isinstance(raw, dict):
            for tag in cast("dict[str, Any]", raw).items():
                if isinstance(tag[1], str | int) and tag in self.by_tag:
                    return self.by_tag[tag].finish(raw)

        return None if raw is None and self._nullable else self._judge.finish(raw)


class TaggedBranch(Branch):
    """Follows an object that becomes one of several types, once its tag has arrived."""

    may_hold = True

    def __init__(self, shape: TaggedUnion, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(node, visible=False)
        self._shape = shape
        self._object = node
        self._parent_visible = visible
        self._member: Branch | None = None
        self._looked_at = 0

    @property
    def is_lazy(self) -> bool:  # type: ignore[override]  # as the member is, once there is one
        return self._member is not None and self._member.is_lazy

    def advance(self, count: int) -> bool:
        while self._member is None and self._looked_at < count:
            key, value = self._object.keys[self._looked_at], self._object.values[self._looked_at]
            self._looked_at += 1
            shape = self._shape.by_tag.get((key, value)) if isinstance(value, str | int) else None
            if shape is not None:
                self._decide(shape)

        if self._member is None:
            return False

        changed = self._member.advance(count)
        was_visible, self.visible = self.visible, self._member.visible
        return changed or (self.visible and not was_visible)

    def _decide(self, shape: Shape) -> None:
        self._member = shape.open(self._object, visible=self._parent_visible)

    def open(self, child: Node) -> Branch:
        branch = self._member.open(child) if self._member else NEVER.open(child, visible=False)
        branch.parent = self
        return branch

    def finish_child(self, child: Branch) -> bool:
        if self._member is None:
            return self.advance(child.node.index + 1)

        changed = self._member.finish_child(child)
        self.visible = self._member.visible
        return changed

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return self._member.finish(raw) if self._member else (self._shape.finish(raw), True)

    def show(self, view: View, count: int, child: Any) -> Any:
        if self._member is None or view.opened(self)[0] < self._looked_at:
            return HELD

        return self._member.show(view, count, child)

    def state(self, view: View, path: Path) -> FieldState:
        if self._member is None or view.opened(self)[0] < self._looked_at:
            return super().state(view, path)

        return self._member.state(view, path)


def _unwrapped(shape: Shape) -> Shape:
    return _unwrapped(shape.shape) if isinstance(shape, Wrapped) else shape


def tags_of(shape: Shape, discriminator: str) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values by which a discriminator tells a type from others."""
    if isinstance(shape, Wrapped):
        yield from tags_of(shape.shape, discriminator)
    elif isinstance(shape, OneOf):
        for member in shape.members:
            yield from tags_of(member, discriminator)
    elif isinstance(shape, RecordShape) and discriminator in shape.types:
        type_, _ = unwrapped(shape.types[discriminator])
        for tag in get_args(type_) if get_origin(type_) is Literal else ():
            # Pydantic does not find a member of an Enum that is nothing else by its value.
            if isinstance(tag, str | int):
                for key in shape.keys(discriminator):
                    yield key, tag.value if isinstance(tag, Enum) else tag


def implied_discriminator(members: list[Shape]) -> str | None:
    """Return the field by whose values no two of several types can be taken for each other."""
    inner = map(_unwrapped, members)
    records = [member for member in inner if isinstance(member, RecordShape)]
    if len(records) < max(2, len(members)):
        return None

    for name in records[0].types:
        tags = [set(tags_of(record, name)) for record in records]
        # A tag rules out the others only if all of them read it from the same keys.
        keys = {frozenset(record.keys(name)) for record in records if name in record.types}
        is_sure = all(tags) and len(keys) == 1
        is_sure = is_sure and not any(record.may_rewrite(name) for record in records)
        if is_sure and len({tag for some in tags for tag in some}) == sum(map(len, tags)):
            return name

    return None


def takes_objects(shape: Shape) -> bool:
    """Return whether an object can become a value of the type."""
    return _may_take(shape, ObjectNode)


def _may_take(shape: Shape, kind: type[Node]) -> bool:
    match shape:
        case OneOf():
            return any(_may_take(member, kind) for member in shape.members)
        case Wrapped():
            return _may_take(shape.shape, kind)
        case RootShape():
            return _may_take(shape.root, kind)
        case Text() | Guessed():
            return issubclass(kind, StringNode)
        case Atom():  # for a string beside str, pydantic takes str
            return False
        case Whole() if shape.is_scalar:
            return issubclass(kind, StringNode)
        case ListOf():
            return issubclass(kind, ArrayNode)
        case RecordShape() | DictOf():
            return issubclass(kind, ObjectNode)
        case _:
            return True
