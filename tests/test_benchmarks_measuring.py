"""How the benchmarks measure: with a clock that goes on only when a contender works."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from benchmarks.contenders import Contender, Gives, Reading, Unfit
from benchmarks.figures import Figure
from benchmarks.measuring import PLACES, Measuring
from benchmarks.workloads import WHOLE, Workload, conference, long_string, users

LIBRARY = "a library"


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """Contenders that take as long as they are told to."""

    clock: Clock = field(default_factory=Clock)
    told: list[str] = field(default_factory=list[str])

    def contender(
        self,
        name: str,
        cost: Callable[[int], float],
        *,
        rereads: bool = False,
        gives: Gives = "JSON",
        last: object = None,
    ) -> Contender:
        """Make one that needs ``cost`` seconds for a chunk, given how long the text is by then."""

        def at(workload: Workload) -> Reading:
            def read(chunks: Iterable[str]) -> object:
                length = 0
                for chunk in chunks:
                    length += len(chunk)
                    self.clock.now += cost(length)
                return workload.value if last is None else last

            return Reading(read)

        return Contender(name, gives, at, LIBRARY, rereads=rereads)

    def measuring(self, budget: float = 10.0) -> Measuring:
        return Measuring(rounds=3, budget=budget, clock=self.clock, tell=self.told.append)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def only(figures: Iterable[Figure]) -> Figure:
    (figure,) = figures
    return figure


def test_a_figure_is_the_time_per_chunk(stage: Stage) -> None:
    contender = stage.contender("steady", lambda _: 2e-6)

    figure = only(stage.measuring().figures([contender], conference(), "4"))

    assert figure.microseconds == pytest.approx(2)
    assert (figure.contender, figure.workload, figure.chunk) == ("steady", "conference", "4")
    assert (figure.characters, figure.note) == (362, "")


def test_a_figure_is_the_median_of_the_rounds(stage: Stage) -> None:
    costs = iter([1e-3] * 2 + [0.7] + [0.5, 0.3, 90.0])
    contender = stage.contender("unsteady", lambda _: next(costs))
    measuring = Measuring(rounds=3, budget=1.0, clock=stage.clock, tell=stage.told.append)

    # The first three readings find out how it can be timed; each round is one reading more.
    figure = only(measuring.figures([contender], long_string(0), WHOLE))

    assert figure.microseconds == pytest.approx(0.5e6)


def test_the_rounds_of_contenders_are_interleaved(stage: Stage) -> None:
    order: list[str] = []

    def costing(name: str) -> Callable[[int], float]:
        def cost(length: int) -> float:
            if length == len(conference().text):
                order.append(name)
            return 1.0

        return cost

    contenders = [stage.contender(name, costing(name)) for name in "ab"]

    list(stage.measuring(1e6).figures(contenders, conference(), WHOLE))

    assert "".join(order)[-4:] == "abab"


def test_who_takes_longer_than_the_budget_is_skipped_which_is_said(stage: Stage) -> None:
    contender = stage.contender("slow", lambda _: 1.0)

    figure = only(stage.measuring(budget=10).figures([contender], conference(), "4"))

    assert figure.microseconds is None
    assert figure.note == "over budget: more than 10 s"


def test_who_was_too_slow_does_not_get_larger_documents(stage: Stage) -> None:
    measuring = stage.measuring(budget=10)
    contender = stage.contender("slow", lambda _: 1.0)
    list(measuring.figures([contender], conference(), "4"))
    before = stage.clock.now

    figure = only(measuring.figures([contender], users(20), "4"))

    assert figure.note == "over budget since conference"
    assert stage.clock.now == before


def test_who_reads_everything_again_is_timed_at_places_and_it_is_said(stage: Stage) -> None:
    workload = users(20)
    chunks = len(workload.chunks("4") or ())
    contender = stage.contender("quadratic", lambda length: length * 1e-5, rereads=True)

    figure = only(stage.measuring(budget=4).figures([contender], workload, "4"))

    assert figure.note == f"timed at {PLACES} places"
    mean = sum(min(4 * number, len(workload.text)) * 1e-5 for number in range(1, chunks + 1))
    assert figure.microseconds == pytest.approx(mean / chunks * 1e6, rel=0.02)


def test_who_needs_ever_longer_for_a_single_chunk_is_stopped_early(stage: Stage) -> None:
    contender = stage.contender("exponential", lambda length: 1e-6 * 1.01**length, rereads=True)

    figure = only(stage.measuring(budget=4).figures([contender], users(100), WHOLE))

    assert figure.note == "over budget: more than 4 s"
    assert stage.clock.now < 10


def test_who_fails_is_named(stage: Stage) -> None:
    def at(_: Workload) -> Reading:
        def read(_: Iterable[str]) -> object:
            raise LookupError

        return Reading(read)

    contender = Contender("broken", "JSON", at, LIBRARY)

    figure = only(stage.measuring().figures([contender], conference(), "4"))

    assert figure.microseconds is None
    assert figure.note == "failed: LookupError"


def test_who_reads_something_else_is_told_so(stage: Stage) -> None:
    contender = stage.contender("wrong", lambda _: 1e-6, last={"users": []})

    figure = only(stage.measuring().figures([contender], conference(), "4"))

    assert figure.note == "its last value is wrong"
    assert figure.microseconds == pytest.approx(1)


def test_who_does_not_read_such_documents_has_no_figure(stage: Stage) -> None:
    def at(_: Workload) -> Reading:
        raise Unfit("no list")

    contender = Contender("unfit", "items", at, LIBRARY)

    assert not list(stage.measuring().figures([contender], conference(), "4"))


def test_where_the_work_stands_is_told(stage: Stage) -> None:
    list(stage.measuring().figures([], conference(), "4"))
    list(stage.measuring().figures([], conference(), WHOLE))
    list(stage.measuring().figures([], conference(), "recorded"))

    assert stage.told == ["conference, 4-character chunks", "conference, whole"]
