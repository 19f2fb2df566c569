"""How it is measured: interleaved rounds of all contenders, and what takes too long is skipped."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contenders import Contender, Reading, Unfit
from benchmarks.figures import Figure
from benchmarks.workloads import WHOLE, Workload, chunked

Clock = Callable[[], float]

PLACES = 10
"""If all chunks are too many for what reads everything again, it is timed at so many places."""
WINDOW = 3
"""So many chunks are timed at each place."""
SHORTEST = 0.01
"""Seconds that a timing takes at least; a short document is read several times."""
LONG = 0.5
"""A reading of so many seconds is done three times after the one that tries; who reads everything
again is timed at places instead."""
GROWTH = 1.25
"""Each place at which a contender is tried out is so many times as far as the one before."""


@dataclass
class Measuring:
    """Measures contenders at workloads, from small to large ones."""

    rounds: int = 5
    budget: float = 10.0
    """Seconds that a contender may take to read a document once, or a sample of it."""
    clock: Clock = time.process_time
    """By default the processor's time of this process: others on the machine do not count."""
    tell: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True)
    _too_slow: dict[tuple[Contender, str], str] = field(
        default_factory=dict[tuple[Contender, str], str], init=False
    )
    """Who was skipped, with which chunks, and at which workload first."""

    def figures(
        self, contenders: Sequence[Contender], workload: Workload, chunk: str
    ) -> Iterator[Figure]:
        """Measure all contenders at one document, in rounds, so that all share what disturbs."""
        chunks = workload.chunks(chunk)
        if chunks is None:
            return

        self.tell(f"{workload.name}, {_cut(chunk)}")
        entrants = [_Entrant(contender) for contender in contenders]
        for entrant in entrants:
            self._make_ready(entrant, workload, chunk, chunks)

        with _memory_cleared():
            for number in range(self.rounds):
                for entrant in entrants:
                    if entrant.time is not None and number < entrant.rounds:
                        entrant.times.append(entrant.time())

        for entrant in entrants:
            if not entrant.absent:
                yield entrant.figure(workload, chunk)

    def _make_ready(
        self, entrant: _Entrant, workload: Workload, chunk: str, chunks: list[str]
    ) -> None:
        contender = entrant.contender
        if first := self._too_slow.get((contender, chunk)):
            entrant.note = f"over budget since {first}"
            return

        try:
            reading = contender.at(workload)
            self._try_out(entrant, reading, workload, chunk, chunks)
        except Unfit:
            entrant.absent = True
        except Exception as error:
            entrant.note = f"failed: {type(error).__name__}"
        else:
            if entrant.time is None:
                self._too_slow[contender, chunk] = workload.name
                entrant.note = f"over budget: more than {self.budget:g} s"

    def _try_out(
        self,
        entrant: _Entrant,
        reading: Reading,
        workload: Workload,
        chunk: str,
        chunks: list[str],
    ) -> None:
        """Find out how a contender can be timed within the budget, if it can."""
        whole = chunk == WHOLE
        pieces = chunked(workload.text, 64) if whole else chunks
        each = self._climb(entrant.contender, reading, pieces, to_the_end=whole)
        if each is None:
            return

        expected = 0.0 if whole else each * len(chunks)
        if entrant.contender.rereads and expected > min(LONG, self.budget):
            entrant.time = lambda: self._sampled(reading, chunks)
            sampling = each * WINDOW * PLACES
            entrant.rounds = min(3 if sampling < LONG else 1, self.rounds)
            entrant.note = f"timed at {PLACES} places"
            return

        if expected > self.budget:
            return

        elements = reading.elements(chunks)
        began = self.clock()
        last = reading.read(elements)
        took = self.clock() - began
        if took > self.budget:
            return

        if reading.says is not None and reading.says(last) != _wanted(entrant.contender, workload):
            entrant.note = "its last value is wrong"

        repeats = max(1, round(SHORTEST / took)) if took > 0 else 1
        entrant.time = lambda: self._read(reading, elements, repeats)
        entrant.rounds = self.rounds if took < LONG else min(3, self.rounds)

    def _read(self, reading: Reading, elements: Sequence[Any], repeats: int) -> float:
        """Read all elements; return the seconds per chunk."""
        began = self.clock()
        for _ in range(repeats):
            reading.read(elements)
        return (self.clock() - began) / repeats / len(elements)

    def _climb(
        self, contender: Contender, reading: Reading, chunks: list[str], *, to_the_end: bool
    ) -> float | None:
        """Return the seconds that a chunk costs in the middle or at the end; None if too many.

        What reads everything again is tried from the beginning on, since nothing can stop a parser
        that has begun, and some need a hundred times as long for twice as much.
        """
        self._window(reading, chunks, 1, 1)
        goal = len(chunks) - 1 if to_the_end else len(chunks) // 2
        place = 1 if contender.rereads else goal
        longest = self.budget / PLACES / 2
        while True:
            place = min(place, goal)
            began = self.clock()
            each = self._window(reading, chunks, place, WINDOW if contender.rereads else 30)
            if contender.rereads and self.clock() - began > longest:
                return None

            if place == goal:
                return each

            place = int(place * GROWTH) + 1

    def _sampled(self, reading: Reading, chunks: list[str]) -> float:
        """Return the mean seconds per chunk at places all over the document."""
        places = [round((number + 0.5) / PLACES * len(chunks)) for number in range(PLACES)]
        return statistics.mean(self._window(reading, chunks, place, WINDOW) for place in places)

    def _window(self, reading: Reading, chunks: list[str], place: int, size: int) -> float:
        """Give all that comes before a place as one chunk; return the seconds per chunk there."""
        window = chunks[place : place + size]
        before = ["".join(chunks[:place])] if place else []
        elements = reading.elements([*before, *window])[: len(before) + len(window)]
        times: list[float] = []

        def given() -> Iterator[Any]:
            for element in elements:
                times.append(self.clock())
                yield element

            times.append(self.clock())
            raise _Enough

        with suppress(Exception):
            reading.read(given())

        if len(times) <= len(elements):
            # It failed, or looked no further: reading it all will tell.
            return 0.0

        return (times[-1] - times[len(before)]) / max(1, len(window))


@dataclass
class _Entrant:
    """A contender at a document, and its times so far."""

    contender: Contender
    time: Callable[[], float] | None = None
    rounds: int = 0
    note: str = ""
    absent: bool = False
    times: list[float] = field(default_factory=list[float])

    def figure(self, workload: Workload, chunk: str) -> Figure:
        contender = self.contender
        return Figure(
            contender.name,
            contender.library,
            contender.gives,
            workload.name,
            len(workload.text),
            chunk,
            statistics.median(self.times) * 1e6 if self.times else None,
            self.note,
            contender.line,
        )


class _Enough(Exception):
    """Ends a reading of which enough was timed."""


def microseconds(work: Callable[[], int], clock: Clock = time.process_time) -> float:
    """Time a piece of work that returns how many chunks it processed; per chunk."""
    gc.collect()
    began = clock()
    processed = work()
    return (clock() - began) / processed * 1e6


def _wanted(contender: Contender, workload: Workload) -> Any:
    return workload.value[workload.items][-1] if contender.gives == "items" else workload.value


@contextmanager
def _memory_cleared() -> Generator[None]:
    """Leave nothing for the collector to look through that is not of the contenders' making."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _cut(chunk: str) -> str:
    return f"{chunk}-character chunks" if chunk.isdecimal() else chunk
