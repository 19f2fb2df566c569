"""Partial dataclasses: instances of a dataclass that is still arriving."""

from __future__ import annotations

import types
from dataclasses import fields
from typing import Any

from pydantic_core import SchemaSerializer, core_schema

STATE = "_streamops_state"
"""The attribute that holds the state of a partial instance."""

_PARTIAL = "__streamops_partial__"


class PartialDataclass:
    """What partial instances of dataclasses do that others need not."""

    __slots__ = ()

    # The twin is nobody's subclass: hooks of the class are for those that its user writes.
    def __init_subclass__(cls, **_: Any) -> None:
        return

    def __reduce__(self) -> tuple[Any, ...]:
        return new_partial, (type(self).__mro__[2], vars_of(self))


def new_partial(type_: type[Any], values: dict[str, Any]) -> Any:
    """Make an instance of the subclass of a dataclass for what is still arriving."""
    instance = object.__new__(_partial_class(type_))
    for name, value in values.items():
        object.__setattr__(instance, name, value)
    return instance


def vars_of(instance: Any) -> dict[str, Any]:
    """Return the fields of a dataclass instance that are set."""
    names = [field.name for field in fields(instance)]
    return {name: getattr(instance, name) for name in names if hasattr(instance, name)}


_AS_FIELDS = core_schema.any_schema(
    serialization=core_schema.plain_serializer_function_ser_schema(vars_of)
)


def _partial_class(type_: type[Any]) -> type[Any]:
    existing: type[Any] | None = type_.__dict__.get(_PARTIAL)
    if existing is not None:
        return existing

    namespace: dict[str, Any] = {
        "__module__": type_.__module__,
        "__doc__": f"{type_.__name__} while it arrives.",
        "__slots__": (STATE,),
    }
    decorators: Any = getattr(type_, "__pydantic_decorators__", None)
    if decorators and (
        decorators.computed_fields or decorators.field_serializers or decorators.model_serializers
    ):
        # They were written for whole instances; of one that is arriving, the fields are written.
        namespace["__pydantic_serializer__"] = SchemaSerializer(_AS_FIELDS)
    partial = types.new_class(
        f"Partial[{type_.__name__}]",
        (PartialDataclass, type_),
        exec_body=lambda body: body.update(namespace),
    )
    setattr(type_, _PARTIAL, partial)
    return partial
