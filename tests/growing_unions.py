"""Unions of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag
from typing_extensions import TypedDict

from tests.documents_by_schema import fitting
from tests.outcomes import is_dict

T = TypeVar("T")


class Small(BaseModel):
    name: str


class Large(BaseModel):
    """Has all that Small has."""

    name: str
    size: int
    parts: list[Small] = []


class Loose(BaseModel):
    name: str | None = None
    note: str = ""


class Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str


class Plain(BaseModel):
    """Unions that pydantic decides by what fits best."""

    one: Small | Large
    other: Large | Small | None = None
    loose: Loose | Large | None = None
    forbidding: Forbidding | Large | None = None
    many: list[Small | Large | str] = []
    some_or_one: Small | list[Small] | None = None
    nested: Small | list[Large | list[Small]] | dict[str, Large] | None = None
    named: dict[str, Small | list[int]] = {}
    last: str = ""


class Atoms(BaseModel):
    number: int | float | None = None
    text: int | str | None = None
    yes: bool | int | str | None = None
    day: date | str | None = None
    moment: date | datetime | None = None
    id: UUID | int | str | None = None
    word: Literal["a", "b"] | int | None = None
    words: Literal["a"] | str | None = None
    many: list[int | str | bool | None] = []
    lists: list[int] | list[str] | None = None
    dicts: dict[str, int] | dict[str, str] | None = None
    tuples: tuple[int, int] | list[str] | None = None
    sets: set[int] | str | None = None
    last: str = ""


class LeftToRight(BaseModel):
    """Unions of which the first that fits is taken."""

    text: int | str = Field(default=0, union_mode="left_to_right")
    number: float | int = Field(default=0, union_mode="left_to_right")
    yes: bool | str = Field(default=False, union_mode="left_to_right")
    day: Annotated[date | str, Field(union_mode="left_to_right")] = ""
    model: Small | Large | None = Field(default=None, union_mode="left_to_right")
    either: Annotated[list[int] | list[str], Field(union_mode="left_to_right")] = []
    many: list[Annotated[int | str, Field(union_mode="left_to_right")]] = []
    last: str = ""


class Kind(StrEnum):
    CIRCLE = "circle"
    DOT = "dot"


class Circle(BaseModel):
    kind: Literal[Kind.CIRCLE, Kind.DOT]
    radius: int
    note: str = ""


class Square(BaseModel):
    kind: Literal["square", "rectangle"] = "square"
    side: int
    inside: list[Shape] = []


class Numbered(BaseModel):
    kind: Literal[1, 2]
    names: list[str] = []


class Flagged(BaseModel):
    kind: Literal[True] = True
    note: str = ""


Shape = Annotated[Circle | Square | Numbered, Field(discriminator="kind")]
MaybeShape = Annotated[Circle | Square | None, Field(discriminator="kind")]


class Black(BaseModel):
    pet: Literal["cat"]
    color: Literal["black"]
    name: str = ""


class White(BaseModel):
    pet: Literal["cat"]
    color: Literal["white"]
    lives: int = 9


class Parrot(BaseModel):
    pet: Literal["parrot"]
    words: list[str] = []


AnyCat = Annotated[Black | White, Field(discriminator="color")]
AnyPet = Annotated[AnyCat | Parrot, Field(discriminator="pet")]


class Shapes(BaseModel):
    shape: Shape
    pet: AnyPet | None = None
    shapes: list[Shape] = []
    by_name: dict[str, AnyPet] = {}
    maybe: list[Shape | None] = []
    shape_or_text: Shape | str = ""
    shape_or_shapes: Shape | list[Shape] | None = None
    optional: Small | Circle | None = Field(default=None)
    last: str = ""


class Renamed(BaseModel):
    kind: Literal["renamed"] = Field(alias="type")
    value: str


class Named(BaseModel):
    kind: Literal["named"] = Field(validation_alias="type")
    name: str = ""
    next: Aliases | None = None


Aliases = Annotated[Renamed | Named, Field(discriminator="kind")]


class Record(TypedDict):
    kind: Literal["record"]
    title: str


class Entry(TypedDict, total=False):
    entry: int
    title: str


@dataclass
class Spot:
    kind: Literal["spot"]
    x: int
    y: int = 0


@dataclass
class Place:
    place: str
    spots: list[Spot]


class Others(BaseModel):
    """Unions of what are no models."""

    tagged: Annotated[Record | Spot | Circle, Field(discriminator="kind")]
    records: Record | Entry | None = None
    classes: Spot | Place | None = None
    both: list[Place | Entry] = []
    model_or: Small | Spot | Record | None = None
    last: str = ""


def which(value: Any) -> str | None:
    if isinstance(value, str):
        return "text"

    if is_dict(value):
        return "large" if "size" in value else "small"

    return "large" if isinstance(value, Large) else "small" if isinstance(value, Small) else None


Chosen = Annotated[
    Annotated[Small, Tag("small")] | Annotated[Large, Tag("large")] | Annotated[str, Tag("text")],
    Discriminator(which),
]


class Called(BaseModel):
    """A union that a function decides."""

    chosen: Chosen
    many: list[Chosen] = []
    named: dict[str, Chosen] = {}
    last: str = ""


class ShapeRoot(RootModel[Shape]):
    pass


class Node(BaseModel, Generic[T]):
    """A discriminated union in a generic model that refers to itself."""

    value: T
    pet: AnyPet | None = None
    shapes: list[Shape] = []
    children: list[Node[T]] = []
    by_name: dict[str, Node[T] | str] = {}


NodeOfShape = Node[Shape]
NodeOfPet = Node[AnyPet]
NodeOfNumber = Node[int]
NodeOfText = Node[str]


class Holding(BaseModel):
    node: NodeOfShape | None = None
    root: ShapeRoot | None = None
    roots: list[ShapeRoot] = []
    either: NodeOfNumber | NodeOfText | None = None


UNIONS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Plain,
        Atoms,
        Shapes,
        Others,
        Aliases,
        Called,
        ShapeRoot,
        NodeOfShape,
        NodeOfPet,
        NodeOfNumber,
        Holding,
        Small | Large,
        Small | list[Small],
        list[Small] | list[int],
        list[Shape],
        Shape,
        MaybeShape,
        AnyPet,
        Chosen,
        Spot | Place,
        Record | Entry,
        int | str,
        date | str,
        Small | None,
        Numbered | Flagged,
        dict[str, Shape | int],
    )
}

UNIONS[LeftToRight] = st.fixed_dictionaries(
    {},
    optional={
        "text": st.sampled_from(["12", "ab", 12]),
        "number": st.sampled_from([1, 1.5, "2"]),
        "yes": st.sampled_from(["true", "no", True]),
        "day": st.sampled_from(["2020-01-02", "ab", 0]),
        "model": fitting(Large),
        "either": st.sampled_from([[1, "2"], ["1", "2"], ["a"]]),
        "many": st.lists(st.sampled_from(["12", "ab", 12]), max_size=3),
        "last": st.text("ab", max_size=3),
    },
)
