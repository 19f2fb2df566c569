"""Types that a model is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic import dataclasses as pydantic_dataclasses
from typing_extensions import TypedDict

T = TypeVar("T")

create: Any = create_model
"""The same for fields that are made by a test, of which no type checker knows."""


class Color(Enum):
    """Which color it has."""

    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(Enum):
    ONE = 1
    TWO = "two"
    NONE = None


class User(BaseModel):
    """Somebody who
    signed up.
    """

    name: str
    age: int = 0


class Page(BaseModel, Generic[T]):
    """Some of many."""

    items: list[T]


class Tree(BaseModel):
    label: str
    children: list[Tree] = Field(default=[], description="What grows on it.")
    parent: Tree | None = Field(default=None, description="What it grows on.")
    twin: Tree = Field(description="One like it.")


class Branch(BaseModel):
    label: str
    branches: list[Branch] = []
    next: Branch | None = None


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass
class Boxed(Generic[T]):
    """A box."""

    value: T


@pydantic_dataclasses.dataclass
class Size:
    width: int


class Movie(TypedDict, total=False):
    """A film."""

    title: str
    year: int


class Pair(NamedTuple):
    left: str
    right: int


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog", "puppy"]
    friends: list[Pet] = []


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]


class Extra(BaseModel):
    extra: dict[str, int]


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
