"""The laws of growth, seen through a type."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping, Set
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, Field, RootModel
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType


def is_partial(value: Any) -> bool:
    return type(value).__name__.startswith("Partial[")


def is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def parts(value: Any) -> dict[str, Any]:
    """Return the fields of a model or a dataclass, extra ones included."""
    if isinstance(value, RootModel):
        return {"root": cast("Any", value).root}

    if isinstance(value, BaseModel):
        return {**vars(value), **(value.model_extra or {})}

    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def arrived(partial: Any) -> set[str]:
    """Return the names of the fields that have arrived, as far as can be told from outside."""
    if isinstance(partial, BaseModel):
        return partial.model_fields_set

    return {
        field.name
        for field in dataclasses.fields(partial)
        if not is_missing(field, getattr(partial, field.name))
    }


def is_missing(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())

    default: Any = getattr(field.default, "default", field.default)  # pydantic's own fields
    return value is None or bool(value == default)


def assert_grows(before: Any, after: Any, *, at_the_end: bool) -> None:
    """Check that one value can have grown into the other.

    At the end everything is validated again, so that models are equal and not the same.
    """
    if is_partial(before):
        assert isinstance(after, type(before).__mro__[2])
        now, later = parts(before), parts(after)
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            assert before.model_fields_set <= after.model_fields_set
        for name in arrived(before):
            assert_grows(now[name], later[name], at_the_end=at_the_end)
        return

    assert type(before) is type(after)
    if isinstance(before, BaseModel) or is_dataclass(before):
        assert before == after if at_the_end else before is after
    elif isinstance(before, str):
        assert after.startswith(before)
    elif isinstance(before, list | tuple | deque):
        sequence, longer = cast("list[Any]", before), cast("list[Any]", after)
        assert len(sequence) <= len(longer)
        for item, grown in zip(sequence, longer, strict=False):
            assert_grows(item, grown, at_the_end=at_the_end)
    elif isinstance(before, Mapping):
        mapping, larger = cast("dict[Any, Any]", before), cast("dict[Any, Any]", after)
        for key, item in mapping.items():
            assert_grows(item, larger[key], at_the_end=at_the_end)
    elif isinstance(before, Set):
        some, more = cast("set[Any]", before), cast("set[Any]", after)
        assert some <= more
        if not at_the_end:
            assert set(map(id, models_in(some))) <= set(map(id, models_in(more)))
    else:
        assert before == after


def models_in(value: Any) -> Iterator[Any]:
    """Yield the finished models and dataclasses in a value."""
    if isinstance(value, BaseModel) or is_dataclass(value):
        if not is_partial(value):
            yield value
        for part in parts(value).values():
            yield from models_in(part)
    elif isinstance(value, Mapping):
        for part in cast("dict[Any, Any]", value).values():
            yield from models_in(part)
    elif isinstance(value, list | tuple | deque | Set):
        for part in cast("list[Any]", value):
            yield from models_in(part)


def assert_shows(value: Any, raw: Any) -> None:
    """Check that a value shows all of a JSON value that is still arriving."""
    if isinstance(value, RootModel):
        assert_shows(cast("Any", value).root, raw)
    elif isinstance(value, BaseModel) or is_dataclass(value):
        fields = parts(value)
        known = {key: item for key, item in raw.items() if key in fields}
        if isinstance(value, BaseModel):
            assert value.model_fields_set == set(known)
        for key, item in known.items():
            assert_shows(fields[key], item)
    elif isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        for key, item in raw.items():
            if key != "unknown":
                assert_shows(mapping[key], item)
    elif isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        assert len(items) == len(raw)
        for item, raw_item in zip(items, raw, strict=True):
            assert_shows(item, raw_item)
    else:
        assert value == raw


def types_within(type_: Any) -> list[Any]:
    """List a type and all types that it is made of."""
    found: dict[str, Any] = {}
    waiting = [type_]
    while waiting:
        inner = waiting.pop()
        if repr(inner) in found:
            continue

        found[repr(inner)] = inner
        if get_origin(inner) is Annotated:
            waiting.append(inner.__origin__)
        elif get_origin(inner) is not Literal:
            waiting += [argument for argument in get_args(inner) if argument is not ...]

        if isinstance(inner, TypeAliasType):
            waiting.append(inner.__value__)
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            waiting += map(_field_type, inner.model_fields.values())
        elif isinstance(inner, type) and "__annotations__" in vars(inner):
            waiting += get_type_hints(inner, include_extras=True).values()
    return list(found.values())


def _field_type(field: FieldInfo) -> Any:
    annotation: Any = field.annotation
    if field.discriminator:
        annotation = Annotated[annotation, Field(discriminator=field.discriminator)]
    return Annotated[(annotation, *field.metadata)] if field.metadata else annotation
