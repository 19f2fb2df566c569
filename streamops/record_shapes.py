"""Shapes of types with named fields: what models, dataclasses and TypedDicts have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeAlias, cast

from pydantic import ConfigDict
from pydantic.fields import FieldInfo

from streamops.collection_shapes import Anything
from streamops.core_schemas import CoreSchema
from streamops.field_checks import FieldChecks
from streamops.nodes import Node, ObjectNode, Path, path_of
from streamops.shapes import (
    HELD,
    NEVER,
    Branch,
    ContainerBranch,
    HeldBranch,
    InvalidValue,
    Judged,
    Shape,
    View,
)
from streamops.states import FieldState, state_in_json
from streamops.streaming import is_required
from streamops.validation import Validation

Compile: TypeAlias = Callable[[Any, ConfigDict, Validation], Shape]


class RecordShape(Judged):
    """A type with named fields, shown as it fills up, and validated when it closes."""

    def __init__(self, compile_type: Compile, validation: Validation) -> None:
        super().__init__(validation)
        self._compile = compile_type

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

    @property
    @abstractmethod
    def core_schema(self) -> CoreSchema:
        """What pydantic made of the type."""

    @abstractmethod
    def assemble(
        self, raw: Any, fields: dict[str, Any], extra: dict[str, Any], defaults: dict[str, Any]
    ) -> Any:
        """Return what is shown of some fields; ``raw`` is the JSON if that is finished."""

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
        required = frozenset(name for name, type_ in self.types.items() if is_required(type_))
        for name in required:
            if not any(self.keys(name)):
                raise TypeError(
                    f"{self.name}.{name} cannot be Stream.required: it is read from inside other "
                    "keys, and only known when the model closes"
                )
        return required

    @cached_property
    def has_choices(self) -> bool:
        """Whether several keys may belong to one field."""
        return len(self.fields) > len({name for name, _ in self.fields.values()})

    @cached_property
    def holds_nested_models(self) -> bool:
        """Whether fields may hold instances that are to stay the same objects."""
        return any(shape.holds_models for _, shape in self.fields.values())

    @cached_property
    def no_fields(self) -> Fields:
        """What a branch begins with."""
        return Fields(self)

    def field_at(self, key: str) -> tuple[str, Shape]:
        """Return name and shape of the field that a JSON key belongs to, if any does."""
        return self.fields.get(key) or ("", self.extra)

    def field_shape(self, name: str) -> Shape:
        """Return the shape of a field."""
        validation = self._validation
        if self.may_rewrite(name):
            validation = validation.forgiving()
        shape = self._compile(self.types[name], self.config, validation)

        # An atom that a validator of the type may change is shown when that has run.
        return NEVER if shape.is_atomic and self.validators_of(name) else shape

    @property
    def decorators(self) -> Any:
        """The validators that stand in the class, if it may have any."""
        return None

    def validators_of(self, name: str) -> list[str]:
        """List the modes of the validators of a field that stand in the class."""
        if self.decorators is None:
            return []

        validators = self.decorators.field_validators.values()
        return [v.info.mode for v in validators if {name, "*"} & set(v.info.fields)]

    @cached_property
    def _rewrites_all(self) -> bool:
        if self.decorators is None:
            return False

        validators = self.decorators.model_validators.values()
        return any(validator.info.mode != "after" for validator in validators)

    @cached_property
    def extra(self) -> Shape:
        """The shape of what belongs to no field."""
        return Anything() if self.config.get("extra") == "allow" else NEVER

    def may_rewrite(self, name: str) -> bool:
        """Return whether a validator of the type may change what a field is made of."""
        return self._rewrites_all or any(mode != "after" for mode in self.validators_of(name))

    def nested_keys(self, name: str) -> list[Path]:
        """List where inside other keys a field may be read from."""
        return []

    def check_field(self, keys: list[str], values: list[Any], index: int) -> None:
        """Raise InvalidValue if a finished field does not fit and that is to be said at once.

        What came before it may matter.
        """
        if self._checks is not None:
            self._checks.check(keys, values, index)

    @cached_property
    def _checks(self) -> FieldChecks | None:
        is_eager = self._validation.when == "eager" and not self._validation.forgives
        if not is_eager or self._rewrites_all:
            return None

        names = {key: name for key, (name, _) in self.fields.items()}
        return FieldChecks(self.core_schema, self.name, names, self._validation)

    def finish(self, raw: Any) -> Any:
        value = self.judge(raw)
        return self._arrived(raw) if value is HELD else value

    def _arrived(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return HELD

        children = cast("dict[str, Any]", raw)
        values = [self.field_at(key)[1].finish(value) for key, value in children.items()]
        fields = fields_of(self, list(children), values)
        return self.assemble(raw, fields.by_name, fields.extra, self.defaults())

    def blame(self, raw: Any) -> None:
        if not isinstance(raw, dict):
            return

        fields = cast("dict[str, Any]", raw)
        keys, values = list(fields), list(fields.values())
        for index, key in enumerate(keys):
            if key not in self.fields:
                continue

            _, shape = self.fields[key]
            try:
                shape.finish(values[index])
            except InvalidValue as invalid:
                raise invalid.below(key) from None
            self.check_field(keys, values, index)

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return self.follow(node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    @abstractmethod
    def follow(self, node: ObjectNode, *, visible: bool) -> RecordBranch:
        """Follow an object that becomes such a value."""

    def child(self, node: Node, index: int) -> Shape | None:
        if not isinstance(node, ObjectNode) or index == len(node.keys):
            return None

        return self.field_at(node.keys[index])[1]

    def complete(self) -> None:
        assert self.fields is not None
        assert self.required is not None


class RecordBranch(ContainerBranch):
    """Follows an object that becomes a value with named fields."""

    def __init__(self, shape: RecordShape, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(node, visible=visible and not shape.required)
        self.shape = shape
        """What is known of the type."""
        self.keys = node.keys
        self.may_hold = bool(shape.required)
        self._parent_visible = visible
        self._missing = set(shape.required)
        self._shown_from = None if shape.required else 0
        self._fields = shape.no_fields

    def child_shape(self, index: int) -> Shape:
        return self.shape.field_at(self.keys[index])[1]

    def check(self, index: int) -> None:
        try:
            self.shape.check_field(self.keys, self.container.values, index)
        except InvalidValue as invalid:
            raise invalid.below(*path_of(self.node)) from None

    def open(self, child: Node) -> Branch:
        visible = self.visible
        if self._missing and self._missing == {self._name_at(child.index)}:
            visible = self._parent_visible  # with this child, everything in here is shown

        branch = self.child_shape(child.index).open(child, visible=visible)
        branch.parent = self
        return branch

    def take(self, value: Any) -> bool:
        shows = super().take(value)
        if self._missing:
            # What is finished is there, also if it cannot be shown.
            self._missing.discard(self._name_at(len(self.finished) - 1))
            if not self._missing:
                self._shown_from = len(self.finished)
                self.visible = shows = self._parent_visible
        return shows

    def finish(self, raw: Any) -> tuple[Any, bool]:
        value = self.shape.judge(raw)
        if value is not HELD and not self.shape.holds_nested_models:
            return value, True

        fields = self._first_fields(len(self.finished))
        if value is HELD:
            return self.shape.assemble(raw, fields.by_name, fields.extra, self._defaults), True

        self.keep_shown(value, fields.by_name)
        return value, True

    @abstractmethod
    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        """Put what was shown in place of what was validated again."""

    def read(self, view: View) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields and the extra values that had arrived."""
        return self.fields_with(*view.within(self))

    def defaults(self) -> dict[str, Any]:
        """Return what fields show that have not arrived: their default, else None."""
        return self._defaults

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return self.shape.defaults()

    def shows(self, view: View) -> bool:
        """Return whether every required field was there."""
        if not self.may_hold:
            return True

        count, opened = view.opened(self)
        if self._shown_from is not None and count >= self._shown_from:
            return True

        # The last one may have been open, and shown.
        last = len(self.finished) if self._shown_from is None else self._shown_from - 1
        if opened is None or count != last or self._missing - {self._name_at(count)}:
            return False

        return view.show(opened) is not HELD

    def places_of(self, key: str | int, count: int) -> list[int]:
        names = (self.shape.fields.get(k, (k,))[0] for k in self.keys[:count])
        return [index for index, name in enumerate(names) if name == key]

    def state(self, view: View, path: Path) -> FieldState:
        state = super().state(view, path)
        if state == "pending" and path and path[0] in self.shape.types:
            here = path_of(self.node)
            for nested in self.shape.nested_keys(str(path[0])):
                state = state_in_json(view.snapshot, (*here, *nested, *path[1:]))
                if state != "pending":
                    break
        return state

    def fields_with(self, count: int, child: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return finished children, and perhaps an open one, as fields and extra values."""
        fields = self._first_fields(count)
        if child is HELD:
            return fields.by_name, fields.extra

        return fields.plus(self.keys[count], child)

    def _first_fields(self, count: int) -> Fields:
        fields = self._fields
        if fields.count == count:
            return fields

        fields = fields.copy() if fields.count < count else Fields(self.shape)
        fields.extend(self.keys, self.finished, count)
        if count > self._fields.count:
            self._fields = fields  # put in place, not changed there: another thread may look
        return fields

    def _name_at(self, index: int) -> str:
        return self.shape.field_at(self.keys[index])[0]


def default_of(field: FieldInfo, before: dict[str, Any]) -> Any:
    """Return a field's default; None if it has none or that cannot be made of unfinished data."""
    if field.is_required():
        return None

    try:
        return field.get_default(call_default_factory=True, validated_data=before)
    except Exception:
        return None


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

    def plus(self, key: str, value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields and the extra values with one child more."""
        field = self._shape.fields.get(key)
        if field is None:
            return self.by_name, self.extra | {key: value}

        if self._read_from.get(field[0], key) != key:
            return self.by_name, self.extra

        return self.by_name | {field[0]: value}, self.extra

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
