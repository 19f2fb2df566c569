"""What a strict schema says, what it tells in words, and what it has no place for."""

from __future__ import annotations

import json
import pickle
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AnyUrl,
    Discriminator,
    Field,
    Json,
    Tag,
    WithJsonSchema,
)

from streamops.schemas import InexpressibleSchema, Schema, schema_of
from tests.asked import (
    Cat,
    Color,
    Dog,
    Extra,
    Open,
    Page,
    Pair,
    Pet,
    Tree,
    User,
    create,
)
from tests.openai_rules import FORBIDDEN, violations


def strict_of(annotation: Any, **field: Any) -> Any:
    """Return the strict schema of a field in a model by itself."""
    model: Any = create("Model", field=(annotation, Field(**field)))
    return schema_of(model).strict()["properties"]["field"]


@pytest.mark.parametrize(("schema", "violation"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_the_checker_finds_what_the_rules_forbid(schema: Any, violation: str) -> None:
    if violation == "the root is no object":
        assert violation in violations(schema)
        return

    around = {
        "type": "object",
        "properties": {"one": schema},
        "required": ["one"],
        "additionalProperties": False,
        "$defs": {"A": {"type": "null"}},
    }
    assert violations(around) == [violation]


def test_a_strict_schema_is_closed_and_wants_every_field() -> None:
    strict = schema_of(User).strict()

    assert strict == {
        "description": "Somebody who\nsigned up.",
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("annotation", "strict"),
    [
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Literal["a"], {"type": "string", "const": "a"}),
        (Literal["a", 3], {"type": ["string", "integer"], "enum": ["a", 3]}),
        (Literal[True, None], {"type": ["boolean", "null"], "enum": [True, None]}),
        (None, {"type": "null"}),
        (date, {"type": "string", "format": "date"}),
        (timedelta, {"type": "string", "format": "duration"}),
        (AnyUrl, {"description": "format: uri, minLength: 1", "type": "string"}),
        (bytes, {"description": "format: binary", "type": "string"}),
        (
            Annotated[int, Field(ge=0, lt=9, multiple_of=3)],
            {"type": "integer", "multipleOf": 3, "exclusiveMaximum": 9, "minimum": 0},
        ),
        (
            Annotated[list[str], Field(min_length=1, max_length=2)],
            {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string"}},
        ),
        (
            set[int],
            {"description": "uniqueItems: true", "type": "array", "items": {"type": "integer"}},
        ),
        (Annotated[str, Field(pattern="^a+$")], {"type": "string", "pattern": "^a+$"}),
        (Annotated[str, Field(pattern=r"^\\1$")], {"type": "string", "pattern": r"^\\1$"}),
        (
            Annotated[Any, WithJsonSchema({"enum": [1, 2.5]})],
            {"type": "number", "enum": [1, 2.5]},
        ),
        (
            Annotated[str, Field(pattern=r"^\d+\\(?:a)$")],
            {"type": "string", "pattern": r"^\d+\\(?:a)$"},
        ),
        (
            Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^(?!0)\d"})],
            {"description": r"pattern: ^(?!0)\d", "type": "string"},
        ),
        (
            Annotated[str, WithJsonSchema({"allOf": [{"type": "string"}], "title": "It"})],
            {"type": "string"},
        ),
        (
            Json[list[int]],
            {
                "description": "contentMediaType: application/json, "
                'contentSchema: {"items": {"type": "integer"}, "type": "array"}',
                "type": "string",
            },
        ),
        (
            Annotated[str, WithJsonSchema({"type": ["string", "null"], "x-mine": 1})],
            {"type": ["string", "null"]},
        ),
    ],
    ids=str,
)
def test_a_strict_schema_says_what_it_can_and_tells_the_rest(annotation: Any, strict: Any) -> None:
    assert strict_of(annotation) == strict


def test_what_is_told_comes_after_what_is_said() -> None:
    strict = strict_of(str, min_length=2, max_length=40, description="How they call it.", title="T")

    assert strict == {
        "description": "How they call it. (maxLength: 40, minLength: 2)",
        "type": "string",
    }


def test_the_schema_inside_a_json_string_comes_with_its_definitions() -> None:
    told = strict_of(Json[list[Page[Tree]]])["description"]

    inner = json.loads(told.partition("contentSchema: ")[2])
    assert inner["items"] == {"$ref": "#/$defs/Page_Tree_"}
    assert sorted(inner["$defs"]) == ["Page_Tree_", "Tree"]


def test_definitions_that_only_a_description_needs_are_left_out() -> None:
    model = create("Model", text=(Json[User], ...), color=(Color, ...))

    assert list(schema_of(model).strict()["$defs"]) == ["Color"]


def test_nothing_stands_beside_a_reference() -> None:
    strict = schema_of(Tree).strict()

    assert strict["properties"]["twin"] == {
        "description": "One like it.",
        "anyOf": [{"$ref": "#/$defs/Tree"}],
    }
    assert strict_of(User) == {"$ref": "#/$defs/User"}
    assert violations(strict) == []


@pytest.mark.parametrize(
    "union",
    [
        Pet,
        Annotated[
            Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")],
            Discriminator(lambda value: value),
        ],
    ],
    ids=["by a field", "by a function"],
)
def test_a_discriminated_union_is_any_of_its_members(union: Any) -> None:
    assert strict_of(union) == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}]}


