"""Documents drawn from the JSON schema that pydantic gives of a type, and ways to break them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from tests.documents import floats, integers, json_values, names
from tests.outcomes import is_dict, is_list


class Draw(Protocol):
    def __call__(self, strategy: st.SearchStrategy[T], /) -> T: ...


Schema = dict[str, Any]
T = TypeVar("T")

DEEP = 4
"""How deep documents of recursive types go before they take the shortest way out."""

FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    "time": st.times().map(str),
    "duration": st.sampled_from(["PT5M", "P1DT2H", "-PT0.5S"]),
    "uuid": st.uuids().map(str),
    "uuid4": st.uuids(version=4).map(str),
    "uri": st.sampled_from(["http://a.b", "https://example.org/x?y=1#z"]),
    "email": st.sampled_from(["a@example.org", "b.c@example.org"]),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv4network": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "ipvanyaddress": st.ip_addresses().map(str),
    "path": st.sampled_from(["a", "/b/c.txt", "../d"]),
    "file-path": st.sampled_from(["/etc/hostname"]),
    "regex": st.sampled_from(["a+", "(b|c)", ""]),
    "base64": st.binary(max_size=5).map(b64encode).map(bytes.decode),
    "zoneinfo": st.sampled_from(["UTC", "Europe/Paris"]),
}


def fitting(type_: Any, *, plainly: bool = False) -> st.SearchStrategy[Any]:
    """Draw documents that pydantic accepts as the type; ``plainly`` ones hold no ``"3"`` for 3."""
    adapter = adapter_of(type_)

    def is_accepted(document: Any) -> bool:
        try:
            adapter.validate_json(json.dumps(document))
        except ValidationError:
            return False
        return True

    return likely(type_, plainly=plainly).filter(is_accepted)


@st.composite
def likely(draw: st.DrawFn, type_: Any, *, plainly: bool = False) -> Any:
    """Draw a document that fits the JSON schema of a type."""
    schema = _schema(type_)
    return _Document(draw, schema.get("$defs", {}), plainly=plainly).draw(schema, 0)


@cache
def adapter_of(type_: Any) -> TypeAdapter[Any]:
    """Return what reads documents of a type."""
    return TypeAdapter(type_)


@cache
def _schema(type_: Any) -> Schema:
    return adapter_of(type_).json_schema(schema_generator=_Quiet)


class _Quiet(GenerateJsonSchema):
    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Say nothing: what the schema leaves out is not drawn."""


class _Document:
    def __init__(self, draw: Draw, definitions: dict[str, Schema], *, plainly: bool) -> None:
        self._draw = draw
        self._plainly = plainly
        self._definitions = definitions

    def draw(self, schema: Schema, depth: int) -> Any:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            return self.draw(self._definitions[name], depth + 1)

        if "const" in schema or "enum" in schema:
            return self._draw(st.sampled_from(schema.get("enum") or [schema["const"]]))

        choices: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
        if choices:
            short = [choice for choice in choices if depth < DEEP or "$ref" not in choice]
            return self.draw(self._draw(st.sampled_from(short or choices)), depth)

        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer":
                return self._spelled(self._draw(_numbers(st.integers, integers, schema)))
            case "number":
                return self._spelled(self._draw(integers | _numbers(st.floats, floats, schema)))
            case "boolean":
                return self._spelled(self._draw(st.booleans()))
            case "null":
                return None
            case _:
                return self._draw(json_values)

    def _spelled(self, value: float) -> Any:
        """Write a number or a truth value as what pydantic reads as the same, once in a while."""
        if self._plainly or self._draw(st.integers(0, 9)):
            return value

        return self._draw(st.sampled_from([float(value), str(value).lower(), int(value)]))

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties: dict[str, Schema] = schema.get("properties", {})
        required = schema.get("required", ())
        document = {
            name: self.draw(inner, depth + 1)
            for name, inner in properties.items()
            if name in required or (depth < DEEP and self._draw(st.booleans()))
        }

        more: Any = schema.get("additionalProperties", not properties)
        if more and depth < DEEP:
            keys: Schema = {"type": "string", **schema.get("propertyNames", {})}
            for _ in range(self._draw(st.integers(0, 2))):
                document[str(self.draw(keys, depth))] = self.draw(
                    more if is_dict(more) else {}, depth + 1
                )
        elif "additionalProperties" not in schema and self._draw(st.booleans()):
            document["unknown"] = self._draw(json_values)

        return dict(self._draw(st.permutations(list(document.items()))))

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        items = [self.draw(inner, depth + 1) for inner in schema.get("prefixItems", ())]
        least = max(0, schema.get("minItems", 0) - len(items))
        most = max(least, min(3, schema.get("maxItems", 3)) - len(items)) if depth < DEEP else least
        if "items" in schema or not items:
            count = self._draw(st.integers(least, most))
            items += [self.draw(schema.get("items", {}), depth + 1) for _ in range(count)]
        return items

    def _string(self, schema: Schema) -> str:
        if "contentSchema" in schema:
            return json.dumps(self.draw(schema["contentSchema"], DEEP))

        pattern: str | None = schema.get("pattern")
        if pattern is not None:
            return self._draw(st.from_regex(pattern, fullmatch=True))

        if schema.get("format") in FORMATS:
            return self._draw(FORMATS[schema["format"]])

        least = schema.get("minLength", 0)
        return self._draw(
            st.text("aB 1é😀\n", min_size=least, max_size=schema.get("maxLength", least + 6))
            if least
            else names.map(lambda name: name[: schema.get("maxLength")])
        )


def _numbers(
    of: Callable[..., st.SearchStrategy[Any]], default: st.SearchStrategy[Any], schema: Schema
) -> st.SearchStrategy[Any]:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    most = schema.get("maximum", schema.get("exclusiveMaximum"))
    multiple = schema.get("multipleOf")
    if multiple:
        return st.integers(0, 9).map(lambda number: number * multiple)

    return default if least is most is None else of(least, most)


WRONG: list[Any] = [None, "x", "", 1.5, -1, True, [], {}, [{}], {"kind": "bird"}, {"name": 1}]


@st.composite
def broken(draw: st.DrawFn, document: Any) -> Any:
    """Change a document in one place, often so that it fits no longer."""
    document = json.loads(json.dumps(document))
    found = list(places(document))
    if not found or draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(WRONG))

    container, key = draw(st.sampled_from(found))
    if is_dict(container) and draw(st.booleans()):
        del container[key]
    else:
        container[key] = draw(st.sampled_from(WRONG))
    return document


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key in a document."""
    children: Iterable[tuple[Any, Any]] = ()
    if is_dict(value):
        children = list(value.items())
    elif is_list(value):
        children = enumerate(value)

    for key, child in children:
        yield value, key
        yield from places(child)
