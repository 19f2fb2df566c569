"""Where path patterns lead in a model, and what is said of those that lead nowhere."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from streamops import ANY
from streamops.patterns import Pattern, patterns_for
from tests.growing import (
    Address,
    Aliased,
    Box,
    Cat,
    Choices,
    Containers,
    Home,
    Open,
    Pet,
    Special,
    Tags,
    Tree,
    User,
    Validated,
)

LEADS_TO: dict[str, tuple[Any, Pattern, list[Pattern]]] = {
    "no model": (None, ("a", 0, ANY), [("a", 0, ANY)]),
    "the root": (User, (), [()]),
    "a field": (User, ("name",), [("name",)]),
    "a field of an optional model": (User, ("address", "street"), [("address", "street")]),
    "an item": (User, ("tags", 3), [("tags", 3)]),
    "a value of a dict": (User, ("scores", "x"), [("scores", "x")]),
    "a list of models": (list[User], (ANY, "name"), [(ANY, "name")]),
    "a recursive model": (
        Tree,
        ("children", ANY, "parent_of", ANY, "label"),
        [("children", ANY, "parent_of", ANY, "label")],
    ),
    "an alias, or the name": (Aliased, ("first_name",), [("first_name",), ("firstName",)]),
    "one of several aliases": (Aliased, ("any_of",), [("any_of",), ("one",), ("other",)]),
    "a field below an alias": (
        Aliased,
        ("home_address", "street"),
        [("home_address", "street"), ("homeAddress", "street")],
    ),
    "the member of a union that has it": (Choices, ("owner", "name"), [("owner", "name")]),
    "all members of a union": (Choices, ("where", ANY), [("where", ANY)]),
    "a member of a tagged union": (Pet, ("friends", ANY, "lives"), [("friends", ANY, "lives")]),
    "each field": (User, (ANY,), [(ANY,)]),
    "each field that leads on": (
        User,
        (ANY, "street"),
        [("address", "street"), ("scores", "street")],
    ),
    "an extra field": (Open, ("more", "x"), [("more", "x")]),
    "inside anything": (Containers, ("anything", "x", 1), [("anything", "x", 1)]),
    "inside a tuple": (Containers, ("pair", 0, "street"), [("pair", 0, "street")]),
    "inside a dataclass": (Containers, ("point", "x"), [("point", "x")]),
    "inside a root model": (Tags, (0,), [(0,)]),
    "what a validator reads": (Validated, ("parts", 0), [("parts", 0)]),
    "a generic model": (Box[Address], ("value", "street"), [("value", "street")]),
}


@pytest.mark.parametrize(("model", "path", "expected"), LEADS_TO.values(), ids=LEADS_TO)
def test_names_of_fields_become_the_keys_they_are_read_from(
    model: Any, path: Pattern, expected: list[Pattern]
) -> None:
    found = patterns_for(path, model, operator="select")

    assert sorted(found, key=str) == sorted(expected, key=str)


NOWHERE: dict[str, tuple[Any, Pattern, str]] = {
    "no such field": (Address, ("stret",), "is a Address, whose fields are: street, number;"),
    "an alias": (Aliased, ("firstName",), "is a Aliased, whose fields are: first_name, home_"),
    "further down": (User, ("address", "x"), r"at \('address',\) is a Address, whose fields"),
    "an index of a model": (Address, (0,), "whose fields are: street, number; not 0"),
    "a key of a list": (User, ("tags", "x"), r"at \('tags',\) is a list, with indexes or ANY"),
    "an index of a dict": (User, ("scores", 0), "is a dict, with strings or ANY as keys, not 0"),
    "inside a number": (User, ("age", "x"), r"at \('age',\) is a single value"),
    "inside a string": (User, ("name", 0), r"at \('name',\) is a single value"),
    "inside a date": (Special, ("day", "year"), "is a single value"),
    "ANY inside a string": (User, ("name", ANY), "is a single value"),
    "in no member of a union": (
        Pet,
        ("name",),
        "whose fields are: kind, lives, names; not 'name', or is a Dog, whose fields are: kind,",
    ),
    "in one member too little": (
        Home,
        ("first", "friends", 0, "x"),
        r"0\) is a Cat, whose fields are: kind, lives, names; not 'x', or is a Dog, .*; not 'x'$",
    ),
    "below each field": (Cat, (ANY, "x"), "is a single value.*is a list"),
    "a nested alias": (Aliased, ("deep",), "reads 'deep' from inside other keys: give the path in"),
}


@pytest.mark.parametrize(("model", "path", "message"), NOWHERE.values(), ids=NOWHERE)
def test_a_path_that_leads_nowhere_is_an_error_that_names_what_there_is(
    model: Any, path: Pattern, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"(?s)select: .* leads nowhere: .*{message}"):
        patterns_for(path, model, operator="select")


NO_PATH: dict[str, tuple[Any, type[Exception], str]] = {
    "a string": ("name", TypeError, r"select takes a path.* such as \('name',\), not 'name'"),
    "ANY": (ANY, TypeError, r"such as \(ANY,\), not ANY"),
    "a list": (["name"], TypeError, r"such as \('name',\), not \['name'\]"),
    "a list of no keys": ([1.5], TypeError, r'such as \("users", ANY, "name"\), not \[1.5\]'),
    "a float": ((1.5,), TypeError, "select takes a path"),
    "a truth value": ((True,), TypeError, "select takes a path"),
    "None": (None, TypeError, "select takes a path"),
    "an index from the end": (("a", -1), ValueError, "select takes indexes from 0 on, or ANY"),
}


@pytest.mark.parametrize(("path", "error", "message"), NO_PATH.values(), ids=NO_PATH)
def test_what_is_no_path_is_an_error_that_shows_one(
    path: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        patterns_for(path, None, operator="select")


def test_a_model_that_is_no_type_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="select needs a type that pydantic can validate"):
        patterns_for(("a",), "User", operator="select")


def test_any_is_one_object_and_says_its_name() -> None:
    assert repr(("users", ANY)) == "('users', ANY)"
    assert pickle.loads(pickle.dumps(ANY)) is copy.deepcopy(ANY) is ANY
