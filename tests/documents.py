"""JSON documents that fit the types of tests.growing, and ways to cut them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from tests.growing import (
    Address,
    Admin,
    Aliased,
    Book,
    Box,
    Boxes,
    Choices,
    Closed,
    Constrained,
    Containers,
    Defaults,
    Holder,
    Home,
    Links,
    Movie,
    Open,
    OpenToNumbers,
    Pet,
    Point,
    Privates,
    Shelter,
    Special,
    Strict,
    Tags,
    Tree,
    User,
    Validated,
)

names = st.text(st.sampled_from('aBä"\\\n😀 '), max_size=6)
integers = st.integers(-(10**6), 10**6)
floats = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | integers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def objects(
    required: dict[str, st.SearchStrategy[Any]],
    optional: dict[str, st.SearchStrategy[Any]] | None = None,
) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with their keys in any order."""
    return (
        st.fixed_dictionaries(required, optional=optional or {})
        .flatmap(lambda fields: st.permutations(list(fields.items())))
        .map(dict)
    )


def few(items: st.SearchStrategy[Any], least: int = 0) -> st.SearchStrategy[list[Any]]:
    return st.lists(items, min_size=least, max_size=3)


addresses = objects({"street": names, "number": integers})
_of_user = {
    "tags": few(names),
    "scores": st.dictionaries(names, floats | integers, max_size=2),
    "active": st.booleans(),
    "unknown": json_values,
}
users = objects({"name": names, "age": integers}, {"address": st.none() | addresses, **_of_user})
admins = objects({"name": names, "age": integers, "rights": few(names)}, _of_user)
trees = st.recursive(
    objects({"label": names}),
    lambda inner: objects(
        {"label": names},
        {"children": few(inner), "parent_of": st.dictionaries(names, inner, max_size=2)},
    ),
    max_leaves=5,
)
books = st.recursive(
    objects({"title": names}),
    lambda inner: objects(
        {"title": names},
        {"chapters": few(objects({"title": names}, {"book": st.none() | inner}))},
    ),
    max_leaves=4,
)
choices = objects(
    {"id": names | integers, "owner": users | names, "maybe": st.none() | names},
    {
        "numbers": few(integers | floats | st.none()),
        "where": addresses | few(addresses) | st.none(),
        "either": users | addresses | st.none(),
    },
)
cats = objects({"kind": st.just("cat"), "lives": integers}, {"names": few(names)})
pets = st.recursive(
    cats,
    lambda inner: objects(
        {"kind": st.sampled_from(["dog", "puppy"]), "bark": names}, {"friends": few(inner)}
    ),
    max_leaves=4,
)
homes = objects(
    {"first": pets, "pets": few(pets)},
    {"guest": st.none() | pets, "by_name": st.dictionaries(names, pets, max_size=2)},
)
shelters = objects({"pet": pets}, {"note": names})
specials = objects(
    {
        "color": st.sampled_from(["red", "blue"]),
        "level": st.sampled_from(["low", "high", 3]),
        "day": st.dates().map(str),
        "moment": st.datetimes().map(datetime.isoformat),
        "price": st.sampled_from(["1.50", 2, 0.25, "1e3"]),
        "id": st.uuids().map(str),
        "lasts": st.sampled_from(["PT5M", 30, "P1DT2H"]),
        "data": names,
    },
    {
        "shades": few(st.sampled_from(["red", "blue"])),
        "named": st.dictionaries(st.sampled_from(["red", "blue"]), integers),
    },
)
aliased = objects(
    {"firstName": names},
    {
        "homeAddress": st.none() | addresses,
        "tags": few(names),
        "one": names,
        "box": objects({"deep": integers}),
    },
) | objects({"first_name": names}, {"home_address": addresses, "other": names})
defaults = objects(
    {},
    {
        "count": integers,
        "items": few(integers),
        "name": names,
        "address": addresses,
        "nothing": st.none() | names,
    },
)
constrained = objects(
    {
        "name": st.text("ab", min_size=2, max_size=40),
        "count": st.integers(0, 100),
        "items": few(integers, 1),
    },
    {"inner": few(st.text("ab", min_size=1))},
)
boxes = objects(
    {
        "users": objects({"value": addresses}, {"others": few(addresses)}),
        "numbers": objects({"value": integers}, {"others": few(integers)}),
    },
    {"texts": st.none() | objects({"value": names})},
)
linked = st.recursive(
    objects({"value": integers}),
    lambda inner: objects({"value": integers}, {"rest": st.none() | inner, "others": few(inner)}),
    max_leaves=4,
)
validated = objects(
    {
        "number": integers,
        "twice": integers,
        "parts": few(names) | st.sampled_from(["a,b", "a"]),
        "name": names,
    }
)
privates = objects({"name": names}, {"size": integers})
strict = objects(
    {
        "day": st.dates().map(str),
        "parts": st.tuples(integers, names).map(list),
        "unique": few(integers),
        "ratio": floats | integers,
        "inner": addresses,
    }
)
containers = objects(
    {"pair": st.tuples(addresses, names).map(list)},
    {
        "many": few(integers),
        "unique": few(integers),
        "frozen": few(names),
        "grid": few(few(integers)),
        "by_number": st.dictionaries(integers.map(str), addresses, max_size=2),
        "by_name": st.dictionaries(names, few(addresses), max_size=2),
        "tags": few(names),
        "point": objects({"x": integers}, {"y": integers}),
        "movie": objects({}, {"title": names, "year": integers}),
        "row": st.none() | st.tuples(names, integers).map(list),
        "anything": json_values,
        "plain": few(json_values),
        "sequence": few(addresses),
        "owner": integers,
    },
)