def test_a_field_named_like_a_keyword_is_a_field() -> None:
    names = ("$ref", "properties", "default", "anyOf", "$defs", "title", "items", "type")
    fields: Any = {f"f{i}": (str, Field(alias=name)) for i, name in enumerate(names)}

    strict = schema_of(create("Odd", **fields)).strict()

    assert strict["required"] == list(names)
    assert strict["properties"] == {key: {"type": "string"} for key in names}


@pytest.mark.parametrize(
    ("annotation", "path", "keyword", "found"),
    [
        (dict[str, int], (), "additionalProperties", "with a schema (dict[str, int]); use a mode"),
        (dict[str, list[User | None]], (), "additionalProperties", "dict[str, list[User | None]]"),
        (dict[str, Any], (), "additionalProperties", "with any value (dict[str, Any])"),
        (dict[Color, int], (), "additionalProperties", "with a schema (dict[str, int])"),
        (list[Extra | None], ("extra",), "additionalProperties", "list a model with key and value"),
        (Open, (), "additionalProperties", 'with any value (extra="allow"); use a mode with tools'),
        (
            dict[Annotated[str, Field(pattern="^a")], int],
            (),
            "patternProperties",
            "'patternProperties' (dict[str, int])",
        ),
        (
            tuple[int, str],
            (),
            "prefixItems",
            "(tuple[int, str]); use a mode with tools or a prompt, or a m",
        ),
        (Pair, (), "prefixItems", "(tuple[str, int])"),
        (Any, (), "type", "any type (Any)"),
        (list[Any] | None, (), "type", "any type (Any)"),
    ],
    ids=str,
)
def test_what_has_no_place_is_told_with_its_path_and_what_to_do(
    annotation: Any, path: tuple[str, ...], keyword: str, found: str
) -> None:
    outer: Any = create("Outer", inner=(annotation, ...))
    schema = schema_of(create("Team", first=(str, ""), outer=(list[outer], Field(alias="o"))))

    with pytest.raises(InexpressibleSchema) as caught:
        schema.strict()

    assert caught.value.path == ("o", "inner", *path)
    assert caught.value.keyword == keyword
    where = ".".join(("Team", *caught.value.path))
    assert str(caught.value).startswith(f"{where}: a strict JSON schema has no place for ")
    assert found in str(caught.value)


def test_the_message_of_a_dict_reads_as_a_whole() -> None:
    with pytest.raises(InexpressibleSchema) as caught:
        schema_of(Extra).strict()

    assert str(caught.value) == (
        "Extra.extra: a strict JSON schema has no place for 'additionalProperties' with a schema "
        "(dict[str, int]); use a mode with tools or a prompt, or "
        "list a model with key and value"
    )


def test_an_inexpressible_schema_can_be_sent_to_another_process() -> None:
    with pytest.raises(InexpressibleSchema) as caught:
        schema_of(Extra).strict()

    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.path, again.keyword) == (str(caught.value), ("extra",), again.keyword)


