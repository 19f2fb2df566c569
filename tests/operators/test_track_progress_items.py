"""`track_progress` behind `split_items`: items are counted; and how long the rest takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx

import streamops as so
from streamops import operators as ops
from streamops.errors import TruncatedJson
from streamops.lifting import PassThrough
from streamops.progress import Progress
from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes
from tests.growing import Address, Movie, Tags
from tests.outcomes import Outcome, outcome, through

ADDRESS = '{"street": "a", "number": 1}'


def items(chunks: Iterable[Any], item: Any = int, **options: Any) -> Outcome[Any]:
    return through(
        chunks, ops.accumulate_json(), ops.split_items(item), ops.track_progress(**options)
    )


def figures(received: Outcome[Any]) -> list[tuple[Any, float]]:
    return [(progress.value, progress.percent) for progress in received.values]


def test_items_are_counted_and_the_last_one_comes_again_when_it_is_known_to_be_the_last() -> None:
    received = items(["[1, 2", ", 3]"], expected=4)

    assert figures(received) == [(1, 25), (2, 50), (3, 75), (3, 100)]
    assert received.completed


def test_more_items_than_expected_stay_below_100() -> None:
    assert figures(items(["[1, 2, 3]"], expected=2)) == [(1, 50), (2, 99.9), (3, 99.9), (3, 100)]


def test_items_of_which_no_number_is_expected_approach_100() -> None:
    received = items(["[" + "1, " * 50 + "1]"])
    shares = [progress.percent for progress in received.values]

    assert all(a < b for a, b in pairwise(shares))
    assert {progress.basis for progress in received.values} == {"items"}


def test_models_are_items_too() -> None:
    received = items([f"[{ADDRESS}, {ADDRESS}]"], Address, expected=2)

    assert [percent for _, percent in figures(received)] == [50, 99.9, 100]


def test_so_are_results_and_tagged_items() -> None:
    results = through(
        ["[1, null]"],
        ops.accumulate_json(),
        ops.split_items(int, on_invalid="result"),
        ops.track_progress(expected=2),
    )
    tagged = through(
        ['{"a": [1], "b": [2]}'],
        ops.accumulate_json(),
        ops.split_items({"a": int, "b": int}),
        ops.track_progress(expected=2),
    )

    assert [percent for _, percent in figures(results)] == [50, 99.9, 100]
    assert [percent for _, percent in figures(tagged)] == [50, 99.9, 100]


def test_the_items_that_have_come_are_completed() -> None:
    received = items(["[1, 2, 3]"])

    assert [progress.completed for progress in received.values] == [
        ((0,),),
        ((0,), (1,)),
        ((0,), (1,), (2,)),
        ((0,), (1,), (2,)),
    ]
    assert {progress.current for progress in received.values} == {()}


def test_no_items_are_no_progress() -> None:
    received = items(["[]"], expected=3)

    assert received.values == []
    assert received.completed


def test_items_that_break_off_never_reach_100() -> None:
    received = items(["[1, 2, 3"], expected=3)

    assert [round(percent) for _, percent in figures(received)] == [33, 67]
    assert isinstance(received.error, TruncatedJson)


def test_an_item_comes_when_it_comes_and_the_end_when_the_source_completes() -> None:
    stage = Stage()
    source = "-a-b-c-|"
    window = "^------!"
    result = "-x-y---(z,|)"

    chunks = stage.cold(source, a="[1, ", b="2]", c=" ")
    counted = stage.run(
        chunks.pipe(
            ops.accumulate_json(),
            ops.split_items(int),
            ops.track_progress(expected=4),
            rx.map(figures_of),
        )
    )

    assert counted == stage.expect(result, x=(1, 25), y=(2, 50), z=(2, 100))
    assert chunks.subscriptions == stage.window(window)


def figures_of(progress: Progress[Any]) -> tuple[Any, float]:
    return progress.value, progress.percent


def test_a_second_subscription_counts_from_the_beginning() -> None:
    stream = reactivex.of("[1, 2]").pipe(
        ops.accumulate_json(), ops.split_items(int), ops.track_progress(expected=2)
    )

    assert figures(outcome(stream)) == figures(outcome(stream)) == [(1, 50), (2, 99.9), (2, 100)]


@given(st.lists(st.integers(0, 99)), chunk_sizes, st.none() | st.integers(1, 9))
def test_the_percentage_of_items_never_falls_and_is_100_exactly_at_the_end(
    numbers: list[int], sizes: list[int], expected: int | None
) -> None:
    received = items(chunked(str(numbers), *sizes), expected=expected)

    shares = [progress.percent for progress in received.values]
    assert [progress.value for progress in received.values] == numbers + numbers[-1:]
    assert all(a <= b for a, b in pairwise(shares))
    assert all(0 < share < 100 for share in shares[:-1])
    assert shares[-1:] == ([100] if numbers else [])


WRONG: dict[str, dict[str, Any]] = {
    "a model": {"model": int},
    "numbers by path": {"expected": {"users": 3}},
    "weights": {"weights": {"name": 3}},
    "a prior": {"prior": so.Prior.from_runs(["[1]"])},
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG)
def test_behind_split_items_hints_for_documents_are_refused_when_the_pipeline_is_built(
    options: dict[str, Any],
) -> None:
    snapshots = reactivex.of("[1]").pipe(ops.accumulate_json())

    with pytest.raises(ValueError, match="behind split_items counts items"):
        snapshots.pipe(ops.split_items(int), ops.track_progress(**options))


PASSED_ON: dict[str, PassThrough] = {
    "distinct_snapshots": ops.distinct_snapshots(),
    "throttle_latest": ops.throttle_latest(0.001),
    "share_latest": ops.share_latest(),
}


@pytest.mark.parametrize("passed_on", PASSED_ON.values(), ids=PASSED_ON)
def test_items_that_our_operators_pass_on_are_counted(passed_on: PassThrough) -> None:
    address = reactivex.of(f"[{ADDRESS}]").pipe(ops.accumulate_json(), ops.split_items(Address))

    received = outcome(address.pipe(passed_on, ops.track_progress(expected=4)))

    assert [percent for _, percent in figures(received)] == [25, 100]


@pytest.mark.parametrize("passed_on", PASSED_ON.values(), ids=PASSED_ON)
def test_documents_that_our_operators_pass_on_may_be_several(passed_on: PassThrough) -> None:
    documents = reactivex.of(ADDRESS + ADDRESS.replace("a", "b")).pipe(
        ops.accumulate_json(values="many"), ops.to_partial(Address)
    )

    received = outcome(documents.pipe(passed_on, ops.track_progress()))

    assert [percent for _, percent in figures(received)] == [100, 100]


def test_items_of_which_nobody_knows_that_they_are_items_are_never_100_percent_twice() -> None:
    address = Address(street="a", number=1)

    received = through(
        [f"[{ADDRESS}, {ADDRESS}]"],
        ops.accumulate_json(),
        ops.split_items(Address),
        rx.filter(bool),
        ops.track_progress(),
    )

    assert figures(received) == [(address, 100)]
    assert isinstance(received.error, TypeError)
    assert "or right behind split_items(T) to count items" in str(received.error)


def test_models_behind_other_operators_may_be_several_documents_once_one_was_seen_to_grow() -> None:
    received = through(
        [ADDRESS[:9], ADDRESS[9:], ADDRESS, ADDRESS],
        ops.accumulate_json(values="many"),
        ops.to_partial(Address),
        rx.filter(bool),
        ops.track_progress(),
    )

    assert [percent for _, percent in figures(received)][1:] == [100, 100, 100]


@pytest.mark.parametrize(
    ("type_", "chunks"),
    [
        (list[int], ["[1, ", "2, "]),
        (set[int], ["[1, ", "2, "]),
        (dict[str, int], ['{"a": 1, ', "2"]),
        (str, ['"a', "b"]),
        (Movie, ['{"year": 1, ', '"title": "a']),
    ],
    ids=["a list", "a set", "a dict", "a string", "a TypedDict"],
)
def test_chunks_of_what_grows_are_never_counted_as_items(type_: Any, chunks: list[str]) -> None:
    received = through(
        chunks, ops.accumulate_json(), ops.to_partial(type_), ops.track_progress(expected=3)
    )

    assert received.values == []
    assert isinstance(received.error, TypeError)
    assert "put track_progress(T) before to_partial(T)" in str(received.error)


def test_a_root_model_is_a_document_and_no_item_even_if_it_comes_at_once() -> None:
    received = through(
        ['["a", "b"]'], ops.accumulate_json(), ops.to_partial(Tags), ops.track_progress(expected=4)
    )

    assert figures(received) == [(Tags(["a", "b"]), 100)]


def test_a_number_that_is_expected_of_a_document_counts_no_snapshots() -> None:
    received = through(["[1, ", "2, ", "3"], ops.accumulate_json(), ops.track_progress(expected=4))

    assert [progress.percent for progress in received.values] == [25, 50, 50]


class Clock:
    """Tells the times that it was given, one after the other."""

    def __init__(self, *times: float) -> None:
        self._times = iter(times)

    def __call__(self) -> float:
        return next(self._times)


def etas(chunks: list[str], *times: float, model: Any = None, expected: Any) -> list[float | None]:
    received = through(
        chunks,
        ops.accumulate_json(),
        ops.track_progress(model, expected=expected, clock=Clock(*times)),
    )
    return [progress.eta for progress in received.values]


def test_the_rest_takes_as_long_as_the_rate_since_the_first_element_says() -> None:
    chunks = ["[1, ", "2, ", "3, ", "4]"]

    assert etas(chunks, 10, 13, 16, 19, 22, expected=4) == [None, 6, 3, 0]


def test_waiting_for_the_first_token_does_not_change_the_rate() -> None:
    chunks = ["[1, ", "2, ", "3, ", "4]"]

    assert etas(chunks, 0, 100, 103, 106, 109, expected=4) == [None, 6, 3, 0]


def test_nor_does_prose_before_the_document() -> None:
    chunks = ["Let me think. ", "So: ", "[1, ", "2, ", "3, ", "4]"]

    assert etas(chunks, 0, 10, 50, 100, 103, 106, 109, expected=4) == [None, None, None, 6, 3, 0]


def test_a_stall_shows_in_the_next_element_and_is_made_up_for() -> None:
    chunks = ["[1, ", "2, ", "3, ", "4, "]

    assert etas(chunks, 0, 0, 3, 36, 39, expected=10) == [None, 24, 126, 78]


def test_there_is_no_eta_before_there_is_a_rate_that_is_more_than_noise() -> None:
    assert etas(["[1, ", "2, "], 0, 1, 1, expected=4) == [None, None]
    assert etas(["[", "1, ", "2, "], 0, 1, 2, 3, expected=150) == [None, None, 148]
    assert etas(["Sure: ", "{"], 0, 1, 2, expected=4) == [None, None]


def test_a_document_that_comes_at_once_is_over() -> None:
    assert etas(["[1, 2]"], 0, 5, expected=4) == [0]


def test_each_of_several_documents_has_a_rate_of_its_own() -> None:
    received = through(
        ["[1, ", "2] ", "[3, ", "4]"],
        ops.accumulate_json(values="many"),
        ops.track_progress(expected=4, clock=Clock(0, 1, 2, 3, 4, 5, 6)),
    )

    assert [(p.percent, p.eta) for p in received.values] == [
        (25, None),
        (100, 0),
        (25, None),
        (100, 0),
    ]


def test_items_have_an_eta_too() -> None:
    received = items(["[1, ", "2, ", "3, ", "4]"], expected=4, clock=Clock(0, 5, 6, 7, 8, 8))

    assert [progress.eta for progress in received.values][:3] == [None, 2, 1]
    assert received.values[-1].eta == 0
    assert [progress.elapsed for progress in received.values] == [5, 6, 7, 8, 8]
