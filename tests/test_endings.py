"""How a stream can end: exactly one way each, and never silently."""

from __future__ import annotations

from typing import Any

import pytest
import reactivex
from pydantic import ValidationError
from reactivex import Observable

from streamops import errors
from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import (
    ConnectionDropped,
    ContentFiltered,
    LimitExceeded,
    MalformedJson,
    NoJson,
    Refused,
    SchemaMismatch,
    SourceFailed,
    StreamopsError,
    TruncatedJson,
)
from streamops.testing import chunked
from tests.growing import Address
from tests.outcomes import Outcome, outcome

DROPPED = SourceFailed("the connection was reset", dropped=True)
OVERLOADED = SourceFailed("the provider is overloaded")


def finish(reason: str) -> Delta:
    return Delta(kind="finish", finish_reason=reason)


def ending(items: list[Any], **options: Any) -> Outcome[Any]:
    """Run items; an exception at the end is what the source fails with."""
    source: Observable[Any] = reactivex.from_iterable(items)
    if items and isinstance(items[-1], Exception):
        source = reactivex.concat(reactivex.from_iterable(items[:-1]), reactivex.throw(items[-1]))
    return outcome(source.pipe(ops.accumulate_json(**options), ops.to_partial(Address)))


WHOLE = '{"street": "a", "number": 1}'

ENDINGS: dict[str, tuple[list[Any], dict[str, Any], type[StreamopsError] | None]] = {
    "the JSON closed": ([WHOLE], {}, None),
    "the JSON closed and the model stopped": ([Delta(WHOLE), finish("stop")], {}, None),
    "the JSON closed just before the tokens ran out": ([Delta(WHOLE), finish("length")], {}, None),
    "the JSON closed before the filter struck": (
        [Delta(WHOLE), finish("content_filter")],
        {},
        None,
    ),
    "the connection broke after the JSON": ([Delta(WHOLE), DROPPED], {}, None),
    "the provider failed after the JSON": ([Delta(WHOLE), OVERLOADED], {}, SourceFailed),
    "a syntax error": (['{"street" "a"}'], {}, MalformedJson),
    "text where only JSON may stand": ([f"Sure: {WHOLE}"], {"around": "reject"}, MalformedJson),
    "the tokens ran out": ([Delta(WHOLE[:9]), finish("length")], {}, TruncatedJson),
    "the model stopped too early": ([Delta(WHOLE[:9]), finish("stop")], {}, TruncatedJson),
    "the text just stopped": ([WHOLE[:9]], {}, TruncatedJson),
    "the connection broke": ([WHOLE[:9], DROPPED], {}, ConnectionDropped),
    "the connection broke before the JSON": (["Sure", DROPPED], {}, SourceFailed),
    "the provider failed": ([WHOLE[:9], OVERLOADED], {}, SourceFailed),
    "an apology": (["I am sorry."], {}, NoJson),
    "an empty answer": ([finish("stop")], {}, NoJson),
    "nothing at all": ([], {}, NoJson),
    "only white space": ([" \n"], {}, NoJson),
    "the tokens ran out before the JSON": ([Delta("Let me"), finish("length")], {}, NoJson),
    "a value that does not fit": (['{"street": "a", "number": "b"}'], {}, SchemaMismatch),
    "a missing field": (['{"street": "a"}'], {}, SchemaMismatch),
    "a root that does not fit": (["[]"], {}, SchemaMismatch),
    "null": (["null"], {}, SchemaMismatch),
    "a refusal": ([Delta("No.", kind="refusal"), finish("stop")], {}, Refused),
    "a refusal amid the JSON": ([Delta("{"), Delta("No.", kind="refusal")], {}, Refused),
    "the filter before the JSON": ([finish("content_filter")], {}, ContentFiltered),
    "the filter amid the JSON": ([Delta(WHOLE[:9]), finish("content_filter")], {}, ContentFiltered),
    "too deep": (["[" * 10], {"max_depth": 9}, LimitExceeded),
    "much too deep": (["[" * 100_000], {}, LimitExceeded),
    "too long": ([WHOLE], {"max_chars": 9}, LimitExceeded),
    "a number without end": (["[" + "1" * 5000], {}, LimitExceeded),
}


