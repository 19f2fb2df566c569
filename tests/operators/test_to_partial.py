"""What `to_partial` promises."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import accumulate
from typing import Annotated, Any, cast

import pytest
import reactivex
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, field_validator
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import NoJson, SchemaMismatch, SourceFailed
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked
from tests.growing import (
    MODELS,
    OTHER_TYPES,
    Address,
    Book,
    Color,
    Links,
    Pet,
    Special,
    Tree,
    User,
    chunk_sizes,
    documents,
)
from tests.outcomes import Outcome, is_dict, is_list, outcome, shown, through, values


class Numbers(BaseModel):
    x: int
    y: int


def type_and_sum(point: Numbers) -> str:
    return f"{type(point).__name__.partition('[')[0]} {point.x + (point.y or 0)}"


def name_of_error(error: Exception, _: object) -> Observable[str]:
    return reactivex.of(type(error).__name__)


EVERYTHING = {**MODELS, **OTHER_TYPES}


def partials(chunks: Iterable[Any], model: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model))


def by_offset(
    text: str, sizes: Sequence[int], model: Any, passes: Callable[[Snapshot], bool] = lambda _: True
) -> tuple[dict[int, Any], Exception | None]:
    """Return what was emitted after how many characters, and the error at the end."""
    source: Subject[str] = Subject()
    emitted: dict[int, Any] = {}
    errors: list[Exception] = []
    offset = 0

    def keep(value: Any) -> None:
        emitted[offset] = value

    stream = source.pipe(ops.accumulate_json(), rx.filter(passes), ops.to_partial(model))
    stream.subscribe(keep, errors.append)
    for chunk in chunked(text, *sizes):
        offset += len(chunk)
        source.on_next(chunk)

    source.on_completed()
    return emitted, errors[0] if errors else None


def assert_grows(before: Any, after: Any, *, at_the_end: bool) -> None:
    """Check that one value can have grown into the other."""
    if isinstance(before, BaseModel):
        if type(before).__name__.startswith("Partial["):
            assert isinstance(after, cast("type[BaseModel]", type(before).__mro__[2]))
            assert before.model_fields_set <= after.model_fields_set
            for name in before.model_fields_set:
                assert_grows(getattr(before, name), getattr(after, name), at_the_end=at_the_end)
        elif at_the_end:
            assert type(before) is type(after)
            assert before == after
        else:
            assert before is after
        return

    assert type(before) is type(after)
    if isinstance(before, str):
        assert after.startswith(before)
    elif is_list(before):
        assert len(before) <= len(after)
        for index, item in enumerate(before):
            assert_grows(item, after[index], at_the_end=at_the_end)
    elif is_dict(before):
        assert list(after)[: len(before)] == list(before)
        for key, item in before.items():
            assert_grows(item, after[key], at_the_end=at_the_end)
    else:
        assert before == after


@given(documents(EVERYTHING), chunk_sizes)
def test_the_last_emission_is_what_pydantic_reads_from_the_whole_text(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    type_, text = document
    truth = TypeAdapter(type_).validate_json(text)

    received = partials(chunked(text, *sizes), type_)

    assert received.error is None
    assert received.completed
    assert received.values[-1] == truth
    assert type(received.values[-1]) is type(truth)


@given(documents(MODELS), chunk_sizes)
def test_the_validated_model_is_emitted_exactly_once_and_partials_are_instances_too(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    model, text = document

    emitted = partials(chunked(text, *sizes), model).values

    assert all(isinstance(value, model) for value in emitted)
    assert [type(value) is model for value in emitted] == [False] * (len(emitted) - 1) + [True]


@given(documents(MODELS), chunk_sizes, st.randoms(use_true_random=False))
def test_a_partial_looked_at_late_shows_what_it_showed_at_once(
    document: tuple[Any, str], sizes: list[int], random: Any
) -> None:
    model, text = document
    at_once: list[Any] = []
    stream = reactivex.from_iterable(chunked(text, *sizes)).pipe(
        ops.accumulate_json(), ops.to_partial(model)
    )
    stream.subscribe(lambda partial: at_once.append(shown(partial)))

    late = values(stream)
    order = list(range(len(late)))
    random.shuffle(order)

    assert {index: shown(late[index]) for index in order} == dict(enumerate(at_once))


@given(documents(MODELS), chunk_sizes)
def test_any_partial_can_be_dumped_copied_compared_and_pickled(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    model, text = document

    for partial in partials(chunked(text, *sizes), model).values:
        for same in (
            copy.copy(partial),
            copy.deepcopy(partial),
            partial.model_copy(),
            partial.model_copy(deep=True),
            pickle.loads(pickle.dumps(partial)),
        ):
            assert same == partial
            assert shown(same) == shown(partial)

        assert json.loads(partial.model_dump_json()) == partial.model_dump(mode="json")
        assert set(partial.model_dump(exclude_unset=True)) >= partial.model_fields_set
        assert repr(partial).startswith(type(partial).__name__)
        assert str(partial) is not None


@given(documents(EVERYTHING), chunk_sizes)
def test_atoms_never_change_strings_and_lists_only_grow_and_closed_models_stay_the_same_objects(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    type_, text = document

    emitted = partials(chunked(text, *sizes), type_).values

    for index, before in enumerate(emitted):
        for after in emitted[index + 1 : -1]:
            assert_grows(before, after, at_the_end=False)
        assert_grows(before, emitted[-1], at_the_end=True)


@given(documents(EVERYTHING), chunk_sizes)
def test_what_shows_depends_on_the_text_so_far_and_not_on_how_it_was_cut(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    type_, text = document

    cut, _ = by_offset(text, sizes, type_)
    in_characters, _ = by_offset(text, [1], type_)

    # The validated model comes once, with the chunk in which the root closes.
    whole = max(in_characters)
    ends = {min(end, whole) for end in accumulate(map(len, chunked(text, *sizes)))}
    assert {min(end, whole): shown(value) for end, value in cut.items()} == {
        end: shown(value) for end, value in in_characters.items() if end in ends
    }


@given(documents(MODELS), chunk_sizes, st.integers(2, 5))
def test_skipped_snapshots_do_not_change_what_later_partials_show(
    document: tuple[Any, str], sizes: list[int], every: int
) -> None:
    model, text = document
    count = iter(range(10_000))

    def passes(snapshot: Snapshot) -> bool:
        return next(count) % every == 0 or snapshot.complete

    all_of_them, _ = by_offset(text, sizes, model)
    some, _ = by_offset(text, sizes, model, passes)

    assert {offset: shown(partial) for offset, partial in some.items()} == {
        offset: shown(all_of_them[offset]) for offset in some
    }


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key in a document."""
    children: Iterable[tuple[Any, Any]] = ()
    if is_dict(value):
        children = list(value.items())
    elif is_list(value):
        children = enumerate(value)

    for key, child in children:
        yield value, key
        yield from places(child)


