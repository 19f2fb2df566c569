"""What `to_partial` promises where several of its features meet."""

from __future__ import annotations

import copy
import gc
import json
import weakref
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from dataclasses import field as dataclass_field
from enum import Enum
from itertools import pairwise
from typing import Annotated, Any, Generic, Literal, TypeVar, cast

import pydantic
import pytest
from pydantic import (
    AfterValidator,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    create_model,
    field_serializer,
    field_validator,
    model_validator,
)
from typing_extensions import TypeAliasType, TypedDict

from streamops import Stream, state_of
from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.testing import chunked
from tests.laws import assert_grows, is_partial
from tests.outcomes import Outcome, through

T = TypeVar("T")


def partials(model: Any, *chunks: str, **options: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model, **options))


def last(model: Any, text: str, **options: Any) -> Any:
    return partials(model, text, **options).values[-1]


class A(BaseModel):
    x: int


class B(BaseModel):
    x: int


@pytest.mark.parametrize("union", [A | B, B | A, list[A | B], list[B | A]])
def test_the_order_of_a_union_counts_whatever_was_streamed_before(union: Any) -> None:
    text = '[{"x": 1}]' if "list" in str(union) else '{"x": 1}'
    truth = TypeAdapter(union).validate_json(text)

    assert last(union, text) == truth
    assert type(last(union, text)) is type(truth)


class Address(BaseModel):
    zip: str
    number: int = 0


class Rescued(BaseModel):
    address: Address
    people: list[Address] = []
    last: str = ""

    @field_validator("address", "people", mode="before")
    @classmethod
    def with_strings(cls, value: Any) -> Any:
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        mended = [{**item, "zip": str(item["zip"])} for item in items]
        return mended if isinstance(value, list) else mended[0]


@pytest.mark.parametrize("size", [1, 4, 11])
@pytest.mark.parametrize("when", ["closed", "eager", "final"])
def test_what_a_validator_rescues_at_the_end_is_not_taken_back_before(size: int, when: Any) -> None:
    text = (
        '{"address": {"number": 7, "zip": 12345}, '
        '"people": [{"zip": "a"}, {"zip": 1, "number": 2}], "last": "b"}'
    )

    received = partials(Rescued, *chunked(text, size), validate=when)

    assert received.error is None
    assert received.values[-1] == Rescued.model_validate_json(text)
    for before, after in pairwise(received.values[:-1]):
        assert before.model_fields_set <= after.model_fields_set
        assert len(before.people) <= len(after.people)
        if before.address is not None:
            assert before.address.model_fields_set <= after.address.model_fields_set


def test_a_model_that_is_only_rescued_later_is_shown_as_a_partial() -> None:
    closed = last(Rescued, '{"address": {"number": 7, "zip": 12345}, ').address

    assert type(closed).__name__ == "Partial[Address]"
    assert closed.model_dump(exclude_unset=True) == {"number": 7}


def test_eagerly_json_that_is_too_deep_for_pydantic_is_a_mismatch() -> None:
    class Deep(BaseModel):
        x: Any

    received = partials(Deep, '{"x": ' + "[" * 300 + "]" * 300, "}", validate="eager")

    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == ("x",)


Name = TypeAliasType("Name", str)


