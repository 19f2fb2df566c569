"""What `to_partial` promises for types that are put together at random."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Union

from hypothesis import given, reject
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    ValidationError,
    create_model,
)
from typing_extensions import TypedDict

from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.testing import chunked
from tests.documents import Dump, chunk_sizes, dumps
from tests.documents_by_schema import broken, likely
from tests.growing import Address, Box, Color, Links, Tree
from tests.growing_classes import Names
from tests.growing_containers import Step, Stone
from tests.growing_dataclasses import Boxed, Leaf, Templated, Total
from tests.growing_unions import Large, Shape, Small, Spot
from tests.growing_validators import CheckedAfter
from tests.laws import assert_grows
from tests.outcomes import Outcome, shown, through


def unchanged(value: Any) -> Any:
    return value


PARTS: list[Any] = [
    str, int, float, bool, None, date, Decimal, Color, Any, Literal["a", "b", 1], Address, Small,
    Large, Stone, Step, Tree, Links, Leaf, Total, Spot, Names, Shape, CheckedAfter,
    Annotated[int, Field(ge=0)], Annotated[str, Field(min_length=1)], set[int],
    frozenset[Stone], dict[int, str],
]  # fmt: skip
ONE, OTHER = object(), object()
OPTIONAL = (Union, (ONE, None))
GENERICS: list[tuple[Any, tuple[Any, ...]]] = [
    OPTIONAL,
    (Union, (ONE, OTHER)),
    (list, (ONE,)),
    (dict, (str, ONE)),
    (tuple, (ONE, ...)),
    (tuple, (ONE, OTHER)),
    (deque, (ONE,)),
    (Sequence, (ONE,)),
    (RootModel, (ONE,)),
    (Box, (ONE,)),
    (Boxed, (ONE,)),
    (Templated, (ONE,)),
    (Annotated, (ONE, Field(description="mixed"))),
    (Annotated, (ONE, AfterValidator(unchanged))),
    (Annotated, (ONE, BeforeValidator(unchanged))),
]


def filled(generic: tuple[Any, tuple[Any, ...]], one: Any, other: Any) -> Any:
    of, arguments = generic
    return of[tuple(one if a is ONE else other if a is OTHER else a for a in arguments)]


def model_of(types: list[Any], config: ConfigDict) -> Any:
    """Make a model with fields of these types, some of them required."""
    fields: dict[str, Any] = {
        f"f{index}": type_
        if index % 2
        else (filled(OPTIONAL, type_, None), Field(default=None, alias=f"F{index}"))
        for index, type_ in enumerate(types)
    }
    return create_model("Mixed", __config__=config, **fields)


def dataclass_of(types: list[Any]) -> Any:
    fields = [(f"d{index}", type_) for index, type_ in enumerate(types)]
    return dataclasses.make_dataclass("Made", [*fields, ("note", str, "")])


def dict_of(types: list[Any]) -> Any:
    make: Any = TypedDict  # a checker wants to see the fields
    return make("Typed", {f"t{index}": type_ for index, type_ in enumerate(types)})


CONFIGS = [
    ConfigDict(),
    ConfigDict(extra="forbid", frozen=True),
    ConfigDict(extra="allow", populate_by_name=True),
]


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.builds(filled, st.sampled_from(GENERICS), inner, inner),
        st.builds(model_of, several, st.sampled_from(CONFIGS)),
        several.map(dataclass_of),
        several.map(dict_of),
    )


mixes = st.recursive(st.sampled_from(PARTS), around, max_leaves=10)


@st.composite
def mixed_documents(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a type that pydantic takes, and a document that it may or may not take as that type."""
    type_: Any = draw(mixes)
    try:
        TypeAdapter(type_)
    except TypeError:  # a set of what cannot be hashed, a union of nothing
        reject()
    document = draw(likely(type_))
    return type_, draw(broken(document)) if draw(st.booleans()) else document


def partials(chunks: Iterable[str], type_: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(type_))


@given(mixed_documents(), dumps, chunk_sizes)
def test_whatever_pydantic_takes_grows_into_what_pydantic_makes_of_it_and_else_ends_in_its_error(
    mixed: tuple[Any, Any], dump: Dump, sizes: list[int]
) -> None:
    type_, document = mixed
    text = dump(document)

    received = partials(chunked(text, *sizes), type_)

    try:
        truth = TypeAdapter(type_).validate_json(text)
    except ValidationError:
        assert isinstance(received.error, SchemaMismatch)
        assert str(received.error) == str(partials([text], type_).error)
        return

    *before, last = received.values
    assert received.error is None
    assert last == truth
    assert type(last) is type(truth)
    for index, partial in enumerate(before):
        assert_grows(partial, last, at_the_end=True)
        for later in before[index + 1 :]:
            assert_grows(partial, later, at_the_end=False)


@given(mixed_documents(), chunk_sizes)
def test_whatever_is_shown_can_be_copied_and_dumped(
    mixed: tuple[Any, Any], sizes: list[int]
) -> None:
    type_, document = mixed

    for partial in partials(chunked(json.dumps(document), *sizes), type_).values:
        assert shown(copy.deepcopy(partial)) == shown(partial)
        assert repr(partial)
        if isinstance(partial, BaseModel):
            assert partial.model_dump(mode="json") == json.loads(partial.model_dump_json())
