"""Shapes of models: partial instances while they are open, validated ones when they close."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import Annotated, Any

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
from streamops.collection_shapes import Anything
from streamops.core_schemas import CoreSchema
from streamops.keeping import is_equal, with_shown
from streamops.nodes import Node, ObjectNode, Path
from streamops.partial import Arrived, PartialState, field_type, partial_model
from streamops.record_shapes import Compile, Fields, RecordBranch, RecordShape, default_of
from streamops.shapes import HELD, NEVER, Branch, HeldBranch, Shape, View, json_of
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

        return Anything() if self.config.get("extra") == "allow" else NEVER

    def nested_keys(self, name: str) -> list[Path]:
        alias = self.model.model_fields[name].validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        paths = [tuple(choice.path) for choice in choices if isinstance(choice, AliasPath)]
        return [path for path in paths if len(path) > 1]

    def keys(self, name: str) -> Iterator[str]:
        alias = self.model.model_fields[name].validation_alias
        by_name = self.config.get("populate_by_name") or self.config.get("validate_by_name")

        if alias is None or by_name:
            yield name

        if self.config.get("validate_by_alias") is False:
            return

        choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
        for choice in choices:
            key = choice.path[0] if isinstance(choice, AliasPath) else choice
            is_nested = isinstance(choice, AliasPath) and len(choice.path) > 1
            if isinstance(key, str) and not is_nested:
                yield key

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return ModelBranch(self, node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    @property
    def decorators(self) -> Any:
        return self.model.__pydantic_decorators__

    @property
    def core_schema(self) -> CoreSchema:
        return self.model.__pydantic_core_schema__

    def validate(self, raw: Any) -> BaseModel:
        return self._validation.read_model(self.model, json_of(raw))

    def assemble(self, raw: Any, fields: Fields, defaults: dict[str, Any]) -> BaseModel:
        state = partial(self._state_of_arrived, raw, fields)
        arrived = Arrived(self, fields.by_name, fields.extra, defaults, state)
        return PartialState(arrived, None).attach(self.twin)

    def _state_of_arrived(self, raw: Any, fields: Fields, path: Path) -> FieldState:
        state = state_in_finished(fields.by_name | fields.extra, path)
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
            defaults[name] = None if field.is_required() else default_of(field, defaults)
        return defaults


class ModelBranch(RecordBranch):
    """Follows an object that becomes a model."""

    def __init__(self, shape: ModelShape, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(shape, node, visible=visible)
        self.shape = shape

    is_lazy = True

    def finish(self, raw: Any) -> tuple[Any, bool]:
        model = self.shape.judge(raw)
        if model is HELD:
            fields = self.fields_with(len(self.finished), HELD)
            return self.shape.assemble(raw, fields, self._defaults), True

        self._keep_models(model)
        return model, True

    def _keep_models(self, model: BaseModel) -> None:
        """Put the models that were shown in place of those that were validated again."""
        values = vars(model)
        for key, shown in zip(self.keys, self.finished, strict=False):
            name, shape = self.shape.field_at(key)
            if not shape.holds_models or shown is HELD or name not in values:
                continue

            if not self.shape.may_change(name):
                values[name] = with_shown(values[name], shown)
            elif is_equal(values[name], shown):
                values[name] = shown

    def show(self, view: View, count: int, child: Any) -> Any:
        return PartialState(self, view).attach(self.shape.twin) if self.shows(view) else HELD

    def read(self, view: View) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields and the extra values that had arrived."""
        fields = self.fields_with(*view.within(self))
        return fields.by_name, fields.extra

    def defaults(self) -> dict[str, Any]:
        """Return what fields show that have not arrived: their default, else None."""
        return self._defaults

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return self.shape.defaults()


def _is_validator(said: Any) -> bool:
    return isinstance(said, AfterValidator | BeforeValidator | PlainValidator | WrapValidator)


def _with_discriminator(annotation: Any, field: FieldInfo) -> Any:
    by = field.discriminator
    if not by:
        return annotation

    return Annotated[annotation, Discriminator(by) if isinstance(by, str) else by]
