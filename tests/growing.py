"""Types of all kinds, each with JSON documents that fit it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NewType, Self, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    RootModel,
    Tag,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel
from typing_extensions import TypedDict

T = TypeVar("T")


class Address(BaseModel):
    street: str
    number: int


class User(BaseModel):
    name: str
    age: int
    tags: list[str] = []
    address: Address | None = None
    scores: dict[str, float] = {}
    active: bool = True

    @property
    def greeting(self) -> str:
        return f"Hello {self.name}"


class Admin(User):
    rights: list[str]
    active: bool = False


class Tree(BaseModel):
    label: str
    children: list[Tree] = []
    parent_of: dict[str, Tree] = {}


class Chapter(BaseModel):
    title: str
    book: Book | None = None


class Book(BaseModel):
    title: str
    chapters: list[Chapter] = []


class Choices(BaseModel):
    id: str | int
    owner: User | str
    maybe: str | None
    numbers: list[int | float | None] = []
    where: Address | list[Address] | None = None
    either: User | Address | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int
    names: list[str] = []


class Dog(BaseModel):
    kind: Literal["dog", "puppy"]
    bark: str
    friends: list[Pet] = []


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Home(BaseModel):
    first: Pet
    pets: list[Pet]
    guest: Pet | None = None
    by_name: dict[str, Pet] = {}


def shape_of_data(value: Any) -> str:
    return (
        "cat" if isinstance(value, Cat) or (isinstance(value, dict) and "lives" in value) else "dog"
    )


class Shelter(BaseModel):
    pet: Annotated[
        Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")], Discriminator(shape_of_data)
    ]
    note: str = ""


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Special(BaseModel):
    color: Color
    level: Literal["low", "high", 3]
    day: date
    moment: datetime
    price: Decimal
    id: UUID
    lasts: timedelta
    data: bytes
    shades: list[Color] = []
    named: dict[Color, int] = {}


class Aliased(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    first_name: str
    home_address: Address | None = None
    list_of_tags: list[str] = Field(default=[], alias="tags")
    any_of: str = Field(default="", validation_alias=AliasChoices("one", "other"))
    deep: int = Field(default=0, validation_alias=AliasPath("box", "deep"))


def counted_name(data: dict[str, Any]) -> str:
    return f"{data['count']} times"


class Defaults(BaseModel):
    count: int = 3
    items: list[int] = Field(default_factory=list[int])
    name: str = Field(default_factory=counted_name)
    address: Address = Address(street="Main", number=1)
    nothing: str | None = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str


class OpenToNumbers(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, float]  # pyright: ignore[reportIncompatibleVariableOverride]  # pydantic's way

    name: str


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    inner: tuple[int, ...] = ()


class Constrained(BaseModel):
    name: Annotated[str, Field(min_length=2, max_length=40)]
    count: Annotated[int, Field(ge=0, le=100)]
    items: Annotated[list[int], Field(min_length=1, max_length=5)]
    inner: list[Annotated[str, Field(min_length=1)]] = []


class Box(BaseModel, Generic[T]):
    value: T
    others: list[T] = []


class Linked(BaseModel, Generic[T]):
    value: T
    rest: Linked[T] | None = None
    others: list[Linked[T]] = []


# Generic models can only be pickled if they have a name.
Links = Linked[int]
AddressBox = Box[Address]
NumberBox = Box[int]
TextBox = Box[str]


class Boxes(BaseModel):
    users: AddressBox
    numbers: NumberBox
    texts: TextBox | None = None


def doubled(number: int) -> int:
    return number * 2


def listed(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class Validated(BaseModel):
    number: int
    twice: Annotated[int, AfterValidator(doubled)]
    parts: Annotated[list[str], BeforeValidator(listed)]
    name: str

    @field_validator("number", mode="after")
    @classmethod
    def add_one(cls, number: int) -> int:
        return number + 1

    @model_validator(mode="after")
    def check(self) -> Self:
        assert self.name is not None
        return self


class Holder(BaseModel):
    inner: Validated
    many: list[Validated] = []


class Private(BaseModel):
    unit: ClassVar[str] = "m"
    name: str
    size: int = Field(default=0, repr=False)
    _calls: int = PrivateAttr(default=0)
    _seen: list[str] = PrivateAttr(default_factory=list[str])

    @computed_field
    def length(self) -> int:
        return len(self.name)

    @field_serializer("size")
    def negated(self, size: int) -> int:
        return -size

    @cached_property
    def upper(self) -> str:
        return self.name.upper()


class Privates(BaseModel):
    items: list[Private]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)

    day: date
    parts: tuple[int, str]
    unique: set[int]
    ratio: float
    inner: Address


@dataclass
class Point:
    x: int
    y: int = 0


class Movie(TypedDict, total=False):
    title: str
    year: int


class Pair(NamedTuple):
    left: str
    right: int


class Tags(RootModel[list[str]]):
    pass


UserId = NewType("UserId", int)


class Containers(BaseModel):
    pair: tuple[Address, str]
    many: tuple[int, ...] = ()
    unique: set[int] = set()
    frozen: frozenset[str] = frozenset()
    grid: list[list[int]] = []
    by_number: dict[int, Address] = {}
    by_name: dict[str, list[Address]] = {}
    tags: Tags = Tags([])
    point: Point = Point(0)
    movie: Movie = {}
    row: Pair | None = None
    anything: Any = None
    plain: list[Any] = []
    sequence: Sequence[Address] = []
    owner: UserId = UserId(0)


names = st.text(st.sampled_from('abä"\\\n😀 '), max_size=6)
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
