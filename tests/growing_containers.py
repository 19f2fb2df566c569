"""Containers of all kinds."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import (
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Sequence,
    Set,
)
from datetime import date
from typing import Annotated, Any, NamedTuple

from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from tests.documents import few, integers, names, objects
from tests.documents_by_schema import fitting
from tests.growing import Address, Color, Point


class Stone(BaseModel):
    """A model that can be in a set."""

    model_config = ConfigDict(frozen=True)

    name: str
    weight: int = 0


class Step(NamedTuple):
    stone: Stone
    times: int = 1


class Tuples(BaseModel):
    numbers: tuple[int, ...] = ()
    stones: tuple[Stone, ...] = ()
    fixed: tuple[Stone, str, list[Stone]] | None = None
    nothing: tuple[()] = ()
    grid: tuple[tuple[int, ...], ...] = ()
    named: tuple[dict[str, Stone], ...] = ()
    step: Step | None = None
    steps: list[Step] = []
    bare: tuple[Any, ...] = ()
    last: str = ""


class Sets(BaseModel):
    numbers: set[int] = set()
    stones: set[Stone] = set()
    frozen: frozenset[Stone] = frozenset()
    pairs: set[tuple[int, str]] = set()
    abstract: Set[str] = frozenset()
    mutable: MutableSet[str] = set()
    days: frozenset[date] = frozenset()
    many: list[set[int]] = []
    either: set[int | str] = set()
    last: str = ""


class Queues(BaseModel):
    numbers: deque[int] = deque()
    stones: deque[Stone] = deque()
    short: Annotated[deque[int], Field(max_length=3)] = deque()
    many: list[deque[str]] = []
    last: str = ""


class Orders(BaseModel):
    sequence: Sequence[Stone] = ()
    mutable: MutableSequence[int] = []
    texts: Sequence[str] = ()
    bare: list = []  # type: ignore[type-arg]  # a list of anything
    bare_sequence: Sequence[Any] = ()
    points: list[Point] = []
    bounded: Annotated[list[Annotated[Stone, Field(description="one")]], Field(max_length=3)] = []
    last: str = ""


# Older versions of pydantic know no default of a dict[...].
Numbered = Annotated[dict[int, list[int]], Field(default_factory=dict[int, list[int]])]
Stones = Annotated[dict[str, Stone], Field(default_factory=dict[str, Stone])]


class Maps(BaseModel):
    mapping: Mapping[str, Stone] = {}
    mutable: MutableMapping[str, int] = {}
    ordered: OrderedDict[str, Stone] = OrderedDict()
    lists: defaultdict[str, list[int]] = defaultdict(list)
    nested: defaultdict[str, Stones] = defaultdict(dict[str, Stone])
    counted: Counter[str] = Counter()
    bare: dict = {}  # type: ignore[type-arg]  # a dict of anything
    deep: dict[str, dict[str, list[Stone]]] = {}
    short: Annotated[dict[str, int], Field(max_length=2)] = {}
    long_keys: dict[Annotated[str, Field(min_length=2)], int] = {}
    last: str = ""


class Keys(BaseModel):
    """Dicts of which the keys are no strings."""

    by_number: dict[int, Stone] = {}
    by_day: dict[date, list[int]] = {}
    by_color: dict[Color, Address] = {}
    by_yes: dict[bool, int] = {}
    by_ratio: dict[float, str] = {}
    by_either: dict[int | str, str] = {}
    mapping: Mapping[int, int] = {}
    by_pair: defaultdict[int, Numbered] = defaultdict(dict[int, list[int]])
    last: str = ""


_numbers = integers.map(str)

CONTAINERS: dict[Any, st.SearchStrategy[Any]] = {
    kind: fitting(kind)
    for kind in (
        Tuples,
        Sets,
        Queues,
        Orders,
        Maps,
        tuple[int, ...],
        tuple[Stone, ...],
        tuple[Stone, int],
        set[int],
        set[Stone],
        frozenset[str],
        deque[Stone],
        list[list[Stone]],
        list[dict[str, list[Stone]]],
        dict[str, set[Stone]],
        defaultdict[str, list[int]],
        Sequence[Stone],
        list[Stone | None],
        list[Any],
        dict[str, Any],
        list,
        dict,
        tuple,
        Step,
    )
} | {
    Keys: objects(
        {},
        {
            "by_number": st.dictionaries(_numbers, fitting(Stone), max_size=2),
            "by_day": st.dictionaries(st.dates().map(str), few(integers), max_size=2),
            "by_color": st.dictionaries(
                st.sampled_from(["red", "blue"]), fitting(Address), max_size=2
            ),
            "by_yes": st.dictionaries(st.sampled_from(["true", "false"]), integers),
            "by_ratio": st.dictionaries(st.sampled_from(["1.5", "2", "1e3"]), names),
            "by_either": st.dictionaries(_numbers | names, names, max_size=3),
            "mapping": st.dictionaries(_numbers, integers, max_size=3),
            "by_pair": st.dictionaries(
                _numbers, st.dictionaries(_numbers, few(integers), max_size=2), max_size=2
            ),
            "last": names,
        },
    ),
    dict[int, Stone]: st.dictionaries(_numbers, fitting(Stone), max_size=3),
}
