"""Strict schemas of types of all kinds keep to the published rules."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    AnyUrl,
    Field,
    RootModel,
    SecretStr,
)

from streamops.schemas import InexpressibleSchema, is_object_schema, schema_of
from tests.asked import (
    Boxed,
    Branch,
    Color,
    Level,
    Mixed,
    Movie,
    Open,
    Page,
    Pair,
    Pet,
    Point,
    Size,
    Tree,
    User,
    create,
)
from tests.families import WITH_REWRITERS
from tests.openai_rules import fits, violations

EVERY_TYPE = {
    f"{family}: {kind!r}": kind for family, kinds in WITH_REWRITERS.items() for kind in kinds
}


# A type may be spelled with the address of a function, which differs from run to run.
@pytest.mark.parametrize(
    "kind", EVERY_TYPE.values(), ids=[re.sub(" at 0x[0-9a-f]+", "", name) for name in EVERY_TYPE]
)
def test_every_type_of_the_tests_has_a_schema_that_is_strict_or_says_why_not(kind: Any) -> None:
    model = kind if is_object_schema(kind) else create("Answer", value=(kind, ...))
    schema = schema_of(model)

    try:
        strict = schema.strict()
    except InexpressibleSchema as error:
        assert error.keyword in ("additionalProperties", "prefixItems", "patternProperties", "type")
    else:
        assert violations(strict) == []


Kind = tuple[Any, st.SearchStrategy[Any]]
"""A type, and its values as JSON."""

LEAF: Any = {"label": "leaf", "branches": [], "next": None}
BRANCH: Any = {"label": "branch", "branches": [LEAF, LEAF], "next": LEAF}

SCALARS: list[Kind] = [
    (str, st.text(max_size=5)),
    (int, st.integers(-99, 99)),
    (float, st.floats(-9, 9)),
    (bool, st.booleans()),
    (type(None), st.none()),
    (Annotated[str, Field(min_length=1, max_length=5)], st.text(min_size=1, max_size=5)),
    (Annotated[str, Field(pattern="^[a-c]+$")], st.text("abc", min_size=1)),
    (Annotated[int, Field(ge=0, le=9, multiple_of=3)], st.sampled_from((0, 3, 6, 9))),
    (Annotated[float, Field(gt=0, lt=1)], st.just(0.5)),
    (Annotated[Decimal, Field(max_digits=5, decimal_places=2)], st.sampled_from(("1.25", 3))),
    (Decimal, st.sampled_from(("1.25", -3, 0.5))),
    (Literal["a"], st.just("a")),
    (Literal["a", 1, None], st.sampled_from(("a", 1, None))),
    (Color, st.sampled_from(("red", "blue"))),
    (Level, st.sampled_from((1, 2))),
    (Mixed, st.sampled_from((1, "two", None))),
    (date, st.just("2026-01-31")),
    (datetime, st.just("2026-01-31T12:30:00Z")),
    (time, st.just("12:30:00")),
    (timedelta, st.just("PT5M")),
    (UUID, st.just("6b0b1c2e-1f0f-4d5e-9c39-4d9f1f3f7a10")),
    (AnyUrl, st.just("https://example.com/")),
    (IPv4Address, st.just("127.0.0.1")),
    (SecretStr, st.just("secret")),
    (bytes, st.text("abc")),
    (Point, st.just({"x": 1, "y": 2})),
    (Size, st.just({"width": 1})),
    (Boxed[int], st.just({"value": 1})),
    (Movie, st.just({"title": "Up", "year": 2009})),
    (User, st.just({"name": "Ada", "age": 36})),
    (Page[Color], st.just({"items": ["red"]})),
    (Pet, st.just({"kind": "puppy", "friends": [{"kind": "cat", "lives": 9}]})),
    (Branch, st.just(BRANCH)),
    (RootModel[list[User]], st.just([{"name": "Ada", "age": 36}])),
]
INEXPRESSIBLE: list[Kind] = [
    (dict[str, int], st.just({"a": 1})),
    (dict[Color, Point], st.just({"red": {"x": 1, "y": 0}})),
    (tuple[int, str], st.just([1, "a"])),
    (Pair, st.just(["a", 1])),
    (Any, st.just(1)),
    (Open, st.just({"name": "Ada"})),
    (list[object], st.just([1])),
]
ALIASES = ("$ref", "properties", "two words", "anyOf", "ключ", "items", "a.b", "a/b~c")


some: Callable[[Any], Any] = list.__class_getitem__
"""A list of these, of which no type checker knows."""


@st.composite
def kinds_of(draw: st.DrawFn, scalars: list[Kind], depth: int = 3) -> Kind:
    """Draw a type that is made of others, at most so deep."""
    inner = kinds_of(scalars, depth - 1)
    shape = draw(st.integers(0, 7)) if depth else 0
    if shape < 3:
        return draw(st.sampled_from(scalars))

    annotation, values = draw(inner)
    if shape == 3:
        return some(annotation), st.lists(values, max_size=2)

    if shape == 4:
        bounded: Any = Annotated[some(annotation), Field(min_length=1, max_length=2)]
        return bounded, st.lists(values, min_size=1, max_size=2)

    if shape == 5:
        return annotation | None, values | st.none()

    if shape == 6:
        other, others = draw(inner)
        return annotation | other, values | others

    return draw(models(scalars, depth - 1))


@st.composite
def models(draw: st.DrawFn, scalars: list[Kind], depth: int = 3) -> Kind:
    """Draw a model with some fields that differ in how they are declared."""
    fields: dict[str, Any] = {}
    values: dict[str, st.SearchStrategy[Any]] = {}
    for number in range(draw(st.integers(0, 4))):
        annotation, inner = draw(kinds_of(scalars, depth))
        name = f"field_{number}"
        told: dict[str, Any] = {}
        if draw(st.booleans()):
            told["default"] = draw(inner)

        if draw(st.booleans()):
            told |= {"description": "What it is.", "examples": ["one"], "deprecated": False}

        if draw(st.booleans()):
            told |= {"alias": f"{draw(st.sampled_from(ALIASES))}{number}", "title": "Field"}

        fields[name] = (annotation, Field(**told))
        values[told.get("alias", name)] = inner

    model: Any = create(f"Made{draw(st.integers(0, 3))}", **fields)
    return model, st.fixed_dictionaries(values)


@given(models([*SCALARS, (Tree, st.just({})), *INEXPRESSIBLE]))
def test_any_model_has_a_strict_schema_without_violations_or_none_at_all(kind: Kind) -> None:
    schema = schema_of(kind[0])

    try:
        strict = schema.strict()
    except InexpressibleSchema as error:
        assert str(error).startswith(".".join((schema.name, *error.path)))
    else:
        assert violations(strict) == []
        assert violations(json.loads(json.dumps(strict))) == []


@given(st.data(), models(SCALARS))
def test_what_a_model_dumps_is_what_its_strict_schema_describes(
    data: st.DataObject, kind: Kind
) -> None:
    model, values = kind
    strict = schema_of(model).strict()

    instance = model.model_validate_json(json.dumps(data.draw(values)))

    dumped = instance.model_dump(mode="json", by_alias=True)
    assert fits(dumped, strict, strict.get("$defs", {}))
    assert model.model_validate(dumped) is not None


@given(models(SCALARS))
def test_every_constraint_and_description_is_said_or_told(kind: Kind) -> None:
    schema = schema_of(kind[0])

    told = json.dumps(schema.strict())

    for keyword in ("minLength", "maxLength", "minItems", "pattern", "minimum", "uniqueItems"):
        assert (f'"{keyword}"' in json.dumps(schema.parameters)) == (keyword in told)
