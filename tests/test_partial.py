"""What partial models promise, apart from the stream that they come from."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import BaseModel, Field, ValidationError, field_serializer

from streamops import operators as ops
from streamops.partial import partial_model, state_of
from streamops.progress import Progress
from tests.growing import Address, Admin, Aliased, Closed, Defaults, Home, Open, Private, Tree, User
from tests.growing_classes import Names
from tests.growing_dataclasses import Boxed, Checked, Initialized, Leaf, Slotted, Total
from tests.outcomes import through


def partials(model: Any, *chunks: str) -> list[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model)).values


def partial(model: Any, text: str) -> Any:
    return partials(model, text)[-1]


def test_the_partial_model_of_a_model_is_made_once() -> None:
    assert partial_model(User) is partial_model(User)
    assert issubclass(partial_model(User), User)


def test_a_subclass_has_a_partial_model_of_its_own() -> None:
    partial_model(User)

    assert partial_model(Admin) is not partial_model(User)
    assert issubclass(partial_model(Admin), Admin)
    assert partial(Admin, '{"rights": ["a", "').rights == ["a", ""]


def test_a_partial_says_in_its_name_what_it_is() -> None:
    assert repr(partial(Address, '{"street": "Ma')) == "Partial[Address](street='Ma', number=None)"


def test_methods_and_properties_of_the_model_work() -> None:
    assert partial(User, '{"name": "Jo').greeting == "Hello Jo"


def test_fields_that_have_not_arrived_show_their_default_or_none() -> None:
    nothing_yet = partial(Defaults, "{")

    assert nothing_yet.count == 3
    assert nothing_yet.items == []
    assert nothing_yet.name == "3 times"
    assert nothing_yet.address == Address(street="Main", number=1)
    assert partial(User, "{").name is None


def test_fields_set_is_what_has_arrived() -> None:
    emitted = partials(User, "{", '"name"', ': "', 'J", "age": 3', ', "nick": 1')

    assert [p.model_fields_set for p in emitted] == [
        set(),
        set(),
        {"name"},
        {"name"},
        {"name", "age"},
    ]


def test_null_and_missing_differ() -> None:
    assert partial(User, '{"address": null, "name": "').model_fields_set == {"address", "name"}
    assert partial(User, '{"name": "').model_fields_set == {"name"}


def test_what_a_default_factory_made_does_not_change_from_partial_to_partial() -> None:
    class Event(BaseModel):
        id: UUID = Field(default_factory=uuid4)
        name: str

    first, second = partials(Event, "{", '"name": "a')

    assert first.id == second.id


def test_aliases_are_read_and_written() -> None:
    emitted = partial(Aliased, '{"firstName": "Jo", "tags": ["a", ')

    assert (emitted.first_name, emitted.list_of_tags) == ("Jo", ["a"])
    assert emitted.model_dump(by_alias=True, exclude_unset=True) == {
        "firstName": "Jo",
        "tags": ["a"],
    }


def test_extra_values_are_kept_where_the_model_allows_them() -> None:
    opened = partial(Open, '{"more": [1, 2')

    assert opened.more == [1]
    assert opened.model_extra == {"more": [1]}
    assert opened.model_fields_set == {"more"}


def test_private_attributes_have_their_defaults() -> None:
    private = partial(Private, '{"name": "Jo')

    assert private._calls == 0
    assert private._seen == []


def test_what_is_computed_shows_none_until_it_can_be_computed() -> None:
    nothing, something = partials(Private, "{", '"name": "Jo')

    assert nothing.length is None
    assert nothing.model_dump() == {"name": None, "size": 0, "length": None}
    assert something.length == 2
    assert something.upper == "JO"


def test_a_field_serializer_is_spared_what_has_not_arrived() -> None:
    class Event(BaseModel):
        day: int

        @field_serializer("day")
        def ordinal(self, day: int) -> str:
            return f"{day + 0}."

    nothing, number = partials(Event, "{", '"day": 1, ')

    assert nothing.model_dump() == {"day": None}
    assert number.model_dump() == {"day": "1."}


def test_a_partial_of_a_frozen_model_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        partial(Closed, '{"name": "Jo').name = "Al"


def test_partials_that_show_the_same_are_equal_and_others_are_not() -> None:
    first, same, other = partials(Address, '{"street": "Ma', '"', ', "number": 1, ')

    assert first == same
    assert same != other
    assert first != Address(street="Ma", number=1)


def test_a_partial_of_a_dataclass_is_an_instance_of_it_with_none_for_what_is_missing() -> None:
    leaf = partial(Leaf, '{"tags": ["a", "b')

    assert isinstance(leaf, Leaf)
    assert repr(leaf) == "Partial[Leaf](name=None, size=0, tags=['a', 'b'])"
    assert dataclasses.asdict(leaf) == {"name": None, "size": 0, "tags": ["a", "b"]}
    assert leaf != Leaf(name="", tags=["a", "b"])


@pytest.mark.parametrize("type_", [Leaf, Slotted, Checked, Boxed[str]])
def test_partials_of_dataclasses_can_be_compared_copied_and_pickled(type_: Any) -> None:
    text = '{"leaf": {"name": "a"}, "others": ["b"], "name": "c'
    original, same = partial(type_, text), partial(type_, text)

    for copied in (
        same,
        copy.copy(original),
        copy.deepcopy(original),
        pickle.loads(pickle.dumps(original)),
    ):
        assert copied == original
        assert type(copied) is type(original)


def test_no_code_of_a_dataclass_runs_before_it_is_whole() -> None:
    *before, last = partials(Initialized, '{"name": "a", ', '"scale": 3, "size": ', "2", "}")

    assert [shown.area for shown in before] == [0] * len(before)
    assert last.area == 6


def test_a_partial_of_a_frozen_dataclass_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        partial(Slotted, '{"name": "a').name = "b"


def test_a_partial_of_a_typed_dict_is_a_dict_of_what_has_arrived() -> None:
    total = partial(Total, '{"size": 3, "name": "a')

    assert total == {"size": 3, "name": "a"}
    assert type(total) is dict


def test_a_partial_of_a_root_model_has_a_root_that_grows() -> None:
    names = partial(Names, '["a", "b')

    assert isinstance(names, Names)
    assert names.root == ["a", "b"]
    assert names.model_dump() == ["a", "b"]
    assert names.model_dump_json() == '["a","b"]'
    assert names[1] == "b"
    assert repr(names) == "Partial[Names](root=['a', 'b'])"


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, BaseModel.model_copy])
def test_a_copy_keeps_its_state(copied: Callable[[Any], Any]) -> None:
    original = partial(User, '{"name": "Jo", "age": 4')

    assert copied(original) == original
    assert state_of(copied(original)).is_complete(("name",))
    assert not state_of(copied(original)).is_complete(("age",))


def test_a_pickled_partial_is_a_partial_without_state() -> None:
    original = partial(Home, '{"first": {"kind": "cat", "lives": 9, "names": ["a')

    restored = pickle.loads(pickle.dumps(original))

    assert restored == original
    assert type(restored) is type(original)
    assert type(restored.first) is type(original.first)
    with pytest.raises(TypeError, match="state_of needs an instance that to_partial emitted"):
        state_of(restored)


def test_the_state_tells_which_paths_are_finished() -> None:
    tree = partial(Tree, '{"label": "a", "children": [{"label": "b"}, {"label": "c')
    state = state_of(tree)

    assert state.is_complete(("label",))
    assert state.is_complete(("children", 0))
    assert state.is_complete(("children", 0, "label"))
    assert not state.is_complete(("children", 1))
    assert not state.is_complete(("children", 1, "label"))
    assert not state.is_complete(("children",))
    assert not state.is_complete(())
    assert not state.is_complete(("parent_of",))
    assert not state.is_complete(("nowhere", "at all"))


def test_a_partial_within_a_partial_has_a_state_of_its_own() -> None:
    tree = partial(Tree, '{"label": "a", "children": [{"label": "b"}, {"label": "c", "chi')

    assert state_of(tree.children[1]).is_complete(("label",))
    assert not state_of(tree.children[1]).is_complete(("children",))
    assert state_of(tree.children[0]).is_complete(())


def test_the_state_goes_by_names_of_fields_and_not_by_aliases() -> None:
    state = state_of(partial(Aliased, '{"firstName": "Jo", "homeAddress": {"number": 1, '))

    assert state.is_complete(("first_name",))
    assert state.is_complete(("home_address", "number"))
    assert not state.is_complete(("home_address",))


def test_of_a_validated_model_everything_there_is_is_finished() -> None:
    state = state_of(Tree(label="a", children=[Tree(label="b")]))

    assert state.is_complete(())
    assert state.is_complete(("children", 0, "label"))
    assert not state.is_complete(("children", 1))
    assert not state.is_complete(("nowhere",))
    assert not state.is_complete((0,))


@pytest.mark.parametrize("other", [None, 3, {"a": 1}, User, Progress])
def test_the_state_of_anything_else_is_a_type_error(other: Any) -> None:
    with pytest.raises(TypeError, match="state_of needs an instance that to_partial emitted"):
        state_of(other)
