"""How much memory a stream takes while nothing of it is kept, and while all of it is."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable, Iterator

from benchmarks.contenders import Contender, Unfit
from benchmarks.ours import CONTENDERS
from benchmarks.workloads import Workload
from streamops import from_chunks, history
from streamops import operators as ops

GIVES = ("JSON", "models", "items")


def print_memory(workload: Workload, size: int) -> None:
    """Print the most that each of ours took at once, as a multiple of the text's length."""
    print(f"\nPeak memory, while {workload.name} stream in {size}-character chunks\n")
    for contender in CONTENDERS:
        if contender.gives in GIVES:
            print(
                f"{contender.name:46}{peak(contender, workload, size):8.1f}x the text", flush=True
            )


def peak(contender: Contender, workload: Workload, size: int) -> float:
    """Return the peak of a contender as a multiple of the text's length."""
    try:
        reading = contender.at(workload)
    except Unfit:
        return 0.0

    gc.collect()
    tracemalloc.start()
    try:
        reading.read(_cut(workload.text, size))
        return tracemalloc.get_traced_memory()[1] / len(workload.text)
    finally:
        tracemalloc.stop()


def print_histories(workloads: Iterable[Workload], size: int) -> None:
    """Print what the history of a document takes, before and after a look at all its moments."""
    print(f"\nA history of snapshots, in {size}-character chunks\n")
    for workload in workloads:
        moments, kept, looked_at = history_of(workload.text, size)
        print(
            f"{f'{workload.name}, {len(workload.text) / 1e3:.0f} KB':32}{moments:7,} moments"
            f"{kept / 1e6:8.1f} MB{looked_at / 1e6:8.1f} MB when all are looked at",
            flush=True,
        )


def history_of(text: str, size: int) -> tuple[int, int, int]:
    """Return how many moments a history has, and its bytes before and after a look at each."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = history(from_chunks(_cut(text, size)).pipe(ops.accumulate_json()))
        unseen = tracemalloc.get_traced_memory()[0]
        for moment in kept:
            _ = moment.value.value
        return len(kept), unseen, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def _cut(text: str, size: int) -> Iterator[str]:
    """Cut a text when a chunk is asked for, so that chunks do not count as memory."""
    return (text[i : i + size] for i in range(0, len(text), size))
