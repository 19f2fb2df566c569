"""Shapes of models and of unions, and ``shape_of``, which compiles a type."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Literal, NewType, Union, cast, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Discriminator,
    RootModel,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic.functional_validators import BeforeValidator, PlainValidator, WrapValidator

from streamops.partial import PartialState, field_type, partial_model
from streamops.shapes import (
    HELD,
    Anything,
    Atom,
    Branch,
    ContainerBranch,
    DictOf,
    HeldBranch,
    InvalidValue,
    ListOf,
    Shape,
    Text,
    View,
    Whole,
    json_of,
)
from streamops.snapshot import ArrayNode, Node, ObjectNode, Path, StringNode, path_of


def shape_of(annotation: Any) -> Shape:
    """Compile a type."""
    return _Compiler().shape_of(annotation, ConfigDict())


class _Compiler:
    def __init__(self) -> None:
        self._models: dict[type[BaseModel], ModelShape] = {}

    def shape_of(self, annotation: Any, config: ConfigDict) -> Shape:
        metadata: tuple[Any, ...] = ()
        whole = annotation

        # An alias or a new name for a type streams as the type does.
        while True:
            if get_origin(annotation) is Annotated:
                annotation, *more = get_args(annotation)
                metadata = (*more, *metadata)
            elif isinstance(annotation, NewType):
                annotation = annotation.__supertype__
            elif not get_args(annotation) and hasattr(annotation, "__value__"):
                annotation = annotation.__value__
            else:
                break

        # What is read by a validator may have any form before.
        if any(isinstance(m, BeforeValidator | PlainValidator | WrapValidator) for m in metadata):
            return Whole(whole, config, holds_models=self._holds_models(annotation))

        origin = get_origin(annotation)
        if origin in (Union, types.UnionType):
            return self._union(annotation, whole, metadata, config)

        if annotation in (Any, object):
            return Anything()

        if annotation is str:
            return Text(config, _expected_length(metadata))

        if annotation in (int, float, bool) and not metadata:
            return Atom(annotation, config)

        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if issubclass(annotation, RootModel):
                return Whole(whole, config, holds_models=True)
            return self._model(annotation)

        if annotation in (list, Sequence) or origin in (list, Sequence):
            (item,) = get_args(annotation) or (Any,)
            return ListOf(self.shape_of(item, config), _expected_length(metadata))

        if annotation in (dict, Mapping) or origin in (dict, Mapping):
            key, value = get_args(annotation) or (str, Any)
            if key is str:
                return DictOf(self.shape_of(value, config))

        return Whole(whole, config, holds_models=self._holds_models(annotation))

    def _model(self, model: type[BaseModel]) -> ModelShape:
        if model not in self._models:
            model.model_rebuild()  # else fields may still be forward references
            self._models[model] = ModelShape(model, self)
        return self._models[model]

    def _union(
        self, annotation: Any, whole: Any, metadata: tuple[Any, ...], config: ConfigDict
    ) -> Shape:
        members = [self.shape_of(m, config) for m in get_args(annotation) if m is not type(None)]
        judge = Whole(whole, config, holds_models=self._holds_models(annotation))
        nullable = type(None) in get_args(annotation)
        if len(members) == 1:
            members[0].length = members[0].length or _expected_length(metadata)
            return OneOf(judge, members, nullable=nullable)

        discriminators = [
            m.discriminator for m in metadata if isinstance(m, FieldInfo | Discriminator)
        ]
        models = [m for m in members if isinstance(m, ModelShape)]
        for name in discriminators:
            if isinstance(name, str) and len(models) == len(members):
                return TaggedUnion(judge, name, models, nullable=nullable)

        return OneOf(judge, members, nullable=nullable)

    def _holds_models(self, annotation: Any) -> bool:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return True

        return any(map(self._holds_models, get_args(annotation)))


class ModelShape(Shape):
    """A pydantic model, shown as a partial instance until it closes and is validated."""

    holds_models = True

    def __init__(self, model: type[BaseModel], compiler: _Compiler) -> None:
        self.model = model
        self._compiler = compiler

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
            return _NEVER  # extra values that have a type are read with the model

        return Anything() if self.model.model_config.get("extra") == "allow" else _NEVER

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
            return self.model.model_validate_json(json_of(raw))
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

        shape = self._compiler.shape_of(annotation, self.model.model_config)

        # An atom that a validator of the model may change is shown when that has run.
        return Never() if _is_atomic(shape) and self._validators_of(name) else shape

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

    def finish(self, raw: Any) -> Any:  # noqa: ARG002  # whatever it is
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

    def show(self, view: View, count: int, child: Any) -> Any:  # noqa: ARG002  # looks later
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


class OneOf(Shape):
    """A union; an open value is shown once only one member can take it."""

    def __init__(self, judge: Whole, members: list[Shape], *, nullable: bool) -> None:
        self._judge = judge
        self.members = members
        self._nullable = nullable
        self.holds_models = judge.holds_models

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
        branch = self._model.open(child) if self._model else _NEVER.open(child, visible=False)
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


_NEVER = Never()
_NODES: dict[type, type[Node]] = {dict: ObjectNode, list: ArrayNode, str: StringNode}


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


def _expected_length(metadata: tuple[Any, ...]) -> int | None:
    longest = [m.max_length for m in metadata if isinstance(m, MaxLen)]
    shortest = [m.min_length for m in metadata if isinstance(m, MinLen)]
    return next(iter([*longest, *shortest]), None)


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


def _is_atomic(shape: Shape) -> bool:
    if isinstance(shape, OneOf):
        return all(map(_is_atomic, shape.members))

    return isinstance(shape, Whole) and not isinstance(shape, Text)


def _tags(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Literal:
        for tag in get_args(annotation):
            yield tag.value if isinstance(tag, Enum) else tag


def _default(field: FieldInfo, before: dict[str, Any]) -> Any:
    """Return a field's default; one that cannot be made of unfinished data is None."""
    try:
        return field.get_default(call_default_factory=True, validated_data=before)
    except Exception:
        return None
