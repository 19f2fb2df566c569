"""Deep, wide, union-heavy and alias-heavy documents, open at their innermost place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Literal, TypeVar, Union

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

from benchmarks.optional_models import optional_twin

T = TypeVar("T")

_HERE = "<here>"
"""Stands in the last item of an open document where its text grows."""


class Leaf(BaseModel):
    text: str
    tags: list[str] = []


class Level(BaseModel):
    name: str
    inner: Level | None = None
    leaf: Leaf | None = None


class OptionalLevel(BaseModel):
    name: str | None = None
    inner: OptionalLevel | None = None
    leaf: OptionalLeaf | None = None


class OptionalLeaf(BaseModel):
    text: str | None = None
    tags: list[str] | None = None


class Entries(BaseModel):
    by_name: dict[str, Leaf]


class Aliased(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    first_name: str
    last_name: str
    street_address: str
    postal_code: str
    home_town: str
    birth_year: int
    phone_number: str = Field(validation_alias=AliasChoices("phoneNumber", "phone", "mobile"))
    email_address: str = Field(validation_alias=AliasChoices("emailAddress", "email", "mail"))
    job_title: str = Field(validation_alias=AliasChoices("jobTitle", "job", "role"))
    leaf: Leaf = Field(validation_alias=AliasChoices("theLeaf", "leaf"))


class Document(BaseModel, Generic[T]):
    before: list[T] = []
    items: list[T] = []


def document_of(item: Any) -> Any:
    generic: Any = Document
    return generic[item]


Prefix = Callable[[int], str]
"""Writes a document with so many closed items, up to the middle of its innermost string."""


@dataclass(frozen=True)
class Case:
    name: str
    item: Any
    beside: Prefix
    """The closed items stand in a list that is closed, too."""
    within: Prefix
    """The closed items stand in the container that is open."""
    look: Callable[[Any], object]
    """Looks at the innermost open place of a partial document."""
    tail: str = 'abcdefghij", "'
    """What grows there, over and over."""
    optional: Any = None
    """The item with all fields optional, where pydantic can read unfinished JSON with that."""

    @property
    def document(self) -> Any:
        """The model of the whole."""
        return document_of(self.item)


def listed(
    name: str,
    item: Any,
    write: Callable[[int, Any], Any],
    look: Callable[[Any], object] = lambda item: item.leaf.tags[-1:],
    optional: Any = None,
) -> Case:
    """Make a case of items; ``write`` makes the item of a number, around a leaf."""

    def closed(count: int) -> list[Any]:
        return [write(number, {"text": "closed", "tags": ["a", "b"]}) for number in range(count)]

    def opened(count: int) -> Any:
        return write(count, {"text": "open", "tags": ["first", _HERE]})

    return Case(
        name,
        item,
        beside=lambda count: _open({"before": closed(count), "items": [opened(count)]}),
        within=lambda count: _open({"before": [], "items": [*closed(count), opened(count)]}),
        look=lambda document: look(document.items[-1]),
        optional=optional,
    )


def deep(levels: int) -> Case:
    def write(number: int, leaf: Any) -> Any:
        level: dict[str, Any] = {"name": f"level {number}", "leaf": leaf}
        for depth in range(levels - 1):
            level = {"name": f"level {depth} of {number}", "inner": level}
        return level

    def look(level: Level) -> object:
        while level.inner is not None:
            level = level.inner
        return level.leaf and level.leaf.tags[-1:]

    return listed(f"deep: {levels} levels", Level, write, look, OptionalLevel)


def wide(fields: int) -> Case:
    names = [f"field_{number}" for number in range(fields - 1)]
    definitions: dict[str, Any] = dict.fromkeys(names, (str, ...))
    model = create_model(f"Wide{fields}", **definitions, leaf=(Leaf, ...))

    def write(number: int, leaf: Any) -> Any:
        return dict.fromkeys(names, f"value {number}") | {"leaf": leaf}

    return listed(f"wide: {fields} fields", model, write, optional=optional_twin(model))


def tagged(members: int) -> Case:
    models = [
        create_model(f"Tagged{number}", **definition, leaf=(Leaf, ...))
        for number, definition in enumerate(map(_tagged_fields, range(members)))
    ]

    def write(number: int, leaf: Any) -> Any:
        return {"kind": f"kind {number % members}", "name": f"name {number}", "leaf": leaf}

    item: Any = Annotated[_union_of(models), Field(discriminator="kind")]
    return listed(f"discriminated union of {members}", item, write)


def plain(members: int) -> Case:
    models = [
        create_model(f"Plain{number}", **definition, leaf=(Leaf, ...))
        for number, definition in enumerate(map(_plain_fields, range(members)))
    ]

    def write(number: int, leaf: Any) -> Any:
        return {f"name_{number % members}": f"name {number}", "leaf": leaf}

    def look(document: Any) -> object:
        # Which member the open item is cannot be known, so it is not shown.
        return document.items[-1:]

    case = listed(f"plain union of {members}", _union_of(models), write)
    return replace(case, look=look)


def _tagged_fields(number: int) -> dict[str, Any]:
    return {"kind": (Literal[f"kind {number}"], ...), "name": (str, ...)}


def _plain_fields(number: int) -> dict[str, Any]:
    return {f"name_{number}": (str, ...)}


def _union_of(models: list[Any]) -> Any:
    members: Any = tuple(models)
    return Union[members]  # noqa: UP007  # | takes no tuple


def aliased() -> Case:
    def write(number: int, leaf: Any) -> Any:
        return {
            "firstName": f"First {number}",
            "lastName": f"Last {number}",
            "streetAddress": f"{number} Innovation Drive",
            "postalCode": "4521",
            "homeTown": "Grand Tech Arena",
            "birthYear": 1980,
            "mobile": "+1 555 0100",
            "mail": f"user{number}@example.com",
            "role": "keynote speaker",
            "theLeaf": leaf,
        }

    return listed("aliases and choices", Aliased, write, optional=optional_twin(Aliased))


def dictionary() -> Case:
    closed = {"text": "closed", "tags": ["a", "b"]}
    opened = {"open": {"text": "open", "tags": ["first", _HERE]}}

    def entries(count: int) -> Any:
        return {f"name {number}": closed for number in range(count)}

    def look(document: Any) -> object:
        return document.items[-1].by_name["open"].tags[-1:]

    return Case(
        "dict of models",
        Entries,
        beside=lambda count: _open(
            {"before": [{"by_name": entries(count)}], "items": [{"by_name": opened}]}
        ),
        within=lambda count: _open({"before": [], "items": [{"by_name": entries(count) | opened}]}),
        look=look,
        optional=optional_twin(Entries),
    )


def long_string() -> Case:
    """Make a case of which the closed part within is earlier text of the open string."""

    def write(_number: int, leaf: Any) -> Any:
        return {"text": leaf["tags"][-1]}

    case = listed("one long string", Leaf, write, lambda leaf: leaf.text, optional_twin(Leaf))

    def within(count: int) -> str:
        return case.within(0) + "long " * 20 * count

    return replace(case, within=within, tail="long ")


CASES = [
    *map(deep, (5, 20, 60)),
    *map(wide, (10, 100, 400)),
    *map(tagged, (2, 8, 20)),
    *map(plain, (2, 8, 20)),
    aliased(),
    dictionary(),
    long_string(),
]


def completed(text: str) -> str:
    """Close the string in which a document breaks off, and all that is open around it."""
    closing = {"{": "}", "[": "]"}
    missing: list[str] = []
    for character in text:
        if character in closing:
            missing.append(closing[character])
        elif missing and character == missing[-1]:
            missing.pop()
    return text + '"' + "".join(reversed(missing))


def _open(document: Any) -> str:
    """Write a document up to the place where it is open."""
    return json.dumps(document).partition(_HERE)[0]
