"""Side by side: streamops and others that read JSON while it arrives.

Without options: everything at all documents, about ten minutes. Prints tables, keeps the figures
and the plot in benchmarks/results/, and says which targets are met. Ctrl-C prints what there is.
`make bench` sets up what the others need, in an environment of its own. Times are the processor's
for this process. What it costs to start is measured by `python -m benchmarks.start`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks import peers
from benchmarks.figures import FILE, RESULTS, load, save
from benchmarks.measuring import Measuring
from benchmarks.plot import plot
from benchmarks.report import report
from benchmarks.running import CHUNKS, QUICK_CHUNKS, QUICK_WORKLOADS, run, workloads_of
from benchmarks.workloads import long_string, users


def main(given: list[str] | None = None) -> None:
    parser = _parser()
    arguments = parser.parse_args(given)
    if arguments.load:
        from benchmarks.load import print_load

        print_load()
    elif arguments.models:
        _print_models(arguments.rounds or 5)
    elif arguments.memory:
        from benchmarks.memory import print_histories, print_memory

        print_memory(users(13_500), 4)
        print_histories((users(500), users(1000), long_string(10), long_string(20)), 4)
    elif arguments.readme:
        from benchmarks.readme import update

        update(load())
    elif arguments.show:
        folder: Path = arguments.results or RESULTS
        print(report(load(folder / FILE.name)))
        _plot(folder)
    else:
        _measure(parser, arguments)


def _measure(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    quick: bool = arguments.quick
    try:
        workloads = workloads_of(arguments.only or (QUICK_WORKLOADS if quick else None))
    except ValueError as error:
        parser.error(str(error))

    began = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    measuring = Measuring(
        tell=tell,
        rounds=arguments.rounds or (3 if quick else 5),
        budget=arguments.budget or (1.0 if quick else 10.0),
    )
    chunks = arguments.chunks or (QUICK_CHUNKS if quick else CHUNKS)
    results = run(measuring, workloads, chunks, arguments.peers)
    print(report(results))
    less = (arguments.only, arguments.chunks, arguments.peers)
    partly = quick or "interrupted" in results.about or less != (None, None, None)
    folder: Path = arguments.results or (RESULTS / "partly" if partly else RESULTS)
    save(results, folder / FILE.name)
    _plot(folder)
    measuring.tell(f"kept in {folder}")


def _plot(folder: Path) -> None:
    try:
        plot(load(folder / FILE.name), folder)
    except ImportError as error:
        print(f"no plot: {error}", file=sys.stderr)


def _print_models(rounds: int) -> None:
    from benchmarks.open_path import print_open_path, print_whole

    print_open_path(4)
    print_whole(4, rounds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what to do instead").add_mutually_exclusive_group()
    what.add_argument("--models", action="store_true", help="ours at models of all kinds")
    what.add_argument("--memory", action="store_true", help="how much memory ours takes")
    what.add_argument("--load", action="store_true", help="many streams at once")
    what.add_argument("--show", action="store_true", help="print and plot the kept figures again")
    what.add_argument("--readme", action="store_true", help="write the kept figures to README.md")

    less = parser.add_argument_group(
        "less of it (kept in benchmarks/results/partly/, as what was interrupted is)"
    )
    less.add_argument("--quick", action="store_true", help="small documents, under a minute")
    less.add_argument(
        "--only", nargs="+", metavar="DOCUMENT", help="documents whose names begin like this"
    )
    less.add_argument(
        "--chunks", nargs="+", choices=CHUNKS, help="characters per chunk, or how it is cut"
    )
    less.add_argument(
        "--peers", nargs="*", choices=peers.names(), help="the others; none: only ours"
    )

    how = parser.add_argument_group("how")
    how.add_argument("--rounds", type=int, help="interleaved rounds (5; 3 if quick)")
    how.add_argument(
        "--budget",
        type=float,
        metavar="SECONDS",
        help="give up on who takes longer for a document, or a sample of it (10; 1 if quick)",
    )
    how.add_argument(
        "--results", type=Path, metavar="FOLDER", help="where to keep figures, or where they are"
    )
    return parser


if __name__ == "__main__":
    main()
