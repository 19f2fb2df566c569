"""What is measured, and how: chunks pushed through a pipeline, or everything parsed again."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jiter
from reactivex import Observable
from reactivex.subject import Subject

Pipeline = Callable[[Observable[str]], Observable[Any]]

SAMPLE = 200
"""Of many chunks, those that parse everything again do only so many."""


@dataclass(frozen=True)
class Contender:
    """Reads chunks; ``run`` returns how many of them it really processed."""

    name: str
    run: Callable[[list[str]], int]


class Pushed:
    """A pipeline that chunks are pushed into, and whose elements are dropped."""

    def __init__(self, build: Pipeline) -> None:
        self._source: Subject[str] = Subject()
        build(self._source).subscribe(_drop, _raise)

    def push(self, chunks: Sequence[str]) -> None:
        for chunk in chunks:
            self._source.on_next(chunk)

    def complete(self) -> None:
        self._source.on_completed()


def pipeline(build: Pipeline) -> Callable[[list[str]], int]:
    def run(chunks: list[str]) -> int:
        pushed = Pushed(build)
        pushed.push(chunks)
        pushed.complete()
        return len(chunks)

    return run


def parsed_again(read: Callable[[bytes], object]) -> Callable[[list[str]], int]:
    """Parse everything so far with each chunk."""

    def run(chunks: list[str]) -> int:
        text = "".join(chunks).encode()
        ends = range(len(chunks[0]), len(text) + 1, len(chunks[0]))
        sample = ends[:: max(1, len(ends) // SAMPLE)]
        for end in sample:
            read(text[:end])
        return len(sample)

    return run


def partial_dicts(text: bytes) -> Any:
    return jiter.from_json(text, partial_mode="trailing-strings")


def chunked(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def microseconds(work: Callable[[], int]) -> float:
    """Time a piece of work that returns how many chunks it processed; per chunk."""
    gc.collect()
    began = time.perf_counter()
    processed = work()
    return (time.perf_counter() - began) / processed * 1e6


def median_of_each(contenders: Sequence[Contender], chunks: list[str], rounds: int) -> list[float]:
    """Return the median of interleaved rounds for each contender."""
    times = [
        [microseconds(partial(contender.run, chunks)) for contender in contenders]
        for _ in range(rounds)
    ]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def _drop(_: object) -> None: ...


def _raise(error: Exception) -> None:
    raise error
