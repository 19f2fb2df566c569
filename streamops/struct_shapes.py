"""Shapes of dataclasses and TypedDicts."""

from __future__ import annotations

import types
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from functools import cache, cached_property
from typing import Annotated, Any, Required, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import ConfigDict
from pydantic.fields import FieldInfo

from streamops.annotations import with_arguments
from streamops.collection_shapes import Anything
from streamops.core_schemas import CoreSchema, fields_in, keys_in
from streamops.model_shapes import is_equal, with_shown
from streamops.nodes import Node, ObjectNode
from streamops.record_shapes import Compile, Fields, RecordBranch, RecordShape
from streamops.shapes import HELD, NEVER, Branch, HeldBranch, Shape, View, Whole
from streamops.validation import Validation

_QUALIFIERS = (Required, typing_extensions.NotRequired, typing_extensions.ReadOnly)


class StructShape(RecordShape):
    """A dataclass or a TypedDict."""

    def __init__(
        self, type_: Any, config: ConfigDict, compile_type: Compile, validation: Validation
    ) -> None:
        super().__init__(compile_type, validation)
        self._annotation = type_
        self.type: Any = get_origin(type_) or type_
        self._config: ConfigDict = getattr(self.type, "__pydantic_config__", None) or config
        self.judge = Whole(type_, config, validation, holds_models=True)
        """What validates the type."""

    @property
    def name(self) -> str:
        return str(self.type.__name__)

    @property
    def config(self) -> ConfigDict:
        return self._config

    @cached_property
    def types(self) -> dict[str, Any]:
        infos: Any = getattr(self.type, "__pydantic_fields__", None)
        hints = {} if infos else get_type_hints(self.type, include_extras=True)
        parameters: tuple[Any, ...] = getattr(self.type, "__parameters__", ())
        types = {
            name: _type_of(infos[name]) if infos else _unqualified(hints[name])
            for name in self._core_fields
        }
        return {n: with_arguments(t, parameters, self._annotation) for n, t in types.items()}

    def keys(self, name: str) -> Iterator[str]:
        by_alias = self.config.get("validate_by_alias") is not False
        keys = [*keys_in(self._core_fields.get(name, {}))] if by_alias else []
        yield from keys

        if name not in keys and (not keys or self._is_read_by_name):
            yield name

    @cached_property
    def extra(self) -> Shape:
        return Anything() if self.config.get("extra") == "allow" else NEVER

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return _StructBranch(self, node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    def validate(self, raw: Any) -> Any:
        return self.judge.read(raw)

    @abstractmethod
    def fields_in(self, value: Any) -> dict[str, Any]:
        """Return the fields of a validated value."""

    @abstractmethod
    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        """Put what was shown in place of what was validated again."""

    @cached_property
    def _core_fields(self) -> dict[str, CoreSchema]:
        return fields_in(self.judge.core_schema)

    @property
    def _is_read_by_name(self) -> bool:
        return bool(self.config.get("populate_by_name") or self.config.get("validate_by_name"))


class TypedDictShape(StructShape):
    """A TypedDict, shown as a dict of what has arrived."""

    def assemble(self, raw: Any, fields: Fields, defaults: dict[str, Any]) -> Any:
        return {**fields.by_name, **fields.extra}

    def defaults(self) -> dict[str, Any]:
        return {}

    def fields_in(self, value: Any) -> dict[str, Any]:
        fields: dict[str, Any] = value
        return fields

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        value.update(shown)


class DataclassShape(StructShape):
    """A dataclass, shown as an instance of a subclass until it closes and is validated."""

    def assemble(self, raw: Any, fields: Fields, defaults: dict[str, Any]) -> Any:
        return _restore(self.type, {**defaults, **fields.by_name})

    def defaults(self) -> dict[str, Any]:
        return {field.name: _default(field) for field in fields(self.type)}

    def fields_in(self, value: Any) -> dict[str, Any]:
        return vars_of(value)

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        for name, kept in shown.items():
            object.__setattr__(value, name, kept)


class _StructBranch(RecordBranch):
    def __init__(self, shape: StructShape, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(shape, node, visible=visible)
        self._shape = shape

    def finish(self, raw: Any) -> tuple[Any, bool]:
        fields = self.fields_with(len(self.finished), HELD)
        if self._shape.is_validated_at_the_end:
            return self._shape.assemble(raw, fields, self._defaults), True

        value: Any = self._shape.finish(raw)
        shown = fields.by_name
        validated = self._shape.fields_in(value)
        kept = {
            name: with_shown(validated[name], shown[name])
            for name, shape in self._shape.fields.values()
            if shape.holds_models and name in shown and is_equal(validated.get(name), shown[name])
        }
        self._shape.keep_shown(value, kept)
        return value, True

    def show(self, view: View, count: int, child: Any) -> Any:
        if not self.shows(count, child):
            return HELD

        return self._shape.assemble(None, self.fields_with(count, child), self._defaults)

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return self._shape.defaults()


class _PartialDataclass:
    """What partial instances of dataclasses do that others need not."""

    __slots__ = ()

    # The twin is nobody's subclass: hooks of the class are for those that its user writes.
    def __init_subclass__(cls, **_: Any) -> None:
        return

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self).__mro__[2], vars_of(self))


@cache
def partial_dataclass(type_: Any) -> type[Any]:
    """Return the subclass of a dataclass for instances that are still arriving."""
    namespace = {
        "__module__": type_.__module__,
        "__doc__": f"{type_.__name__} while it arrives.",
    }
    return types.new_class(
        f"Partial[{type_.__name__}]",
        (_PartialDataclass, type_),
        exec_body=lambda body: body.update(namespace),
    )


def vars_of(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass instance that are set."""
    names = [field.name for field in fields(instance)]
    return {name: getattr(instance, name) for name in names if hasattr(instance, name)}


def _restore(type_: Any, values: dict[str, Any]) -> Any:
    instance = object.__new__(partial_dataclass(type_))
    for name, value in values.items():
        object.__setattr__(instance, name, value)
    return instance


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()

    default: Any = None if field.default is MISSING else field.default
    return default.get_default(call_default_factory=True) if _is_info(default) else default


def _is_info(default: Any) -> bool:
    return isinstance(default, FieldInfo)


def _type_of(info: FieldInfo) -> Any:
    return Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _unqualified(annotation: Any) -> Any:
    """Return the type of a field of a TypedDict without what says whether it must be there."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return Annotated[(_unqualified(inner), *metadata)]

    while get_origin(annotation) in _QUALIFIERS:
        (annotation,) = get_args(annotation)
    return annotation