WRONG: list[Any] = [None, "x", 1.5, True, [], {}, [{}], {"kind": "bird"}, {"name": 1}]


@given(documents(MODELS), st.data(), chunk_sizes)
def test_an_invalid_document_ends_the_same_way_however_it_was_cut(
    document: tuple[Any, str], data: st.DataObject, sizes: list[int]
) -> None:
    model, text = document
    broken = json.loads(text)
    found = list(places(broken))
    assume(found)
    container, key = data.draw(st.sampled_from(found))
    if isinstance(container, dict) and data.draw(st.booleans()):
        del container[key]
    else:
        container[key] = data.draw(st.sampled_from(WRONG))

    text = json.dumps(broken)
    try:
        model.model_validate_json(text)
    except ValidationError:
        pass
    else:
        assume(False)

    _, whole = by_offset(text, [len(text)], model)
    before, cut = by_offset(text, sizes, model)
    in_characters, character = by_offset(text, [1], model)

    assert isinstance(whole, SchemaMismatch)
    assert isinstance(cut, SchemaMismatch)
    assert isinstance(character, SchemaMismatch)
    assert whole.path == cut.path == character.path
    assert str(whole) == str(cut) == str(character)
    for offset, value in before.items():
        assert shown(value) == shown(in_characters[offset])


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
