"""What pydantic's core schemas say of the fields of a type.

They are documented in ``pydantic_core.core_schema``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

CoreSchema: TypeAlias = Any
"""A nested dict; its type in pydantic is a union of some fifty TypedDicts."""


def definitions_in(schema: CoreSchema) -> dict[str, CoreSchema]:
    """Return the schemas that others refer to, by their reference."""
    definitions = schema.get("definitions", ()) if schema["type"] == "definitions" else ()
    return {definition["ref"]: definition for definition in definitions}


def innermost(schema: CoreSchema, *types: str) -> CoreSchema | None:
    """Return the first schema of one of the types, seen from outside; None if there is none."""
    definitions = definitions_in(schema)
    while schema is not None and schema["type"] not in types:
        if schema["type"] == "definition-ref":
            schema = definitions.get(schema["schema_ref"])
        else:
            schema = schema.get("schema")

    return schema


def item_schema(schema: CoreSchema) -> CoreSchema:
    """Return the schema of the items of a list, to be used by itself."""
    found = innermost(schema, "list")
    assert found is not None
    items: CoreSchema = found["items_schema"]
    if schema["type"] != "definitions":
        return items

    return {"type": "definitions", "schema": items, "definitions": schema["definitions"]}


def fields_in(schema: CoreSchema) -> dict[str, CoreSchema]:
    """Return the schemas of the fields that a dataclass or a TypedDict is read from and has."""
    found = innermost(schema, "dataclass-args", "typed-dict")
    if found is None:
        return {}

    fields: Any = found["fields"]
    if found["type"] == "typed-dict":
        return dict(fields)

    # Neither what only __post_init__ is given, nor what it alone sets.
    return {
        field["name"]: field
        for field in fields
        if field.get("init", True) and not field.get("init_only")
    }


def keys_in(field: CoreSchema) -> Iterator[str]:
    """Yield the keys of the JSON that a field may stand at by itself; none for its own name."""
    alias: Any = field.get("validation_alias")
    if isinstance(alias, str):
        yield alias
        return

    if not alias:
        return

    paths: list[list[str | int]] = alias if isinstance(alias[0], list) else [alias]
    for path in paths:
        if len(path) == 1 and isinstance(path[0], str):
            yield path[0]
