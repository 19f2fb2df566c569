"""Shapes of types with named fields: what models, dataclasses and TypedDicts have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeAlias, cast

from pydantic import ConfigDict, ValidationError

from streamops.nodes import Node, ObjectNode, Path, path_of
from streamops.shapes import (
    HELD,
    NEVER,
    Branch,
    ContainerBranch,
    InvalidValue,
    Shape,
)
from streamops.streaming import is_required
from streamops.validation import Validation

Compile: TypeAlias = Callable[[Any, ConfigDict], Shape]


class RecordShape(Shape):
    """A type with named fields, shown as it fills up, and validated when it closes."""

    holds_models = True

    def __init__(self, compile_type: Compile, validation: Validation) -> None:
        self._compile = compile_type
        self._validation = validation

    @property
    @abstractmethod
    def name(self) -> str:
        """What the type is called."""

    @property
    @abstractmethod
    def config(self) -> ConfigDict:
        """What the type tells pydantic."""

    @cached_property
    @abstractmethod
    def types(self) -> dict[str, Any]:
        """The type of each field."""

    @abstractmethod
    def keys(self, name: str) -> Iterator[str]:
        """Yield the JSON keys that a field is read from."""

    @abstractmethod
    def validate(self, raw: Any) -> Any:
        """Return what finished JSON is as the type; raises ValidationError."""

    @abstractmethod
    def assemble(self, raw: Any, fields: Fields, defaults: dict[str, Any]) -> Any:
        """Return what is shown of a finished value that is validated later."""

    @abstractmethod
    def defaults(self) -> dict[str, Any]:
        """Return what fields show that have not arrived: their default, else None."""

    @cached_property
    def fields(self) -> dict[str, tuple[str, Shape]]:
        """Name and shape of the field that each JSON key belongs to."""
        return {
            key: (name, shape)
            for name in self.types
            for shape in [self.field_shape(name)]
            for key in self.keys(name)
        }

    @cached_property
    def required(self) -> frozenset[str]:
        """The fields without which nothing is shown."""
        return frozenset(name for name, type_ in self.types.items() if is_required(type_))

    @cached_property
    def has_choices(self) -> bool:
        """Whether several keys may belong to one field."""
        return len(self.fields) > len({name for name, _ in self.fields.values()})

    @property
    def is_validated_at_the_end(self) -> bool:
        """Whether a finished value is shown before it is validated."""
        return self._validation.when == "final"

    def field_at(self, key: str) -> tuple[str, Shape]:
        """Return name and shape of the field that a JSON key belongs to, if any does."""
        return self.fields.get(key) or ("", self.extra)

    def field_shape(self, name: str) -> Shape:
        """Return the shape of a field."""
        return self._compile(self.types[name], self.config)

    @cached_property
    def extra(self) -> Shape:
        """The shape of what belongs to no field."""
        return NEVER

    def may_rewrite(self, name: str) -> bool:
        """Return whether a validator of the type may change what a field is made of."""
        return False

    def check_field(self, keys: list[str], values: list[Any], index: int) -> None:
        """Raise InvalidValue if a finished field does not fit; what came before it may matter."""
        return

    def finish(self, raw: Any) -> Any:
        if self.is_validated_at_the_end:
            return self._arrived(raw)

        try:
            return self.validate(raw)
        except ValidationError as error:
            self._blame_children(raw)
            raise InvalidValue(error) from None

    def _arrived(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return HELD

        children = cast("dict[str, Any]", raw)
        values = [self.field_at(key)[1].finish(value) for key, value in children.items()]
        return self.assemble(raw, fields_of(self, list(children), values), self.defaults())

    def _blame_children(self, raw: Any) -> None:
        """Raise InvalidValue if something in here does not fit, as when it closes by itself."""
        if not isinstance(raw, dict):
            return

        fields = cast("dict[str, Any]", raw)
        keys, values = list(fields), list(fields.values())
        for index, key in enumerate(keys):
            if key not in self.fields:
                continue

            name, shape = self.fields[key]
            try:
                if not self.may_rewrite(name):
                    shape.finish(values[index])
                self.check_field(keys, values, index)
            except InvalidValue as invalid:
                raise invalid.below(key) from None

    def child(self, node: Node, index: int) -> Shape | None:
        if not isinstance(node, ObjectNode) or index == len(node.keys):
            return None

        return self.field_at(node.keys[index])[1]

    def complete(self) -> None:
        assert self.fields is not None

    def json_paths(self, path: Path) -> list[Path]:
        if not path:
            return [path]

        name = path[0]
        if not isinstance(name, str) or name not in self.types:
            return [path]

        return [
            (key, *rest)
            for key in self.keys(name)
            for rest in self.fields[key][1].json_paths(path[1:])
        ]


class RecordBranch(ContainerBranch):
    """Follows an object that becomes a value with named fields."""

    def __init__(self, shape: RecordShape, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(node, visible=visible and not shape.required)
        self.record = shape
        self.keys = node.keys
        self.may_hold = bool(shape.required)
        self._parent_visible = visible
        self._missing = set(shape.required)
        self._shown_from = None if shape.required else 0
        self._fields = Fields(shape)

    def child_shape(self, index: int) -> Shape:
        return self.record.field_at(self.keys[index])[1]

    def judges_later(self, index: int) -> bool:
        name, _ = self.record.field_at(self.keys[index])
        return self.is_judged_later or self.record.may_rewrite(name)

    def check(self, index: int) -> None:
        if self.is_judged_later:
            return

        try:
            self.record.check_field(self.keys, self.container.values, index)
        except InvalidValue as invalid:
            raise invalid.below(*path_of(self.node), self.keys[index]) from None

    def open(self, child: Node) -> Branch:
        visible = self.visible
        if self._missing and self._missing == {self._name_at(child.index)}:
            visible = self._parent_visible  # with this child, everything in here is shown

        branch = self.child_shape(child.index).open(child, visible=visible)
        branch.attach(self, is_judged_later=self.judges_later(child.index))
        return branch

    def take(self, value: Any) -> bool:
        shows = super().take(value)
        if self._missing and value is not HELD:
            self._missing.discard(self._name_at(len(self.finished) - 1))
            if not self._missing:
                self._shown_from = len(self.finished)
                self.visible = shows = self._parent_visible
        return shows

    def shows(self, count: int, child: Any) -> bool:
        """Return whether every required field was there."""
        if self._shown_from is not None:
            return count >= self._shown_from - (child is not HELD)

        is_now = count == len(self.finished) and child is not HELD
        return is_now and self._missing == {self._name_at(count)}

    def fields_with(self, count: int, child: Any) -> Fields:
        """Return the first finished children, and perhaps an open one, as fields."""
        fields = self._fields if self._fields.count <= count else Fields(self.record)
        if fields.count < count:
            fields = fields.copy()
            fields.extend(self.keys, self.finished, count)
            # Put in place, not changed there: another thread may be looking.
            self._fields = fields

        if child is not HELD:
            fields = fields.copy()
            fields.add(self.keys[count], child)
        return fields

    def _name_at(self, index: int) -> str:
        return self.record.field_at(self.keys[index])[0]


class Fields:
    """Children of an object by the names of the fields that they belong to."""

    def __init__(self, shape: RecordShape) -> None:
        self._shape = shape
        self.count = 0
        """How many children were taken in."""
        self.by_name: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        """What belongs to no field."""
        self._read_from: dict[str, str] = {}

    def extend(self, keys: list[str], values: list[Any], count: int) -> None:
        """Take in children up to a number; those that cannot be shown are left out."""
        for index in range(self.count, count):
            if values[index] is not HELD:
                self.add(keys[index], values[index])
        self.count = count

    def add(self, key: str, value: Any) -> None:
        """Take in one child."""
        field = self._shape.fields.get(key)
        if field is None:
            self.extra[key] = value
        elif not self._shape.has_choices or self._read_from.setdefault(field[0], key) == key:
            # What was shown of one key is not taken back for another.
            self.by_name[field[0]] = value

    def copy(self) -> Fields:
        """Return the same, to be changed."""
        fields = Fields(self._shape)
        fields.count = self.count
        fields.by_name = self.by_name.copy()
        fields.extra = self.extra.copy()
        fields._read_from = self._read_from.copy()
        return fields


def fields_of(shape: RecordShape, keys: list[str], values: list[Any]) -> Fields:
    """Return all children of a finished object as fields."""
    fields = Fields(shape)
    fields.extend(keys, values, len(values))
    return fields
