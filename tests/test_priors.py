"""What `Prior` promises; what it does to a percentage is in the tests of `track_progress`."""

from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest
from hypothesis import given
from pydantic import BaseModel, Field, computed_field

import streamops as so
from streamops import operators as ops
from streamops.priors import Learned, Prior
from tests.documents import MODELS, json_values
from tests.growing import User
from tests.outcomes import through


class Note(BaseModel):
    title: str = Field(default="none", alias="noteTitle")
    words: list[str] = []

    @computed_field
    def length(self) -> int:
        return len(self.words)


def at(prior: Prior, *path: str | None) -> Learned:
    """Return what was learned at a path, in which None stands for any item."""
    learned = prior.learned
    for key in path:
        below = learned.each if key is None else learned.fields[key]
        assert below is not None
        learned = below
    return learned


def test_lengths_are_learned_per_place_over_all_items_and_runs() -> None:
    prior = Prior.from_runs(['{"users": [{"name": "Al"}, {"name": "Jo Lee"}]}', '{"users": []}'])

    assert at(prior, "users").length("array") == 1
    assert at(prior, "users", None).seen == 2
    assert at(prior, "users", None, "name").length("string") == 4
    assert at(prior, "users", None, "name").characters == len('"Al""Jo Lee"')


def test_a_length_of_nothing_but_empty_values_is_not_known() -> None:
    prior = Prior.from_runs(['{"a": [], "b": "", "c": {}, "d": 1}'])

    assert at(prior, "a").length("array") is None
    assert at(prior, "b").length("string") is None
    assert at(prior, "c").length("object") is None
    assert at(prior, "d").length("string") is None


def complete(text: str) -> so.Snapshot:
    snapshot: so.Snapshot = through([text], ops.accumulate_json()).values[-1]
    return snapshot


SAME: dict[str, Any] = {
    "a text": '{"noteTitle": "abc", "words": ["d"]}',
    "bytes": b'{"noteTitle": "abc", "words": ["d"]}',
    "a text in prose": 'Here:\n```json\n{"noteTitle": "abc", "words": ["d"]}\n```\nDone.',
    "a snapshot": complete('{"noteTitle": "abc", "words": ["d"]}'),
    "plain data": {"noteTitle": "abc", "words": ["d"]},
}


@pytest.mark.parametrize("run", SAME.values(), ids=SAME)
def test_a_run_may_be_given_in_any_finished_form(run: Any) -> None:
    assert Prior.from_runs([run]) == Prior.from_runs([SAME["a text"]])


def test_of_an_instance_the_fields_that_were_set_are_learned_by_name() -> None:
    instance = Note.model_validate({"noteTitle": "abc"})

    assert Prior.from_runs([instance]) == Prior.from_runs(['{"title": "abc"}'])


def test_of_a_text_with_several_values_the_first_one_is_learned() -> None:
    lines = '{"a": 1}\n{"a": 2, "b": 3}'

    assert Prior.from_runs([lines]) == Prior.from_runs(['{"a": 1}'])
    assert Prior.from_runs(lines.splitlines()).runs == 2


@dataclass
class Point:
    x: int


def test_items_that_are_no_models_are_learned_too() -> None:
    assert Prior.from_runs([Point(1), [Point(2)]]) == Prior.from_runs(['{"x": 1}', '[{"x": 2}]'])


def test_the_keys_of_a_large_dict_are_not_told_apart() -> None:
    one, other = ({f"{name}{i}": "abc" for i in range(99)} for name in "ab")

    apart = Prior.from_runs([one])
    together = Prior.from_runs([one, other])

    assert len(apart.learned.fields) == 99
    assert together.learned.fields == {}
    assert at(together, None).length("string") == 3
    assert together.learned.length("object") == 99


def test_a_prior_stays_small() -> None:
    run = {f"key {i}": [{"name": "a" * i, "other": i}] for i in range(5000)}

    assert len(pickle.dumps(Prior.from_runs([run] * 3))) < 1000


def test_a_deep_run_is_learned_down_to_some_depth() -> None:
    prior = Prior.from_runs(["[" * 400 + "]" * 400])

    assert prior.learned.characters >= 800
    assert pickle.loads(pickle.dumps(prior)) == prior


@given(json_values)
def test_a_prior_survives_pickling_and_the_order_of_runs_does_not_matter(value: Any) -> None:
    runs = [json.dumps(value), "[1, 2]", '{"a": "b"}']
    prior = Prior.from_runs(runs)

    assert pickle.loads(pickle.dumps(prior)) == prior
    assert Prior.from_runs(reversed(runs)) == prior


@given(MODELS[User])
def test_the_characters_are_those_of_the_compact_text(user: Any) -> None:
    compact = json.dumps(user, ensure_ascii=False, separators=(",", ":"))

    # Each container ends without the comma that is counted, and escapes count as one character.
    learned = Prior.from_runs([user]).learned
    assert abs(learned.characters - len(compact)) <= 10 + compact.count("\\") + compact.count("{")


def test_a_prior_cannot_be_changed() -> None:
    prior = Prior.from_runs(["1"])

    with pytest.raises(FrozenInstanceError):
        prior.runs = 3  # type: ignore[misc]  # what is tested


def test_a_prior_tells_how_many_runs_it_comes_from() -> None:
    assert repr(Prior.from_runs(["[]", "[]"])) == "Prior(2 runs)"
    assert repr(Prior.from_runs(["[]"])) == "Prior(1 run)"


def partial_of(text: str) -> Any:
    return through([text], ops.accumulate_json(), ops.to_partial(User)).values[-1]


UNFINISHED: dict[str, tuple[list[Any], str]] = {
    "no runs": ([], "needs at least one run"),
    "a text that was cut off": (["[]", '{"a": [1'], "run 1 cannot be learned from"),
    "a text that is no JSON": (["Sorry!"], "run 0 cannot be learned from"),
    "wrong JSON": (["[1 2]"], "run 0 cannot be learned from: "),
    "an open snapshot": ([complete("[1, ")], "is not complete"),
    "a partial": ([partial_of('{"name": "a')], "is still arriving"),
    "bytes that are no UTF-8": ([b'"\xff"'], "run 0 cannot be learned from"),
    "what JSON has no form for": ([{"a": object()}], "run 0 cannot be learned from"),
}


@pytest.mark.parametrize(("runs", "message"), UNFINISHED.values(), ids=UNFINISHED)
def test_what_is_not_finished_is_a_value_error(runs: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prior.from_runs(runs)


NO_RUNS: dict[str, tuple[Any, str]] = {
    "one text": ("[1]", "takes a list of runs"),
    "one instance": (Note(), "takes a list of runs"),
    "one object": ({"a": 1}, "takes a list of runs"),
    "a snapshot": (complete("[1]"), "takes a list of runs"),
    "the bytes of one text": (b"[1]", r"takes a list of runs \(.*\), not b'\[1\]'"),
    "nothing": ([None], "learns from JSON texts, instances of models and complete Snapshots"),
}


@pytest.mark.parametrize(("runs", "message"), NO_RUNS.values(), ids=NO_RUNS)
def test_what_is_no_run_is_a_type_error(runs: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Prior.from_runs(runs)
