"""Priors: what finished values of earlier runs tell of how long the next one will be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from streamops.errors import StreamopsError
from streamops.parser import IncrementalParser
from streamops.partial import partial_state
from streamops.snapshot import Snapshot, children_of

Kind: TypeAlias = Literal["array", "object", "string"]
"""What has a length."""

_RUNS = "JSON texts, instances of models and complete Snapshots"

# An object with more keys than that is a dict, of which the next run will have other keys.
_MANY_KEYS = 100

# Deeper down there is too little to tell.
_MAX_DEPTH = 30

AROUND_KEY = 4
"""What JSON writes with a key: quotes, colon and comma."""


@dataclass(frozen=True, slots=True, repr=False)
class Prior:
    """What finished values of earlier runs tell of the next one; give it to ``track_progress``.

    It holds sums, no values: per place, with all items of a list and all entries of a large dict
    taken together, how many there were and how long they were. It may be pickled.
    """

    learned: Learned
    runs: int
    """How many values it was learned from."""

    @classmethod
    def from_runs(cls, runs: Iterable[Any]) -> Prior:
        """Learn from finished values of one type: JSON texts, instances, complete Snapshots.

        Of a model instance, the fields that were set count. A text (or its UTF-8 bytes) may have
        prose or a fence around its JSON; of several values in it the first one counts, so each line
        of NDJSON is to be a run of its own.

        Raises ValueError when there are none, or when one of them is not finished, and TypeError
        for what is no run.
        """
        if isinstance(runs, str | bytes | BaseModel | Mapping) or not isinstance(runs, Iterable):
            raise TypeError(f"Prior.from_runs takes a list of runs ({_RUNS}), not {runs!r}")

        learned = [_learned_from(run, number) for number, run in enumerate(runs)]
        if not learned:
            raise ValueError("Prior.from_runs needs at least one run: without one, give no prior")

        return cls(_added(learned), len(learned))

    def __repr__(self) -> str:
        return f"Prior({self.runs} {'run' if self.runs == 1 else 'runs'})"


@dataclass(frozen=True, slots=True)
class Learned:
    """The values that were seen at one place, added up."""

    seen: int
    """How many there were."""
    characters: int
    """How long they were as compact JSON."""
    lengths: dict[Kind, tuple[int, int]]
    """How many of them there were of each kind, and how many children these had."""
    fields: dict[str, Learned]
    """What stood at the keys of objects."""
    each: Learned | None
    """The items of arrays, and the entries of objects that had too many keys to tell apart."""

    def count(self, kind: Kind) -> int:
        """Return how many values of a kind there were."""
        return self.lengths.get(kind, (0, 0))[0]

    def children(self, kind: Kind) -> int:
        """Return how many items, entries or characters these had, all together."""
        return self.lengths.get(kind, (0, 0))[1]

    def length(self, kind: Kind) -> float | None:
        """Return how many items, entries or characters such a value had on average, if any."""
        return self.children(kind) / self.count(kind) if self.children(kind) else None

    def at(self, keys: Iterable[str]) -> Learned | None:
        """Return what stood at any of these keys, if anything did."""
        return together(self.fields[key] for key in keys if key in self.fields)

    def anywhere(self) -> Learned | None:
        """Return what stood at any key or index, if anything did."""
        return together(self.fields.values(), self.each)


def together(parts: Iterable[Learned], *more: Learned | None) -> Learned | None:
    """Return one for all, or None for none."""
    found = [*parts, *(part for part in more if part)]
    return _added(found) if len(found) > 1 else next(iter(found), None)


def _learned_from(run: Any, number: int) -> Learned:
    try:
        return _learned(_finished(run), 0)
    except (StreamopsError, ValueError) as error:
        raise ValueError(f"run {number} cannot be learned from: {error}") from error
    except RecursionError:
        raise ValueError(f"run {number} is too deep to be learned from") from None


def _finished(run: Any) -> Any:
    """Return a run as plain lists and dicts."""
    if isinstance(run, bytes):
        run = run.decode()

    if isinstance(run, str):
        parser = IncrementalParser()
        run = [*parser.feed(run), *parser.close()][-1]

    if isinstance(run, Snapshot):
        if not run.complete:
            raise ValueError(f"{run!r} is not complete")
        return run.value

    if partial_state(run) is not None:
        raise ValueError(f"{type(run).__name__} is still arriving")

    if isinstance(run, BaseModel):
        return run.model_dump(
            mode="json", by_alias=False, exclude_unset=True, round_trip=True, warnings=False
        )

    if isinstance(run, list | dict) or is_dataclass(run):
        return to_jsonable_python(run, by_alias=False, round_trip=True)

    raise TypeError(f"Prior.from_runs learns from {_RUNS}, not from {run!r}")


def _learned(value: Any, depth: int) -> Learned:
    fields: dict[str, list[Learned]] = {}
    each: list[Learned] = []
    characters = 2
    children = children_of(value)
    for key, child in children:
        learned = _learned(child, depth + 1)
        if isinstance(key, str):
            characters += learned.characters + len(key) + AROUND_KEY
            fields[key] = [learned]
        else:
            characters += learned.characters + 1
            each.append(learned)

    lengths: dict[Kind, tuple[int, int]] = {}
    match value:
        case str():
            characters += len(value)
            lengths["string"] = (1, len(value))
        case dict():
            lengths["object"] = (1, len(children))
        case list():
            lengths["array"] = (1, len(children))
        case _:
            characters = len(str(value))

    if depth >= _MAX_DEPTH:
        fields, each = {}, []
    return Learned(1, characters, lengths, *_children(fields, each))


def _added(parts: Sequence[Learned]) -> Learned:
    fields: defaultdict[str, list[Learned]] = defaultdict(list)
    for part in parts:
        for key, learned in part.fields.items():
            fields[key].append(learned)

    return Learned(
        sum(part.seen for part in parts),
        sum(part.characters for part in parts),
        _lengths(parts),
        *_children(fields, [part.each for part in parts if part.each]),
    )


def _lengths(parts: Sequence[Learned]) -> dict[Kind, tuple[int, int]]:
    lengths: dict[Kind, tuple[int, int]] = {}
    for part in parts:
        for kind, (count, children) in part.lengths.items():
            counted, added = lengths.get(kind, (0, 0))
            lengths[kind] = (counted + count, added + children)
    return lengths


def _children(
    fields: Mapping[str, list[Learned]], each: list[Learned]
) -> tuple[dict[str, Learned], Learned | None]:
    if len(fields) > _MANY_KEYS:
        each = [*each, *(learned for parts in fields.values() for learned in parts)]
        fields = {}

    return {key: _added(parts) for key, parts in fields.items()}, together(each)
