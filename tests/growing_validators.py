"""Models with validators of all kinds."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Self, TypeVar

from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    SkipValidation,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    field_validator,
    model_validator,
)

from tests.documents import few, integers, names, objects
from tests.documents_by_schema import fitting
from tests.growing import Address
from tests.growing_containers import Stone
from tests.outcomes import is_dict

T = TypeVar("T")


def not_negative(number: int) -> int:
    if number < 0:
        raise ValueError("negative")
    return number


def is_fine(value: Any) -> Any:
    return value


def unchanged(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    return handler(value)


def as_text(value: Any) -> str:
    return str(value)


class Checking(BaseModel):
    """Validators of every mode that change nothing."""

    after: Annotated[str, AfterValidator(is_fine)] = ""
    before: Annotated[str, BeforeValidator(is_fine)] = ""
    wrap: Annotated[list[Stone], WrapValidator(unchanged)] = []
    plain: Annotated[
        str, PlainValidator(as_text, json_schema_input_type=str), WithJsonSchema({"type": "string"})
    ] = ""
    items: list[Annotated[Stone, AfterValidator(is_fine)]] = []
    positive: Annotated[int, AfterValidator(not_negative), WithJsonSchema({"minimum": 0})] = 0
    stones: list[Stone] = []
    more: dict[str, Stone] = {}
    number: int = 0
    skipped: SkipValidation[str] = ""
    last: str = ""

    @field_validator("stones", mode="after")
    @classmethod
    def check_stones(cls, stones: list[Stone]) -> list[Stone]:
        return stones

    @field_validator("more", mode="wrap")
    @classmethod
    def check_more(cls, more: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        return handler(more)

    @field_validator("number", mode="before")
    @classmethod
    def check_number(cls, number: Any) -> Any:
        return number

    @field_validator("*")
    @classmethod
    def check_all(cls, value: Any, info: ValidationInfo) -> Any:
        assert info.field_name in cls.model_fields
        return value


class CheckedBefore(BaseModel):
    name: str
    inner: Address | None = None

    @model_validator(mode="before")
    @classmethod
    def check(cls, data: Any) -> Any:
        return data


class CheckedAround(BaseModel):
    name: str
    inner: list[CheckedBefore] = []

    @model_validator(mode="wrap")
    @classmethod
    def check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        return handler(data)


class CheckedAfter(BaseModel):
    low: int
    high: int
    inner: list[CheckedAround] = []

    @model_validator(mode="after")
    def check(self) -> Self:
        if self.low > self.high:
            raise ValueError("upside down")
        return self


class CheckedWithin(BaseModel):
    before: CheckedBefore
    around: CheckedAround | None = None
    after: list[CheckedAfter] = []
    last: str = ""


class Inherited(CheckedAfter):
    name: str = ""

    @field_validator("low")
    @classmethod
    def check_low(cls, low: int) -> int:
        return not_negative(low)


class Generically(BaseModel, Generic[T]):
    value: T
    many: list[T] = []

    @field_validator("value")
    @classmethod
    def check(cls, value: T) -> T:
        return value


class Rewriting(BaseModel):
    """Validators that change what they get."""

    upper: Annotated[str, AfterValidator(str.upper)] = ""
    sorted_: Annotated[list[int], AfterValidator(sorted)] = Field(default=[], alias="sorted")
    split: Annotated[list[str], BeforeValidator(lambda text: str(text).split(","))] = []
    length: Annotated[
        int, PlainValidator(lambda text: len(str(text)), json_schema_input_type=str)
    ] = 0
    numbers: list[Annotated[int, AfterValidator(lambda number: -number)]] = []
    words: list[Annotated[str, AfterValidator(str.title)]] = []
    stones: list[Stone] = []
    last: str = ""

    @field_validator("stones")
    @classmethod
    def by_weight(cls, stones: list[Stone]) -> list[Stone]:
        return sorted(stones, key=lambda stone: stone.weight)


class Unpacked(BaseModel):
    name: str
    weight: int = 0
    stone: Stone | None = None

    @model_validator(mode="before")
    @classmethod
    def unpack(cls, data: Any) -> Any:
        return data["data"] if is_dict(data) and "data" in data else data


class Replaced(BaseModel):
    name: str
    stone: Stone

    @model_validator(mode="after")
    def replace(self) -> Self:
        self.name = self.name[::-1]
        self.stone = Stone(name=self.stone.name + "!")
        return self


class RewritingWithin(BaseModel):
    rewriting: Rewriting
    unpacked: list[Unpacked] = []
    replaced: Replaced | None = None
    last: str = ""


VALIDATORS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Checking,
        CheckedBefore,
        CheckedAround,
        CheckedAfter,
        CheckedWithin,
        Inherited,
        Generically[Stone],
        list[CheckedWithin],
    )
}

_rewriting = objects(
    {},
    {
        "upper": names,
        "sorted": few(integers),
        "split": st.sampled_from(["", "a,b"]),
        "length": names,
        "numbers": few(integers),
        "words": few(names),
        "stones": few(fitting(Stone)),
        "last": names,
    },
)
_unpacked = fitting(Unpacked) | objects({"data": fitting(Unpacked)})

REWRITERS: dict[Any, st.SearchStrategy[Any]] = {
    Rewriting: _rewriting,
    Unpacked: _unpacked,
    Replaced: fitting(Replaced),
    RewritingWithin: objects(
        {"rewriting": _rewriting},
        {"unpacked": few(_unpacked), "replaced": fitting(Replaced), "last": names},
    ),
}
