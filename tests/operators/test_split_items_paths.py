"""What `split_items` promises of several lists: by ANY, by a mapping, and of objects."""

from __future__ import annotations

from typing import Any

import pytest
import reactivex

from streamops import ANY, IncrementalParser
from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.operators import ItemResult, Tagged
from streamops.patterns import Pattern
from streamops.testing import Stage, chunked
from tests.growing import Address, Cat, Dog, Pet, User
from tests.outcomes import through, values

TEAMS = """{"teams": [
    {"name": "red", "members": [{"kind": "cat", "lives": 9}], "lead": null},
    {"name": "blue"},
    {"members": [], "name": "none"},
    {"members": null},
    {"members": [{"kind": "dog", "bark": "wow"}, {"lives": 7, "kind": "cat"}]}
], "members": [1]}"""

SEVERAL: dict[str, tuple[Any, Pattern, str, list[Any]]] = {
    "lists in a list": (
        Pet,
        ("teams", ANY, "members"),
        TEAMS,
        [Cat(kind="cat", lives=9), Dog(kind="dog", bark="wow"), Cat(kind="cat", lives=7)],
    ),
    "one of them": (Pet, ("teams", 0, "members"), TEAMS, [Cat(kind="cat", lives=9)]),
    "a list of lists": (int, (ANY,), "[[1, 2], [], [3]]", [1, 2, 3]),
    "a list of lists of lists": (int, (ANY, ANY), "[[[1], [2]], [], [[3]]]", [1, 2, 3]),
    "a list in each value": (
        int,
        (ANY, "list"),
        '{"a": {"list": [1]}, "b": {}, "c": 3, "d": {"list": [2, 3]}}',
        [1, 2, 3],
    ),
    "the values of an object": (int, ("counts",), '{"counts": {"a": 1, "b": 2}}', [1, 2]),
    "the values of the root": (
        Address,
        (),
        '{"home": {"street": "a", "number": 1}, "work": {"street": "b", "number": 2}}',
        [Address(street="a", number=1), Address(street="b", number=2)],
    ),
    "lists as values": (list[int], (), '{"a": [1, 2], "b": []}', [[1, 2], []]),
    "an object without values": (int, (), "{}", []),
    "objects and lists": (int, (ANY,), '[{"a": 1}, [2], null, {}]', [1, 2]),
    "the values of a repeated key": (int, ("a", "b"), '{"a": {"b": [1]}, "a": {"b": [2]}}', [1, 2]),
    "no place at all": (int, ("a", ANY, "b"), '{"c": 1}', []),
    "no list on the way": (int, ("a", ANY, "b"), '{"a": "text"}', []),
    "scalars on the way": (int, (ANY, "b"), '[1, "b", null, {"b": [2]}, true]', [2]),
    "a list in a tuple of unlike things": (int, (1, ANY, "x"), '["x", [{"x": [1]}], [2]]', [1]),
    "an escaped key": (int, ('a"\n',), '{"a\\u0022\\n": [1]}', [1]),
    "a key of half a surrogate pair": (int, ("a\ufffd",), '{"a\\ud83d": [1]}', [1]),
    "a key that is a digit": (int, (ANY, "0"), '[{"0": [1]}, [[2]]]', [1]),
}


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(("item", "path", "text", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_all_lists_that_a_path_leads_to_are_read_in_the_order_of_the_text(
    item: Any, path: Pattern, text: str, expected: list[Any], size: int
) -> None:
    received = through(chunked(text, size), ops.accumulate_json(), ops.split_items(item, path))

    assert received.error is None
    assert received.completed
    assert received.values == expected


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("path", [(ANY,), ("a",)])
def test_where_a_list_should_be_anything_else_is_a_mismatch_after_the_items_before_it(
    path: Pattern, size: int
) -> None:
    received = through(
        chunked('{"b": [1, 2], "a": "text", "c": [3]}', size),
        ops.accumulate_json(),
        ops.split_items(int, path),
    )

    assert received.values == ([1, 2] if path == (ANY,) else [])
    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == ("a",)
    assert received.error.validation_error.errors()[0]["input"] == "text"


def test_items_of_nested_lists_come_at_their_closing_delimiter() -> None:
    stage = Stage()
    source = "-a-b-c-d-|"
    result = "---x-y-z-|"

    chunks = stage.cold(source, a='[{"n": [1', b=", 2", c=']}, {"n": [', d="3]}]")
    numbers = chunks.pipe(ops.accumulate_json(), ops.split_items(int, (ANY, "n")))

    assert stage.run(numbers) == stage.expect(result, x=1, y=2, z=3)


BOTH = """{"users": [{"name": "Jo", "age": 1}], "title": "x",
    "events": ["start", "end"], "note": [0]}"""
JO = User(name="Jo", age=1)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_mapping_reads_several_lists_in_one_pass_and_tags_each_item_with_its_list(
    size: int,
) -> None:
    received = through(
        chunked(BOTH, size),
        ops.accumulate_json(),
        ops.split_items({"events": str, "users": User}),
    )

    assert received.completed
    assert received.values == [("users", JO), ("events", "start"), ("events", "end")]
    assert all(isinstance(tagged, Tagged) for tagged in received.values)
    assert [f"{tag}: {item}" for tag, item in received.values[1:]] == [
        "events: start",
        "events: end",
    ]


def test_the_tag_is_the_key_of_the_mapping_as_it_was_given() -> None:
    text = '{"teams": [{"members": [1]}, {"members": [2]}], "solo": {"a": 3}}'
    lists = {("teams", ANY, "members"): int, ("solo",): int}

    received = through([text], ops.accumulate_json(), ops.split_items(lists))

    assert received.values == [
        (("teams", ANY, "members"), 1),
        (("teams", ANY, "members"), 2),
        (("solo",), 3),
    ]


def test_with_results_a_tagged_item_is_the_result() -> None:
    received = through(
        ['{"a": [1], "b": ["x"]}'],
        ops.accumulate_json(),
        ops.split_items({"a": int, "b": int}, on_invalid="result"),
    )

    assert received.values[0] == ("a", ItemResult(0, 1, None, "1", ("a", 0)))
    tag, result = received.values[1]
    assert (tag, result.index, result.value, result.text) == ("b", 0, None, '"x"')
    assert result.error is not None
    assert result.error.path == ("b", 0)


@pytest.mark.parametrize(
    ("on_invalid", "expected"), [("skip", [("a", 1), ("b", 2)]), ("raise", [("a", 1)])]
)
def test_an_invalid_item_of_one_of_several_lists_is_treated_as_of_one(
    on_invalid: Any, expected: list[Any]
) -> None:
    received = through(
        ['{"a": [1], "b": ["x", 2]}'],
        ops.accumulate_json(),
        ops.split_items({"a": int, "b": int}, on_invalid=on_invalid),
    )

    assert received.values == expected
    assert isinstance(received.error, SchemaMismatch) is (on_invalid == "raise")


def test_one_of_several_lists_need_not_come() -> None:
    lists = {"users": User, "events": str}

    received = through(
        [BOTH.replace("users", "people")], ops.accumulate_json(), ops.split_items(lists)
    )

    assert received.completed
    assert [tag for tag, _ in received.values] == ["events", "events"]


@pytest.mark.parametrize("size", [1, 1000])
def test_if_none_of_several_lists_comes_that_is_a_mismatch(size: int) -> None:
    received = through(
        chunked('{"people": [1]}', size),
        ops.accumulate_json(),
        ops.split_items({"users": int, ("log", "events"): int}),
    )

    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == ()
    assert "split_items needs one of these lists" in str(received.error)
    missing = received.error.validation_error.errors()
    assert [details["loc"] for details in missing] == [("users",), ("log", "events")]


def test_a_list_that_is_null_has_come() -> None:
    received = through(
        ['{"users": null}'], ops.accumulate_json(), ops.split_items({"users": int, "events": int})
    )

    assert received.values == []
    assert received.completed


@pytest.mark.parametrize(
    ("lists", "path", "error", "message"),
    [
        ({}, None, ValueError, "split_items needs a list to read, such as"),
        ({"a": int}, ("a",), TypeError, r"the keys of a mapping are its paths: leave out path"),
        ({3: int}, None, TypeError, "split_items takes a path"),
        ({("a", -1): int}, None, ValueError, "indexes from 0 on"),
        ({"a": 3}, None, TypeError, "split_items needs a type that pydantic can validate"),
    ],
)
def test_a_wrong_mapping_raises_when_the_operator_is_built(
    lists: Any, path: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ops.split_items(lists, path)


@pytest.mark.parametrize(
    "lists",
    [
        {"a": int, ("a",): int},
        {("a", ANY): int, ("a", "b"): int},
        {"teams": dict, ("teams", ANY, "members"): int},
        {("teams", 0, "members"): int, (ANY, ANY): int},
        {(): dict, "a": int},
    ],
)
def test_lists_of_which_one_may_hold_the_other_are_refused(lists: Any) -> None:
    with pytest.raises(
        ValueError, match=r"one leads to the other or into its items. Use share_latest\(\)"
    ):
        ops.split_items(lists)


def test_lists_that_stand_apart_may_both_hold_any() -> None:
    lists = {("a", ANY, "x"): int, ("a", ANY, "y"): str, ("b", ANY): int, (0,): int}
    text = '{"a": [{"y": ["1"], "x": [2]}, {"x": [3]}], "b": [[4], {"k": 5}]}'

    received = through(chunked(text, 3), ops.accumulate_json(), ops.split_items(lists))

    assert [item for _, item in received.values] == ["1", 2, 3, 4, 5]


def test_snapshots_that_come_again_give_nothing_new() -> None:
    parser = IncrementalParser()
    text = '{"a": [[1, 2], [3], [4'
    snapshots = [snapshot for chunk in chunked(text, 2) for snapshot in parser.feed(chunk)]

    again = reactivex.from_iterable([*snapshots, *snapshots[3:6], *snapshots])

    assert values(again.pipe(ops.split_items(list[int], ("a",)))) == [[1, 2], [3]]
