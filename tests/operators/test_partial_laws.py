"""What `to_partial` promises for any type, document and chunking."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, cast

import reactivex
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.documents import MODELS, OTHER_TYPES, chunk_sizes, documents
from tests.outcomes import Outcome, is_dict, is_list, shown, through, values

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
