"""How fast streamops has to be, as ratios within one run, and whether it is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from benchmarks.contenders import Gives
from benchmarks.figures import Results

TO_PARTIAL = "accumulate_json | to_partial"
WHOLE_WAY = "from_openai | ... | track_progress"
LOOKED_AT = ", looked at"


@dataclass(frozen=True, slots=True)
class Target:
    """What ours may need at most, as a multiple of what another needs."""

    ours: tuple[str, Gives, str]
    """A contender, what it gives, and the document it reads in 4-character chunks."""
    other: tuple[str, Gives, str]
    limit: Fraction


@dataclass(frozen=True, slots=True)
class Verdict:
    target: Target
    ratio: float | None
    """Ours / the other; None if either was not measured."""
    looked_at: float | None
    """The same where somebody looks at everything that ours emits, if that is a case of its own."""

    @property
    def word(self) -> str:
        if self.ratio is None:
            return "not measured"

        if self.ratio > self.target.limit:
            return "missed"

        if self.looked_at is not None and self.looked_at > self.target.limit:
            return "met, missed when looked at"

        return "met"


def verdicts(results: Results) -> list[Verdict]:
    return [_judge(target, results) for target in TARGETS]


def _judge(target: Target, results: Results) -> Verdict:
    def ratio(suffix: str) -> float | None:
        name, gives, workload = target.ours
        other = target.other
        # What is compared with itself at another document is looked at in both, or in neither.
        if other[0] == name:
            other = (name + suffix, *other[1:])

        one, two = results.of(name + suffix, gives, workload), results.of(*other)
        return one / two if one is not None and two else None

    return Verdict(target, ratio(""), ratio(LOOKED_AT))


def _partial(other: str, workload: str, limit: Fraction) -> Target:
    return Target((TO_PARTIAL, "models", workload), (other, "models", workload), limit)


def _growth(large: str, small: str) -> Target:
    return Target((TO_PARTIAL, "models", large), (TO_PARTIAL, "models", small), Fraction(2))


def _wire(gives: Gives) -> Target:
    decoding = ("openai, create(stream=True)", gives, "100 users")
    return Target((WHOLE_WAY, gives, "100 users"), decoding, Fraction(1, 4))


TARGETS = [
    _wire("chat"),
    _wire("responses"),
    _partial("instructor Partial", "conference", Fraction(2, 5)),
    _partial("instructor Partial", "100 users", Fraction(1, 10)),
    _partial("instructor Partial", "1000 users", Fraction(1, 400)),
    _partial("jiter + optional model", "conference", Fraction(1)),
    _partial("jiter + optional model", "100 users", Fraction(3, 10)),
    Target(
        ("accumulate_json | split_items", "items", "100 users"),
        ("instructor Iterable", "items", "100 users"),
        Fraction(1),
    ),
    _growth("10000 users", "100 users"),
    _growth("string of 1 MB", "string of 1 KB"),
]
