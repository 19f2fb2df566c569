"""Partial dataclasses: instances of a dataclass that is still arriving."""

from __future__ import annotations

import types
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from typing import Any

from pydantic import SerializationInfo
from pydantic.fields import FieldInfo
from pydantic_core import SchemaSerializer, core_schema

from streamops.forgiving import own_or_standard

STATE = "_streamops_state"
"""The attribute that holds the state of a partial instance."""

_PARTIAL = "__streamops_partial__"


class PartialDataclass:
    """What partial instances of dataclasses do that others need not."""

    __slots__ = ()

    # The twin is nobody's subclass: hooks of the class are for those that its user writes.
    def __init_subclass__(cls, **_: Any) -> None:
        return

    def _repr_html_(self) -> str:
        return html_of_partial(self, getattr(super(), "_repr_html_", None))

    def __copy__(self) -> Any:
        return self._with(vars_of(self))

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return self._with(deepcopy(vars_of(self), memo))

    def _with(self, values: dict[str, Any]) -> Any:
        copied = new_partial(type(self).__mro__[2], values)
        state: Any = getattr(self, STATE, None)
        if state is not None:
            object.__setattr__(copied, STATE, state.copied())
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return new_partial, (type(self).__mro__[2], vars_of(self))


def html_of_partial(instance: Any, own: Callable[[], str | None] | None) -> str:
    """Return how a notebook shows a partial: as its class says, or else what has arrived."""
    from streamops.display.html import html_of

    try:
        html = None if own is None else own()
    except Exception:  # it was written for whole instances
        html = None
    return html_of(instance) if html is None else html


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


def _as_fields(instance: Any, info: SerializationInfo) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in vars_of(instance).items():
        field: FieldInfo = instance.__pydantic_fields__[name]
        if not field.exclude:
            alias = field.serialization_alias if info.by_alias else None
            written[alias or name] = value
    return written


_AS_FIELDS = core_schema.any_schema(
    serialization=core_schema.plain_serializer_function_ser_schema(_as_fields, info_arg=True)
)


def _repr(instance: Any) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in vars_of(instance).items())
    return f"{type(instance).__qualname__}({fields})"


def _eq(instance: Any, other: object) -> bool:
    return type(instance) is type(other) and vars_of(instance) == vars_of(other)


def _partial_class(type_: type[Any]) -> type[Any]:
    existing: type[Any] | None = type_.__dict__.get(_PARTIAL)
    if existing is not None:
        return existing

    namespace: dict[str, Any] = {
        "__module__": type_.__module__,
        "__doc__": f"{type_.__name__} while it arrives.",
        "__slots__": (STATE,),
        "__repr__": own_or_standard(type_.__repr__, _repr),
        "__eq__": own_or_standard(type_.__eq__, _eq),
        "__hash__": type_.__hash__,
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