class Stripped(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
    name: Name


class Plain(BaseModel):
    name: Name


class Both(BaseModel):
    stripped: Stripped
    plain: Plain


def test_an_alias_streams_by_the_config_of_the_model_that_it_stands_in() -> None:
    assert last(Both, '{"stripped": {"name": " a ').stripped.name == "a"
    assert last(Both, '{"stripped": {"name": "a"}, "plain": {"name": " a ').plain.name == " a "


class Priority(Enum):
    LOW = "low"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> Priority:
        return cls.LOW if value == "lowest" else cls.OTHER


@pytest.mark.parametrize(
    "type_",
    [
        Annotated[Priority, Stream.grow],
        Annotated[Literal["low", "high"], BeforeValidator(str.lower), Stream.grow],
    ],
)
def test_what_may_become_anything_cannot_be_guessed(type_: Any) -> None:
    with pytest.raises(TypeError, match="cannot guess"):
        ops.to_partial(type_)


def test_a_guess_costs_nothing_once_no_choice_is_left() -> None:
    class Ticket(BaseModel):
        kind: Annotated[Literal["low", "high"], Stream.grow]

    assert last(Ticket, '{"kind": "lo').kind == "low"
    assert last(Ticket, '{"kind": "long and longer').kind is None


class Checked(BaseModel):
    id: Annotated[int, Stream.required]
    text: str = ""

    @field_validator("id")
    @classmethod
    def is_positive(cls, id: int) -> int:  # noqa: A002  # the name of the field
        assert id > 0
        return id


def test_a_required_field_that_is_shown_late_withholds_until_it_is_finished() -> None:
    assert partials(Checked, '{"text": "a", ').values == []
    assert last(Checked, '{"text": "a", "id": 1, ').model_dump() == {"id": None, "text": "a"}


def test_a_required_field_that_is_read_from_inside_other_keys_raises_when_built() -> None:
    class Nested(BaseModel):
        id: Annotated[int, Stream.required] = Field(validation_alias=AliasPath("meta", "id"))

    with pytest.raises(TypeError, match=r"Nested\.id cannot be Stream\.required"):
        ops.to_partial(Nested)


class First(BaseModel):
    kind: Literal["first"]
    name: str = Field(alias="n")


class Second(BaseModel):
    kind: Literal["second"]
    n: str = ""
    name: str = Field(alias="title", default="")


class Holder(BaseModel):
    either: First | Second
    numbered: dict[int, str] = {}
    deep: int = Field(validation_alias=AliasPath("box", "deep"), default=0)
    full_name: str = Field(alias="fullName", default="")


def test_the_state_of_a_union_is_that_of_the_member_that_has_come() -> None:
    state = state_of(last(Holder, '{"either": {"kind": "second", "n": "a"'))

    assert state.at(("either", "n")) == "done"
    assert state.at(("either", "name")) == "pending"


def test_states_go_by_names_of_fields_and_keys_of_the_dict() -> None:
    state = state_of(last(Holder, '{"numbered": {"1": "a", "2": "b'))
    assert state.at(("numbered", 1)) == "done"
    assert state.at(("numbered", 2)) == "growing"
    assert state.at(("numbered", "1")) == "pending"

    state = state_of(last(Holder, '{"box": {"deep": 3, "x": 1}, "fullName": "a'))
    assert state.at(("deep",)) == "done"
    assert state.at(("full_name",)) == "growing"
    assert state.at(("fullName",)) == "pending"

    with pytest.raises(TypeError, match="a path is a tuple"):
        state.at("full_name")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # on purpose


class Keyed(BaseModel):
    key: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Keyed) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def test_partials_of_a_model_with_a_hash_of_its_own_have_it_too() -> None:
    assert hash(last(Keyed, '{"key": "a')) == hash("a")


@Stream.done
class DoneFirst(BaseModel):
    kind: Literal["first"]


def test_a_member_that_is_shown_when_done_does_not_hold_back_the_others() -> None:
    assert last(DoneFirst | Second, '{"kind": "second", "n": "a').n == "a"
    assert partials(DoneFirst | Second, '{"kind": "first"').values == []


@Stream.done
@dataclass
class Boxed(Generic[T]):
    value: T


@Stream.done
class Movie(TypedDict):
    title: str


class Sequel(Movie):
    number: int


class Shelf(BaseModel):
    box: Boxed[str] | None = None
    movie: Sequel | None = None


def test_marks_hold_for_generic_classes_and_for_what_extends_a_typed_dict() -> None:
    assert last(Shelf, '{"box": {"value": "a').box is None
    assert last(Shelf, '{"movie": {"title": "a').movie is None


