"""Which JSON schemas a replay server takes for strict, and what it says of the others."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given

from streamops.replay_schemas import fault_in
from tests.test_replay_checks import deep_documents
from tests.test_replay_modes import SCHEMA, Body


def changed(schema: Body, *path: str | int, **fields: Any) -> Body:
    """Return a schema with other fields at a place; those that are None are taken out."""
    copied = copy.deepcopy(schema)
    place: Any = copied

    for step in path:
        place = place[step]

    place.update(fields)

    for name in [name for name, value in fields.items() if value is None]:
        del place[name]

    return copied


def with_a(**fields: Any) -> Body:
    """Return a strict schema whose one property is this."""
    return {**SCHEMA, "properties": {"a": fields}}


def with_items(items: Any) -> Body:
    return with_a(type="array", items=items)


def nested(levels: int) -> Body:
    schema = SCHEMA

    for _ in range(levels - 1):
        schema = {**SCHEMA, "properties": {"a": schema}}

    return schema


def wide(count: int, name: str = "p{}", **fields: Any) -> Body:
    names = [name.format(number) for number in range(count)]
    properties = {name: {"type": "integer", **fields} for name in names}
    return {**SCHEMA, "properties": properties, "required": names}


NODE: Body = {
    **SCHEMA,
    "properties": {"a": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]}},
}

STRICT: list[Any] = [
    pytest.param(SCHEMA, id="an object"),
    pytest.param({**SCHEMA, "title": "A", "description": "B"}, id="title and description"),
    pytest.param({**SCHEMA, "properties": {}, "required": []}, id="no fields"),
    pytest.param(with_a(type=["string", "null"]), id="or null"),
    pytest.param(with_a(anyOf=[{"type": "string"}, {"type": "null"}]), id="any of two"),
    pytest.param(with_a(type="string", enum=["x", "y"]), id="an enum"),
    pytest.param(with_a(type=["string", "null"], enum=["x", None]), id="an enum with null"),
    pytest.param(with_a(type="integer", enum=[1, 2.0]), id="an enum of integers"),
    pytest.param(with_a(type="number", enum=[1, 2.5]), id="an enum of numbers"),
    pytest.param(with_a(type="boolean", enum=[True]), id="an enum of booleans"),
    pytest.param(with_a(type="string", const="x"), id="a constant"),
    pytest.param(with_a(type="string", pattern="^x+$", format="uuid"), id="a text's limits"),
    pytest.param(with_a(type="string", pattern="[[a]"), id="a pattern that Python warns of"),
    pytest.param(with_a(type="number", minimum=0, exclusiveMaximum=9, multipleOf=3), id="a number"),
    pytest.param(with_a(type="array", items=SCHEMA, minItems=1, maxItems=2), id="an array"),
    pytest.param({**with_a(**{"$ref": "#/$defs/B"}), "$defs": {"B": SCHEMA}}, id="a definition"),
    pytest.param({**with_a(**{"$ref": "#/$defs/B~1C"}), "$defs": {"B/C": SCHEMA}}, id="escaped"),
    pytest.param(with_items({"$ref": "#"}), id="the root in itself"),
    pytest.param({**NODE, "$defs": {"Node": NODE}}, id="a recursion"),
    pytest.param(nested(10), id="ten levels"),
    pytest.param(wide(5000), id="5000 fields"),
    pytest.param(wide(1, type="string", enum=["x" * 100] * 150), id="a wide enum"),
    pytest.param(wide(4, enum=[*range(250)]), id="1000 values"),
]

LAX: list[Any] = [
    # The schema, what OpenAI says of it.
    pytest.param(
        with_a(type="integer", default=1),
        "In context=('properties', 'a'), 'default' is not permitted.",
        id="a default",
    ),
    *(
        pytest.param(
            with_a(type="string", **{keyword: 1}),
            f"In context=('properties', 'a'), '{keyword}' is not permitted.",
            id=keyword,
        )
        for keyword in (
            *("oneOf", "allOf", "not", "if", "then", "else", "dependentRequired"),
            *("dependentSchemas", "minLength", "maxLength", "prefixItems", "uniqueItems"),
            *("patternProperties", "minProperties", "maxProperties", "propertyNames", "contains"),
            *("examples", "deprecated", "readOnly", "discriminator", "contentEncoding", "nullable"),
        )
    ),
    pytest.param(
        {**with_items({"$ref": "#/$defs/B"}), "$defs": {"B": with_a(type="string", minLength=1)}},
        "In context=('$defs', 'B', 'properties', 'a'), 'minLength' is not permitted.",
        id="in a definition",
    ),
    pytest.param(
        with_items(with_a(anyOf=[{"type": "null"}, {"type": "string", "default": ""}])),
        "In context=('properties', 'a', 'items', 'properties', 'a', 'anyOf', '1'), 'default' is "
        "not permitted.",
        id="deep inside",
    ),
    pytest.param(
        {**SCHEMA, "anyOf": [SCHEMA]}, "In context=(), 'anyOf' is not permitted.", id="a choice"
    ),
    pytest.param(
        {"anyOf": [SCHEMA, SCHEMA]},
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
        id="only a choice",
    ),
    pytest.param(
        {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
        "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
        id="a reference as the root",
    ),
    pytest.param(
        changed(SCHEMA, additionalProperties=None),
        "In context=(), 'additionalProperties' is required to be supplied and to be false.",
        id="open by silence",
    ),
    pytest.param(
        with_a(**changed(SCHEMA, additionalProperties={"type": "string"})),
        "In context=('properties', 'a'), 'additionalProperties' is required to be supplied and to "
        "be false.",
        id="a mapping",
    ),
    pytest.param(
        changed(SCHEMA, required=None),
        "In context=(), 'required' is required to be supplied and to be an array including every "
        "key in properties.",
        id="nothing required",
    ),
    pytest.param(
        changed(SCHEMA, required=[]),
        "In context=(), 'required' is required to be supplied and to be an array including every "
        "key in properties. Missing 'a'.",
        id="optional",
    ),
    pytest.param(
        changed(SCHEMA, required=["a", "b"]),
        "In context=(), 'required' is required to be supplied and to be an array including every "
        "key in properties. Extra required key 'b' supplied.",
        id="required and unknown",
    ),
    pytest.param(
        changed(SCHEMA, properties=None, required=[]),
        "In context=(), object schema missing properties.",
        id="no properties",
    ),
    pytest.param(
        with_a(type="array"),
        "In context=('properties', 'a'), array schema missing items.",
        id="no items",
    ),
    pytest.param(
        with_a(description="Anything"),
        "In context=('properties', 'a'), schema must have a 'type' key.",
        id="anything",
    ),
    pytest.param(
        with_a(const="x"),
        "In context=('properties', 'a'), schema must have a 'type' key.",
        id="a bare constant",
    ),
    pytest.param(
        with_items(True),
        "In context=('properties', 'a', 'items'), True is not of type 'object'.",
        id="true",
    ),
    pytest.param(
        with_a(type="string", format="uri"),
        "In context=('properties', 'a'), 'uri' is not a valid format.",
        id="another format",
    ),
    pytest.param(
        with_a(type="string", pattern="("),
        "In context=('properties', 'a'), '(' is not a 'regex'.",
        id="a broken pattern",
    ),
    pytest.param(
        with_a(anyOf=[]), "In context=('properties', 'a'), 'anyOf' has no schemas.", id="no choice"
    ),
    pytest.param(
        with_a(type="string", enum=[]),
        "In context=('properties', 'a'), 'enum' has no values.",
        id="no value",
    ),
    *(
        pytest.param(
            with_a(type=kinds, enum=[value]),
            f"In context=('properties', 'a'), enum value {value!r} does not validate against "
            f"{{'type': {kinds!r}}}.",
            id=f"a value {value!r} of another type than {kinds}",
        )
        for kinds, value in (
            ("string", 1),
            ("string", None),
            ("integer", "1"),
            ("integer", 1.5),
            ("integer", True),
            ("number", False),
            ("boolean", 1),
            ("null", 0),
            (["string", "null"], 1),
        )
    ),
    *(
        pytest.param(
            with_a(type="string", **{keyword: value}),
            f"In context=('properties', 'a'), '{keyword}' is no {shape}.",
            id=f"{keyword} of another kind",
        )
        for keyword, value, shape in (
            ("properties", [1], "object"),
            ("$defs", None, "object"),
            ("anyOf", {"a": SCHEMA}, "array"),
            ("enum", "xy", "array"),
            ("title", 1, "string"),
            ("description", ["x"], "string"),
            ("description", None, "string"),
            ("minimum", "1", "number"),
            ("maximum", True, "number"),
            ("exclusiveMinimum", None, "number"),
            ("exclusiveMaximum", [1], "number"),
            ("multipleOf", "1", "number"),
            ("minItems", 1.5, "integer"),
            ("maxItems", "1", "integer"),
            ("maxItems", False, "integer"),
        )
    ),
    pytest.param(
        with_a(**{"$ref": ["#"]}),
        "In context=('properties', 'a'), reference to component ['#'] which was not found",
        id="a reference that is none",
    ),
    pytest.param(
        with_a(type="date"), "In context=('properties', 'a'), 'date' is not one", id="unknown type"
    ),
    pytest.param(
        {**with_a(**{"$ref": "#/$defs/B", "description": "x"}), "$defs": {"B": SCHEMA}},
        "context=('properties', 'a'), $ref cannot have keywords {'description'}.",
        id="a described reference",
    ),
    pytest.param(
        with_a(**{"$ref": "#/$defs/B"}),
        "In context=('properties', 'a'), reference to component '#/$defs/B' which was not found "
        "in the schema.",
        id="a reference to nothing",
    ),
    pytest.param(nested(11), "11 levels of nesting exceeds limit of 10.", id="eleven levels"),
    pytest.param(
        {**with_a(**{"$ref": "#/$defs/B"}), "$defs": {"B": nested(10)}},
        "11 levels of nesting exceeds limit of 10.",
        id="eleven levels by reference",
    ),
    pytest.param(wide(5001), "5001 parameters exceeds limit of 5000.", id="5001 fields"),
    pytest.param(wide(1001, enum=[1]), "1001 enum values exceeds limit of 1000.", id="1001 values"),
    pytest.param(
        wide(1, type="string", enum=["x" * 100] * 251),
        "In context=('properties', 'p0'), 25100 characters in an enum of more than 250 values",
        id="a long enum",
    ),
    pytest.param(
        wide(2, "x" * 60_001 + "{}"),
        "120004 characters of names, enum and const values exceeds limit of 120000.",
        id="long names",
    ),
]


@pytest.mark.parametrize("schema", STRICT)
def test_a_schema_within_the_strict_rules_has_no_fault(schema: Body) -> None:
    assert fault_in(schema, strict=True) is None


@pytest.mark.parametrize(("schema", "fault"), LAX)
def test_a_schema_outside_the_strict_rules_is_refused_in_openais_words(
    schema: Body, fault: str
) -> None:
    assert (fault_in(schema, strict=True) or "").startswith(fault)


@pytest.mark.parametrize("schema", [case.values[0] for case in LAX])
def test_a_schema_that_is_not_strict_only_needs_to_be_an_object(schema: Body) -> None:
    assert (fault_in(schema, strict=False) is None) == (schema.get("type") == "object")


@given(schema=deep_documents)
def test_no_schema_makes_it_raise(schema: Any) -> None:
    for root in (schema, {**SCHEMA, "properties": {"a": schema}, "$defs": {"f": schema}}):
        fault_in(root, strict=True)
