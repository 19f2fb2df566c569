"""What `to_partial` shows of each kind of type while it is still open."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, cast

import pytest
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, Json, SecretStr

from streamops import operators as ops
from tests.growing import Color, Pair, Pet, Tree
from tests.growing_classes import Chain, Deep, Doubly, Names, Number, RootedLeaf, SomePet
from tests.growing_classes import Json as AnyJson
from tests.growing_containers import Stone
from tests.growing_dataclasses import Boxed, Checked, Leaf, Slotted, Sparse, Templated, Total
from tests.growing_unions import AnyPet, Chosen, Kind, MaybeShape, Shape, Small
from tests.laws import arrived, is_dataclass, is_partial, parts
from tests.outcomes import is_dict, through


def of(class_name: str, /, **fields: Any) -> tuple[str, dict[str, Any]]:
    """Describe an instance by its class and what has arrived of it."""
    return class_name, fields


def described(value: Any) -> Any:
    if isinstance(value, BaseModel) or is_dataclass(value):
        fields = arrived(value) if is_partial(value) else parts(value)
        return of(type(value).__name__, **{name: described(parts(value)[name]) for name in fields})

    if isinstance(value, list | tuple | deque):
        items = cast("list[Any]", value)
        return type(items)(map(described, items))

    if is_dict(value):
        return {key: described(item) for key, item in value.items()}

    return value


STONE = '{"name": "a", "weight": 1}'
A_STONE = of("Stone", name="a", weight=1)

GROWING: dict[str, tuple[Any, str, Any]] = {
    "a model": (Stone, '{"name": "a', of("Partial[Stone]", name="a")),
    "a list of models": (
        list[Stone],
        f'[{STONE}, {{"na',
        [A_STONE, of("Partial[Stone]")],
    ),
    "an optional model": (Stone | None, '{"name": "a', of("Partial[Stone]", name="a")),
    "a dataclass": (Leaf, '{"name": "a', of("Partial[Leaf]", name="a")),
    "a dataclass with slots": (
        Slotted,
        '{"leaf": {"name": "a", "size": 3}, "name": "b',
        of("Partial[Slotted]", leaf=of("Leaf", name="a", size=3, tags=[]), name="b"),
    ),
    "a generic dataclass": (
        Boxed[str],
        '{"value": "a", "others": ["b',
        of("Partial[Boxed]", value="a", others=["b"]),
    ),
    "a dataclass of pydantic": (
        list[Checked],
        '[{"how_many": 3, "name": "a',
        [of("Partial[Checked]", count=3, name="a")],
    ),
    "a typed dict": (
        Total,
        '{"name": "a", "address": {"street": "b',
        {"name": "a", "address": of("Partial[Address]", street="b")},
    ),
    "a typed dict in a typed dict": (
        Sparse,
        '{"inner": {"name": "a"}, "many": [{"name": "b',
        {"inner": {"name": "a"}, "many": [{"name": "b"}]},
    ),
    "a generic typed dict": (Templated[int], '{"others": [1, 2', {"others": [1]}),
    "a root model of a list": (Names, '["a", "b', of("Partial[Names]", root=["a", "b"])),
    "a root model of a root model": (
        Doubly,
        '["a',
        of("Partial[Doubly]", root=of("Partial[Names]", root=["a"])),
    ),
    "a root model of a dataclass": (
        RootedLeaf,
        '{"name": "a',
        of("Partial[Rooted[Leaf]]", root=of("Partial[Leaf]", name="a")),
    ),
    "a root model that contains itself": (
        Deep,
        '{"a": ["b',
        of(
            "Partial[Deep]",
            root={"a": of("Partial[Deep]", root=[of("Partial[Deep]", root="b")])},
        ),
    ),
    "a discriminated union": (
        Pet,
        '{"kind": "cat", "names": ["a',
        of("Partial[Cat]", kind="cat", names=["a"]),
    ),
    "an optional discriminated union": (
        MaybeShape,
        '{"radius": 3, "kind": "dot", "note": "a',
        of("Partial[Circle]", radius=3, kind=Kind.DOT, note="a"),
    ),
    "a discriminated union in a discriminated union": (
        list[AnyPet],
        '[{"pet": "cat", "color": "white", "lives": 1, ',
        [of("Partial[White]", pet="cat", color="white", lives=1)],
    ),
    "a discriminated union in a root model": (
        SomePet,
        '{"kind": "cat", "lives": 3, ',
        of("Partial[SomePet]", root=of("Partial[Cat]", kind="cat", lives=3)),
    ),
    "a model or a list of it": (
        Small | list[Small],
        '[{"name": "a',
        [of("Partial[Small]", name="a")],
    ),
    "a recursive model": (
        Tree,
        '{"children": [{"label": "a", "children": [{"label": "b',
        of(
            "Partial[Tree]",
            children=[of("Partial[Tree]", label="a", children=[of("Partial[Tree]", label="b")])],
        ),
    ),
    "a recursive alias": (AnyJson, '{"a": [1, {"b": "c', {"a": [1, {"b": "c"}]}),
    "a tuple of any length": (
        tuple[Stone, ...],
        f'[{STONE}, {{"name": "b',
        (A_STONE, of("Partial[Stone]", name="b")),
    ),
    "a deque": (deque[int], "[1, 2, 3", deque([1, 2])),
    "a set": (set[int], "[1, 2, 1, 3", {1, 2}),
    "a frozen set": (frozenset[str], '["a", "b', frozenset({"a"})),
    "a sequence": (
        Sequence[Stone],
        f'[{STONE}, {{"name": "b',
        [A_STONE, of("Partial[Stone]", name="b")],
    ),
    "a mapping": (Mapping[str, list[int]], '{"a": [1], "b": [2, 3', {"a": [1], "b": [2]}),
    "a dict with numbers as keys": (
        dict[int, Stone],
        f'{{"1": {STONE}, "2": {{"name": "b',
        {1: A_STONE, 2: of("Partial[Stone]", name="b")},
    ),
    "a string that a validator rewrites in the end": (
        list[Annotated[str, AfterValidator(str.upper)]],
        '["ab", "cd',
        ["ab", "cd"],
    ),
    "a constrained list": (
        Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=9)],
        "[1, 2",
        [1],
    ),
}

CLOSED_ONLY: dict[str, tuple[Any, str]] = {
    "a number": (int, "12"),
    "a date": (date, '"2020-01-02'),
    "a decimal": (Decimal, '"1.5'),
    "an enum": (Color, '"red'),
    "a secret": (SecretStr, '"abc'),
    "JSON in a string": (Json[list[int]], '"[1, 2'),
    "a tuple of certain length": (tuple[Stone, int], f"[{STONE}, 1"),
    "a named tuple": (Pair, '["a", 1'),
    "a tuple in an alias": (Chain, f"[{STONE}, "),
    "what is read lazily": (Iterable[int], "[1, 2"),
    "a root model of a number": (Number, "12"),
    "a discriminated union without its tag": (Shape, '{"radius": 1, "note": "a'),
    "a union that a function decides": (Chosen, '{"name": "a'),
    "models that both may fit": (Stone | Small, '{"name": "a'),
    "what a validator may rewrite": (Annotated[Stone, BeforeValidator(dict)], '{"name": "a'),
}


def emitted(type_: Any, text: str) -> list[Any]:
    return through(text, ops.accumulate_json(), ops.to_partial(type_)).values


@pytest.mark.parametrize(("type_", "text", "expected"), GROWING.values(), ids=GROWING)
def test_what_can_grow_is_shown_while_it_grows(type_: Any, text: str, expected: Any) -> None:
    assert described(emitted(type_, text)[-1]) == expected


@pytest.mark.parametrize(("type_", "text"), CLOSED_ONLY.values(), ids=CLOSED_ONLY)
def test_what_cannot_grow_is_not_shown_before_it_closes(type_: Any, text: str) -> None:
    within: Any = list[type_]

    assert all(value == [] for value in emitted(within, f"[{text}"))
