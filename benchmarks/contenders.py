"""A contender: one way to read a document while it arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from benchmarks.workloads import Workload

Gives = Literal["nothing before the end", "JSON", "models", "items", "chat", "responses", "bytes"]
"""What comes out; ratios are taken between those that give the same."""


class Unfit(Exception):
    """The contender does not read this workload; the message says why."""


def plain(value: Any) -> Any:
    """Return as plain JSON what a contender gave as a model."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


@dataclass(frozen=True, slots=True)
class Reading:
    """A contender, ready to read one workload again and again."""

    read: Callable[[Iterable[Any]], object]
    """Reads all elements and returns the last value that came out: this is timed."""
    elements: Callable[[list[str]], Sequence[Any]] = list
    """Makes of the chunks as many elements, of the kind that the contender takes: not timed."""
    says: Callable[[Any], Any] | None = plain
    """Returns what the last value says, as plain JSON; None if it says nothing of the document."""


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    gives: Gives
    at: Callable[[Workload], Reading]
    """Makes it ready for a workload, or raises ``Unfit``."""
    library: str
    """Whose it is: contenders of one library that give the same share a line of the plot."""
    rereads: bool = False
    """Each chunk has it read everything so far again, so that single chunks can be timed."""
    line: str = ""
    """What its line in the plot is called; without it there is none."""


def each_prefix(read: Callable[[str], object]) -> Callable[[Iterable[str]], object]:
    """Read the whole text so far again with each chunk."""

    def read_all(chunks: Iterable[str]) -> object:
        text = ""
        value: object = None
        for chunk in chunks:
            text += chunk
            value = read(text)
        return value

    return read_all


def last_of(values: Iterable[object]) -> object:
    last: object = None
    for value in values:
        last = value
    return last