def test_a_mark_on_what_is_no_class_says_where_marks_stand() -> None:
    with pytest.raises(TypeError, match="stands above a class"):
        Stream.done(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # on purpose


@dataclass
class Point:
    x: Annotated[int, Field(ge=0)]
    y: int = 0


class Location(TypedDict):
    x: Annotated[int, Field(ge=0)]


@pytest.mark.parametrize(("type_", "text"), [(Point, '{"x": -1, '), (Location, '{"x": -1, ')])
def test_eagerly_fields_of_dataclasses_and_typed_dicts_are_checked_too(
    type_: Any, text: str
) -> None:
    error = partials(type_, text, '"y": 1', "}", validate="eager").error

    assert isinstance(error, SchemaMismatch)
    assert error.path == ("x",)


def test_eagerly_locations_may_go_by_names() -> None:
    class ByName(BaseModel):
        model_config = ConfigDict(loc_by_alias=False)
        number: int = Field(alias="N", ge=0)

    error = partials(ByName, '{"N": -1, ', "}", validate="eager").error

    assert isinstance(error, SchemaMismatch)
    assert error.path == ("N",)


def test_eagerly_a_field_that_waited_for_another_is_checked_when_that_has_come() -> None:
    class Span(BaseModel):
        first: int
        last: int

        @field_validator("last")
        @classmethod
        def is_after(cls, last: int, info: Any) -> int:
            assert last >= info.data.get("first", 0)
            return last

    received = partials(Span, '{"last": 1, ', '"first": 5, ', '"more": 1}', validate="eager")

    assert len(received.values) == 1
    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == ("last",)


def test_a_partial_dataclass_has_a_state() -> None:
    growing, whole = last(Point, '{"x": 1, "y'), last(Point, '{"x": 1}')

    assert state_of(growing).at(("x",)) == "done"
    assert state_of(growing).at(("y",)) == "pending"
    assert state_of(whole).at(("x",)) == "done"


def test_classes_that_are_made_while_running_can_be_freed() -> None:
    made: Any = make_dataclass("Made", [("name", str)])
    model: Any = create_model("Model", name=(str, ...))
    # With a context of its own, a pipeline shares nothing with others.
    for type_ in (made, model):
        assert last(type_, '{"name": "a', context={}).name == "a"

    references = [weakref.ref(made), weakref.ref(model)]
    del made, model, type_
    gc.collect()

    assert [reference() for reference in references] == [None, None]


def test_whole_models_may_be_rewritten_and_nothing_is_taken_back_before() -> None:
    class Outer(BaseModel):
        inner: Address
        last: str = ""

        @model_validator(mode="wrap")
        @classmethod
        def repaired(cls, data: Any, handler: Callable[[Any], Any]) -> Any:
            data["inner"]["zip"] = str(data["inner"]["zip"])
            return handler(data)

    text = '{"inner": {"zip": 1, "number": 2}, "last": "abc"}'
    emitted = partials(Outer, *chunked(text, 3)).values

    assert emitted[-1].inner == Address(zip="1", number=2)
    for before, after in pairwise(emitted[:-1]):
        assert_grows(before, after, at_the_end=False)


@pydantic.dataclasses.dataclass
class Priced:
    name: str
    price: int = Field(alias="Price", gt=2)
    label: str = Field(default_factory=lambda data: data["name"] + "!")
    secret: int = Field(default=1, exclude=True)
    tags: list[int] = Field(default_factory=list[int], serialization_alias="Tags")

    @field_serializer("name")
    def loud(self, name: str) -> str:
        return name.upper()


class Cart(BaseModel):
    item: Priced | None = None
    last: str = ""


def test_a_dataclass_shows_none_for_what_is_required_and_for_defaults_that_cannot_be_made() -> None:
    opened = last(Cart, '{"item": {"name": "x", "tags": [1, ')

    assert (opened.item.price, opened.item.label) == (None, None)
    assert opened.model_dump() == {
        "item": {"name": "x", "price": None, "label": None, "tags": [1]},
        "last": "",
    }
    assert json.loads(opened.model_dump_json(by_alias=True))["item"]["Tags"] == [1]


@dataclass
class Fragile:
    items: list[int] = dataclass_field(default_factory=lambda: [1 // 0])

    def __repr__(self) -> str:
        return f"{self.items[0]} items"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fragile) and self.items[0] == other.items[0]


def test_what_a_dataclass_says_of_itself_is_tried_and_replaced() -> None:
    class Box(BaseModel):
        fragile: Fragile

    opened = last(Box, '{"fragile": {')

    assert repr(opened.fragile).endswith("(items=None)")
    assert opened == last(Box, '{"fragile": {')
    assert last(Box, '{"fragile": {"items": [1]}}').fragile.items == [1]


class Inner(BaseModel):
    x: int


@pydantic.dataclasses.dataclass
class Rewriting:
    inner: Inner
    number: int = 0
    text: str = ""

    @field_validator("inner", mode="before")
    @classmethod
    def as_one(cls, _: Any) -> Any:
        return {"x": 1}

    @field_validator("number")
    @classmethod
    def doubled(cls, number: int) -> int:
        return number * 2


def test_validators_of_a_dataclass_are_heeded_like_those_of_a_model() -> None:
    class Around(BaseModel):
        data: Rewriting
        last: str = ""

    text = '{"data": {"number": 3, "inner": {"x": "bad"}, "text": "yo"}, "last": "a"}'
    emitted = partials(Around, *chunked(text, 1)).values

    assert emitted[-1].data == Rewriting(inner=Inner(x=1), number=3, text="yo")
    assert emitted[-1] == Around.model_validate_json(text)
    opened = [partial.data for partial in emitted if is_partial(partial.data)]
    assert {data.number for data in opened} == {0}


@pytest.mark.parametrize("type_", [Point, Location])
def test_dataclasses_and_typed_dicts_under_a_validator_grow(type_: Any) -> None:
    annotated = Annotated[type_, AfterValidator(lambda value: value)]
    text = '{"x": 1, "y": 2'

    opened = last(annotated, text)

    assert (opened["x"] if isinstance(opened, dict) else opened.x) == 1


class ReadsKind(BaseModel):
    kind: Literal["a"]
    n: int


class ReadsK(BaseModel):
    kind: Literal["b"] = Field("b", alias="k")
    s: str = ""


def test_tags_that_are_read_from_different_keys_decide_nothing() -> None:
    assert last(ReadsKind | ReadsK, '{"kind": "a", "s": "x"}') == ReadsK(k="b", s="x")


class Middle(BaseModel):
    either: A | B
    point: Point | None = None
    nested: int = Field(0, validation_alias=AliasPath("box", "nested"))


def test_states_do_not_go_back_when_a_model_closes_that_is_validated_later() -> None:
    class Outer(BaseModel):
        middle: Middle
        last: str = ""

    text = '{"middle": {"either": {"x": 1}, "box": {"nested": 2}, "point": {"x": 1}}, "last": "a"}'
    order = ["pending", "growing", "done"]
    for path in (("middle", "either"), ("middle", "nested"), ("middle", "point", "x")):
        emitted = partials(Outer, *chunked(text, 1), validate="final").values
        seen = [order.index(state_of(partial).at(path)) for partial in emitted]
        assert seen == sorted(seen)


def test_states_of_odd_places() -> None:
    class Odd(BaseModel):
        numbered: dict[int, str]
        name: str = ""

    state = state_of(last(Odd, '{"numbered": {"-1": "a"}, "name": "b"}'))

    assert state.at(("numbered", -1)) == "done"
    assert state.at(("name", 0)) == "pending"


def test_copies_of_a_partial_dataclass_and_one_that_is_validated_later_know_their_state() -> None:
    opened = last(Cart, '{"item": {"name": "x", "pri').item
    closed = last(Cart, '{"item": {"name": "x", "Price": 3}, ', validate="final").item

    for copied in (copy.copy(opened), copy.deepcopy(opened)):
        assert state_of(copied).at(("name",)) == "done"
    assert is_partial(closed)
    assert state_of(closed).at(("price",)) == "done"
