"""How a model says that its fields stream, and what is shown then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel, create_model
from reactivex import operators as rx
from typing_extensions import TypedDict

from streamops import Stream
from streamops import operators as ops
from tests.outcomes import by_offset, shown, through


class Color(Enum):
    RED = "red"
    RUST = "rust"
    BLUE = "blue"


@Stream.grow
class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@Stream.done
class Address(BaseModel):
    street: str
    number: int


class Home(Address):
    rooms: int


class Item(BaseModel):
    id: Annotated[str, Stream.required]
    price: int = 0


class Order(BaseModel):
    title: Annotated[str, Stream.done] = ""
    address: Address | None = None
    home: Home | None = None
    tags: Annotated[list[str], Stream.done] = []
    notes: list[Annotated[str, Stream.done]] = []
    item: Item | None = None
    items: list[Item] = []
    color: Annotated[Color, Stream.grow] = Color.RED
    other: Annotated[Literal["yes", "no", "none", 3] | None, Stream.grow] = None
    size: Size = Size.SMALL


def emitted(model: Any, *chunks: str) -> list[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model)).values


def last(model: Any, text: str) -> Any:
    return emitted(model, text)[-1]


def test_what_is_done_is_shown_when_it_is_finished() -> None:
    assert "title" not in last(Order, '{"title": "Lamp').model_fields_set
    assert last(Order, '{"title": "Lamp"').title == "Lamp"
    assert "tags" not in last(Order, '{"tags": ["a", "b"').model_fields_set
    assert last(Order, '{"tags": ["a", "b"]').tags == ["a", "b"]


def test_items_of_a_list_can_be_done_while_the_list_grows() -> None:
    assert last(Order, '{"notes": ["one", "tw').notes == ["one"]


def test_a_class_that_is_done_is_shown_when_it_is_validated_wherever_it_stands() -> None:
    assert last(Order, '{"address": {"street": "Main"').address is None
    assert last(Order, '{"address": {"street": "Main", "number": 1}').address == Address(
        street="Main", number=1
    )
    assert emitted(list[Address], '[{"street": "A", "number": 1}, {"street": "B"') == [
        [Address(street="A", number=1)]
    ]
    assert emitted(Address, '{"street": "A", "number"', ": 1}") == [Address(street="A", number=1)]


def test_subclasses_stream_as_their_base_class() -> None:
    assert last(Order, '{"home": {"street": "Main", "number": 1').home is None


def test_a_type_can_be_marked_where_it_is_used() -> None:
    assert emitted(Annotated[Item, Stream.done], '{"id": "1"', "}") == [Item(id="1")]


def test_a_model_is_withheld_until_what_is_required_is_there() -> None:
    assert last(Order, '{"item": {"price": 3, ').item is None
    assert last(Order, '{"item": {"price": 3, "id": "').item.id == ""
    assert last(Order, '{"item": {"price": 3, "id": "a1').model_dump(exclude_unset=True) == {
        "item": {"price": 3, "id": "a1"}
    }
    assert last(Order, '{"items": [{"id": "1"}, {"price"').items == [Item(id="1")]


def test_nothing_is_emitted_of_a_root_that_is_withheld() -> None:
    assert emitted(Item, "{", '"price": 1,', ' "id":', ' "a', 'b"', "}") == [
        *emitted(Item, '{"price": 1, "id": "a'),
        *emitted(Item, '{"price": 1, "id": "ab"'),
        Item(id="ab", price=1),
    ]


def test_what_is_required_and_done_is_there_when_it_is_finished() -> None:
    class Row(BaseModel):
        key: Annotated[str, Stream.done, Stream.required]
        text: str

    shown_keys = [row.key for row in emitted(Row, '{"text": "a"', ', "key": "k', '"', "}")]

    assert shown_keys == ["k", "k"]


def test_a_model_without_what_was_required_is_shown_when_it_closes() -> None:
    class Row(BaseModel):
        key: Annotated[str | None, Stream.required] = None
        text: str = ""

    assert emitted(Row, '{"text": "a"', "}") == [Row(text="a")]
    assert emitted(list[Row], '[{"text": "a"}, {"text"') == [[Row(text="a")]]


def test_several_required_fields_are_all_waited_for() -> None:
    class Row(BaseModel):
        first: Annotated[str, Stream.required]
        second: Annotated[int, Stream.required]
        third: str = ""

    count = [len(emitted(Row, text)) for text in ('{"second": 1, ', '{"second": 1, "first": "')]

    assert count == [0, 1]
    assert emitted(Row, '{"first": "a", "third": "') == []


def test_dataclasses_and_typed_dicts_can_be_marked_as_well() -> None:
    @Stream.done
    @dataclass
    class Point:
        x: int
        y: int

    class Movie(TypedDict):
        title: Annotated[str, Stream.done]
        year: Annotated[int, Stream.required]

    class Holder(BaseModel):
        point: Point
        movie: Movie

    assert last(Holder, '{"point": {"x": 1, "y": 2').point is None
    assert last(Holder, '{"point": {"x": 1, "y": 2}').point == Point(1, 2)
    assert last(Holder, '{"movie": {"title": "M"').movie is None
    assert last(Holder, '{"movie": {"year": 1999, "title": "M').movie == {"year": 1999}


def test_a_choice_that_grows_is_guessed_once_only_one_is_left() -> None:
    assert "color" not in last(Order, '{"color": "r').model_fields_set
    assert last(Order, '{"color": "ru').color is Color.RUST
    assert last(Order, '{"color": "b').color is Color.BLUE
    assert last(Order, '{"other": "n').other is None
    assert last(Order, '{"other": "y').other == "yes"
    assert last(Order, '{"other": "no').other is None
    assert last(Order, '{"other": "no"').other == "no"
    assert last(Order, '{"size": "l').size is Size.LARGE


def test_what_is_no_choice_is_not_guessed() -> None:
    assert "color" not in last(Order, '{"color": "rx').model_fields_set


def test_a_choice_without_the_mark_is_shown_when_it_is_finished() -> None:
    class Plain(BaseModel):
        color: Color

    assert "color" not in last(Plain, '{"color": "rus').model_fields_set
    assert last(Plain, '{"color": "rust"').color is Color.RUST


def test_a_mark_is_no_concern_of_pydantic() -> None:
    order = Order.model_validate_json('{"title": "Lamp", "color": "rust"}')

    assert order.model_dump(exclude_unset=True) == {"title": "Lamp", "color": Color.RUST}
    assert "done" not in str(Order.model_json_schema())


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Annotated[int, Stream.grow], "Stream.grow is for a Literal or Enum of strings"),
        (Annotated[Literal[1, 2], Stream.grow], "Stream.grow is for a Literal or Enum of strings"),
        (Annotated[Color, Stream.grow, Stream.done], "both Stream.done and Stream.grow"),
    ],
)
def test_a_mark_that_does_not_fit_raises_when_the_operator_is_built(
    annotation: Any, message: str
) -> None:
    wrong = create_model("Wrong", field=(annotation, ...))

    with pytest.raises(TypeError, match=message):
        ops.to_partial(list[wrong])  # type: ignore[valid-type]  # known at run time only


def test_a_mark_has_the_name_that_it_is_written_with() -> None:
    assert repr(Stream.done) == "Stream.done"


class Numbers(RootModel[list[int]]):
    pass


class Everything(BaseModel):
    id: Annotated[str, Stream.required]
    order: Annotated[Order, Stream.required]
    numbers: Annotated[Numbers, Stream.done] = Numbers([])
    either: Annotated[Item | Address | None, Field(description="one")] = None


texts = st.text(max_size=4)
addresses = st.builds(Address, street=texts, number=st.integers(0, 9))
items = st.builds(Item, id=texts, price=st.integers(0, 20))
orders = st.builds(
    Order,
    title=texts,
    address=addresses,
    tags=st.lists(texts, max_size=3),
    notes=st.lists(texts, max_size=3),
    item=items,
    items=st.lists(items, max_size=3),
    color=st.sampled_from(Color),
    other=st.sampled_from(["yes", "no", "none", 3, None]),
    size=st.sampled_from(Size),
)


@given(
    st.builds(
        Everything,
        id=texts,
        order=orders,
        numbers=st.builds(Numbers, st.lists(st.integers(0, 20), max_size=3)),
        either=st.one_of(st.none(), items, addresses),
    ),
    st.permutations(list(Everything.model_fields)),
    st.lists(st.integers(1, 7), min_size=1, max_size=8),
)
def test_what_is_shown_of_marked_fields_depends_on_the_text_so_far_and_ends_in_the_truth(
    truth: Everything, order: list[str], sizes: list[int]
) -> None:
    dumped = truth.model_dump(mode="json")
    text = json.dumps({name: dumped[name] for name in order})

    looked_at = ops.accumulate_json(), ops.to_partial(Everything), rx.map(shown)
    cut, _ = by_offset(text, sizes, *looked_at)
    in_characters, _ = by_offset(text, [1], *looked_at)

    assert cut == {offset: in_characters[offset] for offset in cut}
    assert in_characters[len(text)] == shown(Everything.model_validate_json(text))
