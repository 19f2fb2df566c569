"""OpenAI's published rules for strict structured outputs, read one by one, and JSON under them.

What is here knows nothing of how a schema becomes strict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, cast

Json = Any

FOR_TYPE = {
    "string": {"pattern", "format"},
    "number": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "integer": {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"},
    "boolean": set[str](),
    "null": set[str](),
    "array": {"items", "minItems", "maxItems"},
    "object": {"properties", "required", "additionalProperties"},
}
FORMATS = ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"]
LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")

FORBIDDEN: dict[str, tuple[Json, str]] = {
    "a root that is no object": ({"type": "string"}, "the root is no object"),
    "a root of several": (
        {"anyOf": [{"type": "object", "properties": {}}]},
        "the root is no object",
    ),
    "a default": ({"type": "string", "default": ""}, "default is not permitted"),
    "a title": ({"type": "string", "title": "Name"}, "title is not permitted"),
    "one of several": ({"oneOf": [{"type": "string"}]}, "oneOf is not permitted"),
    "all of several": ({"allOf": [{"type": "string"}]}, "allOf is not permitted"),
    "a negation": ({"type": "string", "not": {"type": "null"}}, "not is not permitted"),
    "a length": ({"type": "string", "minLength": 1}, "minLength is not permitted"),
    "a bound of what is no number": ({"type": "string", "minimum": 1}, "minimum is not permitted"),
    "a format that is not listed": ({"type": "string", "format": "uri"}, "format uri"),
    "a pattern that looks ahead": ({"type": "string", "pattern": "^(?!a)"}, "pattern ^(?!a)"),
    "any type": ({}, "no type"),
    "any type with a description": ({"description": "Whatever."}, "no type"),
    "an unknown type": ({"type": "file"}, "type file"),
    "a tuple": (
        {"type": "array", "items": {"type": "null"}, "prefixItems": []},
        "prefixItems is not permitted",
    ),
    "items of any type": ({"type": "array"}, "no items"),
    "an open object": (
        {"type": "object", "properties": {}, "required": []},
        "additionalProperties is not false",
    ),
    "a dict": (
        {
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": {"type": "null"},
        },
        "additionalProperties is not false",
    ),
    "a property that is optional": (
        {
            "type": "object",
            "properties": {"a": {"type": "null"}},
            "required": [],
            "additionalProperties": False,
        },
        "required is not all properties",
    ),
    "a reference with siblings": (
        {"$ref": "#/$defs/A", "description": "It."},
        "siblings of a reference",
    ),
    "a reference to nothing": ({"$ref": "#/$defs/None"}, "a reference to nothing"),
}
"""Schemas of one property each (or of the root), with what the rules say of them."""


def violations(schema: Json) -> list[str]:
    """List what the published rules forbid in a schema; nothing if it is strict."""
    definitions = schema.get("$defs", {})
    root = {keyword: value for keyword, value in schema.items() if keyword != "$defs"}
    found = [] if root.get("type") == "object" else ["the root is no object"]
    found += _violations_in(root, definitions)
    for definition in definitions.values():
        found += _violations_in(definition, definitions)

    return found + list(_excesses([root, *definitions.values()], definitions, root))


def _violations_in(schema: Json, definitions: Json) -> Iterator[str]:
    for node in _nodes(schema):
        keywords = node.keys() - {"description"}
        if "$ref" in node:
            yield from ["siblings of a reference"] if len(node) > 1 else []
            known = [f"#/$defs/{name}" for name in definitions]
            yield from [] if node["$ref"] in known else ["a reference to nothing"]
            continue

        types = node.get("type", [])
        allowed = {"type", "enum", "const"}
        for name in [types] if isinstance(types, str) else types:
            yield from [] if name in FOR_TYPE else [f"type {name}"]
            allowed |= FOR_TYPE.get(name, set())

        if "anyOf" in keywords:
            allowed = {"anyOf"}
        elif not types and keywords.isdisjoint({"oneOf", "allOf"}):
            yield "no type"

        yield from (f"{keyword} is not permitted" for keyword in keywords - allowed)
        if node.get("format", "date") not in FORMATS:
            yield f"format {node['format']}"

        if any(group in node.get("pattern", "") for group in LOOKAROUND):
            yield f"pattern {node['pattern']}"

        if "array" in types and "items" not in node:
            yield "no items"

        if "object" in types:
            closed = node.get("additionalProperties") is False
            yield from [] if closed else ["additionalProperties is not false"]
            complete = sorted(node.get("required", ())) == sorted(node.get("properties", ()))
            yield from [] if complete else ["required is not all properties"]


def _nodes(schema: Json) -> Iterator[Json]:
    yield schema
    for part in _inside(schema):
        yield from _nodes(part)


def _inside(schema: Json) -> list[Json]:
    several = [schema.get("properties", {}).values(), *map(schema.get, ("anyOf", "oneOf", "allOf"))]
    items = [schema["items"]] if "items" in schema else []
    return [*chain.from_iterable(part or () for part in several), *items]


def _excesses(schemas: list[Json], definitions: Json, root: Json) -> Iterator[str]:
    nodes = [node for schema in schemas for node in _nodes(schema)]
    properties = [name for node in nodes for name in node.get("properties", ())]
    enums = [node["enum"] for node in nodes if "enum" in node]
    values = [*chain.from_iterable(enums), *(node["const"] for node in nodes if "const" in node)]
    texts = [text for text in (*properties, *definitions, *values) if isinstance(text, str)]
    if len(properties) > 5000:
        yield "more than 5000 properties"

    if sum(map(len, enums)) > 1000:
        yield "more than 1000 enum values"

    if sum(map(len, texts)) > 120_000:
        yield "more than 120000 characters"

    for enum in enums:
        if len(enum) > 250 and sum(len(text) for text in enum if isinstance(text, str)) > 15_000:
            yield "more than 15000 characters in an enum"

    if _levels(root, definitions, ()) > 10:
        yield "more than 10 levels"


def _levels(schema: Json, definitions: Json, above: tuple[str, ...]) -> int:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name:
        # What is inside itself is nested without an end, which is allowed.
        inside_itself = name in above or name not in definitions
        return 0 if inside_itself else _levels(definitions[name], definitions, (*above, name))

    inner = [_levels(part, definitions, above) for part in _inside(schema)]
    return int("properties" in schema) + max(inner, default=0)


def fits(value: Json, schema: Json, definitions: Json) -> bool:
    """Tell whether a value is what a strict schema describes; formats are not looked at."""
    if "$ref" in schema:
        return fits(value, definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)

    if "anyOf" in schema:
        return any(fits(value, choice, definitions) for choice in schema["anyOf"])

    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_is_of_type(value, name) for name in types):
        return False

    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])

    if isinstance(value, dict):
        named = cast("dict[str, Json]", value)
        return sorted(named) == sorted(schema["properties"]) and all(
            fits(inner, schema["properties"][name], definitions) for name, inner in named.items()
        )

    if isinstance(value, list):
        items = cast("list[Json]", value)
        fitting = all(fits(item, schema["items"], definitions) for item in items)
        return fitting and _is_between(len(items), schema, "minItems", "maxItems")

    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None

    return value is None or isinstance(value, bool) or _is_number_of(value, schema)


def _is_of_type(value: Json, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"

    if isinstance(value, float):
        return name == "number" or (name == "integer" and value.is_integer())

    kinds: dict[str, Any] = {
        "string": str,
        "number": int,
        "integer": int,
        "null": type(None),
        "array": list,
        "object": dict,
    }
    return name in kinds and isinstance(value, kinds[name])


def _is_number_of(value: float, schema: Json) -> bool:
    return (
        _is_between(value, schema, "minimum", "maximum")
        and value > schema.get("exclusiveMinimum", float("-inf"))
        and value < schema.get("exclusiveMaximum", float("inf"))
        and ("multipleOf" not in schema or value % schema["multipleOf"] == 0)
    )


def _is_between(value: float, schema: Json, least: str, most: str) -> bool:
    return bool(schema.get(least, value) <= value <= schema.get(most, value))
