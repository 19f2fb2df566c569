"""What a model is told of the type that it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    TypeAdapter,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from streamops.schemas import is_object_schema, schema_of
from tests.asked import (
    Boxed,
    Branch,
    Color,
    Movie,
    Page,
    Pair,
    Pet,
    Point,
    Size,
    Tree,
    User,
    create,
)
from tests.openai_rules import violations


class Plain:
    pass


class Meeting(BaseModel):
    title: str
    callback: Callable[[int], str]


@dataclass
class Room:
    name: str
    owner: dict[str, list[Plain]]


class Building(TypedDict):
    rooms: list[Room | None]


class Hotel(TypedDict):
    stars: NotRequired[int]
    guests: NotRequired[list[Plain]]


class Folder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    plain: Annotated[Plain, WithJsonSchema({"type": "string"})]
    parents: list[Folder] = []
    meetings: list[Meeting]


class Parent(BaseModel):
    child: Child
    name: Callable[[], str]


class Child(BaseModel):
    parent: Parent | None


def test_parameters_are_what_pydantic_says_by_alias() -> None:
    class Aliased(BaseModel):
        first_name: str = Field(alias="firstName", min_length=2)
        address: User | None = None

    parameters = schema_of(Aliased).parameters

    assert parameters == TypeAdapter(Aliased).json_schema(by_alias=True, mode="validation")
    assert list(parameters["properties"]) == ["firstName", "address"]


def test_the_root_of_a_recursive_model_is_the_object_itself() -> None:
    parameters = schema_of(Tree).parameters

    assert "$ref" not in parameters
    assert parameters["type"] == "object"
    assert parameters["properties"] == parameters["$defs"]["Tree"]["properties"]


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        (User, "User"),
        (Page[User], "Page_User"),
        (Page[list[User | None]], "Page_list_Union_User_NoneType"),
        (Boxed[int], "Boxed_int"),
        (Annotated[User, Field(title="It")], "User"),
        (dict[str, int], "dict_str_int"),
        (create("Größe", size=(int, ...)), "Gr_e"),
        (create("会议", size=(int, ...)), "Answer"),
        (create("A" * 80, size=(int, ...)), "A" * 64),
    ],
    ids=str,
)
def test_the_name_is_made_of_the_class_name(type_: Any, name: str) -> None:
    made = schema_of(type_).name

    assert made == name or (name.startswith("Page_list") and made.startswith("Page_list"))
    assert schema_of(type_, name="other-1").name == "other-1"


@pytest.mark.parametrize("name", ["", "two words", "a" * 65, "naïve", "a\n"])
def test_a_name_that_no_tool_can_have_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 letters"):
        schema_of(User, name=name)


@pytest.mark.parametrize("bad", [{"name": 1}, {"description": b"x"}], ids=str)
def test_names_and_descriptions_are_text(bad: Any) -> None:
    with pytest.raises(TypeError, match="is a str, not"):
        schema_of(User, **bad)


@pytest.mark.parametrize(
    ("type_", "description"),
    [
        (User, "Somebody who\nsigned up."),
        (Annotated[User, Field(title="It")], "Somebody who\nsigned up."),
        (Page[int], "Some of many."),
        (Boxed[int], "A box."),
        (Movie, "A film."),
        (Tree, ""),
        (type("Admin", (User,), {"__module__": __name__}), ""),
        (Point, ""),
        (Size, ""),
        (RootModel[User], ""),
        (dict[str, int], ""),
        (create("Made", size=(int, ...)), ""),
    ],
    ids=str,
)
def test_the_description_is_the_docstring_that_somebody_wrote(type_: Any, description: str) -> None:
    assert schema_of(type_).description == description
    assert schema_of(type_, description="It.").description == "It."
    assert schema_of(type_, description="").description == ""


def test_nothing_that_is_returned_is_shared() -> None:
    extra: Any = {"examples": [["an example"]]}
    shared = create(
        "Shared",
        __config__=ConfigDict(json_schema_extra=extra),
        inner=(Annotated[str, WithJsonSchema({"type": "string", "enum": ["a", "b"]})], ...),
        tree=(Tree, ...),
    )
    schema = schema_of(shared)
    parameters, strict = deepcopy(schema.parameters), schema.strict()

    spoil(schema.strict())
    assert schema.parameters == parameters
    assert schema.strict() == strict

    spoil(schema.parameters)
    assert schema_of(shared).parameters == parameters
    assert extra == {"examples": [["an example"]]}


def spoil(part: Any) -> None:
    inner = part.values() if hasattr(part, "values") else part
    for value in inner:
        if hasattr(value, "clear"):
            spoil(value)

    part.clear()


def test_what_is_said_of_a_recursive_model_where_it_is_asked_for_counts() -> None:
    parameters = schema_of(Annotated[Branch, Field(description="From the trunk.")]).parameters

    assert parameters["description"] == "From the trunk."
    assert "description" not in parameters["$defs"]["Branch"]
    assert schema_of(Annotated[Branch, Field(title="It")]).parameters["title"] == "It"


def test_the_parts_of_a_recursive_schema_are_apart_from_one_another() -> None:
    parameters = schema_of(Tree).parameters

    parameters["properties"].clear()

    assert parameters["$defs"]["Tree"]["properties"]


OBJECTS = (User, Tree, Page[int], Point, Boxed[int], Movie, dict[str, int], RootModel[User])
OTHERS = (
    str,
    list[User],
    User | Point,
    User | None,
    Pet,
    Color,
    Any,
    None,
    Literal["a"],
    Pair,
    RootModel[list[User]],
    RootModel[User | Point],
)


@pytest.mark.parametrize("type_", OBJECTS, ids=str)
def test_objects_have_a_schema(type_: Any) -> None:
    assert is_object_schema(type_)
    assert schema_of(type_).parameters["type"] == "object"


@pytest.mark.parametrize("type_", OTHERS, ids=str)
def test_what_is_no_object_has_to_be_wrapped_first(type_: Any) -> None:
    assert not is_object_schema(type_)
    with pytest.raises(TypeError, match=r"no object in JSON: wrap .*create_model"):
        schema_of(type_)

    assert schema_of(create("Answer", value=(type_, ...))).name == "Answer"


@pytest.mark.parametrize(
    ("type_", "where"),
    [
        (Meeting, "Meeting.callback: pydantic has no JSON schema for .*Callable"),
        (Page[Meeting], r"Page\[Meeting\].items.callback: .*Callable"),
        (Folder, "Folder.meetings.callback: .*Callable"),
        (Room, r"Room.owner: .*dict\[str, list\[.*Plain"),
        (Building, "Building.rooms.owner: .*Plain"),
        (Hotel, "Hotel.guests: .*Plain"),
        (Parent, "Parent.name: .*Callable"),
        (Plain, "Plain: pydantic has no JSON schema for Plain"),
        (5, "5: pydantic has no JSON schema for 5"),
    ],
    ids=str,
)
def test_a_field_without_a_schema_is_named_by_its_path(type_: Any, where: str) -> None:
    for ask in (schema_of, is_object_schema):
        with pytest.raises(TypeError, match=f"^{where}") as caught:
            ask(type_)

        assert "WithJsonSchema" in str(caught.value)


def test_a_name_that_is_not_defined_is_told_in_the_words_of_pydantic() -> None:
    class Unfinished(BaseModel):
        later: Later  # type: ignore[name-defined]  # pyright: ignore  # noqa: F821, PGH003  # the case

    with pytest.raises(TypeError, match=r"^Unfinished.later: .*Later"):
        schema_of(Unfinished)


def test_a_field_that_says_what_it_is_in_json_needs_no_type_of_pydantic() -> None:
    class Told(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        plain: Annotated[Plain, WithJsonSchema({"type": "string"})]
        skipped: int | SkipJsonSchema[Callable[[], None]] = 0
        chosen: int | Callable[[], None] = 0

    assert violations(schema_of(Told).strict()) == []


def test_a_default_that_json_cannot_say_raises_no_warning() -> None:
    class Odd(BaseModel):
        number: Any = Field(default=Plain(), json_schema_extra={"type": "integer"})

    assert schema_of(Odd).parameters["properties"]["number"] == {
        "title": "Number",
        "type": "integer",
    }
