"""What `to_partial` promises for any type, document and chunking."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import pytest
import reactivex
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import BaseModel, PydanticUserError, ValidationError
from reactivex import operators as rx

from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from tests.documents import chunk_sizes, documents, dumps
from tests.documents_by_schema import adapter_of, broken
from tests.families import FAMILIES, LIVE, WITH_REWRITERS
from tests.laws import assert_grows, assert_shows, is_dataclass, parts, types_within
from tests.outcomes import Outcome, by_offset, is_dict, shown, through, values

in_families = pytest.mark.parametrize("family", FAMILIES)
in_all_families = pytest.mark.parametrize("family", WITH_REWRITERS)


def partials(chunks: Iterable[Any], model: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(model))


def partials_by_offset(
    text: str, sizes: Sequence[int], model: Any, passes: Callable[[Snapshot], bool] = lambda _: True
) -> tuple[dict[int, Any], Exception | None]:
    """Return what was emitted after how many characters, and the error at the end."""
    return by_offset(text, sizes, ops.accumulate_json(), rx.filter(passes), ops.to_partial(model))


@in_all_families
@given(data=st.data(), sizes=chunk_sizes)
def test_the_last_emission_is_what_pydantic_reads_from_the_whole_text(
    family: str, data: st.DataObject, sizes: list[int]
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))
    truth = adapter_of(type_).validate_json(text)

    received = partials(chunked(text, *sizes), type_)

    assert received.error is None
    assert received.completed
    assert received.values[-1] == truth
    assert type(received.values[-1]) is type(truth)


def is_class(type_: Any) -> bool:
    return isinstance(type_, type) and (issubclass(type_, BaseModel) or is_dataclass(type_))


CLASSES = {
    type_: drawn
    for kinds in WITH_REWRITERS.values()
    for type_, drawn in kinds.items()
    if is_class(type_)
}


@given(documents(CLASSES), chunk_sizes)
def test_the_validated_model_is_emitted_exactly_once_and_partials_are_instances_too(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    model, text = document

    emitted = partials(chunked(text, *sizes), model).values

    assert all(isinstance(value, model) for value in emitted)
    assert [type(value) is model for value in emitted] == [False] * (len(emitted) - 1) + [True]


@in_all_families
@given(data=st.data(), sizes=chunk_sizes, random=st.randoms(use_true_random=False))
def test_a_partial_looked_at_late_shows_what_it_showed_at_once(
    family: str, data: st.DataObject, sizes: list[int], random: Any
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))
    at_once: list[Any] = []
    stream = reactivex.from_iterable(chunked(text, *sizes)).pipe(
        ops.accumulate_json(), ops.to_partial(type_)
    )
    stream.subscribe(lambda partial: at_once.append(shown(partial)))

    late = values(stream)
    order = list(range(len(late)))
    random.shuffle(order)

    assert {index: shown(late[index]) for index in order} == dict(enumerate(at_once))


@in_all_families
@given(data=st.data(), sizes=chunk_sizes)
def test_any_partial_can_be_shown_copied_compared_and_pickled(
    family: str, data: st.DataObject, sizes: list[int]
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))

    for partial in partials(chunked(text, *sizes), type_).values:
        same = [copy.copy(partial), copy.deepcopy(partial), pickle.loads(pickle.dumps(partial))]
        if isinstance(partial, BaseModel):
            same += [partial.model_copy(), partial.model_copy(deep=True)]

        for copied in same:
            assert copied == partial
            assert shown(copied) == shown(partial)
        assert repr(partial)
        assert str(partial) is not None


@in_all_families
@given(data=st.data(), sizes=chunk_sizes)
def test_any_partial_can_be_dumped(family: str, data: st.DataObject, sizes: list[int]) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))
    emitted = partials(chunked(text, *sizes), type_).values

    for partial in emitted:
        if isinstance(partial, BaseModel):
            assert json.loads(partial.model_dump_json()) == partial.model_dump(mode="json")
            assert partial.model_dump(mode="json", by_alias=True, exclude_unset=True) is not None
        elif is_dataclass(partial):
            dataclasses.asdict(partial)


MODELS = {type_: drawn for type_, drawn in CLASSES.items() if issubclass(type_, BaseModel)}


@given(documents(MODELS), chunk_sizes)
def test_what_has_closed_is_dumped_as_the_validated_model_dumps_it(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    model, text = document

    *before, truth = partials(chunked(text, *sizes), model).values

    whole = truth.model_dump(mode="json")
    for partial in before if is_dict(whole) else ():
        dump = partial.model_dump(mode="json")
        now, later = parts(partial), parts(truth)
        for name in partial.model_fields_set & whole.keys():
            if now[name] is not None and now[name] == later[name]:
                assert dump[name] == whole[name]


@in_families
@given(data=st.data(), sizes=chunk_sizes)
def test_what_was_shown_only_grows_and_what_was_closed_stays_the_same_object(
    family: str, data: st.DataObject, sizes: list[int]
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))

    emitted = partials(chunked(text, *sizes), type_).values

    for index, before in enumerate(emitted):
        for after in emitted[index + 1 : -1]:
            assert_grows(before, after, at_the_end=False)
        assert_grows(before, emitted[-1], at_the_end=True)


@given(documents(LIVE), chunk_sizes)
def test_a_type_without_conversions_shows_all_that_has_arrived(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    type_, text = document
    source = list(chunked(text, *sizes))

    snapshots = through(source, ops.accumulate_json()).values
    emitted = partials(source, type_).values

    begun = [snapshot.value for snapshot in snapshots if snapshot.started]
    for value, raw in zip(emitted, begun, strict=True):
        assert_shows(value, raw)


@in_all_families
@given(data=st.data(), sizes=chunk_sizes)
def test_what_shows_depends_on_the_text_so_far_and_not_on_how_it_was_cut(
    family: str, data: st.DataObject, sizes: list[int]
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))

    cut, _ = partials_by_offset(text, sizes, type_)
    in_characters, _ = partials_by_offset(text, [1], type_)

    # The validated model comes once, with the chunk in which the root closes.
    whole = max(in_characters)
    ends = {min(end, whole) for end in accumulate(map(len, chunked(text, *sizes)))}
    assert {min(end, whole): shown(value) for end, value in cut.items()} == {
        end: shown(value) for end, value in in_characters.items() if end in ends
    }


@in_all_families
@given(data=st.data(), sizes=chunk_sizes, every=st.integers(2, 5))
def test_skipped_snapshots_do_not_change_what_later_partials_show(
    family: str, data: st.DataObject, sizes: list[int], every: int
) -> None:
    type_, text = data.draw(documents(WITH_REWRITERS[family]))
    count = iter(range(10_000))

    def passes(snapshot: Snapshot) -> bool:
        return next(count) % every == 0 or snapshot.complete

    all_of_them, _ = partials_by_offset(text, sizes, type_)
    some, _ = partials_by_offset(text, sizes, type_, passes)

    assert {offset: shown(partial) for offset, partial in some.items()} == {
        offset: shown(all_of_them[offset]) for offset in some
    }


def errors_of(type_: Any, document: Any) -> list[Any]:
    """Return what pydantic says of a document that does not fit a type."""
    try:
        adapter_of(type_).validate_json(json.dumps(document))
    except ValidationError as error:
        return details(error)
    except PydanticUserError:  # the type means something only within another
        return []
    return []


def details(error: ValidationError) -> list[Any]:
    return [*error.errors(include_url=False, include_context=False)]


@in_all_families
@given(data=st.data(), sizes=chunk_sizes)
def test_an_invalid_document_ends_in_an_error_of_pydantic_however_it_was_cut(
    family: str, data: st.DataObject, sizes: list[int]
) -> None:
    kinds = WITH_REWRITERS[family]
    type_ = data.draw(st.sampled_from(list(kinds)))
    document = data.draw(broken(data.draw(kinds[type_])))
    text = data.draw(dumps)(document)
    assume(errors_of(type_, document))

    _, whole = partials_by_offset(text, [len(text)], type_)
    before, cut = partials_by_offset(text, sizes, type_)
    in_characters, character = partials_by_offset(text, [1], type_)

    assert isinstance(whole, SchemaMismatch)
    for error in (cut, character):
        assert isinstance(error, SchemaMismatch)
        assert error.path == whole.path
        assert str(error) == str(whole)

    depth = len(whole.path)
    truth = errors_of(type_, document)
    below = [e | {"loc": e["loc"][depth:]} for e in truth if e["loc"][:depth] == whole.path]
    for key in whole.path:
        document = document[key]
    found = details(whole.validation_error)
    assert found == below or any(errors_of(t, document) == found for t in types_within(type_))

    for offset, value in before.items():
        assert shown(value) == shown(in_characters[offset])
