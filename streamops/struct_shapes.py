"""Shapes of dataclasses and TypedDicts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from functools import cached_property, partial
from typing import Annotated, Any, Required, get_args, get_origin, get_type_hints

import typing_extensions
from pydantic import ConfigDict
from pydantic.fields import FieldInfo

from streamops.annotations import annotated, with_arguments
from streamops.core_schemas import CoreSchema, fields_in, keys_in
from streamops.keeping import is_equal, with_shown
from streamops.nodes import ObjectNode
from streamops.partial import Arrived, PartialState
from streamops.partial_dataclasses import STATE, PartialDataclass, new_partial, vars_of
from streamops.record_shapes import Compile, RecordBranch, RecordShape, default_of
from streamops.shapes import HELD, View, Whole
from streamops.states import state_in_finished
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
        self._whole = Whole(type_, config, validation, holds_models=True)

    @property
    def name(self) -> str:
        return str(self.type.__name__)

    @property
    def config(self) -> ConfigDict:
        return self._config

    @cached_property
    def types(self) -> dict[str, Any]:
        infos: Any = getattr(self.type, "__pydantic_fields__", None)
        if infos:
            types = {
                n: annotated(infos[n].annotation, infos[n].metadata) for n in self._core_fields
            }
        else:
            hints = get_type_hints(self.type, include_extras=True)
            types = {name: _unqualified(hints[name]) for name in self._core_fields}

        parameters: tuple[Any, ...] = getattr(self.type, "__parameters__", ())
        return {n: with_arguments(t, parameters, self._annotation) for n, t in types.items()}

    def keys(self, name: str) -> Iterator[str]:
        by_alias = self.config.get("validate_by_alias") is not False
        keys = [*keys_in(self._core_fields.get(name, {}))] if by_alias else []
        yield from keys

        if name not in keys and (not keys or self._is_read_by_name):
            yield name

    def follow(self, node: ObjectNode, *, visible: bool) -> _StructBranch:
        return _StructBranch(self, node, visible=visible)

    @property
    def core_schema(self) -> CoreSchema:
        return self._whole.core_schema

    @property
    def stands_alone(self) -> bool:
        """Whether the type can be read by itself, not only where it stands."""
        return self._whole.stands_alone

    def validate(self, raw: Any) -> Any:
        return self._whole.read(raw)

    @abstractmethod
    def fields_in(self, value: Any) -> dict[str, Any]:
        """Return the fields of a validated value."""

    @abstractmethod
    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        """Put what was shown in place of what was validated again."""

    @cached_property
    def _core_fields(self) -> dict[str, CoreSchema]:
        return fields_in(self.core_schema)

    @property
    def _is_read_by_name(self) -> bool:
        return bool(self.config.get("populate_by_name") or self.config.get("validate_by_name"))


class TypedDictShape(StructShape):
    """A TypedDict, shown as a dict of what has arrived."""

    def assemble(
        self, raw: Any, fields: dict[str, Any], extra: dict[str, Any], defaults: dict[str, Any]
    ) -> Any:
        return {**fields, **extra}

    def defaults(self) -> dict[str, Any]:
        return {}

    def fields_in(self, value: Any) -> dict[str, Any]:
        fields: dict[str, Any] = value
        return fields

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        value.update(shown)


class DataclassShape(StructShape):
    """A dataclass, shown as an instance of a subclass until it closes and is validated."""

    def assemble(
        self, raw: Any, fields: dict[str, Any], extra: dict[str, Any], defaults: dict[str, Any]
    ) -> Any:
        shown = new_partial(self.type, {**defaults, **fields})
        if raw is not None:
            state = partial(state_in_finished, fields)
            arrived = Arrived(self, fields, {}, defaults, state)
            object.__setattr__(shown, STATE, PartialState(arrived, None))
        return shown

    @property
    def decorators(self) -> Any:
        return getattr(self.type, "__pydantic_decorators__", None)

    def defaults(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        for field in fields(self.type):
            defaults[field.name] = _default(field, defaults)
        return defaults

    def fields_in(self, value: Any) -> dict[str, Any]:
        return vars_of(value)

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        for name, kept in shown.items():
            object.__setattr__(value, name, kept)


class _StructBranch(RecordBranch):
    shape: StructShape

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        validated = self.shape.fields_in(value)
        kept = {
            name: with_shown(validated[name], shown[name])
            for name, shape in self.shape.fields.values()
            if shape.holds_models and name in shown and is_equal(validated.get(name), shown[name])
        }
        self.shape.keep_shown(value, kept)

    def show(self, view: View, count: int, child: Any) -> Any:
        if not self.shows(view):
            return HELD

        shown = self.shape.assemble(None, *self.fields_with(count, child), self.defaults())
        if isinstance(shown, PartialDataclass):
            object.__setattr__(shown, STATE, PartialState(self, view))
        return shown


def _default(field: Field[Any], before: dict[str, Any]) -> Any:
    default: Any = field.default
    if isinstance(default, FieldInfo):
        return default_of(default, before)

    if field.default_factory is not MISSING:
        return default_of(FieldInfo(default_factory=field.default_factory), before)

    return None if default is MISSING else default


def _unqualified(annotation: Any) -> Any:
    """Return the type of a field of a TypedDict without what says whether it must be there."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return annotated(_unqualified(inner), metadata)

    while get_origin(annotation) in _QUALIFIERS:
        (annotation,) = get_args(annotation)
    return annotation