MODELS: dict[type[BaseModel], st.SearchStrategy[Any]] = {
    User: users,
    Admin: admins,
    Tree: trees,
    Book: books,
    Choices: choices,
    Home: homes,
    Shelter: shelters,
    Special: specials,
    Aliased: aliased,
    Defaults: defaults,
    Open: objects({"name": names}, {"more": json_values, "other": names}),
    OpenToNumbers: objects({"name": names}, {"more": integers, "other": st.just("1.5")}),
    Links: linked,
    Closed: objects({"name": names}, {"inner": few(integers)}),
    Constrained: constrained,
    Boxes: boxes,
    Box[User]: objects({"value": users}, {"others": few(users)}),
    Validated: validated,
    Holder: objects({"inner": validated}, {"many": few(validated)}),
    Privates: objects({"items": few(privates)}),
    Strict: strict,
    Containers: containers,
}

OTHER_TYPES: dict[Any, st.SearchStrategy[Any]] = {
    list[User]: few(users),
    dict[str, Address]: st.dictionaries(names, addresses, max_size=3),
    list[str | int]: few(names | integers),
    Pet: pets,
    User | Address: users | addresses,
    User | list[User]: users | few(users),
    Tags: few(names),
    Point: objects({"x": integers}, {"y": integers}),
    Movie: objects({}, {"title": names, "year": integers}),
    int: integers,
    str: names,
    str | None: names | st.none(),
}

Dump = Callable[[Any], str]
dumps: st.SearchStrategy[Dump] = st.sampled_from(
    [
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False, indent=1),
        lambda value: json.dumps(value, separators=(",", ":")),
    ]
)
"""Ways to write a document."""


@st.composite
def documents(draw: st.DrawFn, types: dict[Any, st.SearchStrategy[Any]]) -> tuple[Any, str]:
    """Draw a type and the text of a document that fits it."""
    type_ = draw(st.sampled_from(list(types)))
    return type_, draw(dumps)(draw(types[type_]))


chunk_sizes: st.SearchStrategy[list[int]] = st.lists(st.integers(1, 12), min_size=1, max_size=4)
"""Sizes to cut a text into, over and over."""
