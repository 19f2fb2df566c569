"""Run the notebooks from top to bottom, each in a clean kernel, and keep what they show.

    python notebooks/run.py                      run all, and write their outputs
    python notebooks/run.py quickstart 04        run those whose names have this in them
    python notebooks/run.py --check              write nothing; fail where something else is shown
    python notebooks/run.py --html /tmp/pages    also as pages, to look at
    python notebooks/run.py --live 01            with the keys of the environment: asks real models

A notebook is run in the repository, without keys, and with proxies that lead nowhere. Nothing that
it shows may come as an error or on stderr. What differs from run to run is left out of what is
written: times of execution, states of widgets, what the kernel tells of itself. A notebook that
shows the same as before, but for what varies, stays as it is, unless asked for with --fresh.

What varies, and is not compared:

1. a number before a unit of time, memory or rate, or before a ratio's sign: 3.1 ms, 77 KB, 12 it/s,
   02:15, 4.2x; with its unit, as 999 µs may be 1.0 ms the next time;
2. all numbers of a line with a sign that they are measured: ≈;
3. addresses in memory, and ports of this machine;
4. the numbers within the tags of HTML and SVG: styles, coordinates, generated ids;
5. the bytes of pictures;
6. of the picture of a trace, where its marbles stand, and what each of them is: compared are its
   stages with how many elements, and which kinds, each emitted and how it ended, and the legend;
7. all numbers of a cell with the tag "varying-figures";
8. all of an output, but not its kind, of a cell with the tag "varying-output".

A digest of all cells in the notebook's metadata tells whether these, too, are as they were written.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from textwrap import indent
from typing import Any, TypeAlias

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from notebooks.comparing import Notebook, differences

Cell: TypeAlias = dict[str, Any]

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent
MOST_CELLS = 39
MOST_CHARACTERS = 100_000
PATIENCE = 300
"""Seconds after which a cell never ends."""

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_FORMAT: Any = nbformat  # of its functions' types, the half is missing


class CellFailed(Exception):
    """A cell raised, wrote to stderr, or did not end."""

    def __init__(self, number: int, cell: Mapping[str, Any], reason: str) -> None:
        self.number = number
        source = indent(cell["source"], "    ")
        super().__init__(f"cell {number}:\n\n{source}\n\n{reason}")


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line names, and return its exit status."""
    options = _parser().parse_args(arguments)
    paths = _chosen(options.names)
    if not paths:
        names = ", ".join(path.stem for path in all_notebooks())
        print(f"No notebook has that in its name; there are: {names}", file=sys.stderr)
        return 2

    try:
        failed = [path for path in paths if not _run(path, options)]
    except KeyboardInterrupt:
        return 130

    return 1 if failed else 0


def all_notebooks() -> list[Path]:
    """List the notebooks in the order of their numbers."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path: Path) -> Notebook:
    """Read a notebook; cells that have no id of their own get one that depends on their source."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook.update(nbformat=4, nbformat_minor=5)
    for cell in notebook["cells"]:
        cell["source"] = _whole(cell["source"])
        for output in cell.get("outputs", ()):
            if "text" in output:
                output["text"] = _whole(output["text"])

            for kind, shown in output.get("data", {}).items():
                output["data"][kind] = shown if kind.endswith("json") else _whole(shown)

    _give_ids(notebook["cells"])
    return notebook


def write(path: Path, notebook: Notebook) -> None:
    """Write a notebook in the one way that its content can be written."""
    text: str = _FORMAT.writes(_FORMAT.from_dict(notebook))
    path.write_text(text + "\n", encoding="utf-8")


def execute(
    notebook: Notebook, *, live: bool = False, tell: Callable[[int], object] = lambda _: None
) -> Notebook:
    """Return a notebook with what it shows when it is run now, ready to be written.

    ``tell`` is called with the number of each cell before it is run. Raises CellFailed. No kernel
    is left, also when it is interrupted.
    """
    return _ready_to_write(run_cells(notebook, live=live, tell=tell))


def run_cells(
    notebook: Notebook, *, live: bool = False, tell: Callable[[int], object] = lambda _: None
) -> Notebook:
    """Return a notebook with all that a kernel answers when it is run now."""
    return asyncio.run(_run_cells(notebook, live, tell))


def faults(notebook: Notebook) -> list[str]:
    """List what is wrong with a notebook as it stands, without running it."""
    return [*_wrong_in_form(notebook), *_wrong_in_outputs(notebook)]


