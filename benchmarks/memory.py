"""How much memory a stream takes while nothing of it is kept."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

from benchmarks.contenders import Contender, Unfit
from benchmarks.ours import CONTENDERS
from benchmarks.workloads import Workload

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


def _cut(text: str, size: int) -> Iterator[str]:
    """Cut a text when a chunk is asked for, so that chunks do not count as memory."""
    return (text[i : i + size] for i in range(0, len(text), size))
