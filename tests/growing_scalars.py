"""Types of which values appear when they are finished, each in every place it can have."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from importlib.util import find_spec
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from annotated_types import Interval, Len, MultipleOf, Predicate
from hypothesis import strategies as st
from pydantic import (
    UUID4,
    AnyUrl,
    AwareDatetime,
    Base64Bytes,
    Base64Str,
    BaseModel,
    ByteSize,
    ConfigDict,
    EmailStr,
    Field,
    FilePath,
    FiniteFloat,
    HttpUrl,
    ImportString,
    IPvAnyAddress,
    Json,
    JsonValue,
    NaiveDatetime,
    PastDate,
    PositiveInt,
    Secret,
    SecretBytes,
    SecretStr,
    StrictInt,
    StrictStr,
    StringConstraints,
)

from tests.documents import few, integers, names
from tests.documents_by_schema import fitting

T = TypeVar("T")


class Around(BaseModel, Generic[T]):
    """A type in every place that a type can have."""

    one: T
    maybe: T | None = None
    many: list[T] = []
    named: dict[str, T] = {}
    maybe_many: list[T | None] | None = None
    pairs: list[tuple[T, int]] = []
    last: str = ""


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


class Rank(IntEnum):
    FIRST = 1
    SECOND = 2


class Mixed(Enum):
    TEXT = "text"
    NUMBER = 3
    NOTHING = None


class Row(NamedTuple):
    left: str
    right: int = 0


Meters = NewType("Meters", float)


class Told(BaseModel):
    """Scalars of which the config says how they are read and written."""

    model_config = ConfigDict(
        use_enum_values=True,
        val_json_bytes="base64",
        ser_json_bytes="base64",
        ser_json_timedelta="float",
        coerce_numbers_to_str=True,
        str_max_length=20,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    size: Size
    sizes: list[Size] = []
    small: Literal[Size.SMALL, "other"] = "other"
    data: bytes = b""
    lasts: timedelta | None = None
    text: str = ""
    texts: dict[str, str] = {}
    ratio: float = 0.0


class Exact(BaseModel):
    model_config = ConfigDict(strict=True)

    whole: int
    ratio: float = 0.0
    moment: datetime | None = None
    lasts: timedelta | None = None
    size: Size | None = None
    id: UUID | None = None
    price: Decimal | None = None
    data: bytes | None = None
    rows: list[Row] = []
    lax: Annotated[int, Field(strict=False)] = 0
    yes: bool = False
    either: bool | int | str = 0


SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Around[int],
        Around[float],
        Around[bool],
        Around[str],
        Around[None],
        Around[bytes],
        Around[Decimal],
        Around[date],
        Around[datetime],
        Around[time],
        Around[timedelta],
        Around[AwareDatetime],
        Around[PastDate],
        Around[UUID],
        Around[UUID4],
        Around[IPv4Address],
        Around[IPv4Network],
        Around[IPv6Address],
        Around[IPvAnyAddress],
        Around[Path],
        Around[FilePath],
        Around[re.Pattern[str]],
        Around[ZoneInfo],
        Around[AnyUrl],
        Around[HttpUrl],
        Around[SecretStr],
        Around[SecretBytes],
        Around[Secret[int]],
        Around[Base64Bytes],
        Around[Base64Str],
        Around[ByteSize],
        Around[Json[list[int]]],
        Around[Json[Any]],
        Around[Size],
        Around[Rank],
        Around[Mixed],
        Around[Literal["a", "b", 3, None, True]],
        Around[Meters],
        Around[Row],
        Around[JsonValue],
        Around[Any],
        Around[object],
        Around[StrictInt],
        Around[StrictStr],
        Around[FiniteFloat],
        Around[PositiveInt],
        Around[Annotated[int, Field(gt=3, lt=9)]],
        Around[Annotated[list[int], Field(min_length=1, max_length=2)]],
        Around[Annotated[int, Field(gt=0)]],
        Around[Annotated[int, Interval(ge=0, le=9), MultipleOf(3)]],
        Around[Annotated[str, Len(1, 3)]],
        Around[Annotated[str, StringConstraints(pattern="^[a-c]+$")]],
        Around[Annotated[str, Predicate(str.isprintable)]],
        Around[Annotated[Decimal, Field(max_digits=5, decimal_places=2)]],
        Around[Annotated[str, "any metadata"]],
    )
} | {
    Around[complex]: st.fixed_dictionaries({"one": st.sampled_from(["1+2j", "3", 2.5])}),
    Around[NaiveDatetime]: st.fixed_dictionaries(
        {"one": st.datetimes().map(datetime.isoformat)},
        optional={"many": few(st.datetimes().map(datetime.isoformat))},
    ),
    Around[ImportString[Any]]: st.fixed_dictionaries(
        {"one": st.sampled_from(["math.pi", "json.loads"]), "many": st.just(["math.cos"])}
    ),
    Told: st.fixed_dictionaries(
        {"size": st.sampled_from(["s", "l"])},
        optional={
            "sizes": st.lists(st.sampled_from(["s", "l"]), max_size=3),
            "small": st.sampled_from(["s", "other"]),
            "data": st.sampled_from(["", "YWI="]),
            "lasts": st.sampled_from(["PT1S", 3, None]),
            "text": names | integers,
            "texts": st.dictionaries(names, names | integers, max_size=2),
            "ratio": st.floats(0, 1),
        },
    ),
    Exact: fitting(Exact),
}

if find_spec("email_validator"):
    SCALARS[Around[EmailStr]] = fitting(Around[EmailStr])