def digest(notebook: Notebook) -> str:
    """Return a digest of all that a notebook's cells hold."""
    return hashlib.sha256(json.dumps(notebook["cells"], sort_keys=True).encode()).hexdigest()


def _whole(lines: str | list[str]) -> str:
    return "".join(lines)


def _give_ids(cells: list[Cell]) -> None:
    known = {cell.get("id") for cell in cells}
    met: set[str] = set()
    for cell in cells:
        attempts = count()
        while cell.setdefault("id", "") in {"", *met}:
            text = f"{next(attempts)} {cell['source']}"
            fresh = hashlib.sha256(text.encode()).hexdigest()[:8]
            cell["id"] = "" if fresh in known else fresh
        met.add(cell["id"])


def _parser() -> argparse.ArgumentParser:
    summary, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=summary, epilog=details, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="parts of names (all, if there are none)")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--fresh", action="store_true", help="write also what only varies")
    parser.add_argument("--live", action="store_true", help="keep keys and proxies")
    parser.add_argument("--html", type=Path, metavar="DIR", help="render them into this folder")
    return parser


def _chosen(names: list[str]) -> list[Path]:
    notebooks = all_notebooks()
    return [path for path in notebooks if not names or any(name in path.stem for name in names)]


def _run(path: Path, options: argparse.Namespace) -> bool:
    committed, began = read(path), time.monotonic()
    tell = _teller(path.stem, len(committed["cells"]))
    try:
        now = execute(committed, live=options.live, tell=tell)
    except CellFailed as error:
        _say(f"{path.name}, {error}")
        return False

    difference = differences(committed, now)
    if options.check:
        problems = faults(committed)
        _tell_problems(path.name, problems, difference)
    else:
        problems = list(_wrong_in_form(now))
        _tell_problems(path.name, problems, "")
        if difference or options.fresh or faults(committed):
            write(path, now)

    if options.html:
        _render(path, options.html)

    _say(f"{path.stem}: {len(now['cells'])} cells, {time.monotonic() - began:.1f} s")
    return not problems and not (options.check and difference)


def _teller(name: str, cells: int) -> Callable[[int], None]:
    def tell(number: int) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}: cell {number} of {cells}", end="", file=sys.stderr, flush=True)

    return tell


def _say(text: str) -> None:
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{start}{text}", file=sys.stderr, flush=True)


def _tell_problems(name: str, problems: Iterable[str], difference: str) -> None:
    for problem in problems:
        _say(f"{name}: {problem}")

    if difference:
        _say(f"{name} shows something else than what is committed: `make notebooks`\n{difference}")


def _render(path: Path, folder: Path) -> None:
    from nbconvert import HTMLExporter

    folder.mkdir(parents=True, exist_ok=True)
    exporter: Any = HTMLExporter
    page, _ = exporter().from_filename(str(path))
    (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")


async def _run_cells(notebook: Notebook, live: bool, tell: Callable[[int], object]) -> Notebook:
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        kernel = _new_kernel(Path(folder))
        client = NotebookClient(
            _FORMAT.from_dict(notebook),
            km=kernel,
            timeout=PATIENCE,
            allow_errors=True,
            record_timing=False,
            coalesce_streams=False,
        )
        environment = _environment(live, Path(folder))
        try:
            await client.async_start_new_kernel(cwd=str(REPOSITORY), env=environment)
            await client.async_start_new_kernel_client()
            for number, cell in enumerate(client.nb.cells, start=1):
                tell(number)
                await _execute_cell(client, number, cell)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            await kernel.shutdown_kernel(now=True)

    executed: Notebook = json.loads(json.dumps(client.nb))
    return executed


async def _execute_cell(client: NotebookClient, number: int, cell: NotebookNode) -> None:
    try:
        await client.async_execute_cell(cell, number - 1)
    except CellTimeoutError:
        raise CellFailed(number, cell, f"It did not end within {PATIENCE} s.") from None
    except DeadKernelError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            # nbclient takes an interrupt for the kernel's death.
            raise asyncio.CancelledError from None
        raise CellFailed(number, cell, "The kernel died.") from None

    for output in cell.get("outputs", ()):
        if output["output_type"] == "error":
            traceback: list[str] = output["traceback"]
            raise CellFailed(number, cell, _without_colors("\n".join(traceback)))

        if output.get("name") == "stderr":
            raise CellFailed(number, cell, f"It wrote to stderr:\n{output['text']}")


def _new_kernel(folder: Path) -> Any:
    # Files in a folder of its own: ports could be taken by a kernel of another process.
    over_files = {"transport": "ipc", "ip": str(folder / "kernel")} if os.name == "posix" else {}
    return AsyncKernelManager(
        # No kernels that are installed: that of this interpreter is meant.
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder / "kernel.json"),
        **over_files,
    )


