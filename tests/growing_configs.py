"""Models with serializers, aliases and configs of all kinds."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasGenerator,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WrapSerializer,
    computed_field,
    field_serializer,
    model_serializer,
)
from pydantic.alias_generators import to_camel, to_pascal

from tests.documents import few, names, objects
from tests.documents_by_schema import fitting
from tests.growing import Address
from tests.growing_containers import Stone
from tests.growing_dataclasses import Leaf, Total


class Dumping(BaseModel):
    """Serializers of every mode, which take for granted that there is a value."""

    plain: Annotated[int, PlainSerializer(lambda number: -number)]
    text: Annotated[str, PlainSerializer(lambda text: text.upper(), return_type=str)]
    only_json: Annotated[int, PlainSerializer(lambda number: f"{number:+}", when_used="json")]
    unless_none: Annotated[int | None, PlainSerializer(str, when_used="unless-none")] = None
    wrapped: Annotated[list[int], WrapSerializer(lambda value, handler: handler(value[::-1]))]
    any_: SerializeAsAny[Stone | None] = None
    by_field: date
    by_wrap: list[Stone]
    in_json: int
    always: int | None = None
    items: list[Annotated[int, PlainSerializer(lambda number: -number)]] = []
    last: str = ""

    @field_serializer("by_field")
    def day(self, value: date) -> str:
        return value.isoformat()

    @field_serializer("by_wrap", mode="wrap")
    def names_of(self, value: list[Stone], handler: SerializerFunctionWrapHandler) -> Any:
        return [stone.get("name") for stone in handler(value)]

    @field_serializer("in_json", "always", when_used="json")
    def signed(self, value: int | None) -> str:
        return "none" if value is None else f"{value:+}"


class DumpedWhole(BaseModel):
    name: str
    size: int

    @model_serializer
    def whole(self) -> str:
        return f"{self.name.upper()}: {self.size + 1}"


class DumpedAround(BaseModel):
    name: str
    stones: list[Stone] = []

    @model_serializer(mode="wrap")
    def around(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {"type": "dumped", **handler(self)}


class DumpedWithin(BaseModel):
    dumping: Dumping | None = None
    whole: DumpedWhole | None = None
    around: list[DumpedAround] = []
    last: str = ""

    @computed_field(alias="count", repr=False)
    def counted(self) -> int:
        return len(self.around)


class Lowering(BaseModel):
    model_config = ConfigDict(str_to_lower=True, str_strip_whitespace=True)

    name: str
    names: list[str] = []
    by_name: dict[str, str] = {}
    upper: Annotated[str, StringConstraints(to_upper=True)] = ""
    stripped: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    by_upper: dict[Annotated[str, StringConstraints(to_upper=True)], int] = {}
    one_of: Literal["a", "b"] | str = ""
    named: Address | None = None
    total: Total | None = None
    leaf: Leaf | None = None
    anything: Any = None
    last: str = ""


class Old(BaseModel):
    old: str = Field(default="", deprecated=True)
    older: int = Field(default=0, deprecated="use new")
    new: str = ""


class Camel(BaseModel):
    model_config = ConfigDict(
        alias_generator=AliasGenerator(validation_alias=to_camel, serialization_alias=to_pascal),
        populate_by_name=True,
        serialize_by_alias=True,
    )

    first_name: str
    list_of_stones: list[Stone] = []
    inner_one: Camel | None = None


class ByNameOnly(BaseModel):
    model_config = ConfigDict(validate_by_alias=False, validate_by_name=True)

    first: str = Field(alias="one")
    stone: Stone | None = Field(default=None, alias="two")


class Paths(BaseModel):
    name: str = Field(validation_alias=AliasChoices("name", "title", AliasPath("names", 0)))
    deep: str = Field(default="", validation_alias=AliasPath("box", "in", "box"))
    stone: Stone | None = Field(default=None, validation_alias=AliasPath("stones", 1))
    names: list[str] = []
    last: str = ""


class Deferred(BaseModel):
    model_config = ConfigDict(
        defer_build=True,
        validate_default=True,
        validate_assignment=True,
        revalidate_instances="always",
        arbitrary_types_allowed=True,
        from_attributes=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
        title="Another Name",
        json_schema_extra={"example": 1},
    )

    model_name: str
    """What it is called."""
    stones: list[Stone] = []
    later: Later | None = None


class Later(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    deferred: list[Deferred] = []


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Stone]  # pyright: ignore[reportIncompatibleVariableOverride]  # pydantic's way

    name: str


class Extras(Extra):
    inner: list[Extra] = []


class Ignoring(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: str
    inner: list[Later] = []


class Made(BaseModel):
    """Defaults of all kinds."""

    name: str
    made: list[Stone] = Field(default_factory=lambda: [Stone(name="made")])
    named: str = Field(default_factory=lambda data: f"{data.get('name')}!")
    stone: Stone = Stone(name="default")
    copied: dict[str, list[int]] = {"a": [1]}
    nothing: Any = None


SERIALIZERS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind) for kind in (Dumping, DumpedWhole, DumpedAround, DumpedWithin)
}


def has_distinct_keys(document: dict[str, Any]) -> bool:
    """Return whether keys differ in more than case and spaces: of equal ones, the last counts."""
    dicts: list[dict[str, Any]] = [document.get("by_name", {}), document.get("by_upper", {})]
    return all(len({key.strip().lower() for key in some}) == len(some) for some in dicts)


CONFIGS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind) for kind in (Old, Camel, Deferred, Later, Extra, Extras, Ignoring, Made)
} | {
    Lowering: fitting(Lowering).filter(has_distinct_keys),
    ByNameOnly: objects({"first": names}, {"stone": fitting(Stone), "one": names}),
    Paths: objects(
        {"name": names},
        {
            "box": objects({"in": objects({"box": names})}),
            "stones": few(fitting(Stone)),
            "names": few(names),
            "last": names,
        },
    )
    | objects({"names": few(names, 1)}),
}
