"""What a chunk costs at the innermost open place, however much is closed around it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jiter
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from benchmarks.measuring import microseconds
from benchmarks.models import CASES, Case, completed, document_of
from benchmarks.workloads import chunked
from streamops import Progress
from streamops import operators as ops

CLOSED = (5, 50, 500)
"""How many items are closed around the open one."""

SIZES = (10_000, 100_000)
"""About how long the documents are that are read as a whole."""

WINDOWS = 5
CHUNKS = 150
"""How many chunks are timed together."""

Pipeline = Callable[[Observable[str]], Observable[Any]]

Measure = Callable[[Case, str, Sequence[list[str]]], float | None]
"""Times windows of chunks that come after a prefix; microseconds per chunk."""


class Pushed:
    """A pipeline that chunks are pushed into, and whose elements are dropped."""

    def __init__(self, build: Pipeline) -> None:
        self._source: Subject[str] = Subject()
        build(self._source).subscribe(_drop, _raise)

    def push(self, chunks: Sequence[str]) -> int:
        for chunk in chunks:
            self._source.on_next(chunk)

        return len(chunks)

    def complete(self) -> None:
        self._source.on_completed()


def percent_of(progress: Progress[Any]) -> float:
    return progress.percent


def pushed(build: Callable[[Case], Pipeline]) -> Measure:
    def measure(case: Case, prefix: str, windows: Sequence[list[str]]) -> float:
        stream = Pushed(build(case))
        stream.push([prefix])

        return statistics.median(microseconds(partial(stream.push, chunks)) for chunks in windows)

    return measure


def parsed_again(*, with_model: bool) -> Measure:
    def measure(case: Case, prefix: str, windows: Sequence[list[str]]) -> float | None:
        if with_model and case.optional is None:
            return None

        model = document_of(case.optional)

        def read(text: bytes) -> int:
            value: Any = jiter.from_json(text, partial_mode="trailing-strings")
            if with_model:
                model.model_validate(value)
            return 1

        texts = [(prefix + "".join(chunks)).encode() for chunks in windows] * 3
        return statistics.median(microseconds(partial(read, text)) for text in texts)

    return measure


def to_partial(case: Case) -> Pipeline:
    return lambda s: s.pipe(ops.accumulate_json(), ops.to_partial(case.document))


def looked_at(case: Case) -> Pipeline:
    return lambda s: to_partial(case)(s).pipe(rx.map(case.look))


def split_items(case: Case) -> Pipeline:
    return lambda s: s.pipe(ops.accumulate_json(), ops.split_items(case.item, ("items",)))


def track_progress(case: Case) -> Pipeline:
    return lambda s: s.pipe(
        ops.accumulate_json(), ops.track_progress(case.document), rx.map(percent_of)
    )


MEASURES: dict[str, Measure] = {
    "jiter, parsed again": parsed_again(with_model=False),
    "jiter, parsed again, and an all-optional model": parsed_again(with_model=True),
    "accumulate_json, to_partial": pushed(to_partial),
    "accumulate_json, to_partial, looked at where it is open": pushed(looked_at),
    "accumulate_json, split_items": pushed(split_items),
    "accumulate_json, track_progress, percent read": pushed(track_progress),
}
BUILDS = (to_partial, split_items, track_progress)


def print_open_path(size: int) -> None:
    """Print a table for each measure: the open path stays, what is closed grows."""
    print(f"\nMicroseconds per {size}-character chunk at the innermost open place")
    print("while more and more items are closed: beside it, in a list that is closed, too,")
    print("and within the list, the object or the string that is open")
    for name, measure in MEASURES.items():
        heads = "".join(f"{count:>10}" for count in CLOSED)
        print(f"\n{name}\n{'closed beside, and within:':30}{heads}  {heads}")
        for case in CASES:
            beside = _row(measure, case, case.beside, size)
            within = _row(measure, case, case.within, size)
            print(f"{case.name:30}{beside}  {within}", flush=True)


def print_whole(size: int, rounds: int) -> None:
    """Print what is spent on whole documents, with all that opens and closes in them."""
    kilobytes = "".join(f"{length // 1000:>7} KB" for length in SIZES)
    heads = "".join(f"{build.__name__:>20}  " for build in BUILDS)
    print(f"\nMicroseconds per {size}-character chunk of whole documents\n\n{'':30}{heads}")
    print(f"{'':30}" + f"{kilobytes}  " * len(BUILDS))
    for case in CASES:
        texts = [chunked(_document(case, length), size) for length in SIZES]
        columns = [
            _median_of_each([build(case) for build in BUILDS], text, rounds) for text in texts
        ]
        cells = ("".join(f"{cost:10.1f}" for cost in row) for row in zip(*columns, strict=True))
        print(f"{case.name:30}{'  '.join(cells)}", flush=True)


def _document(case: Case, length: int) -> str:
    """Write a whole document of about this length."""
    empty, filled = (len(case.within(count)) for count in (0, 100))
    return completed(case.within(max(0, round(100 * (length - empty) / (filled - empty)))))


def _row(measure: Measure, case: Case, prefix: Callable[[int], str], size: int) -> str:
    tail = case.tail * (size * CHUNKS * WINDOWS // len(case.tail) + 1)
    chunks = chunked(tail, size)
    windows = [chunks[CHUNKS * number : CHUNKS * (number + 1)] for number in range(WINDOWS)]
    costs = [measure(case, prefix(count), windows) for count in CLOSED]
    return "".join(f"{'':>10}" if cost is None else f"{cost:10.1f}" for cost in costs)


def _median_of_each(pipelines: Sequence[Pipeline], chunks: list[str], rounds: int) -> list[float]:
    """Return the median of interleaved rounds for each pipeline."""

    def read(build: Pipeline) -> int:
        stream = Pushed(build)
        stream.push(chunks)
        stream.complete()
        return len(chunks)

    times = [[microseconds(partial(read, build)) for build in pipelines] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def _drop(_: object) -> None: ...


def _raise(error: Exception) -> None:
    raise error
