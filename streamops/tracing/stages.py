"""Stage: one row of a trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

EventKind: TypeAlias = Literal["subscribed", "next", "error", "completed"]
"""What may happen at a stage."""


class Event(NamedTuple):
    """Something that happened at a stage."""

    at: float
    """Seconds since the trace began."""
    kind: EventKind
    value: Any = None
    """The element or the error; None at other events."""
    subscription: int = 0
    """Which subscription of the stage it came by, the first of those that shared it."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A source or an operator, and what its readers got."""

    name: str
    sources: tuple[int, ...]
    """The places in ``Trace.stages`` of what it read."""
    received: int
    """How many elements it got from these."""
    seconds: float
    """What it took itself, without what it told others to do.

    Of a source, how long anybody waited for it: from when it was subscribed to, or had told of an
    event, to its next one. Others may have worked or waited at the same time.
    """
    events: tuple[Event, ...]
    """In the order of time. Elements that several readers shared are there once."""
    emits_items: bool | None
    """Whether the elements are items, if that is known."""

    @property
    def emitted(self) -> int:
        """How many elements came."""
        return sum(event.kind == "next" for event in self.events)

    @property
    def values(self) -> list[Any]:
        """The elements."""
        return [event.value for event in self.events if event.kind == "next"]

    @property
    def subscriptions(self) -> int:
        """How often it was begun: once, unless it is shared, tried again or made many times."""
        return sum(event.kind == "subscribed" for event in self.events)

    @property
    def first(self) -> float | None:
        """When the first element came, in seconds."""
        return next((event.at for event in self.events if event.kind == "next"), None)

    @property
    def last(self) -> float | None:
        """When the last element came, in seconds."""
        return next((event.at for event in reversed(self.events) if event.kind == "next"), None)

    @property
    def runs(self) -> list[list[Event]]:
        """The events from each beginning to the next end.

        Subscriptions at the same time are one, since what they share came once.
        """
        runs: list[list[Event]] = [[]]

        for event in self.events:
            if runs[-1] and runs[-1][-1].kind in ("completed", "error"):
                runs.append([])

            runs[-1].append(event)

        return [run for run in runs if run]

    @property
    def beginnings(self) -> list[Event]:
        """The subscriptions after something had come already, as when it is tried again."""
        first = next(
            (index for index, event in enumerate(self.events) if event.kind != "subscribed"), 0
        )
        return [event for event in self.events[first:] if event.kind == "subscribed"]

    def __repr__(self) -> str:
        return f"<Stage {self.name}: {self.received} received, {self.emitted} emitted>"
