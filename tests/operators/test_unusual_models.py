"""What `to_partial` promises for models with a will of their own."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Any, ClassVar
from uuid import UUID, uuid4

import pytest
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    OnErrorOmit,
    PlainSerializer,
    field_validator,
    model_serializer,
    model_validator,
)

from streamops import operators as ops
from streamops.partial import state_of
from streamops.testing import chunked
from tests.growing_dataclasses import Initialized
from tests.outcomes import Outcome, through

SIZES = (1, 3, 7, 1000)


def partials(text: str, size: int, model: Any) -> Outcome[Any]:
    """Return what comes of a text in chunks of a size."""
    return through(chunked(text, size), ops.accumulate_json(), ops.to_partial(model))


class Person(BaseModel):
    name: str


class Team(BaseModel):
    people: list[Person]
    size: int

    @field_validator("people", mode="before")
    @classmethod
    def from_names(cls, people: Any) -> Any:
        return [{"name": person} if isinstance(person, str) else person for person in people]


class Renamed(BaseModel):
    person: Person
    done: bool

    @model_validator(mode="before")
    @classmethod
    def from_full(cls, data: Any) -> Any:
        return {**data, "person": {"name": data["person"]["full"]}}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("model", "text"),
    [
        (Team, '{"people": ["Jo", {"name": "Al"}], "size": 2}'),
        (Renamed, '{"person": {"full": "Jo Do"}, "done": true}'),
    ],
    ids=["a validator of the field", "a validator of the model"],
)
def test_what_a_validator_rewrites_is_judged_when_it_has(
    model: type[BaseModel], text: str, size: int
) -> None:
    received = partials(text, size, model)

    assert received.error is None
    assert received.values[-1] == model.model_validate_json(text)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_validator_could_rewrite_and_does_not_ends_in_one_mismatch(size: int) -> None:
    text = '{"people": [{"nickname": "Al"}], "size": 2}'

    received = partials(text, size, Team)

    assert "people.0.name" in str(received.error)
    assert getattr(received.error, "path", None) == ()


class Inner(BaseModel):
    id: UUID = Field(default_factory=uuid4)
    text: str


class Middle(BaseModel):
    inner: Inner
    rest: str


class Outer(BaseModel):
    middle: Middle
    rest: str


def test_a_closed_model_keeps_what_its_default_factory_made() -> None:
    text = '{"middle": {"inner": {"text": "a"}, "rest": "bcd"}, "rest": "efg"}'

    shown = partials(text, 2, Outer).values[:-1]
    inner = [
        partial.middle.inner
        for partial in shown
        if state_of(partial).is_complete(("middle", "inner"))
    ]

    assert len(inner) > 2
    assert all(model is inner[0] for model in inner)


class Sorted(BaseModel):
    people: list[Person]

    @field_validator("people")
    @classmethod
    def by_name(cls, people: list[Person]) -> list[Person]:
        return sorted(people, key=lambda person: person.name)


class Meeting(BaseModel):
    team: Sorted
    room: str


def test_what_a_validator_made_of_closed_models_stays_as_it_made_it() -> None:
    text = '{"team": {"people": [{"name": "B"}, {"name": "A"}]}, "room": "long name"}'

    shown = partials(text, 2, Meeting).values

    assert [person.name for person in shown[-2].team.people] == ["A", "B"]


class Registered(BaseModel):
    known: ClassVar[list[str]] = []

    def __init_subclass__(cls, *, kind: str, **_: Any) -> None:
        cls.known.append(kind)


class Note(Registered, kind="note"):
    text: str


def test_hooks_for_subclasses_do_not_see_the_partial() -> None:
    shown = partials('{"text": "a"}', 2, Note).values

    assert shown[-1] == Note(text="a")
    assert Registered.known == ["note"]


def test_a_field_may_have_the_name_of_a_method_of_pydantic() -> None:
    with pytest.warns(UserWarning, match="shadows an attribute"):

        class Document(BaseModel):
            copy: str  # type: ignore[assignment]  # the point of this test
            other: str

    shown = partials('{"copy": "abc", "other": "d"}', 3, Document).values

    assert {type(partial.copy) for partial in shown} == {str, type(None)}


def broken() -> str:
    raise RuntimeError("no default today")


class Broken(BaseModel):
    text: str = Field(default_factory=broken)
    more: str


def test_a_default_that_cannot_be_made_is_not_needed() -> None:
    shown = partials('{"text": "a", "more": "bcd"}', 2, Broken).values

    assert shown[0].text is None
    assert shown[-1] == Broken(text="a", more="bcd")


class Named(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    title: str = Field(alias="name")
    other: str = Field(default="", validation_alias=AliasChoices("first", "second"))
    rest: str = ""


@pytest.mark.parametrize("size", SIZES)
def test_of_two_keys_for_one_field_the_one_that_pydantic_prefers_stays(size: int) -> None:
    text = '{"name": "a", "title": "b", "first": "c", "second": "d", "rest": "efg"}'

    shown = partials(text, size, Named).values

    assert {partial.title for partial in shown} <= {None, "", "a"}
    assert {partial.other for partial in shown} <= {None, "", "c"}
    assert shown[-1] == Named.model_validate_json(text)


class Odd(BaseModel):
    model_config = ConfigDict(extra="allow")

    title: str = Field(default="none", alias="name")


def test_an_extra_value_may_have_the_name_of_a_field_with_an_alias() -> None:
    *_, last = partials('{"title": "a", "name": "bcd', 2, Odd).values

    assert last.title == "bcd"
    assert last.model_extra == {"title": "a"}


class Failing(BaseModel):
    text: str
    rest: str

    @field_validator("text")
    @classmethod
    def fail(cls, text: str) -> str:
        raise RuntimeError(f"no {text} today")


@pytest.mark.parametrize("size", SIZES)
def test_what_a_validator_raises_that_pydantic_lets_through_ends_the_stream(size: int) -> None:
    received = partials('[{"text": "a", "rest": "b"}]', size, list[Failing])

    assert isinstance(received.error, RuntimeError)
    assert str(received.error) == "no a today"


class Tolerant(BaseModel):
    people: list[OnErrorOmit[Person]]
    numbers: list[OnErrorOmit[int]]
    rest: str


@pytest.mark.parametrize("size", SIZES)
def test_items_that_may_be_omitted_do_not_end_the_stream(size: int) -> None:
    text = '{"people": [{"name": "a"}, {"nick": 1}], "numbers": [1, "x", 3], "rest": "abc"}'

    received = partials(text, size, Tolerant)

    assert received.error is None
    assert received.values[-1] == Tolerant.model_validate_json(text)


class Lazy(BaseModel):
    numbers: Iterable[int]
    rest: str


def test_what_pydantic_reads_lazily_can_be_read_once_the_model_is_there() -> None:
    *before, last = partials('{"numbers": [1, 2], "rest": "abc"}', 3, Lazy).values

    assert {partial.numbers for partial in before} == {None}
    assert list(last.numbers) == [1, 2]


def test_of_a_dataclass_only_what_its_init_takes_is_read() -> None:
    text = '{"area": 7, "scale": 3, "size": 5, "name": "abc"}'

    *before, last = partials(text, 3, Initialized).values

    assert {partial.area for partial in before} == {0}
    assert (last.size, last.area) == (5, 15)


class Mutable(BaseModel):
    tags: list[str] = []
    name: str


def test_a_default_that_a_consumer_changes_is_not_the_default_of_other_streams() -> None:
    partials('{"name": "a', 3, Mutable).values[0].tags.append("changed")

    assert partials('{"name": "a', 3, Mutable).values[0].tags == []
    assert Mutable(name="a").tags == []


class Handmade(BaseModel):
    name: str
    data: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("at_"):
            return self.data[name.removeprefix("at_")]
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(self.data)

    def __contains__(self, key: str) -> bool:
        return key in self.data


class Handmades(BaseModel):
    items: list[Handmade]


def test_special_methods_of_a_model_see_what_has_arrived() -> None:
    *_, last = partials('{"items": [{"data": {"a": 1, "b": 2', 5, Handmades).values

    assert last.items[0].at_a == 1
    assert len(last.items[0]) == 1
    assert "b" not in last.items[0]
    assert not hasattr(last.items[0], "nothing")
    assert copy.deepcopy(last) == last


class Told(BaseModel):
    name: str
    size: int

    @model_serializer
    def told(self) -> str:
        return f"{self.name.upper()} {self.size + 1}"


class Stringly(BaseModel):
    told: Told
    number: Annotated[int, PlainSerializer(str)]
    word: Annotated[str, PlainSerializer(lambda word: word[0])]


def test_serializers_write_what_they_can_and_pydantic_writes_the_rest() -> None:
    text = '{"told": {"name": "a", "size": 2}, "number": 3, "word": "bc"}'

    dumps = [partial.model_dump() for partial in partials(text, 1, Stringly).values]

    assert dumps[0] == {"told": None, "number": None, "word": None}
    assert {"told": {"name": "a", "size": None}, "number": None, "word": None} in dumps
    assert {"told": "A 3", "number": "3", "word": ""} in dumps
    assert dumps[-1] == {"told": "A 3", "number": "3", "word": "b"}


class Retired(BaseModel):
    old: str = Field(deprecated="use new")
    new: str = ""


def test_only_who_reads_a_deprecated_field_is_warned() -> None:
    *_, last = partials('{"old": "a", "new": "b', 3, Retired).values

    assert last.model_dump() == {"old": "a", "new": "b"}
    assert last == copy.deepcopy(last)
    with pytest.warns(DeprecationWarning, match="use new"):
        assert last.old == "a"


def test_a_model_that_was_made_in_a_function_may_refer_to_itself() -> None:
    class Local(BaseModel):
        name: str
        next: Local | None = None
        others: list[Local] = []

    *_, last = partials('{"name": "a", "next": {"others": [{"name": "b', 4, Local).values

    assert last.next.others[0].name == "b"


class Missing(Enum):
    KNOWN = "known"

    @classmethod
    def _missing_(cls, value: object) -> Missing | None:
        return cls.KNOWN if isinstance(value, str) else None


class Ranked(BaseModel):
    rank: Missing
    rest: str


def test_an_enum_may_say_what_an_unknown_value_is() -> None:
    shown = partials('{"rank": "unknown", "rest": "ab"}', 3, Ranked).values

    assert {partial.rank for partial in shown} == {None, Missing.KNOWN}
