"""What the command ``streamops`` promises, run as it is installed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from streamops import cli
from streamops.demo import RECORDED
from streamops.recording import read_recording
from streamops.replay import replay
from tests.terminal import COMMAND, on_terminal
from tests.test_demo import ANSWER
from tests.wire import PATIENCE, Exchange, Wire, serving

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | None"

JO = '{"users": [{"name": "Jo", "email": "jo@x.org", "twitter": "@jo"}, {"name": "Al'


def environment(**settings: str) -> dict[str, str]:
    """Return this machine's environment without what decides whom the demo asks."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OPENAI_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **settings}


def asking(base_url: str) -> dict[str, str]:
    """Return the environment of a demo that asks a test's server."""
    return environment(OPENAI_API_KEY="test", OPENAI_BASE_URL=base_url)


def run(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def started(*arguments: str | Path, env: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    """Start the command; it has to end by itself, or by what the test sends to it."""
    with subprocess.Popen(
        [COMMAND, *arguments],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
            process.wait(60)
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """Read lines up to the first that contains what is wanted."""
    assert process.stdout is not None
    lines: list[str] = []

    for line in process.stdout:
        lines.append(line)
        if wanted in line:
            return lines

    raise AssertionError(f"{wanted!r} did not come after {lines}")


def grows(before: Json, after: Json) -> bool:
    """Tell whether a value can have become another by growing at its end."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(before)
        return list(after)[: len(keys)] == keys and all(
            grows(before[key], after[key]) if key == keys[-1] else before[key] == after[key]
            for key in keys
        )

    if isinstance(before, list) and isinstance(after, list):
        last = len(before) - 1
        return last < 0 or (
            len(after) > last and before[:last] == after[:last] and grows(before[last], after[last])
        )

    if isinstance(before, str) and isinstance(after, str):
        return after.startswith(before)

    return before == after


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_piped_each_line_is_a_snapshot_that_grew_and_the_last_is_the_answer(api: str) -> None:
    finished = run("demo", "--fast", "--api", api)

    snapshots = [json.loads(line) for line in finished.stdout.splitlines()]
    assert finished.returncode == 0
    assert finished.stderr == ""
    assert snapshots[-1] == ANSWER
    assert len(snapshots) > 50
    pairs = list(pairwise(snapshots))
    assert all(grows(before, after) for before, after in pairs)
    assert all(before != after for before, after in pairs)


def test_a_number_is_never_shown_before_it_is_whole() -> None:
    snapshots = [json.loads(line) for line in run("demo", "--fast").stdout.splitlines()]

    assert {snapshot.get("budget") for snapshot in snapshots} == {None, 50000}


def test_a_reader_that_leaves_early_ends_the_demo_quietly() -> None:
    with started("demo", "--fast", env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "{}\n"
        process.stdout.close()

        assert process.wait(PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_ctrl_c_ends_with_the_last_snapshot_and_closes_the_connection() -> None:
    with serving(JO) as wire, started("demo", env=asking(wire.url)) as process:
        exchange = wire.exchange()
        shown = read_until(process, '"Al"')
        assert exchange.is_open

        process.send_signal(signal.SIGINT)
        rest, complaints = process.communicate(timeout=PATIENCE)

        assert process.returncode == 130
        assert exchange.is_closed()
        assert rest == ""
        assert json.loads(shown[-1])["users"][1] == {"name": "Al"}
        assert complaints == "Interrupted\n"


def test_ctrl_c_ends_the_embedded_server_too() -> None:
    with started("demo", env=environment()) as process:
        read_until(process, "John")
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=PATIENCE)

        assert process.returncode == 130
        assert complaints == "Interrupted\n"


# Sends itself the signal for Ctrl-C when the module named in its first argument is looked for.
INTERRUPTED = """
import os, signal, sys

class Interrupter:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupter())
from streamops.cli import main
sys.exit(main(["demo", "--fast"]))
"""


@pytest.mark.parametrize("module", ["argparse", "pydantic", "streamops.demo", "openai", "rich"])
def test_ctrl_c_while_modules_are_imported_ends_quietly(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, module],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted\n")


def test_a_wrong_key_is_one_line_that_says_what_to_do() -> None:
    with refusing(401) as base_url:
        finished = run("demo", OPENAI_API_KEY="sk-wrong", OPENAI_BASE_URL=base_url)

    assert_failed(finished, "set OPENAI_API_KEY to a valid one")
    assert "sk-wrong" not in finished.stderr


def test_an_unreachable_provider_is_one_line_that_says_what_to_do() -> None:
    # Nobody listens at the port of a server that is gone.
    with refusing(401) as gone:
        pass

    finished = run("demo", OPENAI_API_KEY="test", OPENAI_BASE_URL=gone)

    assert_failed(finished, "cannot be reached")
    assert "check the network and OPENAI_BASE_URL" in finished.stderr


def test_unusable_settings_are_one_line_too() -> None:
    assert_failed(run("demo", OPENAI_API_KEY="a\nb"), "OPENAI_API_KEY holds characters")


def test_a_truncated_answer_keeps_the_last_snapshot() -> None:
    with serving(JO, finished=True) as wire:
        finished = run("demo", OPENAI_API_KEY="test", OPENAI_BASE_URL=wire.url)

    assert json.loads(finished.stdout.splitlines()[-1])["users"][1] == {"name": "Al"}
    assert_failed(finished, "stopped before its JSON was complete: try again")


def test_a_dropped_connection_keeps_the_last_snapshot() -> None:
    def begin(exchange: Exchange) -> None:
        exchange.send(JO)
        exchange.drop()

    with Wire(begin) as wire:
        finished = run("demo", OPENAI_API_KEY="test", OPENAI_BASE_URL=wire.url)

    assert json.loads(finished.stdout.splitlines()[-1])["users"][1] == {"name": "Al"}
    assert_failed(finished, "connection broke in the middle of the answer: try again")


def test_a_refusal_is_said_in_the_model_s_words() -> None:
    def begin(exchange: Exchange) -> None:
        choice = {"index": 0, "delta": {"refusal": "I cannot do that."}, "finish_reason": "stop"}
        exchange.send_event({"id": "1", "choices": [choice]})
        exchange.finish()

    with Wire(begin) as wire:
        finished = run("demo", OPENAI_API_KEY="test", OPENAI_BASE_URL=wire.url)

    assert_failed(finished, "I cannot do that.")


def test_offline_does_not_ask_whom_a_key_is_for() -> None:
    finished = run(
        "demo", "--offline", "--fast", OPENAI_API_KEY="x", OPENAI_BASE_URL="http://nowhere.invalid"
    )

    assert json.loads(finished.stdout.splitlines()[-1]) == ANSWER


def test_a_proxy_does_not_come_between_the_demo_and_its_server() -> None:
    finished = run(
        "demo", "--fast", HTTP_PROXY="http://nowhere.invalid", ALL_PROXY="http://x.invalid"
    )

    assert json.loads(finished.stdout.splitlines()[-1]) == ANSWER


def test_on_a_terminal_users_appear_as_they_close_then_the_object_and_the_figures() -> None:
    text = json.dumps(ANSWER)
    first_user, second_name = text.index("},") + 1, text.index("Jane") + 4

    with serving(text[:first_user]) as wire, on_terminal("demo", env=asking(wire.url)) as terminal:
        exchange = wire.exchange()
        terminal.read_until("✓ │ John Doe")

        exchange.send(text[first_user:second_name])
        terminal.read_until("  │ Jane ")

        exchange.send(text[second_name:])
        exchange.finish()
        terminal.read_until("✓ │ Alex Johnson")
        terminal.read_until("100% ━━━━━━━━━━")
        terminal.read_until("MeetingInfo(")
        terminal.read_until("budget=50000")
        terminal.read_until("chunks  snapshots  distinct snapshots  first field  first item")

        assert terminal.status() == 0
        assert re.search(r"\n +3 +3 +3 +\d+\.\d\d s +\d+\.\d\d s +\d+\.\d\d s\r\n", terminal.screen)


def test_ctrl_c_on_a_terminal_leaves_the_last_snapshot_on_the_screen() -> None:
    with serving(JO) as wire, on_terminal("demo", env=asking(wire.url)) as terminal:
        terminal.read_until("  │ Al ")
        terminal.write("\x03")
        terminal.read_until("✓ │ Jo ")
        terminal.read_until("  │ Al ")
        terminal.read_until("Interrupted")

        assert terminal.status() == 130
        assert "Traceback" not in terminal.screen


def test_a_failure_on_a_terminal_is_red_below_the_last_snapshot() -> None:
    with serving(JO, finished=True) as wire, on_terminal("demo", env=asking(wire.url)) as terminal:
        terminal.read_until("✓ │ Jo ")
        terminal.read_until("The answer stopped before its JSON was complete: try again.")

        assert terminal.status() == 1
        assert "\x1b[31mThe answer stopped before" in terminal.written
        assert "Traceback" not in terminal.screen


def test_a_terminal_that_waits_for_the_first_token_shows_that_it_does() -> None:
    with serving() as wire, on_terminal("demo", env=asking(wire.url)) as terminal:
        terminal.read_until("waiting for the first token")
        wire.exchange().finish()
        terminal.read_until("No text arrived")

        assert terminal.status() == 1


def test_what_replay_serves_is_what_the_demo_shows() -> None:
    with started("replay", RECORDED["chat"], "--pace", "fast", env=environment()) as server:
        base_url = url_in(read_until(server, "OPENAI_BASE_URL")[-1])

        finished = run("demo", OPENAI_API_KEY="any", OPENAI_BASE_URL=base_url)
        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=PATIENCE)

    assert json.loads(finished.stdout.splitlines()[-1]) == ANSWER
    assert server.returncode == 0
    assert complaints == ""


def test_replay_refuses_what_a_mode_does_not_send() -> None:
    with started("replay", RECORDED["chat"], "--mode", "tools", env=environment()) as server:
        base_url = url_in(read_until(server, "OPENAI_BASE_URL")[-1])

        finished = run("demo", OPENAI_API_KEY="any", OPENAI_BASE_URL=base_url)
        server.send_signal(signal.SIGINT)

    assert finished.returncode == 1
    assert "Mode.TOOLS" in finished.stderr


def test_record_says_which_files_it_saved(tmp_path: Path) -> None:
    target = tmp_path / "answer.sse"

    with (
        replay(RECORDED["chat"]) as upstream,
        started("record", target, "--upstream", upstream, env=environment()) as server,
    ):
        base_url = url_in(read_until(server, "OPENAI_BASE_URL")[-1])

        run("demo", OPENAI_API_KEY="any", OPENAI_BASE_URL=base_url)
        read_until(server, f"Saved {target}")
        run("demo", OPENAI_API_KEY="any", OPENAI_BASE_URL=base_url)
        read_until(server, f"Saved {tmp_path / 'answer-2.sse'}")

        server.send_signal(signal.SIGINT)
        _, complaints = server.communicate(timeout=PATIENCE)

    assert read_recording(target.read_bytes()).complete
    assert server.returncode == 0
    assert complaints == ""


def test_what_ctrl_c_cuts_off_is_saved_and_said_to_be(tmp_path: Path) -> None:
    target = tmp_path / "answer.sse"

    with (
        serving(JO) as wire,
        started("record", target, "--upstream", wire.url, env=environment()) as server,
    ):
        base_url = url_in(read_until(server, "OPENAI_BASE_URL")[-1])

        with started("demo", env=asking(base_url)) as demo:
            read_until(demo, '"Al"')
            server.send_signal(signal.SIGINT)
            said, _ = server.communicate(timeout=PATIENCE)
            _, complaints = demo.communicate(timeout=PATIENCE)

    assert said == f"Saved {target}\n"
    assert not read_recording(target.read_bytes()).complete
    assert "try again" in complaints


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["replay", "missing.sse"], "missing.sse: No such file or directory"),
        (["replay", "."], "at least one recorded .sse file"),
        (["record", "missing/answer.sse"], "There is no folder missing"),
        (["record", "taken.sse"], "taken.sse exists: name another file, or replace it"),
    ],
)
def test_what_a_server_cannot_read_or_save_is_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: Sequence[str],
    complaint: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "taken.sse").touch()
    monkeypatch.chdir(tmp_path / "empty")
    if arguments == ["replay", "."]:
        Path("taken.sse").unlink()

    assert cli.main(arguments) == 1
    written = capsys.readouterr().err
    assert complaint in written
    assert written.count("\n") == 1


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as wire:
        port = wire.url.rpartition(":")[2].removesuffix("/v1")

        assert cli.main(["replay", str(RECORDED["chat"]), "--port", port]) == 1

    written = capsys.readouterr().err
    assert "Address already in use" in written
    assert written.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["demo", "--api", "completions"],
        ["replay"],
        ["replay", "a.sse", "--pace", "0"],
        ["replay", "a.sse", "--pace", "inf"],
        ["replay", "a.sse", "--pace", "quick"],
        ["replay", "a.sse", "--port", "70000"],
        ["replay", "a.sse", "--mode", "xml"],
        ["record"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_answered_with_the_usage(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: streamops")


def test_help_shows_every_command_and_examples() -> None:
    shown = run("--help").stdout

    assert all(command in shown for command in ("demo", "replay", "record", "examples:"))


@pytest.mark.parametrize("command", ["demo", "replay", "record"])
def test_every_command_has_help(command: str) -> None:
    finished = run(command, "--help")

    assert finished.returncode == 0
    assert finished.stdout.startswith(f"usage: streamops {command}")


def test_the_version_is_shown() -> None:
    assert re.fullmatch(r"streamops \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize("missing", ["rich", "starlette", "uvicorn"])
def test_a_missing_extra_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    assert cli.main(["demo"]) == 1
    assert "pip install 'streamops[cli]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", __file__), "is no recorded stream"),
        (("record", "answer.sse", "--upstream", "foo"), "must begin with http:// or https://"),
    ],
)
def test_what_cannot_be_served_is_said_at_once_in_one_line(
    arguments: tuple[str, ...], said: str
) -> None:
    assert_failed(run(*arguments), said)


def assert_failed(finished: subprocess.CompletedProcess[str], complaint: str) -> None:
    """Check that a command failed with one line on stderr."""
    assert finished.returncode == 1
    assert complaint in finished.stderr
    assert finished.stderr.count("\n") == 1


def url_in(line: str) -> str:
    """Return what a line of help says to set OPENAI_BASE_URL to."""
    found = re.search(r"OPENAI_BASE_URL=(\S+)", line)
    assert found
    return found[1]


@contextmanager
def refusing(status: int) -> Generator[str]:
    """Serve nothing but this status, and give the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
