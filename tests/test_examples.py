"""What the examples promise: they run offline from anywhere, and ask the real API with a key."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from streamops.modes import Mode
from streamops.recording import read_recording
from streamops.replay import replay
from tests.wire import PATIENCE, serving

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "examples"
RECORDINGS = FOLDER / "recordings"

PLAYED = {
    "users": ["users"],
    "conference": ["conference"],
    "conference_async": ["conference"],
    "report": ["report-invalid", "report"],
    "knowledge": ["knowledge"],
    "choose": ["choose"],
}
"""The examples, each with its recordings in the order of its requests."""

MEETING = "[Ida Holm @ida, Tom Reyes @tomr] | 2027-06-03 | Pier Hall | 40000 | 2027-04-30"

TELLING = {
    "users": ["- Mara, 34", "- Jon, 29", "- Mrs. Okafor, 71", "- Kim, 6"],
    "conference": ["- | - | - | - | -", "[Ida Holm] | - | - | - | -", MEETING],
    "conference_async": [
        MEETING,
        "complete, answered by gpt-4o-mini-2024-07-18",
        "187 tokens in, 45 tokens out",
    ],
    "report": [
        "Attempt 1",
        "Invalid: sections.0.key_points",
        "List should have at least 2 items after validation, not 1",
        "Attempt 2",
        " 100 %",
        "People: Twelve families joined.",
        "- Saturdays are for newcomers",
        "Attempt 1: invalid, tokens: unknown",
        "Attempt 2: complete, tokens: 423",
    ],
    "knowledge": [
        "  person  Ada Lovelace (ada)",
        "    edge  babbage designed engine",
        "    edge  ada wrote notes in 1843",
        "A valid graph of 4 nodes and 4 edges.",
        "The answer is complete.",
    ],
    "choose": [
        "search the catalogue for 'lighthouses', 10 results",
        "search the website for 'reading room opening hours', 3 results",
        "reply: I am looking in our catalogue, and for the closing time on our website.",
    ],
}
"""Lines that come in this order."""

each_example = pytest.mark.parametrize("name", PLAYED)


def environment(**settings: str) -> dict[str, str]:
    """Return this machine's environment without what decides whom the examples ask.

    It has proxies that nobody listens at, as nothing on this machine is behind one.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") and not name.lower().endswith("_proxy")
    }
    nowhere = "http://127.0.0.1:9"
    return {**kept, "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere, **settings}


def run(name: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run an example to its end, from some other folder."""
    return subprocess.run(
        [sys.executable, FOLDER / f"{name}.py"],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def start(name: str, **settings: str) -> subprocess.Popen[str]:
    """Start an example, whose lines can be read as they are printed."""
    return subprocess.Popen(
        [sys.executable, FOLDER / f"{name}.py"],
        env=environment(PYTHONUNBUFFERED="1", **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@cache
def offline(name: str) -> list[str]:
    """Return the lines that an example prints without a key."""
    finished = run(name, Path(FOLDER.anchor))
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout.splitlines()


def with_key(name: str, folder: Path) -> tuple[list[str], list[Mapping[str, Any]]]:
    """Return the lines that an example prints with a key, and what it asked."""
    bodies: list[Mapping[str, Any]] = []
    files = [RECORDINGS / f"{recording}.sse" for recording in PLAYED[name]]

    with replay(*files, mode=Mode.TOOLS, on_request=bodies.append) as base_url:
        finished = run(
            name,
            folder,
            OPENAI_API_KEY="sk-any",
            OPENAI_BASE_URL=base_url,
            OPENAI_MODEL="some-model",
        )

    assert (finished.returncode, finished.stderr) == (0, "")
    lines = finished.stdout.splitlines()
    assert lines[0] == f"# some-model at {base_url}"
    return lines, bodies


def prices(lines: list[str]) -> list[str]:
    """Return the budgets that a conference's lines show, each once."""
    return [budget for budget, _ in groupby(line.split(" | ")[3] for line in lines if "|" in line)]


def test_every_example_is_tested_and_named_in_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    files = {path.stem for path in FOLDER.glob("*.py")}

    assert files == {*PLAYED, "offline"}
    assert {name for name in PLAYED if f"`{name}.py`" in readme} == set(PLAYED)


@each_example
def test_an_example_says_how_it_is_run(name: str) -> None:
    assert f"\n    python examples/{name}.py\n" in (FOLDER / f"{name}.py").read_text("utf-8")


@each_example
def test_without_a_key_an_example_plays_a_recording_and_prints_what_matters(name: str) -> None:
    first, *lines = offline(name)

    assert first == "# a recorded answer; set OPENAI_API_KEY to ask a real model"
    rest = iter(lines)
    assert [line for line in TELLING[name] if line not in rest] == []


@each_example
def test_an_example_fits_on_a_terminal(name: str) -> None:
    assert [line for line in offline(name) if len(line) > 80] == []


@each_example
def test_with_a_key_an_example_asks_the_model_that_is_set_at_the_address_that_is_set(
    name: str, tmp_path: Path
) -> None:
    lines, bodies = with_key(name, tmp_path)

    rest = iter(lines)
    assert [line for line in TELLING[name] if line not in rest] == []
    assert {body["model"] for body in bodies} == {"some-model"}
    assert len(bodies) == {"users": 2, "report": 2}.get(name, 1)


def test_an_empty_key_is_none() -> None:
    finished = run("choose", Path(FOLDER.anchor), OPENAI_API_KEY="")

    assert finished.stdout.splitlines() == offline("choose")


def test_both_ways_to_ask_for_users_print_the_same() -> None:
    users = [line for line in offline("users") if line.startswith("- ")]

    assert users == TELLING["users"] * 2


def test_the_budget_is_never_shown_half_read() -> None:
    assert prices(offline("conference")) == ["-", "40000"]


def test_the_asynchronous_conference_shows_the_same_snapshots() -> None:
    snapshots = [line for line in offline("conference_async") if "|" in line]

    assert snapshots == offline("conference")[2:]


def test_every_snapshot_of_the_conference_is_another_line() -> None:
    _, _, *lines = offline("conference")

    assert len(set(lines)) == len(lines) > 15


def test_the_percentage_of_a_report_falls_only_for_the_second_attempt() -> None:
    text = "\n".join(offline("report"))
    attempts = re.split(r"Attempt \d\n", text)[1:]
    shown = [[int(figure) for figure in re.findall(r"(\d+) %", text)] for text in attempts]

    assert len(shown) == 2
    assert all(figures == sorted(figures) for figures in shown)
    assert shown[0][-1] < 100
    assert shown[1][-1] == 100


def test_the_second_request_for_a_report_says_what_was_wrong(tmp_path: Path) -> None:
    _, (first, second) = with_key("report", tmp_path)

    added = second["messages"][len(first["messages"]) :]
    assert "List should have at least 2 items" in str(added)


@pytest.mark.parametrize("name", ["conference", "conference_async"])
def test_ctrl_c_leaves_quietly_and_closes_the_connection(name: str) -> None:
    with (
        serving('{"users": [{"name": "Ida Ho') as wire,
        start(name, OPENAI_API_KEY="sk-any", OPENAI_BASE_URL=wire.url) as process,
    ):
        exchange = wire.exchange()
        assert process.stdout is not None
        for line in process.stdout:
            if line == "[Ida Ho] | - | - | - | -\n":
                break

        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=PATIENCE)

        assert exchange.is_closed()
        assert (process.returncode, rest, complaints) == (130, "", "")


def test_a_reader_that_leaves_early_ends_an_example_quietly() -> None:
    with start("knowledge") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("name", ["users", "conference_async"])
def test_what_the_provider_refuses_is_one_line(name: str, tmp_path: Path) -> None:
    with replay(RECORDINGS / "users.sse", mode=Mode.JSON) as base_url:
        finished = run(name, tmp_path, OPENAI_API_KEY="sk-any", OPENAI_BASE_URL=base_url)

    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert finished.stderr.startswith("SourceFailed: ")
    assert "Mode.JSON" in finished.stderr


def test_every_recording_is_played() -> None:
    played = {recording for recordings in PLAYED.values() for recording in recordings}

    assert {path.stem for path in RECORDINGS.glob("*.sse")} == played


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.sse")), ids=lambda path: path.stem)
def test_a_recording_comes_in_pieces_like_tokens_and_with_usage(path: Path) -> None:
    *events, done = read_recording(path.read_bytes()).events
    payloads = [event.removeprefix(b"data: ") for event in events]
    *chunks, end, usage = map(ChatCompletionChunk.model_validate_json, payloads)
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    functions = [call.function for call in calls if call.function]
    pieces = [function.arguments for function in functions if function.arguments]

    assert done == b"data: [DONE]\n\n"
    assert {chunk.model for chunk in chunks} == {"gpt-4o-mini-2024-07-18"}
    assert {len(piece) for piece in pieces} <= {2, 3, 4, 5, 6}
    assert len(pieces) > 20
    forced = len([function for function in functions if function.name]) == 1
    assert end.choices[0].finish_reason == ("stop" if forced else "tool_calls")
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.completion_tokens == len(pieces) + 5
