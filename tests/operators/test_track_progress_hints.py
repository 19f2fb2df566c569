"""`track_progress`: weights, earlier runs, and what a percentage is based on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import pytest
from annotated_types import MaxLen
from pydantic import AliasChoices, BaseModel, Field, RootModel
from typing_extensions import TypedDict

import streamops as so
from streamops import ANY
from streamops import operators as ops
from streamops.progress import Progress
from streamops.testing import chunked
from tests.growing import Pet, Tree
from tests.outcomes import through


class Report(BaseModel):
    title: str
    summary: str
    conclusion: str


class Section(BaseModel):
    heading: str
    text: str


class Paper(BaseModel):
    report: Report
    sections: list[Section]


class Renamed(BaseModel):
    first: str = Field(validation_alias=AliasChoices("one", "uno"))
    second: str = Field(alias="two")


def tracked(chunks: Iterable[str], model: Any = None, **hints: Any) -> list[Progress[Any]]:
    received: list[Progress[Any]] = through(
        chunks, ops.accumulate_json(), ops.track_progress(model, **hints)
    ).values
    return received


def percents(chunks: Iterable[str], model: Any = None, **hints: Any) -> list[int]:
    return [round(progress.percent) for progress in tracked(chunks, model, **hints)]


REPORT = ['{"title": "a"', ', "summary": "b"', ', "conclusion": "c"', "}"]
PAPER = [
    '{"report": {"title": "a"',
    ', "summary": "b", "conclusion": "c"}',
    ', "sections": [{"heading": "a"',
    "}",
    ', {"text": "b"',
]


@dataclass
class Place:
    name: str
    near: list[str]


class Trip(TypedDict):
    start: Place
    stops: Annotated[list[Place], MaxLen(4)]


class Trips(RootModel[list[Trip]]):
    pass


class Nested(RootModel["dict[str, Nested]"]):
    pass


class Hidden(BaseModel):
    report: Annotated[Report, so.Stream.done]
    note: str


PLACE = '{"name": "a", "near": []}'
OTHERS: dict[str, tuple[Any, dict[str, Any], list[str], list[int]]] = {
    "a dataclass": (Place, {}, ['{"name": "a"', ', "near": []'], [50, 100]),
    "a TypedDict": (Trip, {}, [f'{{"start": {PLACE}', f', "stops": [{PLACE}'], [50, 62]),
    "a root model": (Trips, {"expected": 2}, [f'[{{"start": {PLACE}', "}"], [25, 50]),
    "weights inside a root model": (
        Trips,
        {"expected": 2, "weights": {(ANY, "start", "name"): 3}},
        ['[{"start": {"name": "a"'],
        [19],
    ),
    "what is shown when it is finished": (Hidden, {}, ['{"report": {"title": "a"'], [17]),
    "what is shown when it is finished, weighed": (
        Hidden,
        {"weights": {"note": 0, ("report", "title"): 2}},
        ['{"report": {"title": "a"'],
        [50],
    ),
}


@pytest.mark.parametrize(("type_", "hints", "chunks", "result"), OTHERS.values(), ids=OTHERS)
def test_types_with_fields_that_are_no_plain_models_share_their_weight_too(
    type_: Any, hints: dict[str, Any], chunks: list[str], result: list[int]
) -> None:
    assert percents(chunks, type_, **hints) == result


WEIGHTS: dict[str, tuple[Any, dict[Any, float], list[str], list[int]]] = {
    "one field counts more": (Report, {"summary": 3}, REPORT, [20, 80, 100, 100]),
    "one field does not count": (Report, {"title": 0}, REPORT, [0, 50, 100, 100]),
    "a path of one name": (Report, {("summary",): 3}, REPORT, [20, 80, 100, 100]),
    "a field of a field": (
        Paper,
        {("report", "title"): 2, ("sections", ANY, "text"): 3},
        PAPER,
        [25, 50, 52, 58, 63],
    ),
    "an exact path before any": (
        Paper,
        {("sections", ANY, "text"): 0, ("sections", 0, "text"): 3},
        PAPER[:3],
        [17, 50, 52],
    ),
    "names of fields, whatever their keys": (
        Renamed,
        {"first": 3},
        ['{"two": "b"', ', "uno": "a"', ', "one": "c"'],
        [25, 100, 100],
    ),
    "without a model": (None, {"b": 5}, ['{"a": 1, ', '"b": 2, ', '"c": 3, '], [17, 55, 58]),
}


@pytest.mark.parametrize(("model", "weights", "chunks", "result"), WEIGHTS.values(), ids=WEIGHTS)
def test_fields_count_what_their_weight_says(
    model: Any, weights: dict[Any, float], chunks: list[str], result: list[int]
) -> None:
    assert percents(chunks, model, weights=weights) == result
    assert {p.basis for p in tracked(chunks, model, weights=weights)} == {"weights"}


def test_weights_that_only_the_first_partial_can_judge_end_the_stream() -> None:
    received = through(
        REPORT, ops.accumulate_json(), ops.to_partial(Report), ops.track_progress(weights={"x": 1})
    )

    assert received.values == []
    assert isinstance(received.error, ValueError)
    assert "('x',) leads nowhere: is a Report" in str(received.error)


def test_weights_after_to_partial_are_those_of_its_model() -> None:
    received = through(
        REPORT,
        ops.accumulate_json(),
        ops.to_partial(Report),
        ops.track_progress(weights={"summary": 3}),
    )

    assert [round(progress.percent) for progress in received.values] == [20, 80, 100, 100]


def report(title: int, summary: int, conclusion: int) -> str:
    return json.dumps(
        {"title": "t" * title, "summary": "s" * summary, "conclusion": "c" * conclusion}
    )


RUNS = [report(20, 500, 300), report(30, 700, 500), report(25, 600, 400)]
PRIOR = so.Prior.from_runs(RUNS)


def test_after_earlier_runs_the_percentage_is_about_the_share_of_the_characters() -> None:
    text = RUNS[2]
    chunks = chunked(text, 10)

    learned = tracked(chunks, Report, prior=PRIOR)[:-1]
    by_schema = tracked(chunks, Report)[:-1]

    def furthest_off(received: list[Progress[Any]]) -> float:
        shares = [1000 * number / len(text) for number in range(1, len(received) + 1)]
        return max(abs(p.percent - share) for p, share in zip(received, shares, strict=True))

    assert furthest_off(learned) < 4
    assert furthest_off(by_schema) > 20


@pytest.mark.parametrize("model", [Report, None], ids=["with the model", "without it"])
def test_a_run_that_is_longer_than_earlier_ones_slows_down_and_never_stands_still(
    model: Any,
) -> None:
    received = tracked(chunked(report(25, 6000, 400), 50), model, prior=PRIOR)
    shares = [progress.percent for progress in received]

    assert all(a < b for a, b in pairwise(shares))
    assert shares[len(shares) // 2] < 65


@pytest.mark.parametrize("model", [Report, None], ids=["with the model", "without it"])
def test_a_run_that_is_shorter_than_earlier_ones_jumps_up_when_its_fields_close(model: Any) -> None:
    received = tracked(chunked(report(2, 20, 4), 10), model, prior=PRIOR)
    shares = [progress.percent for progress in received]

    assert all(a <= b for a, b in pairwise(shares))
    assert max(shares[:-1]) < 100


def test_lists_and_dicts_are_as_long_as_in_earlier_runs() -> None:
    prior = so.Prior.from_runs(["[1, 2, 3, 4]", '{"a": 1, "b": 2, "c": 3, "d": 4}'])

    assert percents(["[1, ", "2, ", "3, "], list[int], prior=prior) == [25, 50, 75]
    assert percents(['{"x": 1, ', '"y": 2, ', '"z": 3, '], dict[str, int], prior=prior) == [
        25,
        50,
        75,
    ]


def test_a_field_that_no_run_had_still_counts_and_the_less_the_more_runs_there_were() -> None:
    texts = ['{"title": "ab", "summary": "cd"}'] * 3
    chunks = ['{"conclusion": "a"', ', "title": "b"']

    (once, _), (thrice, _) = (
        [p.percent for p in tracked(chunks, Report, prior=so.Prior.from_runs(runs))]
        for runs in (texts[:1], texts)
    )

    assert once == pytest.approx(100 / 5)
    assert thrice == pytest.approx(100 / 9)


def test_what_was_learned_by_name_or_by_any_alias_is_learned_of_the_field() -> None:
    runs = ['{"one": "abcd", "two": ""}', '{"uno": "abcd", "two": ""}', '{"first": "abcd"}']

    received = percents(['{"uno": "ab', "cd", '"'], Renamed, prior=so.Prior.from_runs(runs))

    assert received[0] == pytest.approx(received[2] / 2, abs=1)
    assert received[1] == pytest.approx(received[2] * 0.95, abs=1)


def test_what_is_expected_or_weighed_goes_before_what_was_learned_and_that_before_the_type() -> (
    None
):
    items = Annotated[list[int], MaxLen(10)]
    prior = so.Prior.from_runs(["[1, 2, 3, 4]"])

    assert percents(["[1, "], items, prior=prior, expected=2) == [50]
    assert percents(["[1, "], items, prior=prior) == [25]
    assert percents(["[1, "], items) == [10]
    assert percents(REPORT[:1], Report, prior=PRIOR, weights={"title": 0}) == [0]


def test_what_was_learned_of_recursive_models_and_unions_is_found_at_any_depth() -> None:
    tree: Any = {"label": "abcdefgh", "children": [{"label": "abcdefgh"}]}
    pet: Any = {"kind": "dog", "bark": "w" * 90, "friends": [{"kind": "cat", "lives": 9}]}

    for model, text in ((Tree, json.dumps(tree)), (Pet, json.dumps(pet))):
        received = tracked(chunked(text, 5), model, prior=so.Prior.from_runs([text]))
        assert received[len(received) // 2].percent > 15


def test_an_undecided_union_counts_nothing_until_its_discriminator_has_come() -> None:
    chunks = ['{"bark": "woof"', ', "kind": "dog"', "}"]

    assert percents(chunks, Pet) == [0, 67, 100]


EVERYTHING = {"expected": {"title": 3}, "weights": {"title": 3}, "prior": PRIOR}
BASES: dict[str, tuple[Any, dict[str, Any], str]] = {
    "expected": (Report, EVERYTHING, "expected"),
    "weights": (Report, {**EVERYTHING, "expected": None}, "weights"),
    "prior": (Report, {"prior": PRIOR}, "prior"),
    "prior without a model": (None, {"prior": PRIOR}, "prior"),
    "a prior of another shape": (Report, {"prior": so.Prior.from_runs(["[1]"])}, "schema"),
    "a prior of other fields": (Report, {"prior": so.Prior.from_runs(['{"a": 1}'])}, "schema"),
    "a prior of nothing": (None, {"prior": so.Prior.from_runs(["{}", "1"])}, "structure"),
    "a prior of no dicts": (dict[str, str], {"prior": so.Prior.from_runs(["[1]"])}, "structure"),
    "a prior of no lists": (Trips, {"prior": so.Prior.from_runs(["{}"])}, "schema"),
    "a prior of one of several": (Report | list[Report], {"prior": PRIOR}, "prior"),
    "the fields of a model": (Report, {}, "schema"),
    "the models in a list": (list[Report], {}, "schema"),
    "one of several models": (Report | Section, {}, "schema"),
    "a dataclass": (Place, {}, "schema"),
    "a root model": (Trips, {}, "schema"),
    "a type that contains itself and tells nothing": (Nested, {}, "structure"),
    "a length": (Annotated[str, MaxLen(9)], {}, "schema"),
    "a type that tells nothing": (dict[str, list[int]], {}, "structure"),
    "nothing": (None, {}, "structure"),
}


@pytest.mark.parametrize(("model", "hints", "basis"), BASES.values(), ids=BASES)
def test_a_percentage_says_what_it_is_based_on(
    model: Any, hints: dict[str, Any], basis: str
) -> None:
    (progress,) = tracked(['{"title": "'], model, **hints)

    assert progress.basis == basis
    assert f"% by {basis}, " in repr(progress)


def test_progress_on_another_basis_is_not_the_same() -> None:
    by_schema, by_prior = (
        tracked(["{"], Report, prior=prior, clock=float)[0] for prior in (None, PRIOR)
    )

    assert by_schema.percent == by_prior.percent
    assert by_schema != by_prior
    assert by_schema == tracked(["{"], Report, clock=float)[0]
