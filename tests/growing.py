"""Types of all kinds; documents that fit them are in tests.documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NewType, Self, TypeVar
from uuid import UUID

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
