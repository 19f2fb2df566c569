"""Outcome: how requests ended, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload

Status: TypeAlias = Literal[
    "complete", "truncated", "refused", "filtered", "invalid", "failed", "cancelled"
]
"""How a request ended."""


@dataclass(frozen=True, slots=True)
class Timing:
    """When something of an answer arrived, in seconds from the request."""

    first_chunk: float | None
    """The first piece of text; None if none came."""
    first_field: float | None
    """The first value that shows anything; None if none came, or the values were not read here."""
    last: float
    """The end."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one request ended."""

    status: Status
    """``"complete"``, ``"truncated"`` (the JSON was not closed; behind ``request`` also where the
    model ran out of tokens later), ``"refused"``, ``"filtered"``, ``"invalid"`` (malformed, no
    JSON, or the model says no), ``"failed"`` (network, provider, or a function of yours that
    raised), or ``"cancelled"`` (left before its end)."""
    attempt: int
    """Which attempt of its subscription, from 1."""
    error: Exception | None
    """What it ended with, if not well."""
    finish_reason: str | None
    usage: Mapping[str, Any] | None
    """Token counts as the provider sent them; None if it sent none, or they had not come yet."""
    model: str | None
    """The model that answered, as the provider names it."""
    response_id: str | None
    timing: Timing


class Outcome(Sequence[Ending]):
    """How the requests behind a stream ended: an Ending for each attempt, in order.

    It is alive: what it says is true of the requests that have ended so far, of all subscriptions.
    Beside the attempts, it says of the last of them what an Ending says; all of that is None before
    the first request has ended.
    """

    def __init__(self) -> None:
        self._endings: list[Ending] = []

    @property
    def attempts(self) -> tuple[Ending, ...]:
        """Every attempt that has ended."""
        return tuple(self._endings)

    @property
    def usage(self) -> Mapping[str, Any] | None:
        """Token counts of all attempts together, of those that came to where they are told."""
        counts = [ending.usage for ending in self._endings if ending.usage]
        return _sum(counts) if counts else None

    @property
    def status(self) -> Status | None:
        """How the last attempt ended."""
        return self._endings[-1].status if self._endings else None

    @property
    def error(self) -> Exception | None:
        """What the last attempt ended with, if not well."""
        return self._endings[-1].error if self._endings else None

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped, in the last attempt."""
        return self._endings[-1].finish_reason if self._endings else None

    @property
    def model(self) -> str | None:
        """The model that answered last."""
        return self._endings[-1].model if self._endings else None

    @property
    def response_id(self) -> str | None:
        """The id of the last answer."""
        return self._endings[-1].response_id if self._endings else None

    @property
    def timing(self) -> Timing | None:
        """When the last answer arrived."""
        return self._endings[-1].timing if self._endings else None

    @overload
    def __getitem__(self, index: int) -> Ending: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Ending]: ...
    def __getitem__(self, index: int | slice) -> Ending | Sequence[Ending]:
        return self._endings[index]

    def __len__(self) -> int:
        return len(self._endings)

    def __repr__(self) -> str:
        statuses = ", ".join(ending.status for ending in self._endings)
        return f"Outcome({statuses})"

    def add(self, ending: Ending) -> None:
        """Note how a request ended."""
        self._endings.append(ending)


def _sum(counts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    names = dict.fromkeys(name for count in counts for name in count)
    return {name: _total([count[name] for count in counts if name in count]) for name in names}


def _total(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]

    if known and all(isinstance(value, Mapping) for value in known):
        return _sum(known)

    is_numeric = known and all(isinstance(value, int | float) for value in known)
    return sum(known) if is_numeric else values[-1]
