"""What the notebooks promise: they run, and show what is committed; and what checks that."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from reactivex import operators as rx

from notebooks import run
from notebooks.comparing import Notebook, differences, masked
from notebooks.run import CellFailed, execute, faults, read, write
from streamops import operators as ops
from streamops.snapshot import Snapshot
from streamops.tracing.svg_diagram import svg_diagram
from streamops.tracing.trace import Trace
from tests.tracing.played import Script, played

TITLE = "# A title\n\nA sentence."


def notebook_of(*sources: str) -> Notebook:
    """Return a notebook that was never run."""
    title: dict[str, Any] = {"cell_type": "markdown", "metadata": {}, "source": TITLE}
    codes: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for source in sources
    ]
    return {"cells": [title, *codes], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Take a folder for that of the notebooks."""
    monkeypatch.setattr(run, "FOLDER", tmp_path)
    return tmp_path


def written(folder: Path, *sources: str) -> Path:
    """Write a notebook that was never run."""
    path = folder / "01_first.ipynb"
    path.write_text(json.dumps(notebook_of(*sources)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    """Return a notebook that was run, written, and read again."""
    path = written(
        tmp_path_factory.mktemp("notebooks"),
        "number = 41\nprint('the number is', number, '\\nit took 3.25 ms')",
        "number + 1",
    )
    write(path, execute(read(path)))
    return read(path)


@pytest.mark.parametrize("path", run.all_notebooks(), ids=lambda path: path.stem)
def test_a_notebook_runs_and_shows_what_is_committed(path: Path) -> None:
    committed = read(path)

    wrong = faults(committed)
    difference = differences(committed, execute(committed))

    assert wrong == [], f"{path.name}: `make notebooks`, and look at what it shows"
    assert difference == "", f"{path.name}: `make notebooks`, or find out why\n{difference}"


def test_what_was_run_and_written_has_no_faults_and_shows_the_same(executed: Notebook) -> None:
    assert faults(executed) == []
    assert differences(executed, execute(executed)) == ""


Edit = Callable[[list[Any]], object]

SHOWN_EDITS: dict[str, Edit] = {
    "a number": lambda cells: cells[1]["outputs"][0].update(text="the number is 42 \n3.25 ms\n"),
    "a text": lambda cells: cells[1]["outputs"][0].update(text="a number is 41 \nit took 3.25 ms"),
    "a result": lambda cells: cells[2]["outputs"][0]["data"].update({"text/plain": "43"}),
    "a removed output": lambda cells: cells[2]["outputs"].clear(),
    "an added output": lambda cells: cells[2]["outputs"].append(cells[1]["outputs"][0]),
    "an error": lambda cells: cells[2]["outputs"].append(
        {"output_type": "error", "ename": "KeyError", "evalue": "1", "traceback": []}
    ),
}


@pytest.mark.parametrize("edit", SHOWN_EDITS.values(), ids=SHOWN_EDITS)
def test_an_edited_output_is_seen_in_a_diff_and_by_the_digest(
    executed: Notebook, edit: Edit
) -> None:
    edited = deepcopy(executed)
    edit(edited["cells"])

    assert differences(edited, executed) != ""
    assert "a cell or an output was changed since it was run: `make notebooks`" in faults(edited)


HIDDEN_EDITS: dict[str, Edit] = {
    "a figure that varies": lambda cells: cells[1]["outputs"][0].update(
        text=cells[1]["outputs"][0]["text"].replace("3.25 ms", "0.01 ms")
    ),
    "a source": lambda cells: cells[1].update(source="number = 41"),
    "a prose": lambda cells: cells[0].update(source=f"{TITLE} And another."),
    "a tag that masks": lambda cells: cells[2]["metadata"].update(tags=["varying-output"]),
}


@pytest.mark.parametrize("edit", HIDDEN_EDITS.values(), ids=HIDDEN_EDITS)
def test_an_edit_that_shows_in_no_diff_is_seen_by_the_digest(
    executed: Notebook, edit: Edit
) -> None:
    edited = deepcopy(executed)
    edit(edited["cells"])

    assert differences(deepcopy(edited), edited) == ""
    assert faults(edited) == ["a cell or an output was changed since it was run: `make notebooks`"]


def test_a_diff_shows_the_cell_and_both_lines(executed: Notebook) -> None:
    edited = deepcopy(executed)
    edited["cells"][2]["outputs"][0]["data"]["text/plain"] = "43"

    lines = differences(edited, executed).splitlines()

    assert lines[:2] == ["--- committed", "+++ now"]
    assert lines[-3:] == [" [cell 3: text/plain]", "-43", "+42"]


def test_a_diff_of_html_shows_only_what_differs(executed: Notebook) -> None:
    def shows(html: str) -> Notebook:
        notebook = deepcopy(executed)
        notebook["cells"][2]["outputs"][0]["data"] = {"text/html": html}
        return notebook

    cells = [f'<td style="width:{number}px">{number}</td>' for number in range(1000)]
    one, other = "".join(cells), "".join([*cells[:500], "<td>x</td>", *cells[501:]])

    lines = differences(shows(one), shows(other)).splitlines()

    assert [line for line in lines if line.startswith(("+<", "-<"))] == [
        '-<td style="width:#px">500</td>',
        "+<td>x</td>",
    ]
    assert len(lines) < 10


def test_a_long_diff_says_how_much_more_there_is(executed: Notebook) -> None:
    edited = deepcopy(executed)
    edited["cells"][1]["outputs"][0]["text"] = "\n".join(map(str, range(1000)))

    lines = differences(edited, executed).splitlines()

    assert len(lines) == 61
    assert lines[-1].startswith("... and 9")


FAULTS: dict[str, tuple[Edit, str]] = {
    "too many cells": (lambda cells: cells.extend(cells[:1] * 40), "43 cells; split it"),
    "no title": (lambda cells: cells.pop(0), "does not begin with a title"),
    "no sentence": (lambda cells: cells[0].update(source="# A title"), "and a sentence"),
    "a cell that was not run": (
        lambda cells: cells[2].update(execution_count=None),
        r"not run once each from top to bottom, but \[1, None\]",
    ),
    "a gap in the counts": (
        lambda cells: cells[2].update(execution_count=3),
        r"not run once each from top to bottom, but \[1, 3\]",
    ),
    "an error": (SHOWN_EDITS["an error"], "shows an error"),
    "a warning": (lambda cells: cells[1]["outputs"][0].update(name="stderr"), "stderr"),
    "a long output": (
        lambda cells: cells[1]["outputs"][0].update(text="long" * 25_001),
        r"cell 2 shows 100\d\d\d characters at once",
    ),
    "a place on this machine": (
        lambda cells: cells[1]["outputs"][0].update(text=f"{run.REPOSITORY}/x"),
        "cell 2 shows where the repository is",
    ),
}


@pytest.mark.parametrize(("edit", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_form_is_named(executed: Notebook, edit: Edit, fault: str) -> None:
    edited = deepcopy(executed)
    edit(edited["cells"])

    with pytest.raises(AssertionError, match=fault):
        assert faults(edited) == []


def test_a_cell_that_raises_is_shown_with_its_source_and_traceback() -> None:
    with pytest.raises(CellFailed) as caught:
        execute(notebook_of("print('well')", "wrong = 'x'\nint(wrong)"))

    assert caught.value.number == 3
    message = str(caught.value)
    assert message.startswith("cell 3:\n\n    wrong = 'x'\n    int(wrong)\n\n")
    assert message.endswith("ValueError: invalid literal for int() with base 10: 'x'")
    assert "\x1b" not in message


def test_a_warning_is_a_failure() -> None:
    with pytest.raises(CellFailed, match=r"cell 2:(?s:.*)wrote to stderr:(?s:.*)old news"):
        execute(notebook_of("import warnings\nwarnings.warn('old news')"))


def test_a_kernel_that_dies_is_a_failure() -> None:
    with pytest.raises(CellFailed, match="The kernel died"):
        execute(notebook_of("import os\nos._exit(1)"))


def test_keys_and_proxies_reach_a_kernel_only_if_it_is_to_be_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("OPENAI_API_KEY", "OTHER_API_KEY", "https_proxy", "HTTPS_PROXY")
    for name in names:
        monkeypatch.setenv(name, "x")
    source = f"import os\n[os.environ.get(name) for name in {names}]"

    shown = [
        execute(notebook_of(source), live=live)["cells"][1]["outputs"][0]["data"]["text/plain"]
        for live in (False, True)
    ]

    assert shown == ["[None, None, None, 'http://127.0.0.1:9']", "['x', 'x', 'x', 'x']"]


def test_a_kernel_is_that_of_this_interpreter_in_the_repository() -> None:
    source = "import os, sys\nprint(sys.executable, os.getcwd(), sep='\\n')"

    shown = execute(notebook_of(source))["cells"][1]["outputs"][0]["text"]

    assert shown.splitlines() == [sys.executable, str(run.REPOSITORY)]


def test_texts_are_joined_and_carriage_returns_go_back() -> None:
    source = (
        "import sys, time\n"
        "for percent in range(3):\n"
        "    print('\\r', percent, '%', end='', flush=True)\n"
        "print()\n"
        "display('between')\n"
        "print('after')"
    )

    outputs = execute(notebook_of(source))["cells"][1]["outputs"]

    assert [output.get("text") for output in outputs] == [" 2 %\n", None, "after\n"]


def test_widgets_leave_nothing_that_needs_a_kernel() -> None:
    source = "import ipywidgets\nipywidgets.FloatProgress(7.5)"

    now = execute(notebook_of(source))

    assert now["cells"][1]["outputs"] == []
    assert set(now["metadata"]) == {"kernelspec", "language_info", "streamops"}


def test_what_is_printed_into_a_widget_does_not_stop_a_run() -> None:
    code = "import ipywidgets\nwith ipywidgets.Output() as output:\n    print(1)\nprint(2)"

    shown = execute(notebook_of(code))["cells"][1]["outputs"]

    assert [output["text"] for output in shown] == ["2\n"]


def test_a_second_run_changes_nothing_in_a_file_whose_figures_vary(folder: Path) -> None:
    path = written(folder, "import time\nprint(time.monotonic_ns(), 'ms')")
    never_run = path.read_text()

    assert run.main([]) == 0
    once = path.read_text()
    assert run.main([]) == 0
    twice = path.read_text()
    assert run.main(["--fresh"]) == 0

    assert never_run != once == twice != path.read_text()


def test_what_was_edited_by_hand_is_written_anew(folder: Path) -> None:
    path = written(folder, "print('1 ms')")
    assert run.main([]) == 0
    once = path.read_text()
    path.write_text(once.replace('"1 ms', '"2 ms'))

    assert run.main(["--check"]) == 1
    assert run.main([]) == 0

    assert path.read_text() == once


def test_a_check_fails_with_a_diff_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(folder, "print('one')")
    before = path.read_text()

    assert run.main(["--check", "first"]) == 1

    assert path.read_text() == before
    told = capsys.readouterr().err
    assert "01_first.ipynb shows something else than what is committed: `make notebooks`" in told
    assert "+one" in told


def test_a_failing_cell_is_told_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(folder, "1 / 0")
    before = path.read_text()

    assert run.main([]) == 1

    assert path.read_text() == before
    assert "01_first.ipynb, cell 2:\n\n    1 / 0\n\n" in capsys.readouterr().err


def test_a_name_that_no_notebook_has_is_told_with_the_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(folder, "1")

    assert run.main(["second"]) == 2

    assert capsys.readouterr().err.endswith("there are: 01_first\n")


def test_cells_keep_their_ids_and_new_ones_get_some(folder: Path) -> None:
    path = written(folder, "1", "1")
    run.main([])
    kept = [cell["id"] for cell in read(path)["cells"]]
    notebook = read(path)
    notebook["cells"].insert(1, {**notebook["cells"][2], "id": ""})
    write(path, notebook)

    ids = [cell["id"] for cell in read(path)["cells"]]

    assert [ids[0], *ids[2:]] == kept
    assert len(set(ids)) == 4


def test_an_interrupt_leaves_no_kernel(tmp_path: Path) -> None:
    fifo = tmp_path / "pid"
    os.mkfifo(fifo)
    source = f"import os, time\nopen({str(fifo)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    written(tmp_path, source)
    code = f"""
from pathlib import Path
from notebooks import run
run.FOLDER = Path({str(tmp_path)!r})
raise SystemExit(run.main([]))
"""

    with subprocess.Popen([sys.executable, "-c", code], cwd=run.REPOSITORY) as process:
        pid = int(fifo.read_text())
        process.send_signal(signal.SIGINT)
        status = process.wait(30)

    assert status == 130
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


SAME: dict[str, tuple[str, str]] = {
    "times": ("took 3.1 ms, 1,200 µs", "took 4 s, 3.9 µs"),
    "a narrower time": ("parse     3.1 ms", "parse   1203.1 ms"),
    "memory": ("77 KB, 1.5 MiB", "78.2 KB, 2 MiB"),
    "rates": ("12 it/s, 3.4 tokens/s", "1e3 it/s, 5 tokens/s"),
    "ratios": ("4.2x, 12×", "5x, 11.5×"),  # noqa: RUF001  # the sign for ratios
    "clocks": ("[00:02<01:00]", "[00:03<00:59]"),
    "a line of measures": ("≈ 3 or 4", "≈ 12.5 or 1"),
    "addresses": ("<object at 0x7f01b2c3d4e5>", "<object at 0x7f11b2c3d4e6>"),
    "ports": ("http://127.0.0.1:4567/v1", "http://127.0.0.1:4568/v1"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_varies_is_masked(one: str, other: str) -> None:
    assert masked("text/plain", one) == masked("text/plain", other)


DIFFERENT: dict[str, tuple[str, str]] = {
    "numbers": ("75001", "75002"),
    "percents": ("3 %", "4 %"),
    "dates": ("2027-06-03", "2027-06-04"),
    "units": ("3.1 ms per chunk", "3.1 ms per item"),
    "words with numbers": ("gpt-4o", "gpt-5o"),
    "indentation": ("  a", "a"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_does_not_vary_is_compared(one: str, other: str) -> None:
    assert masked("text/plain", one) != masked("text/plain", other)


def test_in_html_and_svg_numbers_of_tags_are_masked_and_their_texts_are_not() -> None:
    one = '<svg width="10"><path d="M1 -2.5"/><text x="4" id="a1">41</text></svg>'
    moved = '<svg width="11"><path d="M7 -9"/><text x="5" id="a2">41</text></svg>'
    other = one.replace("41", "42")

    for kind in ("text/html", "image/svg+xml"):
        assert masked(kind, one) == masked(kind, moved) != masked(kind, other)


def test_tags_of_a_cell_say_what_else_varies(executed: Notebook) -> None:
    def shows(text: str, *tags: str) -> Notebook:
        notebook = deepcopy(executed)
        notebook["cells"][1]["metadata"]["tags"] = list(tags)
        notebook["cells"][1]["outputs"][0]["text"] = text
        return notebook

    assert differences(shows("a 1", "varying-figures"), shows("a 2", "varying-figures")) == ""
    assert differences(shows("a 1", "varying-figures"), shows("b 1", "varying-figures")) != ""
    assert differences(shows("a 1", "varying-output"), shows("b\n2", "varying-output")) == ""
    assert differences(shows("a 1"), shows("a 2")) != ""


def showing(trace: Trace, svg: str | None = None) -> Notebook:
    """Return a notebook that shows a trace, perhaps by another picture."""
    data = {"image/svg+xml": svg or svg_diagram(trace), "text/plain": trace.to_text(79)}
    notebook = notebook_of("trace")
    notebook["cells"][1]["outputs"] = [{"output_type": "display_data", "data": data}]
    return notebook


def has_started(snapshot: Snapshot) -> bool:
    return snapshot.started


def traced(seconds: Sequence[float], *more: Exception) -> Trace:
    """Trace chunks that come so far apart."""
    chunks = '{"a": [', "1, ", "2, ", "3]", "}"
    script: Script = [part for pair in zip(seconds, chunks, strict=False) for part in pair]
    return played([*script, *more], ops.accumulate_json(), rx.filter(has_started))


def test_of_a_trace_all_but_the_moments_is_compared() -> None:
    one = traced([0.5, 0.5, 0.5, 0.5, 0.5])
    at_once_in_the_end = traced([2.0, 0.001, 1.5, 0.0, 0.0])
    shorter = traced([0.5, 0.5, 0.5, 0.5])
    failed = traced([0.5, 0.5, 0.5, 0.5, 0.5], ValueError("x"))

    assert svg_diagram(one) != svg_diagram(at_once_in_the_end)
    assert differences(showing(one), showing(at_once_in_the_end)) == ""
    assert differences(showing(one), showing(shorter)) != ""
    assert differences(showing(one), showing(failed)) != ""


BROKEN: dict[str, tuple[str, str]] = {
    "nothing": ("<svg .*", "<svg/>"),
    "a name": (">filter<", "><"),
    "no marbles": ("<circle.*?</circle>", ""),
    "another kind": ('fill="#4cb8ff"', 'fill="#ffc554"'),
    "no end": ('stroke="#7fd6a8"', 'stroke="#2b3650"'),
    "a count": (">5 · ", ">6 · "),
    "a legend": (">snapshot<", ">snap<"),
}


@pytest.mark.parametrize(("pattern", "instead"), BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_of_a_trace_is_a_difference(pattern: str, instead: str) -> None:
    trace = traced([0.5, 0.5, 0.5, 0.5, 0.5])

    broken = re.sub(pattern, instead, svg_diagram(trace))

    assert broken != svg_diagram(trace)
    assert differences(showing(trace), showing(trace, broken)) != ""


def test_the_bytes_of_pictures_are_not_compared() -> None:
    assert masked("image/png", "iVBORw0") == masked("image/png", "iVBORw1")
