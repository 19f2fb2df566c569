"""What a model says of itself, for instances of which part is missing.

Serializers and methods of a model were written for whole instances. On a partial they are tried,
and where they fail, pydantic's own way takes their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from pydantic import (
    BaseModel,
    FieldSerializationInfo,
    PlainSerializer,
    RootModel,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    WrapSerializer,
    computed_field,
    field_serializer,
    model_serializer,
)
from pydantic.fields import ComputedFieldInfo

_Write = Callable[[Any, SerializerFunctionWrapHandler, SerializationInfo], Any]


def forgiving_namespace(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the partial subclass of a model defines in place of the model."""
    decorators = model.__pydantic_decorators__
    return {
        **{name: _computed(info) for name, info in model.model_computed_fields.items()},
        **{n: _field_serializer(d.func, d.info) for n, d in decorators.field_serializers.items()},
        **{n: _model_serializer(d.func, d.info) for n, d in decorators.model_serializers.items()},
        **_methods(model),
    }


def forgiving_metadata(metadata: Any) -> Any:
    """Return what stands around a type, with a serializer that may fail on unfinished data."""
    if not isinstance(metadata, PlainSerializer | WrapSerializer):
        return metadata

    wraps = isinstance(metadata, WrapSerializer)
    write = _tried(metadata.func, wraps=wraps)

    def write_value(
        value: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> Any:
        return write((value,), handler, info)

    # None may stand for what has not arrived.
    only_json = metadata.when_used in ("json", "json-unless-none")
    return WrapSerializer(write_value, when_used="json-unless-none" if only_json else "unless-none")


def _tried(own: Callable[..., Any], *, wraps: bool) -> Callable[..., Any]:
    """Make a serializer, of whichever signature, fall back to the standard one."""
    takes = _parameters(own)

    def write(
        given: tuple[Any, ...], handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> Any:
        takes_info = len(takes) > len(given) + wraps
        try:
            return own(*given, *[handler] * wraps, *[info] * takes_info)
        except Exception:
            return handler(given[-1])

    return write


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(signature(function).parameters)
    except ValueError:  # str and the like have no signature
        return []


def _field_serializer(own: Callable[..., Any], info: Any) -> Any:
    takes_self = _parameters(own)[:1] == ["self"]
    write = _tried(own, wraps=info.mode == "wrap")

    def write_field(
        self: Any,
        value: Any,
        handler: SerializerFunctionWrapHandler,
        info: FieldSerializationInfo,
    ) -> Any:
        if value is None and info.field_name not in self.model_fields_set:
            return None  # it has not arrived

        return write((self, value) if takes_self else (value,), handler, info)

    decorate: Any = field_serializer  # which of its overloads it is, is only known at run time
    return decorate(*info.fields, mode="wrap", when_used=info.when_used, check_fields=False)(
        write_field
    )


def _model_serializer(own: Callable[..., Any], info: Any) -> Any:
    write = _tried(own, wraps=info.mode == "wrap")

    def write_model(
        self: Any, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> Any:
        return write((self,), handler, info)

    return model_serializer(mode="wrap", when_used=info.when_used)(write_model)


def _computed(info: ComputedFieldInfo) -> Any:
    def get(instance: Any) -> Any:
        try:
            return info.wrapped_property.__get__(instance)
        except Exception:
            return None  # what it is computed from has not arrived

    return computed_field(alias=info.alias, repr=info.repr, return_type=Any)(property(get))


def _methods(model: type[BaseModel]) -> Mapping[str, Any]:
    is_root = issubclass(model, RootModel)
    own: Any = model
    standard: Any = RootModel if is_root else BaseModel
    methods: dict[str, Any] = {
        name: own_or_standard(getattr(own, name), getattr(standard, name))
        for name in ("__repr__", "__str__", "__eq__")
        if getattr(own, name) is not getattr(standard, name)
    }
    # A class that says what is equal would lose what it inherits for hashing.
    return methods | {"__hash__": own.__hash__}


def own_or_standard(own: Callable[..., Any], standard: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that is tried, with the one that takes its place where it fails."""

    def method(self: Any, *arguments: Any) -> Any:
        try:
            return own(self, *arguments)
        except Exception:
            return standard(self, *arguments)

    return method