@pytest.mark.parametrize(("items", "options", "error"), ENDINGS.values(), ids=ENDINGS)
def test_a_stream_ends_in_exactly_one_way(
    items: list[Any], options: dict[str, Any], error: type[StreamopsError] | None
) -> None:
    received = ending(items, **options)

    if error is None:
        assert received.error is None
        assert received.completed
        assert received.values[-1] == Address(street="a", number=1)
        assert type(received.values[-1]) is Address
    else:
        assert type(received.error) is error
        assert isinstance(received.error, StreamopsError)
        assert not received.completed
        assert all(type(value) is not Address for value in received.values) or error is SourceFailed


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize(("items", "options", "error"), ENDINGS.values(), ids=ENDINGS)
def test_the_way_a_stream_ends_does_not_depend_on_how_its_text_is_cut(
    items: list[Any], options: dict[str, Any], error: type[StreamopsError] | None, size: int
) -> None:
    whole = ending(items, **options)
    cut: list[Any] = []
    for item in items:
        if isinstance(item, str):
            cut.extend(chunked(item, size))
        elif isinstance(item, Delta) and item.text:
            cut.extend(Delta(text, kind=item.kind) for text in chunked(item.text, size))
        else:
            cut.append(item)

    received = ending(cut, **options)

    assert type(received.error) is (error or type(None))
    assert str(received.error) == str(whole.error)


def test_malformed_json_says_what_was_found_where_and_what_was_expected() -> None:
    error = ending(['{"street": "a",\n "number": 1,,'], max_depth=9).error

    assert isinstance(error, MalformedJson)
    assert (error.offset, error.found, error.expected) == (29, ",", "a key")
    assert (error.line, error.column) == (' "number": 1,,', 13)
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "a", "number": 1}
    assert '\n   "number": 1,,\n               ^' in str(error)


def test_truncated_json_keeps_text_snapshot_and_finish_reason() -> None:
    error = ending([Delta('{"street": "Ma'), finish("length")]).error

    assert isinstance(error, TruncatedJson)
    assert error.text == '{"street": "Ma'
    assert error.finish_reason == "length"
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "Ma"}
    assert "ran out of tokens" in str(error)


def test_a_dropped_connection_is_truncated_json_and_a_failed_source_with_its_cause() -> None:
    error = ending(['{"street": "Ma', DROPPED]).error

    assert isinstance(error, TruncatedJson)
    assert isinstance(error, SourceFailed)
    assert error.dropped
    assert error.__cause__ is DROPPED
    assert error.text == '{"street": "Ma'
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "Ma"}


def test_a_failed_source_keeps_the_snapshot_so_far() -> None:
    failure = SourceFailed("overloaded")

    error = ending(['{"street": "Ma', failure]).error

    assert error is failure
    assert failure.snapshot is not None
    assert failure.snapshot.value == {"street": "Ma"}


def test_no_json_keeps_the_text() -> None:
    error = ending([Delta("I am "), Delta("sorry."), finish("stop")]).error

    assert isinstance(error, NoJson)
    assert error.text == "I am sorry."
    assert error.finish_reason == "stop"
    assert "I am sorry." in str(error)


def test_a_schema_mismatch_keeps_pydantics_error_the_path_and_the_snapshot() -> None:
    error = ending(['{"street": "a", ', '"number": "b"}']).error

    assert isinstance(error, SchemaMismatch)
    assert isinstance(error.validation_error, ValidationError)
    assert error.__cause__ is error.validation_error
    assert error.path == ()
    assert error.validation_error.errors()[0]["loc"] == ("number",)
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "a", "number": "b"}


def test_a_refusal_keeps_the_words_and_what_had_arrived() -> None:
    refusal = [Delta("I can", kind="refusal"), Delta("not.", kind="refusal")]

    error = ending([Delta('{"street": "Ma'), *refusal, finish("stop")]).error

    assert isinstance(error, Refused)
    assert error.text == "I cannot."
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "Ma"}


def test_a_filtered_answer_keeps_what_had_arrived() -> None:
    error = ending([Delta('{"street": "Ma'), finish("content_filter")]).error

    assert isinstance(error, ContentFiltered)
    assert error.text == '{"street": "Ma'
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": "Ma"}


def test_an_exceeded_limit_says_which_and_where() -> None:
    error = ending(['{"street": [[[', "[["], max_depth=3).error

    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value, error.offset) == ("max_depth", 3, 13)
    assert error.snapshot is not None
    assert error.snapshot.value == {"street": [[]]}


def test_a_root_number_that_was_cut_off_is_not_taken_for_whole() -> None:
    stream = reactivex.of(Delta("12"), finish("length")).pipe(ops.accumulate_json())

    assert isinstance(outcome(stream).error, TruncatedJson)


def test_every_error_of_a_stream_is_a_streamops_error_that_can_carry_a_snapshot() -> None:
    kinds = [
        kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception) and not name.startswith("_")
    ]

    ours = [kind for kind in kinds if kind.__module__ == errors.__name__]
    assert len(ours) == 12
    assert all(issubclass(kind, StreamopsError) for kind in ours)
    assert all(hasattr(kind, "snapshot") for kind in ours)
