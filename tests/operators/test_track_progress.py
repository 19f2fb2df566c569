"""What `track_progress` promises."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Annotated, Any

import pytest
import reactivex
from pydantic import BaseModel, Field
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import NoJson, SourceFailed, TruncatedJson
from streamops.operators.field_events import FieldEvent
from streamops.progress import Progress
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked
from tests.growing import Address, Point
from tests.outcomes import Outcome, outcome, through, values


class Report(BaseModel):
    title: str
    summary: str
    conclusion: str


class Book(BaseModel):
    report: Report
    pages: Annotated[list[int], Field(max_length=4)]


class Shelf(BaseModel):
    books: list[Book]
    names: Annotated[list[str], Field(min_length=2)] = []


class Order(BaseModel):
    number: Annotated[int, Field(gt=0)]
    price: float | None
    note: int | str


REPORT = ['{"title": "a"', ', "summary": "b"', ', "conclusion": "c"', "}"]


def before(
    chunks: Iterable[Any],
    model: Any = None,
    expected: Any = None,
    clock: Callable[[], float] = float,
) -> Outcome[Any]:
    return through(
        chunks,
        ops.accumulate_json(),
        ops.track_progress(model, expected=expected, clock=clock),
    )


def after(chunks: Iterable[Any], model: Any, expected: Any = None) -> Outcome[Any]:
    return through(
        chunks, ops.accumulate_json(), ops.to_partial(model), ops.track_progress(expected=expected)
    )


def percents(received: Outcome[Any]) -> list[int]:
    return [round(progress.percent) for progress in received.values]


def test_a_report_of_three_fields_is_33_67_and_100_percent_done() -> None:
    chunks = [REPORT[0], REPORT[1], REPORT[2] + "}"]

    assert percents(after(chunks, Report)) == [33, 67, 100]
    assert percents(before(chunks, Report)) == [33, 67, 100]


def test_only_completion_is_100_percent() -> None:
    received = after(REPORT, Report)

    assert [progress.percent for progress in received.values][2:] == [99.9, 100.0]


def test_nested_models_share_the_weight_of_their_field() -> None:
    chunks = [
        '{"report": {"title": "a"',
        ', "summary": "b", "conclusion": "c"',
        '}, "pages": [1, ',
        "2, ",
    ]

    assert percents(after(chunks, Book)) == [17, 50, 62, 75]


EXPECTED: dict[str, tuple[Any, Any, list[str], list[int]]] = {
    "a number for the root": (list[int], 4, ["[1, ", "2, 3, ", "4]"], [25, 75, 100]),
    "by name": (Shelf, {"books": 2}, ['{"books": [{"report": {}, "pages": []}, '], [25]),
    "by path": (
        Shelf,
        {("books", 0, "pages"): 2},
        ['{"books": [{"pages": [', "1, ", "2, "],
        [0, 2, 5],
    ),
    "more than the schema says": (
        Book,
        {"pages": 10},
        ['{"pages": [', "1, ", "2, 3, 4, 5, "],
        [0, 5, 25],
    ),
    "what may be counted": (Order, {"note": 4}, ['{"note": "ab'], [17]),
    "more items than expected": (list[int], 2, ["[1, ", "2, ", "3, "], [50, 100, 100]),
    "the characters of a string": (
        Report,
        {"summary": 4},
        ['{"summary": "ab', "cd", "ef"],
        [17, 33, 33],
    ),
}


@pytest.mark.parametrize(("model", "expected", "chunks", "result"), EXPECTED.values(), ids=EXPECTED)
def test_lengths_can_be_expected(
    model: Any, expected: Any, chunks: list[str], result: list[int]
) -> None:
    received = before(chunks, model, expected)

    assert percents(received) == result
    assert {progress.basis for progress in received.values} == {"expected"}


def test_what_the_type_says_of_a_length_is_expected() -> None:
    assert percents(before(['{"pages": [1, ', "2, ", "3, "], Book)) == [12, 25, 38]
    assert percents(before(['{"names": ["a", ', '"b", '], Shelf)) == [25, 50]


def test_what_has_no_length_approaches_its_weight_without_reaching_it() -> None:
    chunks = chunked("[" + "1," * 1000 + "1]", 200)

    received = before(chunks)

    shares = [progress.percent for progress in received.values]
    assert all(a < b for a, b in pairwise(shares))
    assert shares[-2] < 100
    assert shares[-1] == 100.0


def test_a_long_string_moves_the_percentage_while_it_grows() -> None:
    shares = [p.percent for p in before(['{"title": "', *["word " * 20] * 5], Report).values]

    assert all(a < b for a, b in pairwise(shares))
    assert shares[-1] < 100 / 3


def test_what_the_percentage_is_based_on_can_be_asked() -> None:
    assert [p.basis for p in before(["["]).values] == ["structure"]
    assert [p.basis for p in before(["{"], Report).values] == ["schema"]
    assert [p.basis for p in after(["{"], Report).values] == ["schema"]
    assert [p.basis for p in after(["{"], Report, {"title": 3}).values] == ["expected"]


def test_the_paths_that_are_finished_and_the_one_being_written_can_be_asked() -> None:
    received = after(
        ['{"report": {"title": "a", "summary": "', '", "conclusion": "b"}, "pages": [1, 2'], Book
    )

    first, second = received.values
    assert first.completed == (("report", "title"),)
    assert first.current == ("report", "summary")
    assert second.completed == (
        ("report", "title"),
        ("report", "summary"),
        ("report", "conclusion"),
        ("report",),
        ("pages", 0),
    )
    assert second.current == ("pages",)


def test_the_value_is_the_element_itself() -> None:
    stream = reactivex.of("[1", "]").pipe(ops.accumulate_json(), rx.replay(buffer_size=9))
    stream.connect()

    snapshots = values(stream)
    assert [p.value for p in values(stream.pipe(ops.track_progress()))] == snapshots


def test_an_element_comes_when_it_comes() -> None:
    stage = Stage()
    source = "-a-b-c-|"
    window = "^------!"
    result = "-x-y-z-|"

    chunks = stage.cold(source, a=REPORT[0], b=REPORT[1], c=REPORT[2] + "}")
    shares = stage.run(
        chunks.pipe(ops.accumulate_json(), ops.track_progress(Report), rx.map(percent_of))
    )

    assert shares == stage.expect(result, x=33, y=67, z=100)
    assert chunks.subscriptions == stage.window(window)


def percent_of(progress: Progress[Any]) -> int:
    return round(progress.percent)


def test_nothing_arrives() -> None:
    received = before([])

    assert received.values == []
    assert isinstance(received.error, NoJson)


def test_a_truncated_document_never_reaches_100_percent() -> None:
    received = after(REPORT[:3], Report)

    assert isinstance(received.error, TruncatedJson)
    assert all(progress.percent < 100 for progress in received.values)


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    chunks = stage.cold("-a--", a="[1, ")

    stream = chunks.pipe(ops.accumulate_json(), ops.track_progress(expected=2), rx.map(percent_of))

    assert stage.run(stream) == stage.expect("-x", x=50)
    assert chunks.subscriptions == stage.window("^")


def test_when_the_source_fails_the_values_before_it_are_kept_and_the_error_is_the_same_object() -> (
    None
):
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of("[1, "), reactivex.throw(error))

    received = outcome(source.pipe(ops.accumulate_json(), ops.track_progress()))

    assert len(received.values) == 1
    assert received.error is error


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-a-a|", a="[")

    stage.run(chunks.pipe(ops.accumulate_json(), ops.track_progress()), until=4)

    assert chunks.subscriptions == stage.window("^---!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.from_iterable(REPORT).pipe(
        ops.accumulate_json(), ops.to_partial(Report), ops.track_progress(clock=float)
    )

    assert [p.percent for p in values(stream)] == [p.percent for p in values(stream)]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(progress: Progress[Snapshot]) -> None:
        raise KeyError(progress.value.value)

    source.pipe(ops.accumulate_json(), ops.track_progress()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match=r"\[\]"):
        source.on_next("[")
    assert errors == []


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no type": ({"model": 3}, TypeError, "track_progress needs a type that pydantic"),
    "no number": ({"expected": "users"}, TypeError, "expected is a number of items"),
    "no length": ({"expected": {"users": "3"}}, TypeError, "expected is a number of items"),
    "a truth": ({"expected": True}, TypeError, "expected is a number of items"),
    "no path": ({"expected": {3: 3}}, TypeError, "track_progress takes a path"),
    "nothing to expect": ({"expected": {"users": 0}}, ValueError, "expected must be at least 1"),
    "a field that is not there": (
        {"model": Book, "expected": {("report", "name"): 3}},
        ValueError,
        "('report', 'name') leads nowhere: at ('report',) is a Report, whose fields are: title",
    ),
    "items of a model": (
        {"model": Book, "expected": {"report": 3}},
        ValueError,
        "expected=3 at ('report',) counts items, entries or characters, but a model stands there",
    ),
    "items of a number": (
        {"model": Order, "expected": {"number": 3}},
        ValueError,
        'but a single value stands there: name a list, such as expected={"users": 3}',
    ),
    "items of a number or nothing": (
        {"model": Order, "expected": {"price": 3}},
        ValueError,
        "a single value stands there",
    ),
    "weights without a path": ({"weights": 3}, TypeError, "weights are numbers by path"),
    "a weight that is no number": ({"weights": {"a": "3"}}, TypeError, "weights are numbers by"),
    "a weight that is a truth": ({"weights": {"a": True}}, TypeError, "weights are numbers by"),
    "a negative weight": (
        {"weights": {"a": -1}},
        ValueError,
        "to a million, not -1 at",
    ),
    "an infinite weight": (
        {"weights": {"a": math.inf}},
        ValueError,
        "a number from 0 to a million",
    ),
    "a huge weight": ({"weights": {"a": 10**400}}, ValueError, "from 0 to a million"),
    "a weight that is NaN": (
        {"weights": {"a": math.nan}},
        ValueError,
        "a number from 0 to a million",
    ),
    "the weight of the root": ({"weights": {(): 1}}, ValueError, "does not end in the name"),
    "the weight of an item": ({"weights": {("a", 0): 1}}, ValueError, "does not end in the name"),
    "a weight that leads nowhere": (
        {"model": Report, "weights": {"titel": 2}},
        ValueError,
        "('titel',) leads nowhere: is a Report, whose fields are: title, summary, conclusion",
    ),
    "weights of which nothing is left": (
        {"model": Report, "weights": {"title": 0, "summary": 0, "conclusion": 0}},
        ValueError,
        "with these weights no field of Report counts: give one of them more than 0",
    ),
    "a prior that is none": ({"prior": ['{"a": 1}']}, TypeError, "so.Prior.from_runs"),
}


@pytest.mark.parametrize(("options", "error", "message"), WRONG.values(), ids=WRONG)
def test_bad_arguments_raise_when_the_operator_is_built(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        ops.track_progress(**options)


def test_elements_that_show_no_document_are_an_error_that_says_where_to_put_the_operator() -> None:
    received = through([3], ops.track_progress())

    assert isinstance(received.error, TypeError)
    assert "put track_progress(T) before to_partial(T)" in str(received.error)


def test_the_model_of_a_validated_element_is_complete() -> None:
    address = Address(street="a", number=1)

    (progress,) = through([address], ops.track_progress()).values

    assert progress.percent == 100.0
    assert progress.completed == ((),)
    assert progress.current == ()


class Renamed(BaseModel):
    name: str = Field(alias="fullName")
    tags: list[str]


@pytest.mark.parametrize("size", [1, 5, 18, 99])
def test_what_is_said_of_the_validated_model_does_not_depend_on_the_chunks(size: int) -> None:
    text = '{"fullName": "abc", "tags": ["a"]}'

    last = after(chunked(text, size), Renamed, {"tags": 2}).values[-1]

    assert last.completed == ((),)
    assert (last.percent, last.basis) == (100, "expected")
    assert after(chunked(text, size), Renamed).values[-1].basis == "schema"


@pytest.mark.parametrize("size", [1, 5, 99])
def test_hints_that_lead_nowhere_end_the_stream_however_it_was_cut(size: int) -> None:
    received = after(chunked('{"fullName": "abc", "tags": []}', size), Renamed, {"tag": 2})

    assert received.values == []
    assert "('tag',) leads nowhere: is a Renamed" in str(received.error)


@pytest.mark.parametrize("size", [9, 99])
def test_dataclasses_behind_to_partial_count_as_models_do(size: int) -> None:
    text = '{"x": 1, "y": 2}'

    received = after(chunked(text, size), Point)

    assert percents(received) == ([50, 100] if size == 9 else [100])
    assert {progress.basis for progress in received.values} == {"schema"}
    assert received.values[-1].value == Point(1, 2)


@pytest.mark.parametrize(
    "elements",
    [[Delta("a")], [Point], [FieldEvent("started", ("a",))]],
    ids=["a Delta", "a class", "an event"],
)
def test_other_dataclasses_are_no_documents(elements: list[Any]) -> None:
    received = through(elements, ops.track_progress())

    assert received.values == []
    assert isinstance(received.error, TypeError)


@pytest.mark.parametrize("size", [1, 4, 7, 99])
def test_each_of_several_documents_is_100_percent_done_once(size: int) -> None:
    chunks = chunked('{"street": "a", "number": 1}\n' * 3, size)

    received: Outcome[Any] = through(
        chunks,
        ops.accumulate_json(values="many"),
        ops.to_partial(Address),
        ops.track_progress(),
    )

    assert received.completed
    assert percents(received).count(100) == 3


def test_a_document_that_is_asked_for_again_begins_again() -> None:
    lost: reactivex.Observable[str] = reactivex.throw(OSError("lost"))
    attempts = iter([reactivex.of("[1, ").pipe(rx.concat(lost)), reactivex.of("[1, ", "2]")])

    received = outcome(
        reactivex.defer(lambda _: next(attempts)).pipe(
            ops.accumulate_json(), rx.retry(2), ops.track_progress(expected=2)
        )
    )

    assert percents(received) == [50, 50, 100]


def test_documents_that_are_merged_count_each_by_itself() -> None:
    one, other = Subject[str](), Subject[str]()
    received: list[float] = []
    merged = reactivex.merge(one.pipe(ops.accumulate_json()), other.pipe(ops.accumulate_json()))

    merged.pipe(ops.track_progress(expected=2)).subscribe(lambda p: received.append(p.percent))
    one.on_next("[1, ")
    other.on_next("[")
    one.on_next("2]")
    other.on_next("1]")

    assert received == [50, 0, 100, 100]


def test_progress_can_be_pickled() -> None:
    snapshots = reactivex.of('{"name": "Ada", ', '"tags": ["a"]}')
    stream = snapshots.pipe(ops.accumulate_json(), ops.track_progress(expected={("tags",): 3}))

    for progress in values(stream):
        copied: Progress[Snapshot] = pickle.loads(pickle.dumps(progress))
        assert (copied.percent, copied.completed) == (progress.percent, progress.completed)
