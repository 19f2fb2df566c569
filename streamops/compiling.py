"""shape_of: types to shapes."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NewType, Union, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, Discriminator, RootModel
from pydantic.fields import FieldInfo
from pydantic.functional_validators import BeforeValidator, PlainValidator, WrapValidator

from streamops.model_shapes import ModelShape
from streamops.shapes import Anything, Atom, DictOf, ListOf, Shape, Text, Whole
from streamops.union_shapes import OneOf, TaggedUnion
from streamops.validation import DEFAULT_VALIDATION, Validation


def shape_of(annotation: Any, validation: Validation = DEFAULT_VALIDATION) -> Shape:
    """Compile a type."""
    return _Compiler(validation).shape_of(annotation, ConfigDict())


class _Compiler:
    def __init__(self, validation: Validation) -> None:
        self._validation = validation
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
            return Whole(
                whole, config, self._validation, holds_models=self._holds_models(annotation)
            )

        origin = get_origin(annotation)
        if origin in (Union, types.UnionType):
            return self._union(annotation, whole, metadata, config)

        if annotation in (Any, object):
            return Anything()

        if annotation is str:
            return Text(config, self._validation, _expected_length(metadata))

        if annotation in (int, float, bool) and not metadata:
            return Atom(annotation, config, self._validation)

        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if issubclass(annotation, RootModel):
                return Whole(whole, config, self._validation, holds_models=True)
            return self._model(annotation)

        if annotation in (list, Sequence) or origin in (list, Sequence):
            (item,) = get_args(annotation) or (Any,)
            return ListOf(self.shape_of(item, config), _expected_length(metadata))

        if annotation in (dict, Mapping) or origin in (dict, Mapping):
            key, value = get_args(annotation) or (str, Any)
            if key is str:
                return DictOf(self.shape_of(value, config))

        return Whole(whole, config, self._validation, holds_models=self._holds_models(annotation))

    def _model(self, model: type[BaseModel]) -> ModelShape:
        if model not in self._models:
            model.model_rebuild()  # else fields may still be forward references
            self._models[model] = ModelShape(model, self.shape_of, self._validation)
        return self._models[model]

    def _union(
        self, annotation: Any, whole: Any, metadata: tuple[Any, ...], config: ConfigDict
    ) -> Shape:
        members = [self.shape_of(m, config) for m in get_args(annotation) if m is not type(None)]
        judge = Whole(whole, config, self._validation, holds_models=self._holds_models(annotation))
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


def _expected_length(metadata: tuple[Any, ...]) -> int | None:
    longest = [m.max_length for m in metadata if isinstance(m, MaxLen)]
    shortest = [m.min_length for m in metadata if isinstance(m, MinLen)]
    return next(iter([*longest, *shortest]), None)
