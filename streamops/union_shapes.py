"""Shapes of unions: shown once it is certain which member the value is."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from streamops.model_shapes import NEVER, ModelBranch, ModelShape
from streamops.nodes import ArrayNode, Node, ObjectNode, Path, StringNode
from streamops.shapes import (
    HELD,
    Atom,
    Branch,
    DictOf,
    HeldBranch,
    ListOf,
    Shape,
    Text,
    View,
    Whole,
)

_NODES: dict[type, type[Node]] = {dict: ObjectNode, list: ArrayNode, str: StringNode}


class OneOf(Shape):
    """A union; an open value is shown once only one member can take it."""

    def __init__(self, judge: Whole, members: list[Shape], *, nullable: bool) -> None:
        self._judge = judge
        self.members = members
        self._nullable = nullable
        self.holds_models = judge.holds_models

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

    def json_paths(self, path: Path) -> list[Path]:
        found = (place for member in self.members for place in member.json_paths(path))
        return list(dict.fromkeys(found))

    def _member_for(self, kind: type[Node]) -> Shape | None:
        """Return the only member that can take a string, an array or an object."""
        candidates = [m for m in self.members if _may_take(m, kind)]
        if len(candidates) == 1 and not isinstance(candidates[0], OneOf):
            return candidates[0]

        return None


class TaggedUnion(OneOf):
    """A union of models that a field tells apart."""

    def __init__(
        self, judge: Whole, discriminator: str, models: list[ModelShape], *, nullable: bool
    ) -> None:
        super().__init__(judge, list(models), nullable=nullable)
        self.by_tag = {
            (key, tag): shape
            for shape in models
            for key in shape.keys(discriminator)
            for tag in _tags(shape.model.model_fields[discriminator].annotation)
        }

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return TaggedBranch(self, node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    def seen_in(self, node: Node, count: int) -> Shape:
        if isinstance(node, ObjectNode):
            for tag in zip(node.keys, node.values[:count], strict=False):
                if isinstance(tag[1], str | int) and tag in self.by_tag:
                    return self.by_tag[tag]

        return self

    def finish(self, raw: Any) -> Any:
        if isinstance(raw, dict):
            for (key, tag), shape in self.by_tag.items():
                if key in raw and raw[key] == tag:
                    return shape.finish(raw)

        return None if raw is None and self._nullable else self._judge.finish(raw)


class TaggedBranch(Branch):
    """Follows an object that becomes one of several models, once its tag has arrived."""

    def __init__(self, shape: TaggedUnion, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(node, visible=False)
        self._shape = shape
        self._object = node
        self._parent_visible = visible
        self._model: ModelBranch | None = None
        self._looked_at = 0

    @property
    def is_lazy(self) -> bool:  # type: ignore[override]  # as the model is, once there is one
        return self._model is not None

    def advance(self, count: int) -> bool:
        while self._model is None and self._looked_at < count:
            key, value = self._object.keys[self._looked_at], self._object.values[self._looked_at]
            self._looked_at += 1
            shape = self._shape.by_tag.get((key, value)) if isinstance(value, str | int) else None
            if shape is not None:
                self._model = ModelBranch(shape, self._object, visible=self._parent_visible)
                self._model.parent = self.parent
                self.visible = self._parent_visible

        return self._model.advance(count) if self._model else False

    def open(self, child: Node) -> Branch:
        branch = self._model.open(child) if self._model else NEVER.open(child, visible=False)
        branch.parent = self
        return branch

    def finish_child(self, child: Branch) -> bool:
        if self._model:
            return self._model.finish_child(child)

        return self.advance(child.node.index + 1)

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return self._model.finish(raw) if self._model else (self._shape.finish(raw), True)

    def show(self, view: View, count: int, child: Any) -> Any:
        if self._model is None or count < self._looked_at:
            return HELD

        return self._model.show(view, count, child)


def _may_take(shape: Shape, kind: type[Node]) -> bool:
    match shape:
        case OneOf():
            return any(_may_take(member, kind) for member in shape.members)
        case Text():
            return issubclass(kind, StringNode)
        case Atom():  # for a string beside str, pydantic takes str
            return False
        case Whole() if shape.is_scalar:
            return issubclass(kind, StringNode)
        case ListOf():
            return issubclass(kind, ArrayNode)
        case ModelShape() | DictOf():
            return issubclass(kind, ObjectNode)
        case _:
            return True


def _tags(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        for tag in get_args(annotation):
            yield tag.value if isinstance(tag, Enum) else tag