def _environment(live: bool, folder: Path) -> dict[str, str]:
    varying = {"COLUMNS", "LINES", "JUPYTER_COLUMNS", "JUPYTER_LINES", "MPLBACKEND"}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in varying and (live or not _is_outside(name))
    }
    # What tries to reach anything but this machine fails.
    nowhere = {} if live else dict.fromkeys(_PROXIES, "http://127.0.0.1:9")
    return {**kept, **nowhere, "IPYTHONDIR": str(folder), "PYTHONHASHSEED": "0"}


def _is_outside(name: str) -> bool:
    name = name.upper()
    return name.startswith("OPENAI_") or name.endswith(("_API_KEY", "_PROXY"))


def _ready_to_write(executed: Notebook) -> Notebook:
    cells = [_ready_cell(cell) for cell in executed["cells"]]
    notebook: Notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    notebook["metadata"]["streamops"] = {"digest": digest(notebook)}
    return notebook


def _ready_cell(cell: Cell) -> Cell:
    tags = sorted(cell["metadata"].get("tags", ()))
    ready = {**cell, "metadata": {"tags": tags} if tags else {}}
    if cell["cell_type"] == "code":
        ready["outputs"] = list(_ready_outputs(cell["outputs"]))
    return ready


def _ready_outputs(outputs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield outputs as they would be with any timing: neighbouring texts are one."""
    stream: dict[str, Any] | None = None
    for output in outputs:
        if stream is not None and output.get("name") == stream["name"]:
            stream["text"] += output["text"]
            continue

        if stream is not None:
            yield {**stream, "text": _as_on_a_terminal(stream["text"])}

        stream = dict(output) if output["output_type"] == "stream" else None
        if stream is None and not _is_only_a_widget(output["data"]):
            yield {**output, "data": dict(_kept(output["data"]))}

    if stream is not None:
        yield {**stream, "text": _as_on_a_terminal(stream["text"])}


def _as_on_a_terminal(text: str) -> str:
    """Return a text without what a carriage return went back over."""
    return re.sub(r"[^\n]*\r(?=[^\n])", "", text)


def _is_only_a_widget(data: Mapping[str, Any]) -> bool:
    """Return whether an output shows nothing but the name of its class without its kernel."""
    return set(data) == {_WIDGET, "text/plain"}


def _kept(data: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what shows something to whoever reads the file."""
    for kind, shown in data.items():
        # Pages that show notebooks take a picture out of HTML.
        is_picture_in_html = kind == "text/html" and "image/svg+xml" in data
        if kind != _WIDGET and not is_picture_in_html:
            yield kind, shown


def _without_colors(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def _wrong_in_form(notebook: Notebook) -> Iterator[str]:
    cells = notebook["cells"]
    if len(cells) > MOST_CELLS:
        yield f"it has {len(cells)} cells; split it, or leave something out: {MOST_CELLS} at most"

    first = cells[0] if cells else {"cell_type": "", "source": ""}
    begins_well = re.match(r"# \S.*\n\n[^\W\d_`*].*[.:]", first["source"])
    if first["cell_type"] != "markdown" or begins_well is None:
        yield "it does not begin with a title (# ...), an empty line and a sentence"

    for number, cell in enumerate(cells, start=1):
        for output in cell.get("outputs", ()):
            length = len(json.dumps(output))
            if length > MOST_CHARACTERS:
                yield f"cell {number} shows {length} characters at once: show less"

            if str(REPOSITORY) in json.dumps(output):
                yield f"cell {number} shows where the repository is on this machine"


def _wrong_in_outputs(notebook: Notebook) -> Iterator[str]:
    codes = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in codes]
    if counts != list(range(1, len(codes) + 1)):
        yield f"its cells were not run once each from top to bottom, but {counts}: `make notebooks`"

    kinds = {(output["output_type"], output.get("name")) for c in codes for output in c["outputs"]}
    if kinds - {("stream", "stdout"), ("display_data", None), ("execute_result", None)}:
        yield "it shows an error or what was written to stderr: catch or print it"

    if notebook["metadata"].get("streamops", {}).get("digest") != digest(notebook):
        yield "a cell or an output was changed since it was run: `make notebooks`"


if __name__ == "__main__":
    sys.exit(main())
