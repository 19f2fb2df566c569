"""What `to_partial` promises."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import pytest
import reactivex
from pydantic import AfterValidator, BaseModel, Field, field_validator
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import NoJson, SchemaMismatch, SourceFailed
from streamops.testing import Stage, chunked
from tests.growing import Address, Book, Cat, Color, Dog, Links, Pet, Special, Tree, User
from tests.outcomes import Outcome, outcome, through, values


class Numbers(BaseModel):
    x: int
    y: int


def type_and_sum(point: Numbers) -> str:
    return f"{type(point).__name__.partition('[')[0]} {point.x + (point.y or 0)}"


def name_of_error(error: Exception, _: object) -> Observable[str]:
    return reactivex.of(type(error).__name__)


def partials(chunks: Iterable[Any], model: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model))


def test_partials_fill_up_and_the_last_one_is_validated() -> None:
    emitted = partials(['{"street": "M', 'ain", "num', 'ber": 1', "2", "}"], Address).values

    assert [(p.street, p.number) for p in emitted] == [
        ("M", None),
        ("Main", None),
        ("Main", None),
        ("Main", None),
        ("Main", 12),
    ]
    assert [type(p) is Address for p in emitted] == [False, False, False, False, True]


def test_a_partial_comes_with_each_chunk_and_the_model_the_moment_the_root_closes() -> None:
    stage = Stage()
    source = "-a-b-c-d-|"
    window = "^--------!"
    result = "---x-y-z-|"

    chunks = stage.cold(source, a="Sure: ", b='{"x": 1,', c='"y": 2', d="}")
    emitted = stage.run(
        chunks.pipe(ops.accumulate_json(), ops.to_partial(Numbers), rx.map(type_and_sum))
    )

    assert emitted == stage.expect(result, x="Partial 1", y="Partial 1", z="Numbers 3")
    assert chunks.subscriptions == stage.window(window)


def test_a_closed_nested_model_is_validated_and_stays_the_same_object() -> None:
    chunks = ['{"label": "a", "children": [{"label": "b"', "}", ', {"label": "c"}', ', {"la']
    opened, *closed = partials(chunks, Tree).values

    assert type(opened.children[0]) is not Tree
    assert type(closed[0].children[0]) is Tree
    assert all(partial.children[0] is closed[0].children[0] for partial in closed)


def test_a_nested_model_that_is_invalid_ends_the_stream_when_it_closes() -> None:
    chunks = ['[{"street": "a", "number": 1}, {"street"', ': "b"}', ', {"street": "c"}]']

    received = partials(chunks, list[Address])

    assert [len(value) for value in received.values] == [2]
    error = received.error
    assert isinstance(error, SchemaMismatch)
    assert error.path == (1,)
    assert error.validation_error.errors()[0]["loc"] == ("number",)
    assert error.__cause__ is error.validation_error
    assert error.snapshot is not None
    assert error.snapshot.path == ()


UNIONS: dict[str, tuple[Any, list[str], list[Any]]] = {
    "str | int grows as a string": (
        list[str | int],
        ['["a', 'b", 1', "2", "]"],
        [["a"], ["ab"], ["ab"], ["ab", 12]],
    ),
    "model | str decided by the first character": (
        list[Address | str],
        ['["a', 'b", {"street": "c', '"', ', "number": 1}]'],
        [
            ["a"],
            ["ab", {"street": "c"}],
            ["ab", {"street": "c"}],
            ["ab", {"street": "c", "number": 1}],
        ],
    ),
    "two models are held until one fits": (
        list[Address | Numbers],
        ['[{"x": 1,', '"y": 2', "}", ", ", "]"],
        [[], [], [{"x": 1, "y": 2}], [{"x": 1, "y": 2}], [{"x": 1, "y": 2}]],
    ),
    "a discriminator decides": (
        list[Pet],
        ['[{"lives": 9, "kind": "c', 'at"', ', "names": ["a', '"]}]'],
        [
            [],
            [{"lives": 9, "kind": "cat"}],
            [{"lives": 9, "kind": "cat", "names": ["a"]}],
            [{"lives": 9, "kind": "cat", "names": ["a"]}],
        ],
    ),
    "a discriminated union that may be null": (
        list[Pet | None],
        ['[{"kind": "cat', '", "lives": 9', ", "],
        [[], [{"kind": "cat"}], [{"kind": "cat", "lives": 9}]],
    ),
    "a literal that only one member has decides": (
        list[Cat | Dog | str],
        ['["a", {"kind": "do', 'g"', ', "bark": "wo', '"}]'],
        [
            ["a"],
            ["a", {"kind": "dog"}],
            ["a", {"kind": "dog", "bark": "wo"}],
            ["a", {"kind": "dog", "bark": "wo"}],
        ],
    ),
    "null": (
        list[Address | None],
        ["[null", ", {", '"street": "a", "number": 1}]'],
        [[], [None, {}], [None, {"street": "a", "number": 1}]],
    ),
}


@pytest.mark.parametrize(("type_", "chunks", "expected"), UNIONS.values(), ids=UNIONS)
def test_unions_are_held_until_they_are_decided(
    type_: Any, chunks: list[str], expected: list[Any]
) -> None:
    emitted = partials(chunks, type_).values

    assert [set_fields(value) for value in emitted] == expected


def set_fields(items: list[Any]) -> list[Any]:
    return [
        item.model_dump(exclude_unset=True) if isinstance(item, BaseModel) else item
        for item in items
    ]


def test_what_is_made_of_several_parts_appears_when_it_is_finished() -> None:
    chunks = ['{"color": "re', 'd", "day": "2020-01', '-02", "shades": ["blue", "re']

    emitted = partials(chunks, Special).values

    assert [(p.color, p.day, p.shades) for p in emitted] == [
        (None, None, []),
        (Color.RED, None, []),
        (Color.RED, date(2020, 1, 2), [Color.BLUE]),
    ]


def test_validators_and_constraints_do_not_run_on_unfinished_data() -> None:
    seen: list[Any] = []

    class Careful(BaseModel):
        name: Annotated[str, Field(min_length=3)]
        inner: list[int]

        @field_validator("name")
        @classmethod
        def keep(cls, name: str) -> str:
            seen.append(name)
            return name

    received = partials(['{"name": "a', "b", 'c", "inner": [', "1", "]}"], Careful)

    assert [partial.name for partial in received.values] == ["a", "ab", "abc", "abc", "abc"]
    assert seen == ["abc"]


def test_repeated_keys_show_the_last_value() -> None:
    chunks = ['{"street": "abc", "number": 1, ', '"street": "x', 'y"}']

    emitted = partials(chunks, Address).values

    assert [p.street for p in emitted] == ["abc", "x", "xy"]


def test_nothing_arrives() -> None:
    received = partials([], User)

    assert received.values == []
    assert isinstance(received.error, NoJson)


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    chunks = stage.cold("-a--", a='{"x": 1, ')

    stream = chunks.pipe(ops.accumulate_json(), ops.to_partial(Numbers), rx.map(type_and_sum))

    assert stage.run(stream) == stage.expect("-x", x="Partial 1")
    assert chunks.subscriptions == stage.window("^")


def test_when_the_source_fails_the_values_before_it_are_kept_and_the_error_is_the_same_object() -> (
    None
):
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of('{"street": "a'), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.to_partial(Address)))

    assert [p.street for p in received.values] == ["a"]
    assert received.error is error


def test_a_mismatch_on_a_scheduled_source_ends_the_stream_and_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-|", a='{"x": 1, ', b='"y": "no"}', c=" ")

    points = chunks.pipe(ops.accumulate_json(), ops.to_partial(Numbers), rx.map(type_and_sum))
    emitted = stage.run(points.pipe(rx.catch(name_of_error)))

    assert emitted == stage.expect("-x-(y,|)", x="Partial 1", y="SchemaMismatch")
    assert chunks.subscriptions == stage.window("^--!")


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-a-a|", a=" ")

    stage.run(chunks.pipe(ops.accumulate_json(), ops.to_partial(User)), until=4)

    assert chunks.subscriptions == stage.window("^---!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of('{"street": "a', '", "number"', ": 1}").pipe(
        ops.accumulate_json(), ops.to_partial(Address)
    )

    assert values(stream) == values(stream)


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(user: User) -> None:
        raise KeyError(user.name)

    source.pipe(ops.accumulate_json(), ops.to_partial(User)).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="Jo"):
        source.on_next('{"name": "Jo')
    assert errors == []


@pytest.mark.parametrize("wrong", [3, "User", Address(street="a", number=1), print, Exception, {}])
def test_what_is_no_type_raises_when_the_operator_is_built(wrong: Any) -> None:
    with pytest.raises(TypeError, match="to_partial needs a type that pydantic can validate"):
        ops.to_partial(wrong)


def test_without_accumulate_json_the_error_says_what_is_missing() -> None:
    received = through(["{}"], ops.to_partial(User))

    assert isinstance(received.error, TypeError)
    assert "put accumulate_json() before it" in str(received.error)


def test_a_retry_in_between_starts_anew() -> None:
    attempts = [reactivex.concat(reactivex.of('{"street": "abc", "nu'), reactivex.throw(OSError()))]
    attempts.append(reactivex.of('{"street": "x', 'yz", "number"', ": 2}"))
    tries = iter(attempts)
    source = reactivex.defer(lambda _: next(tries))

    stream = source.pipe(ops.accumulate_json(), rx.retry(2), ops.to_partial(Address))

    emitted = values(stream)
    assert [p.street for p in emitted] == ["abc", "x", "xyz", "xyz"]
    assert emitted[-1] == Address(street="xyz", number=2)


def test_of_many_documents_each_ends_in_a_validated_model() -> None:
    text = '{"street": "a", "number": 1}\n{"street": "b", "number": 2}\n'

    received = through(
        chunked(text, 5), ops.accumulate_json(values="many"), ops.to_partial(Address)
    )

    assert [p for p in received.values if type(p) is Address] == [
        Address(street="a", number=1),
        Address(street="b", number=2),
    ]


@pytest.mark.parametrize("size", [9, 100_000])
def test_what_is_too_deep_for_pydantic_is_a_mismatch_at_the_same_place(size: int) -> None:
    text = '{"label": "a"}'
    for _ in range(150):
        text = f'{{"label": "b", "children": [{text}]}}'

    error = partials(chunked(text, size), Tree).error

    assert isinstance(error, SchemaMismatch)
    assert len(error.path) == 100
    assert "recursion limit exceeded" in str(error)


def test_a_model_that_was_declared_before_the_model_it_refers_to_works() -> None:
    text = '{"title": "a", "chapters": [{"title": "b", "book": {"title": "c'

    (partial,) = partials([text], Book).values

    assert partial.chapters[0].book.title == "c"


def test_a_generic_model_that_refers_to_itself_works() -> None:
    (partial,) = partials(
        ['{"value": 1, "rest": {"value": 2, "others": [{"value": 3, '], Links
    ).values

    assert partial.rest.others[0].value == 3
    assert type(partial.rest.others[0]) is type(partial)


class Name(BaseModel):
    text: str


def in_capitals(name: Name) -> Name:
    return name.model_copy(update={"text": name.text.upper()})


def in_order(names: list[Name]) -> list[Name]:
    return sorted(names, key=lambda name: name.text)


class Names(BaseModel):
    loud: list[Annotated[Name, AfterValidator(in_capitals)]] = []
    sorted: Annotated[list[Name], AfterValidator(in_order)] = []
    last: str = ""


class Register(BaseModel):
    names: Names
    last: str = ""


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_a_validator_makes_of_a_closed_model_is_shown_from_then_on(size: int) -> None:
    text = (
        '{"names": {"loud": [{"text": "ab"}], "sorted": [{"text": "b"}, {"text": "a"}]}, "last": "'
    )
    truth = Register.model_validate_json(text + '"}')

    emitted = partials([*chunked(text, size), '"}'], Register).values

    assert emitted[-2].names == truth.names
    assert emitted[-1] == truth
    loud = [p.names.loud[0] for p in emitted if p.names and p.names.loud]
    closed = [name for name in loud if not type(name).__name__.startswith("Partial")]
    assert [name.text for name in closed] == ["AB"] * len(closed)
