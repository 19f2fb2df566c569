"""The JSON schemas that OpenAI takes, and those that it takes where they are strict.

Written from the rules that OpenAI publishes and from what it answers, apart from the code that
makes such schemas, so that each of the two shows the other's mistakes.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from streamops.replay_fields import quoted

Schema: TypeAlias = Mapping[str, Any]
Context: TypeAlias = tuple[str, ...]

_TYPES = ("string", "number", "boolean", "integer", "object", "array", "null")
_FORMATS = (
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"
)  # fmt: skip
_KEYWORDS = frozenset(
    {
        *("type", "title", "description", "enum", "const", "anyOf", "$ref", "$defs"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("pattern", "format", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    }
)

_SHAPES = {
    **dict.fromkeys(("properties", "$defs"), "object"),
    **dict.fromkeys(("anyOf", "enum"), "array"),
    **dict.fromkeys(("title", "description"), "string"),
    **dict.fromkeys(("minItems", "maxItems"), "integer"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), "number"),
    "multipleOf": "number",
}


def fault_in(schema: Any, *, strict: bool) -> str | None:
    """Return what OpenAI has against a schema, in its words; None if its rules say nothing."""
    try:
        _check_root(schema)

        if strict:
            _StrictSchema(schema).check()
    except _Fault as fault:
        return str(fault)
    except RecursionError:
        return "schema is nested too deep to be read."

    return None


class _Fault(Exception):
    """Raised where a schema breaks a rule."""


def _check_root(schema: Any) -> None:
    kind = cast("Schema", schema).get("type") if isinstance(schema, dict) else schema

    if kind != "object":
        got = kind if isinstance(kind, str) else quoted(kind)
        raise _Fault(f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{got}\"'.")


class _StrictSchema:
    """A schema, with what is counted in it."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._levels_at: dict[str, int] = {}
        self._properties = 0
        self._enum_values = 0
        self._characters = 0

    def check(self) -> None:
        if "anyOf" in self._root:
            raise _Fault("In context=(), 'anyOf' is not permitted.")

        self._check(self._root, ())
        limits = (
            (self._properties, 5_000, "parameters"),
            (self._levels(self._root), 10, "levels of nesting"),
            (self._characters, 120_000, "characters of names, enum and const values"),
            (self._enum_values, 1_000, "enum values"),
        )

        for count, limit, counted in limits:
            if count > limit:
                raise _Fault(f"{count} {counted} exceeds limit of {limit}.")

    def _check(self, schema: Any, context: Context) -> None:
        if not isinstance(schema, dict):
            raise _Fault(f"In {context=}, {quoted(schema)} is not of type 'object'.")

        fields = cast("Schema", schema)

        if "$ref" in fields:
            return self._check_reference(fields, context)

        for keyword in fields:
            if keyword not in _KEYWORDS:
                raise _Fault(f"In {context=}, {keyword!r} is not permitted.")

        for keyword, shape in _SHAPES.items():
            if keyword in fields and not _is_of_type(fields[keyword], shape):
                raise _Fault(f"In {context=}, {keyword!r} is no {shape}.")

        self._check_type(fields, context)
        self._check_values(fields, context)

        for step, child in _children(fields):
            self._check(child, (*context, *step))

        return None

    def _check_reference(self, schema: Schema, context: Context) -> None:
        if siblings := set(schema) - {"$ref"}:
            raise _Fault(f"{context=}, $ref cannot have keywords {siblings}.")

        if self._target(schema["$ref"]) is None:
            raise _Fault(
                f"In {context=}, reference to component {quoted(schema['$ref'])} which was not "
                "found in the schema."
            )

    def _check_type(self, schema: Schema, context: Context) -> None:
        kinds = _kinds(schema)

        if not kinds and "anyOf" not in schema:
            raise _Fault(f"In {context=}, schema must have a 'type' key.")

        for kind in kinds:
            if kind not in _TYPES:
                raise _Fault(f"In {context=}, {quoted(kind)} is not one of the types {_TYPES}.")

        if "object" in kinds:
            self._check_object(schema, context)

        if "array" in kinds and "items" not in schema:
            raise _Fault(f"In {context=}, array schema missing items.")

        if schema.get("anyOf") == []:
            raise _Fault(f"In {context=}, 'anyOf' has no schemas.")

    def _check_object(self, schema: Schema, context: Context) -> None:
        if "properties" not in schema:
            raise _Fault(f"In {context=}, object schema missing properties.")

        if schema.get("additionalProperties") is not False:
            raise _Fault(
                f"In {context=}, 'additionalProperties' is required to be supplied and to be false."
            )

        names: list[str] = [*schema["properties"]]
        required: Any = schema.get("required")
        rule = (
            f"In {context=}, 'required' is required to be supplied and to be an array including "
            "every key in properties."
        )

        if not isinstance(required, list):
            raise _Fault(rule)

        needed = cast("list[Any]", required)
        known = {name for name in needed if isinstance(name, str)}

        for name in names:
            if name not in known:
                raise _Fault(f"{rule} Missing {name!r}.")

        for name in needed:
            if not isinstance(name, str) or name not in schema["properties"]:
                raise _Fault(f"{rule} Extra required key {quoted(name)} supplied.")

        self._properties += len(names)
        self._characters += sum(map(len, names))

    def _check_values(self, schema: Schema, context: Context) -> None:
        if "format" in schema and schema["format"] not in _FORMATS:
            raise _Fault(f"In {context=}, {quoted(schema['format'])} is not a valid format.")

        if "pattern" in schema and not _is_pattern(schema["pattern"]):
            raise _Fault(f"In {context=}, {quoted(schema['pattern'])} is not a 'regex'.")

        if "enum" in schema:
            self._check_enum(schema["enum"], schema, context)

        self._characters += _length(schema.get("const"))
        self._characters += sum(map(len, schema.get("$defs", ())))

    def _check_enum(self, values: list[Any], schema: Schema, context: Context) -> None:
        if not values:
            raise _Fault(f"In {context=}, 'enum' has no values.")

        kinds = _kinds(schema)

        for value in values:
            if kinds and not any(_is_of_type(value, kind) for kind in kinds):
                raise _Fault(
                    f"In {context=}, enum value {quoted(value)} does not validate against "
                    f"{{'type': {schema['type']!r}}}."
                )

        characters = sum(map(_length, values))

        if len(values) > 250 and characters > 15_000:
            raise _Fault(
                f"In {context=}, {characters} characters in an enum of more than 250 values "
                "exceeds limit of 15000."
            )

        self._enum_values += len(values)
        self._characters += characters

    def _levels(self, schema: Schema) -> int:
        """Return how deep objects are nested; a recursion adds no level."""
        if "$ref" in schema:
            reference = schema["$ref"]

            if reference not in self._levels_at:
                self._levels_at[reference] = 0
                self._levels_at[reference] = self._levels(self._target(reference) or {})

            return self._levels_at[reference]

        children = (child for step, child in _children(schema) if step[0] != "$defs")
        return max(map(self._levels, children), default=0) + ("object" in _kinds(schema))

    def _target(self, reference: Any) -> Schema | None:
        if reference == "#":
            return self._root

        definitions = self._root.get("$defs", {})
        start, _, name = str(reference).rpartition("/")
        return definitions.get(_unescaped(name)) if start == "#/$defs" else None


def _children(schema: Schema) -> Iterator[tuple[Context, Any]]:
    for keyword in ("properties", "$defs"):
        for name, child in schema.get(keyword, {}).items():
            yield (keyword, name), child

    if "items" in schema:
        yield ("items",), schema["items"]

    for number, child in enumerate(schema.get("anyOf", ())):
        yield ("anyOf", str(number)), child


def _kinds(schema: Schema) -> list[Any]:
    kind = schema.get("type", [])
    return cast("list[Any]", kind) if isinstance(kind, list) else [kind]


def _is_of_type(value: Any, kind: str) -> bool:
    # A boolean is no number in JSON, and a whole number is an integer however it is written.
    if isinstance(value, bool):
        return kind == "boolean"

    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())

    return isinstance(value, _PYTHON_TYPES.get(kind, ()))


_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "object": dict,
    "array": list,
    "null": type(None),
}


def _is_pattern(pattern: Any) -> bool:
    try:
        # What Python may read differently one day, such as "[[a]", is no concern of OpenAI's.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, TypeError, ValueError, OverflowError, RecursionError):
        return False

    return True


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def _unescaped(name: str) -> str:
    """Return the name that a JSON pointer has in its escaped form."""
    return name.replace("~1", "/").replace("~0", "~")
