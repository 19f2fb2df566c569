"""field_events: what begins, grows and closes in a document, one event after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from streamops.following import Follower, Move
from streamops.lifting import Operator, Step, lift
from streamops.nodes import Path, StringNode
from streamops.snapshot import Snapshot, children_of


@dataclass(frozen=True, slots=True)
class FieldEvent:
    """What happened to one value of the document."""

    kind: Literal["started", "grew", "closed"]
    path: Path
    value: Any = None
    """The finished value, where it closed."""
    text: str = ""
    """The new text, where a string grew."""


def field_events() -> Operator[Snapshot, FieldEvent]:
    """Emit an event for each value that starts, each string that grows, each value that closes.

        {"a": "x      y"                 }
        s()   s(a)    g(a, xy) c(a, xy)  c({"a": "xy"})

    Each path, the root's ``()`` included, starts once and closes once, in the order of the text;
    what contains others starts before them and closes after them. How the text was cut into chunks
    changes nothing but how the text of a string is spread over its ``"grew"`` events. A number
    starts and closes when what follows it has been seen; a container grows by what starts in it.

    A key that is repeated starts and closes again; of an object that came whole with one snapshot
    only the last value of each key is known.
    """
    return lift(_Events, name="field_events")


class _Events(Step[Snapshot, FieldEvent]):
    def __init__(self) -> None:
        self._follower = Follower("field_events")

    def feed(self, snapshot: Snapshot) -> Iterable[FieldEvent]:
        return tuple(
            event for move in self._follower.follow(snapshot) for event in _events_of(move)
        )


def _events_of(move: Move) -> Iterator[FieldEvent]:
    what, opened, first, last = move
    match what:
        case "opened":
            yield FieldEvent("started", opened.path)
        case "closed":
            yield FieldEvent("closed", opened.path, opened.final)
        case "grew" if isinstance(opened.node, StringNode):
            yield FieldEvent("grew", opened.path, text=opened.text(first, last))
        case "grew":
            for path, value in opened.children(first, last):
                yield from _events_in(path, value)


def _events_in(path: Path, value: Any) -> Iterator[FieldEvent]:
    """Tell how a finished value came, by a walk of its own stack: it may be deep."""
    remaining: list[tuple[Path, Any, bool]] = [(path, value, False)]
    while remaining:
        path, value, closes = remaining.pop()
        if closes:
            yield FieldEvent("closed", path, value)
            continue

        yield FieldEvent("started", path)
        if isinstance(value, str) and value:
            yield FieldEvent("grew", path, text=value)

        remaining.append((path, value, True))
        children = reversed(children_of(value))
        remaining.extend(((*path, key), child, False) for key, child in children)
