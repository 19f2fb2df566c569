"""`track_progress`: what a percentage costs when somebody reads it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from streamops import operators as ops
from streamops.priors import Prior
from streamops.progress import Progress
from streamops.testing import chunked
from tests.growing import User
from tests.outcomes import through


class Lines:
    """Counts the lines of Python that are run."""

    def __init__(self) -> None:
        self.count = 0
        self._before: Any = None

    def __enter__(self) -> Lines:
        self._before = sys.gettrace()
        sys.settrace(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _count(self, frame: FrameType, event: str, _: Any) -> Any:
        self.count += event == "line"
        return self._count


def tracked(chunks: Sequence[str], model: Any, **hints: Any) -> list[Progress[Any]]:
    return through(chunks, ops.accumulate_json(), ops.track_progress(model, **hints)).values


def cost_of_last(progress: list[Progress[Any]]) -> int:
    """Count the lines that the last percentage takes when the one before it has been read."""
    *_, second_last, newest = progress
    assert second_last.percent < 100
    with Lines() as lines:
        assert newest.percent < 100
    return lines.count


LONG = {
    "a long list": ('{"tags": [', '"abc", '),
    "a long string": ('{"name": "', "abc "),
    "a long dict": ('{"scores": {', '"key": 1, '),
    "many unknown keys": ("{", '"key": 1, '),
    "many repeated keys": ("{", '"name": "a", '),
}


@pytest.mark.parametrize(("first", "repeated"), LONG.values(), ids=LONG)
def test_a_percentage_costs_the_same_however_large_the_document_is(
    first: str, repeated: str
) -> None:
    prior = Prior.from_runs(['{"name": "a", "tags": ["a"], "scores": {"a": 1}, "age": 1}'])

    def cost(times: int) -> int:
        chunks = [first, *[repeated] * times, repeated]
        hints: dict[str, Any] = {"prior": prior, "weights": {"name": 2}}
        return cost_of_last(tracked(chunks, User, **hints))

    assert cost(2000) == cost(20)


def test_a_percentage_costs_the_same_however_many_fields_came_before() -> None:
    definitions: dict[str, Any] = {f"f{n}": (int, ...) for n in range(60)}
    wide = create_model("Wide", **definitions)

    def cost(fields: int) -> int:
        return cost_of_last(tracked(["{", *[f'"f{n}": {n}, ' for n in range(fields)]], wide))

    assert cost(50) == cost(5)


class Branch(BaseModel):
    name: str
    size: int
    below: list[Branch]


def test_each_value_around_costs_a_percentage_next_to_nothing() -> None:
    def cost(depth: int) -> int:
        begun = '{"name": "a", "size": 1, "below": ['
        return cost_of_last(tracked([begun * depth, '{"name": "', "abc "], Branch))

    values_around = 2 * (30 - 10)
    assert cost(30) - cost(10) <= 4 * values_around


def test_percentages_can_be_read_by_several_threads_at_once() -> None:
    text = '{"name": "a", "size": 1, "below": [' * 5 + "]}" * 5
    progress = tracked(chunked(text, 3), Branch)
    expected = [p.percent for p in tracked(chunked(text, 3), Branch)]
    orders = [progress, progress[::-1]] * 2
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    try:
        with ThreadPoolExecutor(len(orders)) as threads:
            found = list(threads.map(percentages, orders))
    finally:
        sys.setswitchinterval(interval)

    assert found == [expected, expected[::-1]] * 2


def percentages(progress: list[Progress[Any]]) -> list[float]:
    return [p.percent for p in progress]
