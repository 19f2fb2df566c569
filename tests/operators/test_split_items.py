"""What `split_items` promises."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, TypeAdapter, ValidationInfo
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import MalformedJson, NoJson, SchemaMismatch, SourceFailed, TruncatedJson
from streamops.nodes import Path
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes, dumps, json_values, users
from tests.growing import Address, Cat, Pet, User
from tests.outcomes import Outcome, outcome, pushed, through, values

ADDRESSES = [Address(street="a", number=1), Address(street="b", number=2)]
TEXT = '[{"street": "a", "number": 1}, {"street": "b", "number": 2}]'


def items(
    chunks: Iterable[Any],
    item: Any,
    path: str | Path | None = None,
    on_invalid: Literal["raise", "skip", "result"] = "raise",
) -> Outcome[Any]:
    return through(
        chunks, ops.accumulate_json(), ops.split_items(item, path, on_invalid=on_invalid)
    )


ITEMS: dict[str, tuple[Any, str | Path | None, str, list[Any]]] = {
    "an empty list": (int, None, "[]", []),
    "one": (int, None, "[1]", [1]),
    "models": (Address, None, TEXT, ADDRESSES),
    "strings": (str, None, '["a", "", "b]"]', ["a", "", "b]"]),
    "dates": (date, None, '["2020-01-02"]', [date(2020, 1, 2)]),
    "lists": (list[int], None, "[[1, 2], [], [3]]", [[1, 2], [], [3]]),
    "a union": (int | str | None, None, '[1, "a", null]', [1, "a", None]),
    "a union of models": (
        Address | Cat,
        None,
        '[{"kind": "cat", "lives": 9}]',
        [Cat(kind="cat", lives=9)],
    ),
    "a tagged union": (Pet, None, '[{"lives": 9, "kind": "cat"}]', [Cat(kind="cat", lives=9)]),
    "anything": (Any, None, '[1, {"a": [null]}]', [1, {"a": [None]}]),
    "the first list of an object": (int, None, '{"a": 1, "b": [2], "c": [3]}', [2]),
    "not a list further down": (int, None, '{"a": {"b": [1]}, "c": [3]}', [3]),
    "a path": (int, ("c",), '{"b": [2], "c": [3, 4]}', [3, 4]),
    "a deep path": (int, ("a", 1, "b"), '{"a": [{"b": [1]}, {"b": [2]}, {"b": [3]}]}', [2]),
    "the path of the root": (int, (), "[1]", [1]),
    "a path of one key": (int, "a.b", '{"b": [2], "a.b": [3, 4]}', [3, 4]),
    "null": (int, None, "null", []),
    "a path to null": (int, ("a",), '{"a": null}', []),
    "an empty list at a path": (int, ("a",), '{"a": []}', []),
    "a list of lists and no path": (list[int], None, '{"a": [[1], [2]]}', [[1], [2]]),
}


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(("item", "path", "text", "expected"), ITEMS.values(), ids=ITEMS)
def test_each_item_comes_once_and_in_order(
    item: Any, path: str | Path | None, text: str, expected: list[Any], size: int
) -> None:
    received = items(chunked(text, size), item, path)

    assert received.error is None
    assert received.completed
    assert received.values == expected
    assert [type(value) for value in received.values] == [type(value) for value in expected]


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_nothing_is_taken_back_when_a_key_is_repeated(size: int) -> None:
    text = '{"a": [1, 2], "b": 0, "a": [3]}'

    assert items(chunked(text, size), int, ("a",)).values == [1, 2, 3]
    assert items(chunked(text, size), int).values == [1, 2]


def test_an_item_comes_at_its_closing_delimiter() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"
    result = "---x---y---|"

    chunks = stage.cold(
        source, a='[{"name": "Jo", "age": 1', b="}, {", c='"name": "Al"', d=', "age": 2}', e="]"
    )
    names = stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(User), rx.map(greeting)))

    assert names == stage.expect(result, x="Hello Jo", y="Hello Al")
    assert chunks.subscriptions == stage.window(window)


def greeting(user: User) -> str:
    return user.greeting


def test_a_number_comes_when_what_follows_it_has_been_seen() -> None:
    stage = Stage()
    source = "-a-b-c-d-|"
    result = "---x---y-|"

    chunks = stage.cold(source, a="[1", b=", 2", c="3", d="]")
    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(int)))

    assert numbers == stage.expect(result, x=1, y=23)


def test_all_items_of_one_chunk_come_with_it() -> None:
    stage = Stage()
    chunks = stage.cold("-a-|", a="[1, 2, 3]")

    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(int)))

    assert numbers == stage.expect("-(1,2,3)") + stage.expect("---|")


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_truncated_tail_still_yields_what_was_finished(size: int) -> None:
    received = items(chunked(TEXT[:-4], size), Address)

    assert received.values == ADDRESSES[:1]
    assert isinstance(received.error, TruncatedJson)


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_number_that_may_go_on_is_not_an_item_when_the_text_is_cut(size: int) -> None:
    received = items(chunked("[1, 2", size), int)

    assert received.values == [1]


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_items_before_a_syntax_error_come_before_it(size: int) -> None:
    received = pushed(chunked("[1, 2 3]", size), ops.accumulate_json(), ops.split_items(int))

    assert received.values == [1, 2]
    assert isinstance(received.error, MalformedJson)


BAD = '{"list": [1, "a", 2, {"b": null}, 3]}'


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_invalid_item_ends_the_stream_after_the_items_before_it(size: int) -> None:
    received = pushed(chunked(BAD, size), ops.accumulate_json(), ops.split_items(int))

    assert received.values == [1]
    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == ("list", 1)
    assert received.error.validation_error.errors()[0]["type"] == "int_parsing"
    assert received.error.snapshot is not None


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_invalid_items_can_be_skipped(size: int) -> None:
    received = items(chunked(BAD, size), int, on_invalid="skip")

    assert received.completed
    assert received.values == [1, 2, 3]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_invalid_items_can_be_received_as_results(size: int) -> None:
    received = items(chunked(BAD, size), int, on_invalid="result")

    assert received.completed
    assert [(result.index, result.value, result.text) for result in received.values] == [
        (0, 1, "1"),
        (1, None, '"a"'),
        (2, 2, "2"),
        (3, None, '{"b": null}'),
        (4, 3, "3"),
    ]
    assert [result.path for result in received.values] == [("list", n) for n in range(5)]
    assert [result.error and result.error.path for result in received.values] == [
        None,
        ("list", 1),
        None,
        ("list", 3),
        None,
    ]


def test_a_result_unwraps_to_its_value_or_raises_its_error() -> None:
    good, bad, nothing = items(['[1, "a", null]'], int | None, on_invalid="result").values

    assert (good.unwrap(), nothing.unwrap()) == (1, None)
    with pytest.raises(SchemaMismatch) as raised:
        bad.unwrap()
    assert raised.value is bad.error


def test_the_path_of_a_mismatch_leads_to_the_innermost_model() -> None:
    text = '[{"name": "a", "age": 1, "address": {"street": "b"}}]'

    errors = [items(chunked(text, size), User).error for size in (1, 1000)]

    for error in errors:
        assert isinstance(error, SchemaMismatch)
        assert error.path == (0, "address")


NO_LIST: dict[str, tuple[Path | None, str, Path]] = {
    "a string at the path": (("a",), '{"a": "b"}', ("a",)),
    "a number at the path": (("a", 0), '{"a": [12]}', ("a", 0)),
    "a truth value at the path": (("a",), '{"a": true, "b": []}', ("a",)),
    "nothing at the path": (("a",), '{"b": [1]}', ("a",)),
    "a string on the way": (("a", "b"), '{"a": "b"}', ("a", "b")),
    "an index beyond the end": ((3,), "[[1]]", (3,)),
    "a key of a list": (("0",), "[[1]]", ("0",)),
    "an index of an object": ((0,), '{"0": [1]}', (0,)),
    "no list in the root": (None, '{"a": 1, "b": {"c": [1]}}', ()),
    "a root that is a string": (None, '"abc"', ()),
    "a root that is a number": (None, "12", ()),
    "a root that is empty": (None, "{}", ()),
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("path", "text", "place"), NO_LIST.values(), ids=NO_LIST)
def test_what_has_no_list_there_is_a_mismatch(
    path: Path | None, text: str, place: Path, size: int
) -> None:
    received = items(chunked(text, size), int, path)

    assert received.values == []
    assert isinstance(received.error, SchemaMismatch)
    assert received.error.path == place
    assert "split_items needs a list there" in str(received.error)


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize("root", [3, "abc", True, {"a": 1}, {}])
def test_a_root_that_has_no_list_is_shown_in_the_error(root: Any, size: int) -> None:
    error = items(chunked(json.dumps(root), size), int).error

    assert isinstance(error, SchemaMismatch)
    assert error.path == ()
    (details,) = error.validation_error.errors()
    assert (details["type"], details["input"]) == ("list_type", root)


def test_nothing_arrives() -> None:
    received = items([], int)

    assert received.values == []
    assert isinstance(received.error, NoJson)


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    chunks = stage.cold("-a--", a="[1,")

    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(int)))

    assert numbers == stage.expect("-1")
    assert chunks.subscriptions == stage.window("^")


def test_when_the_source_fails_the_items_before_it_are_kept_and_the_error_is_the_same_object() -> (
    None
):
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1, 2, 3"), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.split_items(int)))

    assert received.values == [1, 2]
    assert received.error is error


def test_taking_one_item_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a="[1, 2,", b="3,", c="4]")

    numbers = stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(int), rx.take(1)))

    assert numbers == stage.expect("-(1,|)")
    assert chunks.subscriptions == stage.window("^!")


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c|", a="[1, 2,", b="3,", c="4]")

    stage.run(chunks.pipe(ops.accumulate_json(), ops.split_items(int)), until=4)

    assert chunks.subscriptions == stage.window("^---!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of("[1, 2", ",3]").pipe(ops.accumulate_json(), ops.split_items(int))

    assert values(stream) == values(stream) == [1, 2, 3]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(number: int) -> None:
        raise KeyError(number)

    source.pipe(ops.accumulate_json(), ops.split_items(int)).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="1"):
        source.on_next("[1, 2]")
    assert errors == []


@pytest.mark.parametrize("text", ["[1, 2", "[1, [2, 3], 4"])
def test_a_subscriber_may_push_into_the_source_again(text: str) -> None:
    source = Subject[str]()
    received: list[Any] = []
    rest = iter([", 5, 6", ", 7]"])

    def push_more(item: Any) -> None:
        received.append(item)
        for chunk in rest:
            source.on_next(chunk)

    source.pipe(ops.accumulate_json(), ops.split_items(Any)).subscribe(push_more)
    source.on_next(text)

    assert received == json.loads(text + ", 5, 6, 7]")


def test_items_are_validated_as_strictly_as_asked() -> None:
    text = '[1, "2", 3]'

    assert items(chunked(text, 3), int).values == [1, 2, 3]
    strict = through([text], ops.accumulate_json(), ops.split_items(int, strict=True))
    assert strict.values == [1]
    assert isinstance(strict.error, SchemaMismatch)


def scaled(number: int, info: ValidationInfo) -> int:
    return number * info.context["factor"] if info.context else number


def test_validators_get_the_context() -> None:
    received = through(
        ['{"a": [1, 2], "b": [3]}'],
        ops.accumulate_json(),
        ops.split_items(Annotated[int, AfterValidator(scaled)], ("a",), context={"factor": 10}),
    )

    assert received.values == [10, 20]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((3,), TypeError, "split_items needs a type that pydantic can validate"),
        ((int, 3), TypeError, "split_items takes a path, .* ANY such as"),
        ((int, ["users"]), TypeError, r"split_items takes a path, .* such as \('users',\), not"),
        ((int, ["a", 0]), TypeError, r"split_items takes a path, .* such as \('a', 0\), not"),
        ((int, (1.5,)), TypeError, "split_items takes a path, a tuple of keys"),
        ((int, (-1,)), ValueError, "split_items takes indexes from 0 on, or ANY"),
    ],
)
def test_bad_arguments_raise_when_the_operator_is_built(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ops.split_items(*arguments)


def test_an_unknown_way_to_treat_invalid_items_raises_when_the_operator_is_built() -> None:
    wrong: Any = "ignore"

    with pytest.raises(ValueError, match='on_invalid is "raise", "skip" or "result"'):
        ops.split_items(int, on_invalid=wrong)


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["[]"], ops.split_items(int))

    assert isinstance(received.error, TypeError)
    assert "put accumulate_json() before it" in str(received.error)


def test_of_many_documents_the_items_of_each_come() -> None:
    received = through(
        chunked('[1, 2]\n[3]\n{"a": [4]}', 4),
        ops.accumulate_json(values="many"),
        ops.split_items(int),
    )

    assert received.values == [1, 2, 3, 4]


def test_a_retry_in_between_starts_anew() -> None:
    attempts = iter(
        [
            reactivex.concat(reactivex.of("[1, 2,"), reactivex.throw(OSError())),
            reactivex.of("[1, 2", ", 3]"),
        ]
    )
    source = reactivex.defer(lambda _: next(attempts))

    stream = source.pipe(ops.accumulate_json(), rx.retry(2), ops.split_items(int))

    assert values(stream) == [1, 2, 1, 2, 3]


def test_skipped_snapshots_lose_no_item() -> None:
    stream = reactivex.from_iterable(chunked(TEXT, 3)).pipe(
        ops.accumulate_json(), rx.take_last(1), ops.split_items(Address)
    )

    assert values(stream) == ADDRESSES


@given(st.lists(users, max_size=5), dumps, chunk_sizes)
def test_the_items_are_what_pydantic_reads_from_the_whole_text(
    documents: list[Any], dump: Any, sizes: list[int]
) -> None:
    text = dump(documents)

    received = items(chunked(text, *sizes), User)

    assert received.error is None
    assert received.values == TypeAdapter(list[User]).validate_json(text)
    assert all(type(value) is User for value in received.values)


@given(
    st.dictionaries(st.text(max_size=3), json_values, min_size=1, max_size=5), dumps, chunk_sizes
)
def test_without_a_path_the_first_field_that_is_a_list_is_read(
    document: dict[str, Any], dump: Any, sizes: list[int]
) -> None:
    lists: list[Any] = [value for value in document.values() if isinstance(value, list)]

    received = items(chunked(dump(document), *sizes), Any)

    assert received.values == (lists[0] if lists else [])
    assert isinstance(received.error, SchemaMismatch) is not bool(lists)


@given(st.lists(st.integers(-999, 999), min_size=1), st.data(), chunk_sizes)
def test_however_far_the_text_came_the_items_that_closed_are_emitted(
    numbers: list[int], data: st.DataObject, sizes: list[int]
) -> None:
    text = json.dumps(numbers)
    cut = data.draw(st.integers(1, len(text)))

    received = items(chunked(text[:cut], *sizes), int)

    assert received.values == numbers[: text[:cut].count(",") + text[:cut].count("]")]
