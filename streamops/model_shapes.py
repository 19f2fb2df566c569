"""Shapes of models: partial instances while they are open, validated ones when they close."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Annotated, Any, TypeGuard

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    PlainValidator,
    WrapValidator,
)
from pydantic.fields import FieldInfo

from streamops.annotations import types_in
from streamops.core_schemas import CoreSchema
from streamops.keeping import is_equal, with_shown
from streamops.nodes import ObjectNode, Path
from streamops.partial import Arrived, field_type, partial_model, unfilled
from streamops.record_shapes import Compile, RecordBranch, RecordShape, default_of
from streamops.shapes import HELD, NEVER, Shape, View, json_of
from streamops.snapshot import value_at
from streamops.states import FieldState, state_in_finished
from streamops.validation import Validation


class ModelShape(RecordShape):
    """A pydantic model, shown as a partial instance until it closes and is validated."""

    def __init__(
        self, model: type[BaseModel], compile_type: Compile, validation: Validation
    ) -> None:
        super().__init__(compile_type, validation)
        self.model = model

    @property
    def name(self) -> str:
        return self.model.__name__

    @property
    def config(self) -> ConfigDict:
        return self.model.model_config

    @cached_property
    def twin(self) -> type[BaseModel]:
        """The twin whose fields are all optional."""
        return partial_model(self.model)

    @cached_property
    def types(self) -> dict[str, Any]:
        return {
            name: _with_discriminator(field_type(self.model, field), field)
            for name, field in self.model.model_fields.items()
        }

    @cached_property
    def extra(self) -> Shape:
        bases = self.model.__mro__[: self.model.__mro__.index(BaseModel)]
        if any("__pydantic_extra__" in getattr(base, "__annotations__", {}) for base in bases):
            return NEVER  # extra values that have a type are read with the model

        return super().extra

    def nested_keys(self, name: str) -> list[Path]:
        return [path for path in self._aliases(name) if len(path) > 1]

    def keys(self, name: str) -> Iterator[str]:
        by_name = self.config.get("populate_by_name") or self.config.get("validate_by_name")
        if by_name or self.model.model_fields[name].validation_alias is None:
            yield name

        if self.config.get("validate_by_alias") is not False:
            yield from (path[0] for path in self._aliases(name) if _is_key(path))

    def _aliases(self, name: str) -> Iterator[Path]:
        """Yield the places in the JSON that a field has an alias for."""
        alias = self.model.model_fields[name].validation_alias
        for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            if choice is not None:
                yield tuple(choice.path) if isinstance(choice, AliasPath) else (choice,)

    def follow(self, node: ObjectNode, *, visible: bool) -> ModelBranch:
        return ModelBranch(self, node, visible=visible)

    @property
    def decorators(self) -> Any:
        return self.model.__pydantic_decorators__

    @property
    def core_schema(self) -> CoreSchema:
        return self.model.__pydantic_core_schema__

    def validate(self, raw: Any) -> BaseModel:
        return self._validation.read_model(self.model, json_of(raw))

    def assemble(
        self, raw: Any, fields: dict[str, Any], extra: dict[str, Any], defaults: dict[str, Any]
    ) -> BaseModel:
        state = partial(self._state_of_arrived, raw, fields | extra)
        arrived = Arrived(self, fields, extra, defaults, state)
        return unfilled(self.twin, arrived, None)

    def _state_of_arrived(self, raw: Any, fields: dict[str, Any], path: Path) -> FieldState:
        state = state_in_finished(fields, path)
        if state == "done" or not path:
            return "done"

        if path[0] not in self.types:
            return "pending"

        # What cannot be shown has arrived all the same.
        name = str(path[0])
        keys = [*((key,) for key in self.keys(name)), *self.nested_keys(name)]
        return "done" if any(value_at(raw, (*key, *path[1:])) for key in keys) else "pending"

    def may_change(self, name: str) -> bool:
        """Return whether a validator of the model may change what a field becomes."""
        return bool(
            self.decorators.model_validators or self.validators_of(name) or name in self._revised
        )

    @cached_property
    def _revised(self) -> set[str]:
        """The fields with validators in their types."""
        return {
            name
            for name, type_ in self.types.items()
            if any(_is_validator(said) for _, metadata in types_in(type_) for said in metadata)
        }

    def defaults(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        for name, field in self.model.model_fields.items():
            defaults[name] = default_of(field, defaults)
        return defaults


class ModelBranch(RecordBranch):
    """Follows an object that becomes a model."""

    is_lazy = True
    shape: ModelShape

    def keep_shown(self, value: Any, shown: dict[str, Any]) -> None:
        model: BaseModel = value
        values = vars(model)
        for name, shape in self.shape.fields.values():
            if not shape.holds_models or name not in shown or name not in values:
                continue

            if not self.shape.may_change(name):
                values[name] = with_shown(values[name], shown[name])
            elif is_equal(values[name], shown[name]):
                values[name] = shown[name]

    def show(self, view: View, count: int, child: Any) -> Any:
        if self.may_hold and not self.shows(view):
            return HELD

        return unfilled(self.shape.twin, self, view)


def _is_key(path: Path) -> TypeGuard[tuple[str]]:
    return len(path) == 1 and isinstance(path[0], str)


def _is_validator(said: Any) -> bool:
    return isinstance(said, AfterValidator | BeforeValidator | PlainValidator | WrapValidator)


def _with_discriminator(annotation: Any, field: FieldInfo) -> Any:
    by = field.discriminator
    if not by:
        return annotation

    return Annotated[annotation, Discriminator(by) if isinstance(by, str) else by]
