"""Schema: what a model is told of the type that it is asked for, as JSON Schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, NotRequired, Required, get_args, get_origin

from pydantic import BaseModel, ConfigDict, RootModel, TypeAdapter, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

from streamops.strict_schemas import InexpressibleSchema, strict_schema

__all__ = ["InexpressibleSchema", "Schema", "is_object_schema", "schema_of"]

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OF_THE_FIELD_ALONE: tuple[Any, ...] = (Required, NotRequired, ReadOnly)


@dataclass(frozen=True, slots=True)
class Schema:
    """The JSON schema of a type, with the name and the description that go with it."""

    name: str
    """Letters, digits, ``_`` and ``-``, 64 at most: what a tool or a format may be called."""
    description: str
    """What the type is for; empty if its class has no docstring."""
    parameters: dict[str, Any]
    """What pydantic validates, by alias; the root is always an object."""

    def strict(self) -> dict[str, Any]:
        """Return the same under the rules of OpenAI's strict structured outputs.

        A field with a default is required there, so that the model always says it. What such a
        schema cannot check, as ``minLength``, is told in the description: pydantic checks it
        anyway. Raises InexpressibleSchema for what has no place at all, such as a dict.
        """
        return strict_schema(self.parameters, name=self.name)


def schema_of(type_: Any, *, name: str | None = None, description: str | None = None) -> Schema:
    """Return the schema of a type whose JSON is an object, named after its class.

    Raises TypeError, with the path of the field, where pydantic has no JSON schema, and if the
    root is no object, which ``is_object_schema`` tells beforehand; ValueError for a bad name.
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is a str, not {name!r}")

    if name is not None and not _NAME.fullmatch(name):
        raise ValueError(f"name is 1 to 64 letters, digits, _ or -, not {name!r}")

    if description is not None and not isinstance(description, str):
        raise TypeError(f"description is a str, not {description!r}")

    parameters = _rooted(type_)
    if parameters.get("type") != "object":
        raise TypeError(
            f"{_spelled(type_)} is no object in JSON: wrap it in a model with one field, such as "
            'pydantic.create_model("Answer", value=(T, ...)); is_object_schema(T) tells which '
            "types need that"
        )

    return Schema(
        name=_name_of(type_) if name is None else name,
        description=_docstring(type_) if description is None else description,
        parameters=parameters,
    )


def is_object_schema(type_: Any) -> bool:
    """Tell whether the JSON of a type is an object, and not one of several or anything else.

    Raises TypeError, as ``schema_of`` does, where pydantic has no JSON schema.
    """
    return bool(_rooted(type_).get("type") == "object")


class _Generator(GenerateJsonSchema):
    # Nothing that is asked for is lost with a default or a discriminator that JSON cannot say.
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012  # as pydantic has it
        "skipped-choice",
        "skipped-discriminator",
        "non-serializable-default",
    }


def _rooted(type_: Any) -> dict[str, Any]:
    schema = _json_schema(type_)
    definitions = schema.get("$defs", {})
    while "$ref" in schema:
        name = schema.pop("$ref").removeprefix("#/$defs/")
        schema = {**deepcopy(definitions[name]), **schema}

    return schema


def _json_schema(type_: Any) -> dict[str, Any]:
    try:
        return TypeAdapter(type_).json_schema(schema_generator=_Generator)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        path, culprit = _without_schema(type_, set()) or ((), type_)
        where = ".".join((_spelled(type_), *path))
        raise TypeError(
            f"{where}: pydantic has no JSON schema for {_spelled(culprit)}. Say what stands there "
            "in JSON with Annotated[..., pydantic.WithJsonSchema({...})], or ask for a model "
            f"without it. Pydantic says: {error.message.partition(chr(10))[0]}"
        ) from error


def _without_schema(type_: Any, seen: set[Any]) -> tuple[tuple[str, ...], Any] | None:
    """Return the innermost field that has no JSON schema, and its type; None if it was seen."""
    owners = list(_owners_in(type_))
    fails_by_itself = seen.isdisjoint(owners)
    for owner in owners:
        if owner in seen:
            continue

        seen.add(owner)
        for name, annotation, config in _fields(owner):
            if _fails(annotation, config):
                # A field may fail only for being of the class that it is a field of.
                fails_by_itself = False
                found = _without_schema(annotation, seen)
                if found is not None:
                    return (name, *found[0]), found[1]

    return ((), type_) if fails_by_itself else None


def _owners_in(annotation: Any) -> Iterator[Any]:
    """Yield the classes in a type that have fields."""
    for part in get_args(annotation):
        yield from _owners_in(part)

    owner: Any = get_origin(annotation) or annotation
    if isinstance(owner, type) and _has_fields(owner):
        yield owner


def _has_fields(owner: type[Any]) -> bool:
    return issubclass(owner, BaseModel) or is_dataclass(owner) or is_typeddict(owner)


def _fields(owner: Any) -> Iterator[tuple[str, Any, Any]]:
    config: Any = getattr(owner, "model_config", getattr(owner, "__pydantic_config__", {}))
    if issubclass(owner, BaseModel):
        # A field of a class that was defined later has no type until then. The class may fail
        # again, for the very field that is looked for.
        with suppress(PydanticUserError):
            owner.model_rebuild(raise_errors=False)

        for name, field in owner.model_fields.items():
            yield name, field.rebuild_annotation(), config

        return

    try:
        hints = get_type_hints(owner, include_extras=True)
    except NameError:
        return  # pydantic says which name is not defined

    names = [field.name for field in fields(owner)] if is_dataclass(owner) else list(hints)
    for name in names:
        annotation = hints[name]
        while get_origin(annotation) in _OF_THE_FIELD_ALONE:
            (annotation,) = get_args(annotation)

        yield name, annotation, config


def _fails(annotation: Any, config: Any) -> bool:
    allowed = ConfigDict(arbitrary_types_allowed=config.get("arbitrary_types_allowed", False))
    try:
        alone: Any = create_model("Alone", __config__=allowed, field=(annotation, ...))
        alone.model_json_schema(schema_generator=_Generator)
    except (PydanticUserError, PydanticUndefinedAnnotation):
        return True

    return False


def _spelled(type_: Any) -> str:
    if get_origin(type_) is Annotated:
        return _spelled(get_args(type_)[0])

    whole = get_args(type_) or not isinstance(type_, type)
    return str(type_).replace("typing.", "") if whole else type_.__name__


def _name_of(type_: Any) -> str:
    inner = get_args(type_)
    if get_origin(type_) is Annotated:
        return _name_of(inner[0])

    own = getattr(type_, "__name__", None) or _spelled(type_)
    whole = "_".join((own, *map(_name_of, inner)))
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", whole).strip("_")[:64] or "Answer"


def _docstring(type_: Any) -> str:
    if get_origin(type_) is Annotated:
        return _docstring(get_args(type_)[0])

    owner = get_origin(type_) or type_
    generic = getattr(owner, "__pydantic_generic_metadata__", {}).get("origin")
    written = next((c.__doc__ for c in (owner, generic) if _is_described(c)), None)
    return inspect.cleandoc(written or "")


def _is_described(owner: Any) -> bool:
    if owner in (BaseModel, RootModel) or not getattr(owner, "__doc__", None):
        return False

    if is_dataclass(owner):
        # The dataclass decorator writes the signature where no docstring stands.
        return not (owner.__doc__ or "").startswith(f"{_spelled(owner)}(")

    return is_typeddict(owner) or (isinstance(owner, type) and issubclass(owner, BaseModel))
