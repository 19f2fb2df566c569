"""Dataclasses and typed dicts of all kinds."""

from __future__ import annotations

import dataclasses
from dataclasses import InitVar, dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Generic, NotRequired, Required, Self, TypeVar

import pydantic
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
    with_config,
)
from typing_extensions import TypedDict

from tests.documents_by_schema import fitting
from tests.growing import Address
from tests.growing_containers import Stone

T = TypeVar("T")


@dataclass
class Leaf:
    name: str
    size: int = 0
    tags: list[str] = field(default_factory=list[str])


@dataclass(kw_only=True, slots=True, frozen=True)
class Slotted:
    leaf: Leaf
    name: str = "nobody"
    stones: tuple[Stone, ...] = ()


@dataclass
class Base:
    note: str
    hidden: int = field(default=0, repr=False, compare=False)


@dataclass
class Derived(Base):
    unit: ClassVar[str] = "m"
    leaf: Leaf | None = None
    leaves: list[Leaf] = field(default_factory=list[Leaf])
    by_name: dict[str, Derived] = field(default_factory=dict[str, "Derived"])


@dataclass
class Initialized:
    name: str
    scale: InitVar[int] = 2
    size: int = 1
    area: int = field(init=False, default=0)

    def __post_init__(self, scale: int) -> None:
        self.area = self.size * scale


@pydantic.dataclasses.dataclass
class Checked:
    name: Annotated[str, Field(min_length=1)]
    count: int = Field(default=1, ge=0, alias="how_many")
    leaf: Leaf | None = None
    address: Address | None = None


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="allow"), frozen=True, kw_only=True)
class Extended:
    name: str
    inner: list[Checked] = field(default_factory=list[Checked])


@pydantic.dataclasses.dataclass(slots=True)
class Boxed(Generic[T]):
    value: T
    others: list[T] = dataclasses.field(default_factory=list[T])


@pydantic.dataclasses.dataclass
class Ruled:
    """A dataclass with validators, serializers and something computed."""

    number: int
    text: str = "a"
    leaves: list[Leaf] = field(default_factory=list[Leaf])

    @field_validator("number")
    @classmethod
    def check_number(cls, number: int) -> int:
        return number

    @model_validator(mode="after")
    def check(self) -> Self:
        assert self.text is not None
        return self

    @field_serializer("text")
    def shout(self, text: str) -> str:
        return text.upper()

    @computed_field
    def double(self) -> int:
        return self.number * 2


class WithDataclasses(BaseModel):
    leaf: Leaf
    maybe: Slotted | None = None
    many: list[Derived] = []
    by_name: dict[str, Leaf] = {}
    pairs: tuple[Leaf, ...] = ()
    checked: Checked | None = None
    extended: Extended | None = None
    initialized: Initialized | None = None
    ruled: list[Ruled] = []
    last: str = ""


class Total(TypedDict):
    name: str
    size: NotRequired[int]
    address: NotRequired[Address]


class Sparse(TypedDict, total=False):
    key: Required[str]
    inner: Total
    many: list[Total]
    again: Sparse


@with_config(ConfigDict(extra="allow", str_to_lower=False))
class Wide(TypedDict):
    name: Annotated[str, Field(max_length=9)]


@with_config(ConfigDict(extra="forbid"))
class Narrow(TypedDict):
    name: str


class Dated(TypedDict):
    day: date
    note: NotRequired[str]


class Templated(TypedDict, Generic[T]):
    value: T
    others: list[T]


class WithDicts(BaseModel):
    total: Total
    sparse: Sparse | None = None
    wide: Wide | None = None
    narrow: Narrow | None = None
    many: list[Total] = []
    by_name: dict[str, Sparse] = {}
    last: str = ""


class Generics(BaseModel):
    boxed: Boxed[int] | None = None
    boxes: list[Boxed[Leaf]] = []
    templated: Templated[int] | None = None
    templates: list[Templated[Stone]] = []
    last: str = ""


DATACLASSES: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Leaf,
        Slotted,
        Derived,
        Checked,
        Extended,
        Boxed[int],
        Initialized,
        Ruled,
        WithDataclasses,
        list[Leaf],
        Leaf | None,
        dict[str, Derived],
    )
}
DICTS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Total,
        Sparse,
        Wide,
        Narrow,
        Dated,
        Templated[int],
        WithDicts,
        Generics,
        list[Total],
        dict[str, Sparse],
    )
}
