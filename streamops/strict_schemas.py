"""Strict schemas: JSON Schema under the rules of OpenAI's structured outputs.

The SDK's own ``openai.pydantic_function_tool`` is not used, as it leaves ``default``, ``oneOf`` and
``minLength`` in, and recurses for ever for a model that describes a reference to itself.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NoReturn, TypeAlias, TypeGuard, cast

Json: TypeAlias = Any
"""A schema or a part of one."""
Fields: TypeAlias = tuple[str, ...]
"""Where a field stands, by the names that the JSON has for the fields around it."""

_OF_NUMBERS = ("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum")
_KEPT = {
    "string": ("pattern", "format"),
    "number": _OF_NUMBERS,
    "integer": _OF_NUMBERS,
    "array": ("minItems", "maxItems"),
    "object": (),
    "boolean": (),
    "null": (),
}
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
_TOLD = {
    *(keyword for kept in _KEPT.values() for keyword in kept),
    "minLength",
    "maxLength",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
}
_LEFT_OUT = {
    "$comment",
    "$schema",
    "default",
    "deprecated",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
}
_SHAPES = ("$ref", "anyOf", "oneOf", "enum", "const")
_OF_OBJECTS = ("properties", "required", "additionalProperties", "propertyNames")
_STRUCTURE = {*_SHAPES, *_OF_OBJECTS, "type", "items"}
_KNOWN = _STRUCTURE | _TOLD | _LEFT_OUT | {"description"}

# A group that is more than brackets, a reference to one, or an escape that only Python has: the
# API refuses looking around, and the rest is not the same in all dialects.
_UNUSUAL_PATTERN = re.compile(r"\(\?(?!:)|\\[1-9AZkpP]")
_ESCAPED_BACKSLASH = re.compile(r"\\\\")

_IN_PYTHON = {
    "string": "str",
    "number": "float",
    "integer": "int",
    "boolean": "bool",
    "null": "None",
}

_MOST_PROPERTIES = 5000
_MOST_LEVELS = 10
_MOST_ENUM_VALUES = 1000
_MOST_CHARACTERS = 120_000
_LONG_ENUM = 250
_MOST_CHARACTERS_IN_A_LONG_ENUM = 15_000


class InexpressibleSchema(ValueError):
    """A type that no strict JSON schema can describe."""

    def __init__(
        self, found: str, *, name: str, path: Fields, keyword: str, instead: str = ""
    ) -> None:
        modes = "a mode with tools or a prompt"
        modes = f"{modes}, or {instead}" if instead else modes
        where = ".".join((name, *path))
        super().__init__(f"{where}: a strict JSON schema has no place for {found}; use {modes}")
        self.path = path
        """The fields that lead there, as the JSON names them."""
        self.keyword = keyword
        """The keyword of the JSON schema that stands in the way."""

    def __reduce__(self) -> tuple[Any, ...]:
        return InexpressibleSchema.__new__, (type(self), *self.args), self.__dict__


def strict_schema(schema: dict[str, Any], *, name: str) -> dict[str, Any]:
    """Return a schema of an object under the strict rules, leaving the given one alone.

    Raises InexpressibleSchema, which begins with the name, where that cannot be.
    """
    # Nothing of the result is part of the given schema, which somebody may still change.
    given = deepcopy(schema)
    definitions = given.pop("$defs", {})
    if given.get("type") != "object" or not given.keys().isdisjoint(_SHAPES):
        keyword = next((shape for shape in _SHAPES if shape in given), "type")
        raise InexpressibleSchema(
            "a root that is not an object", name=name, path=(), keyword=keyword
        )

    strict: dict[str, Any] = _Strictness(name, definitions).whole(given)
    _Limits(name, strict).check()
    return strict


class _Strictness:
    """Makes one schema strict, with the definitions that it refers to."""

    def __init__(self, name: str, definitions: dict[str, Json]) -> None:
        self._name = name
        self._definitions = definitions
        self._reached: dict[str, Fields] = {}
        self._waiting: deque[str] = deque()

    def whole(self, root: Json) -> Json:
        strict = self._strict(root, ())
        converted: dict[str, Json] = {}
        while self._waiting:
            name = self._waiting.popleft()
            converted[name] = self._strict(self._definitions[name], self._reached[name])

        in_order = {name: converted[name] for name in self._definitions if name in converted}
        return {**strict, "$defs": in_order} if in_order else strict

    def _strict(self, schema: Json, path: Fields) -> Json:
        schema = self._merged(schema, path)
        for keyword in schema:
            if keyword not in _KNOWN and not keyword.startswith("x-"):
                self._refuse_keyword(keyword, schema, path)

        shape = next((keyword for keyword in _SHAPES if keyword in schema), "type")
        if shape == "$ref":
            self._check_alone(shape, schema, path)
            strict: Json = {"$ref": self._reference(schema["$ref"], path)}
        elif shape in ("anyOf", "oneOf"):
            self._check_alone(shape, schema, path)
            strict = {"anyOf": [self._strict(choice, path) for choice in schema[shape]]}
        elif shape in ("enum", "const"):
            self._check_alone(shape, schema, path, beside=("type",))
            strict = self._of_values(shape, schema, path)
        else:
            strict = self._of_types(schema, path)

        told = [
            f"{keyword}: {self._told(schema, keyword)}"
            for keyword in schema
            if keyword in _TOLD and keyword not in strict
        ]
        return _described(strict, schema.get("description", ""), ", ".join(told))

    def _merged(self, schema: Json, path: Fields) -> Json:
        while _is_schema(schema) and "allOf" in schema:
            parts: list[Json] = schema["allOf"]
            rest = {keyword: value for keyword, value in schema.items() if keyword != "allOf"}
            part = parts[0] if len(parts) == 1 and _is_schema(parts[0]) else None
            if part is None or any(
                part[keyword] != rest[keyword]
                for keyword in part.keys() & rest.keys() - _LEFT_OUT - {"description"}
            ):
                self._refuse("'allOf'", path, "allOf", "one model that has the fields of all")

            schema = {**part, **rest}

        if not _is_schema(schema):
            self._refuse_any(path)

        return schema

    def _check_alone(
        self, shape: str, schema: Json, path: Fields, *, beside: tuple[str, ...] = ()
    ) -> None:
        for keyword in schema:
            if keyword in _STRUCTURE and keyword != shape and keyword not in beside:
                self._refuse(f"{keyword!r} beside {shape!r}", path, keyword)

    def _reference(self, reference: str, path: Fields) -> str:
        name = reference.removeprefix("#/$defs/")
        if name not in self._definitions:
            self._refuse(f"'$ref' to {reference!r}, which is not in '$defs'", path, "$ref")

        if name not in self._reached:
            self._reached[name] = path
            self._waiting.append(name)

        return reference

    def _of_values(self, shape: str, schema: Json, path: Fields) -> Json:
        values = schema["enum"] if shape == "enum" else [schema["const"]]
        types = list(dict.fromkeys(map(_type_of, values)))
        if not types or {"object", "array"} & set(types):
            self._refuse(f"{shape!r} of lists or objects", path, shape, "an enum of strings")

        if {"integer", "number"} <= set(types):
            types.remove("integer")

        return {"type": types[0] if len(types) == 1 else types, shape: schema[shape]}

    def _of_types(self, schema: Json, path: Fields) -> Json:
        given = schema.get("type")
        types: list[Any] = [given] if isinstance(given, str | None) else given
        if not types or given is None:
            self._refuse_any(path)

        for name in types:
            if name not in _KEPT:
                self._refuse(f"the type {name!r}", path, "type")

        strict: Json = {"type": given}
        for name in types:
            strict |= {
                keyword: schema[keyword]
                for keyword in _KEPT[name]
                if keyword in schema and _is_supported(keyword, schema[keyword])
            }

        for keyword in _OF_OBJECTS:
            if keyword in schema and "object" not in types:
                self._refuse(f"{keyword!r} of what is no object", path, keyword)

        if "items" in schema and "array" not in types:
            self._refuse("'items' of what is no array", path, "items")

        if "array" in types:
            # Without "items", the items are of any type.
            strict["items"] = self._strict(schema.get("items", {}), path)

        return strict | self._of_object(schema, path) if "object" in types else strict

    def _of_object(self, schema: Json, path: Fields) -> Json:
        more = schema.get("additionalProperties", "properties" not in schema)
        properties = schema.get("properties", {})
        if more is not False:
            any_type = more is True or more == {}
            what = "any value" if any_type else "a schema"
            found = 'extra="allow"' if properties else f"dict[str, {_in_python(more)}]"
            self._refuse(
                f"'additionalProperties' with {what} ({found})",
                path,
                "additionalProperties",
                "name all fields" if properties else "list a model with key and value",
            )

        if "propertyNames" in schema:
            self._refuse("'propertyNames'", path, "propertyNames")

        for name in schema.get("required", ()):
            if name not in properties:
                self._refuse(f"'required' {name!r} that is no property", path, "required")

        return {
            "properties": {
                name: self._strict(inner, (*path, name)) for name, inner in properties.items()
            },
            "required": list(properties),
            "additionalProperties": False,
        }

    def _told(self, schema: Json, keyword: str) -> str:
        value = schema[keyword]
        if keyword == "contentSchema":
            value = self._with_definitions(value)

        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def _with_definitions(self, schema: Json) -> Json:
        needed: dict[str, Json] = {}
        waiting = list(_references(schema))
        while waiting:
            name = waiting.pop()
            if name in self._definitions and name not in needed:
                needed[name] = self._definitions[name]
                waiting += _references(needed[name])

        return {**schema, "$defs": needed} if needed else schema

    def _refuse_any(self, path: Fields) -> NoReturn:
        self._refuse("a value of any type (Any)", path, "type", "say which types it may have")

    def _refuse_keyword(self, keyword: str, schema: Json, path: Fields) -> NoReturn:
        if keyword == "prefixItems":
            items = ", ".join(map(_in_python, schema[keyword]))
            instead = "a model with a field for each item"
            self._refuse(f"'prefixItems' (tuple[{items}])", path, keyword, instead)

        if keyword == "patternProperties":
            values = " | ".join(map(_in_python, schema[keyword].values()))
            found = f"'patternProperties' (dict[str, {values}])"
            self._refuse(found, path, keyword, "list a model with key and value")

        self._refuse(repr(keyword), path, keyword)

    def _refuse(self, found: str, path: Fields, keyword: str, instead: str = "") -> NoReturn:
        raise InexpressibleSchema(
            found, name=self._name, path=path, keyword=keyword, instead=instead
        )


class _Limits:
    """How large a strict schema may be."""

    def __init__(self, name: str, schema: Json) -> None:
        self._name = name
        self._schema = schema
        self._definitions: dict[str, Json] = schema.get("$defs", {})
        self._heights: dict[str, int] = {}

    def check(self) -> None:
        """Raise InexpressibleSchema for what is too large, too deep or too long."""
        parts = [
            part
            for schema in (self._schema, *self._definitions.values())
            for part in _parts(schema)
        ]
        names = [name for part in parts for name in part.get("properties", ())]
        enums = [part["enum"] for part in parts if "enum" in part]
        constants = [part["const"] for part in parts if "const" in part]
        values = [value for enum in enums for value in enum]
        self._check(len(names), _MOST_PROPERTIES, "properties", "properties")
        self._check(len(values), _MOST_ENUM_VALUES, "enum values", "enum")
        for enum in enums:
            if len(enum) > _LONG_ENUM:
                what = f"characters in an enum of more than {_LONG_ENUM} values"
                self._check(_characters(enum), _MOST_CHARACTERS_IN_A_LONG_ENUM, what, "enum")

        characters = _characters([*names, *self._definitions, *values, *constants])
        what = "characters in names and values"
        self._check(characters, _MOST_CHARACTERS, what, "properties")
        self._height(self._schema, (), 0)

    def _check(self, number: int, most: int, what: str, keyword: str) -> None:
        if number > most:
            found = f"more than {most} {what} ({number})"
            raise InexpressibleSchema(found, name=self._name, path=(), keyword=keyword)

    def _height(self, schema: Json, path: Fields, above: int) -> int:
        """Return how many objects are inside one another; a definition inside itself is none."""
        name = schema.get("$ref", "").removeprefix("#/$defs/")
        if name and name not in self._heights:
            self._heights[name] = 0
            self._heights[name] = self._height(self._definitions[name], path, above)

        here = int("properties" in schema)
        if above + max(here, self._heights.get(name, 0)) > _MOST_LEVELS:
            found = f"more than {_MOST_LEVELS} levels of objects"
            raise InexpressibleSchema(found, name=self._name, path=path, keyword="properties")

        if name:
            return self._heights[name]

        inner = [((), part) for part in (*schema.get("anyOf", ()), *_items(schema))]
        fields = [((field,), part) for field, part in schema.get("properties", {}).items()]
        heights = [self._height(part, path + more, above + here) for more, part in inner + fields]
        return here + max(heights, default=0)


def _described(strict: Json, description: str, told: str) -> Json:
    if description and told:
        description = f"{description} ({told})"

    description = description or told
    if not description:
        return strict

    # Nothing may stand beside a reference.
    alone = {"anyOf": [strict]} if "$ref" in strict else strict
    return {"description": description, **alone}


def _is_supported(keyword: str, value: Any) -> bool:
    if keyword == "pattern":
        return not _UNUSUAL_PATTERN.search(_ESCAPED_BACKSLASH.sub("", value))

    return keyword != "format" or value in _FORMATS


def _type_of(value: Any) -> str:
    if value is None:
        return "null"

    for kinds, name in (
        (bool, "boolean"),
        (str, "string"),
        (int, "integer"),
        (float, "number"),
        (list, "array"),
    ):
        if isinstance(value, kinds):
            return name

    return "object"


def _parts(schema: Json) -> Iterator[Json]:
    yield schema
    inner = (*schema.get("anyOf", ()), *_items(schema), *schema.get("properties", {}).values())
    for part in inner:
        yield from _parts(part)


def _items(schema: Json) -> tuple[Json, ...]:
    return (schema["items"],) if "items" in schema else ()


def _characters(values: list[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, str))


def _references(schema: Json) -> Iterator[str]:
    """Yield the names of all definitions that a schema refers to, wherever they stand."""
    if _is_schema(schema):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/$defs/")

        schema = list(schema.values())

    for part in cast("list[Json]", schema) if isinstance(schema, list) else ():
        yield from _references(part)


def _is_schema(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _in_python(schema: Json) -> str:
    """Spell a schema as the type that it may have been made from."""
    if not _is_schema(schema):
        return "Any"

    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix("#/$defs/")

    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " | ".join(map(_in_python, choices))

    kind = str(schema.get("type"))
    if kind == "array":
        return f"list[{_in_python(schema.get('items'))}]"

    if kind == "object":
        return f"dict[str, {_in_python(schema.get('additionalProperties'))}]"

    return _IN_PYTHON.get(kind, "Any")
