"""Root models, models written by hand in part, and other types with a will of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar

from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    RootModel,
)
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from tests.documents_by_schema import fitting
from tests.growing import Address, Pet
from tests.growing_containers import Stone
from tests.growing_dataclasses import Leaf

T = TypeVar("T")


class Names(RootModel[list[str]]):
    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # as pydantic's manual does it
        return iter(self.root)

    def __getitem__(self, index: int) -> str:
        return self.root[index]

    def __len__(self) -> int:
        return len(self.root)


class ByName(RootModel[dict[str, Address]]):
    root: dict[str, Address] = {}


class Word(RootModel[str]):
    pass


class Number(RootModel[int]):
    model_config = ConfigDict(frozen=True)


class TextOrNumber(RootModel[str | int]):
    pass


class OneAddress(RootModel[Address]):
    pass


class SomePet(RootModel[Pet]):
    pass


class Row(RootModel[tuple[int, str]]):
    pass


class Rooted(RootModel[T], Generic[T]):
    pass


class Deep(RootModel["dict[str, Deep] | list[Deep] | str"]):
    pass


class Doubly(RootModel[Names]):
    pass


RootedAddresses = Rooted[list[Address]]
RootedLeaf = Rooted[Leaf]
RootedStones = Rooted[list[Stone]]


class WithRoots(BaseModel):
    names: Names
    by_name: ByName = ByName()
    word: Word = Word("")
    number: Number | None = None
    either: TextOrNumber | None = None
    address: OneAddress | None = None
    pet: SomePet | None = None
    row: Row | None = None
    rooted: RootedStones | None = None
    deep: Deep | None = None
    many: list[Word] = []
    numbers: set[Number] = set()
    addresses: list[OneAddress] = []
    doubly: Doubly | None = None
    last: str = ""


class Initial(BaseModel):
    """Has an ``__init__`` of its own."""

    name: str
    size: int = 0

    def __init__(self, **data: Any) -> None:
        super().__init__(**{"size": 7, **data})


class Prepared(BaseModel):
    name: str
    children: list[Prepared] = []
    _upper: str = PrivateAttr(default="")
    _count: int

    def model_post_init(self, context: Any, /) -> None:
        self._upper = self.name.upper()
        self._count = len(self.children)


class Fixed(BaseModel):
    unit: ClassVar[int] = 3
    limit: Final[int]
    name: str = Field(frozen=True)
    note: str = Field(default="", exclude=True, repr=False)
    made: int = Field(default=1, init=False)
    checked: int = Field(default="3", validate_default=True)
    old: Literal["x"] = "x"


class Compared(BaseModel):
    name: str
    tags: list[str] = []

    __slots__ = ("memory",)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Compared) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.name}>"

    def __str__(self) -> str:
        return f"<{self.name}>"

    def __len__(self) -> int:
        return len(self.tags)


class Own:
    """Tells pydantic by itself how it is read and written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda own: own.text, when_used="unless-none"
            ),
        )


class Wrapped(BaseModel):
    """A model that changes its own core schema."""

    name: str
    size: int = 0

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        return core_schema.no_info_before_validator_function(
            lambda data: {"name": data} if isinstance(data, str) else data, schema
        )


class Selfish(BaseModel):
    name: str
    next: Self | None = None
    others: list[Self] = []


class Owner(BaseModel):
    initial: Initial
    prepared: Prepared | None = None
    fixed: Fixed | None = None
    compared: list[Compared] = []
    own: Own | None = None
    owns: list[Own] = []
    wrapped: list[Wrapped] = []
    selfish: Selfish | None = None
    last: str = ""


Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | int | float | bool | None")
Chain = TypeAliasType("Chain", "tuple[Stone, Chain | None]")
Several = TypeAliasType("Several", list[T] | T, type_params=(T,))
Ids = TypeAliasType("Ids", Annotated[list[int], Field(max_length=3)])


class Aliases(BaseModel):
    json_: Json = None
    chain: Chain | None = None
    several: Several[int] = 0
    stones: Several[Stone] | None = None
    ids: Ids = []
    last: str = ""


ROOTS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Names,
        ByName,
        Word,
        Number,
        TextOrNumber,
        OneAddress,
        SomePet,
        Row,
        RootedAddresses,
        RootedLeaf,
        Deep,
        Doubly,
        WithRoots,
        list[Names],
    )
}
CLASSES: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Initial,
        Prepared,
        Fixed,
        Compared,
        Own,
        Wrapped,
        Selfish,
        Owner,
        Json,
        Chain,
        Several[int],
        Aliases,
        list[Own],
    )
}
