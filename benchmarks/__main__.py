"""Time per chunk of streamops and of re-parsing, on the same chunks in the same run.

Prints medians, in microseconds a chunk: of flat documents of all sizes, and of deep, wide,
union-heavy and alias-heavy ones with more and more closed around the open place; how much memory
a stream takes; and what it takes from the bytes of an answer to its Deltas.
"""

from __future__ import annotations

import argparse

from benchmarks.open_path import print_open_path, print_whole
from benchmarks.sizes import print_memory, print_times
from benchmarks.wire import print_wire


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--chunk", type=int, default=4, help="characters per chunk (default 4)")
    parser.add_argument("--largest", type=int, default=800_000, help="leave out larger documents")
    parser.add_argument("--sizes", action="store_true", help="only flat documents of all sizes")
    parser.add_argument("--models", action="store_true", help="only models of all kinds")
    parser.add_argument("--wire", action="store_true", help="only from bytes, and the SDK")
    arguments = parser.parse_args()
    everything = not (arguments.sizes or arguments.models or arguments.wire)

    if arguments.sizes or everything:
        print_times(arguments.largest, arguments.chunk, arguments.rounds)
        print_memory(arguments.chunk)

    if arguments.models or everything:
        print_open_path(arguments.chunk)
        print_whole(arguments.chunk, arguments.rounds)

    if arguments.wire or everything:
        print_wire(arguments.chunk, arguments.rounds)


if __name__ == "__main__":
    main()
