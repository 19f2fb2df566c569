"""Shapes of models: partial instances while they are open, validated ones when they close."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Annotated, Any, cast

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Discriminator,
    ValidationError,
)
from pydantic.fields import FieldInfo

from streamops.nodes import Node, ObjectNode, Path, path_of
from streamops.partial import PartialState, field_type, partial_model
from streamops.shapes import (
    HELD,
    Anything,
    Branch,
    ContainerBranch,
    HeldBranch,
    InvalidValue,
    Shape,
    View,
    json_of,
)
from streamops.validation import Validation


class ModelShape(Shape):
    """A pydantic model, shown as a partial instance until it closes and is validated."""

    holds_models = True

    def __init__(
        self,
        model: type[BaseModel],
        compile_type: Callable[[Any, ConfigDict], Shape],
        validation: Validation,
    ) -> None:
        self.model = model
        self._compile = compile_type
        self._validation = validation

    @cached_property
    def partial(self) -> type[BaseModel]:
        """The twin whose fields are all optional."""
        return partial_model(self.model)

    @cached_property
    def fields(self) -> dict[str, tuple[str, Shape]]:
        """Name and shape of the field that each JSON key belongs to."""
        return {
            key: (name, self._field_shape(name, field))
            for name, field in self.model.model_fields.items()
            for key in self.keys(name)
        }

    def field_at(self, key: str) -> tuple[str, Shape]:
        """Return name and shape of the field that a JSON key belongs to, if any does."""
        return self.fields.get(key) or ("", self._extra)

    @cached_property
    def _extra(self) -> Shape:
        bases = self.model.__mro__[: self.model.__mro__.index(BaseModel)]
        if any("__pydantic_extra__" in getattr(base, "__annotations__", {}) for base in bases):
            return NEVER  # extra values that have a type are read with the model

        return Anything() if self.model.model_config.get("extra") == "allow" else NEVER

    def keys(self, name: str) -> Iterator[str]:
        """Yield the JSON keys that a field is read from."""
        config = self.model.model_config
        alias = self.model.model_fields[name].validation_alias
        by_name = config.get("populate_by_name") or config.get("validate_by_name")

        if alias is None or by_name:
            yield name

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

    def finish(self, raw: Any) -> Any:
        try:
            return self._validation.read_model(self.model, json_of(raw))
        except ValidationError as error:
            self._blame_children(raw)
            raise InvalidValue(error) from None

    def _blame_children(self, raw: Any) -> None:
        """Raise InvalidValue if a model in here does not fit, as when it closes by itself."""
        if not isinstance(raw, dict):
            return

        for key, value in cast("dict[str, Any]", raw).items():
            try:
                if key in self.fields and not self.may_rewrite(self.fields[key][0]):
                    self.fields[key][1].finish(value)
            except InvalidValue as invalid:
                raise invalid.below(key) from None

    def child(self, node: Node, index: int) -> Shape | None:
        if not isinstance(node, ObjectNode) or index == len(node.keys):
            return None

        return self.field_at(node.keys[index])[1]

    def json_paths(self, path: Path) -> list[Path]:
        if not path:
            return [path]

        name = path[0]
        if not isinstance(name, str) or name not in self.model.model_fields:
            return [path]

        return [
            (key, *rest)
            for key in self.keys(name)
            for rest in self.fields[key][1].json_paths(path[1:])
        ]

    def _field_shape(self, name: str, field: FieldInfo) -> Shape:
        annotation = field_type(self.model, field)
        if field.discriminator:
            by = field.discriminator
            annotation = Annotated[annotation, Discriminator(by) if isinstance(by, str) else by]

        shape = self._compile(annotation, self.model.model_config)

        # An atom that a validator of the model may change is shown when that has run.
        return Never() if shape.is_atomic and self._validators_of(name) else shape

    def may_change(self, name: str) -> bool:
        """Return whether a validator of the model may change what a field becomes."""
        decorators = self.model.__pydantic_decorators__
        return bool(decorators.model_validators or self._validators_of(name))

    def may_rewrite(self, name: str) -> bool:
        """Return whether a validator of the model may change what a field is made of."""
        return self._rewrites_all or any(mode != "after" for mode in self._validators_of(name))

    @cached_property
    def _rewrites_all(self) -> bool:
        validators = self.model.__pydantic_decorators__.model_validators.values()
        return any(validator.info.mode != "after" for validator in validators)

    def _validators_of(self, name: str) -> list[str]:
        """List the modes of the validators of a field."""
        validators = self.model.__pydantic_decorators__.field_validators.values()
        return [v.info.mode for v in validators if {name, "*"} & set(v.info.fields)]


class Never(Shape):
    """A value that is not shown before what contains it is finished."""

    def open(self, node: Node, *, visible: bool) -> Branch:
        return HeldBranch(self, node, visible=visible)

    def finish(self, raw: Any) -> Any:
        return HELD


class ModelBranch(ContainerBranch):
    """Follows an object that becomes a model."""

    is_lazy = True

    def __init__(self, shape: ModelShape, node: ObjectNode, *, visible: bool) -> None:
        super().__init__(node, visible=visible)
        self.shape = shape
        self._keys = node.keys

    def child_shape(self, index: int) -> Shape:
        return self.shape.field_at(self._keys[index])[1]

    def judges_later(self, index: int) -> bool:
        name, _ = self.shape.field_at(self._keys[index])
        return self.is_judged_later or self.shape.may_rewrite(name)

    def finish(self, raw: Any) -> tuple[Any, bool]:
        model = self.shape.finish(raw)
        self._keep_models(model)
        return model, True

    def _keep_models(self, model: BaseModel) -> None:
        """Put the models that were shown in place of those that were validated again."""
        values = vars(model)
        for key, shown in zip(self._keys, self.finished, strict=False):
            name, shape = self.shape.field_at(key)
            if not shape.holds_models or shown is HELD or name not in values:
                continue

            if not self.shape.may_change(name):
                values[name] = _with_shown(values[name], shown)
            elif _is_equal(values[name], shown):
                values[name] = shown

    def show(self, view: View, count: int, child: Any) -> Any:
        return PartialState(self, view).attach(self.shape.partial)

    def read(self, view: View) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields and the extra values that had arrived."""
        fields: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        for key, value in zip(self._keys, view.show_children(self), strict=False):
            if value is not HELD:
                if key in self.shape.fields:
                    fields[self.shape.fields[key][0]] = value
                else:
                    extra[key] = value
        return fields, extra

    def is_complete(self, view: View, path: Path) -> bool:
        """Return whether the value at a path of field names, keys and indexes was finished."""
        here = path_of(self.node)
        return any(view.snapshot.is_complete((*here, *p)) for p in self.shape.json_paths(path))

    def defaults(self) -> dict[str, Any]:
        """Return what fields show that have not arrived: their default, else None."""
        return self._defaults

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        defaults: dict[str, Any] = {}
        for name, field in self.shape.model.model_fields.items():
            defaults[name] = None if field.is_required() else _default(field, defaults)
        return defaults


NEVER = Never()
"""For what no model has a field for."""


def _is_equal(value: Any, shown: Any) -> bool:
    try:
        return bool(value == shown)
    except Exception:
        return False  # arrays and the like have no one answer


def _with_shown(value: Any, shown: Any) -> Any:
    """Return a validated value with the models in it that were shown before."""
    if type(value) is not type(shown):
        return value

    if isinstance(value, BaseModel):
        return shown

    if isinstance(value, list):
        items, before = cast("list[Any]", value), cast("list[Any]", shown)
        return [*map(_with_shown, items, before)] if len(items) == len(before) else items

    if isinstance(value, dict):
        fields, earlier = cast("dict[Any, Any]", value), cast("dict[Any, Any]", shown)
        return {key: _with_shown(item, earlier.get(key)) for key, item in fields.items()}

    return value


def _default(field: FieldInfo, before: dict[str, Any]) -> Any:
    """Return a field's default; one that cannot be made of unfinished data is None."""
    try:
        return field.get_default(call_default_factory=True, validated_data=before)
    except Exception:
        return None