STRING = {"type": "string"}
OBJECT: Any = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("schema", "keyword"),
    [
        ({**STRING, "not": {"const": "a"}}, "not"),
        ({**STRING, "if": {}, "then": {}}, "if"),
        ({**OBJECT, "dependentRequired": {}}, "dependentRequired"),
        ({**OBJECT, "dependentSchemas": {}}, "dependentSchemas"),
        ({**OBJECT, "unevaluatedProperties": False}, "unevaluatedProperties"),
        ({**OBJECT, "propertyNames": STRING, "additionalProperties": False}, "propertyNames"),
        ({**OBJECT, "required": ["a"]}, "required"),
        ({**OBJECT, "anyOf": [{"required": ["a"]}]}, "properties"),
        ({"type": "object"}, "additionalProperties"),
        ({"allOf": [STRING, STRING]}, "allOf"),
        ({"allOf": [STRING], "type": "null"}, "allOf"),
        ({"anyOf": [STRING], "oneOf": [STRING]}, "oneOf"),
        ({"$ref": "https://example.com"}, "$ref"),
        ({"type": "array"}, "type"),
        ({"type": "array", "items": True}, "type"),
        ({"type": "array", "items": STRING, "contains": STRING}, "contains"),
        ({"type": "file"}, "type"),
        ({"type": []}, "type"),
        ({**STRING, "properties": {}}, "properties"),
        ({**STRING, "items": STRING}, "items"),
        ({"enum": [[1], "a"]}, "enum"),
        ({"const": {"a": 1}}, "const"),
        ({**STRING, "notYetInvented": 1}, "notYetInvented"),
        ({**STRING, "$defs": {}}, "$defs"),
    ],
    ids=str,
)
def test_no_keyword_that_changes_the_meaning_slips_through(schema: Any, keyword: str) -> None:
    with pytest.raises(InexpressibleSchema) as caught:
        strict_of(Annotated[Any, WithJsonSchema(schema)])

    assert caught.value.keyword == keyword
    assert caught.value.path == ("field",)


@pytest.mark.parametrize(
    "root",
    [
        {"anyOf": [OBJECT]},
        {**OBJECT, "anyOf": [OBJECT]},
        {"$ref": "#/$defs/A", "$defs": {"A": OBJECT}},
        STRING,
    ],
    ids=str,
)
def test_a_root_that_is_no_object_is_inexpressible(root: Any) -> None:
    with pytest.raises(InexpressibleSchema, match=r"Answer: .* a root that is not an object"):
        Schema("Answer", "", root).strict()


def of_fields(count: int, annotation: Any = int) -> Any:
    return create("Wide", **{f"f{i}": (annotation, ...) for i in range(count)})


def of_levels(count: int) -> Any:
    model: Any = create("Level1", leaf=(int, ...))
    for level in range(2, count + 1):
        model = create(f"Level{level}", inner=(list[model], ...))

    return model


def chain_of(count: int) -> Any:
    levels = {
        f"{level}": {**OBJECT, "properties": {"inner": {"$ref": f"#/$defs/{level + 1}"}}}
        for level in range(count)
    }
    return {**levels["0"], "$defs": {**levels, f"{count}": STRING}}


def of_values(count: int, length: int, type_: Any = str) -> Any:
    values = tuple(f"{i}".ljust(length, "_") for i in range(count))
    return create("Chosen", value=(Literal[values if type_ is str else range(count)], ...))


@pytest.mark.parametrize(
    ("fitting", "excessive", "found"),
    [
        (of_fields(5000), of_fields(5001), r"more than 5000 properties \(5001\)"),
        (of_levels(10), of_levels(11), "more than 10 levels of objects"),
        (of_values(1000, 10), of_values(1001, 10), r"more than 1000 enum values \(1001\)"),
        (of_values(251, 59), of_values(251, 60), r"an enum of more than 250 values \(15060\)"),
        (
            create("Wordy", **{"a" * 119_999: (int, ...)}),
            create("Wordy", **{"a" * 120_001: (int, ...)}),
            r"more than 120000 characters in names and values \(120001\)",
        ),
        (
            create("Wordy", inner=(create("A" * 119_990, x=(int, ...)), ...)),
            create("Wordy", inner=(create("A" * 119_995, x=(int, ...)), ...)),
            r"more than 120000 characters in names and values \(120001\)",
        ),
    ],
    ids=[
        "properties",
        "levels",
        "enum values",
        "characters in an enum",
        "characters in names of fields",
        "characters in names of definitions",
    ],
)
def test_what_is_larger_than_the_limits_is_inexpressible(
    fitting: Any, excessive: Any, found: str
) -> None:
    assert violations(schema_of(fitting).strict()) == []
    with pytest.raises(InexpressibleSchema, match=found):
        schema_of(excessive).strict()


def test_the_path_of_what_is_too_deep_leads_there() -> None:
    with pytest.raises(InexpressibleSchema) as caught:
        Schema("Chain", "", chain_of(500)).strict()

    assert caught.value.path == ("inner",) * 10


def test_recursive_models_are_not_too_deep() -> None:
    names = [f"Node{i}" for i in range(30)]
    definitions = {
        name: {
            "type": "object",
            "properties": {other: {"$ref": f"#/$defs/{other}"} for other in names[:5]},
        }
        for name in names[:5]
    }
    root = {**OBJECT, "properties": {"a": {"$ref": "#/$defs/Node0"}}, "$defs": definitions}

    assert violations(Schema("Graph", "", root).strict()) == []
