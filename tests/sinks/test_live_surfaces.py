"""Where a stream is shown: on a terminal, or in lines."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Generator
from json import dumps
from typing import Any

import pytest
from pydantic import BaseModel
from reactivex import Observable

import streamops as so
from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import TruncatedJson
from streamops.sinks.live import show
from streamops.sinks.live_surfaces import PlainLines, Terminal, new_surface
from streamops.sources.iterables import from_chunks
from tests.display.hostile import HOSTILE, UNSEEN
from tests.terminal import on_terminal
from tests.wire import PATIENCE


class User(BaseModel):
    name: str


USERS = ['[{"name": "Jo"}', ', {"name": "Al"}', "]"]


def lines_of(stream: Observable[Any], capsys: pytest.CaptureFixture[str], **options: Any) -> Any:
    so.live(stream, **options)
    return capsys.readouterr().out.splitlines()


def test_where_nothing_can_be_drawn_anew_lines_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = lines_of(from_chunks(['{"name": "Jo"}']).pipe(ops.accumulate_json()), capsys)

    assert lines[0] == "✓ name: Jo"
    assert lines[1].startswith("1 element in ")


def test_each_item_is_printed_once_however_seldom_lines_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    items = from_chunks(USERS).pipe(ops.accumulate_json(), ops.split_items(User))

    *lines, figures = lines_of(items, capsys, per_second=0.001, rows=1)

    assert lines == ["0: name=Jo", "1: name=Al"]
    assert figures.startswith("2 elements in")


@pytest.mark.parametrize("per_second", [0.001, 1e9])
def test_text_is_printed_as_it_comes_with_a_line_before_each_kind(
    capsys: pytest.CaptureFixture[str], per_second: float
) -> None:
    surface = PlainLines()
    surface.tick = 0
    deltas = [Delta("I th", "reasoning"), Delta("ink", "reasoning"), Delta("Hel"), Delta("lo\n!")]

    show(from_chunks(deltas), surface, per_second=per_second)

    *lines, _ = capsys.readouterr().out.splitlines()
    assert lines == ["reasoning:", "I think", "content:", "Hello", "!"]


def test_a_state_is_printed_in_one_line_now_and_then_and_at_the_end_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_printed = threading.Event()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            if text == "0.name: Jo\n":
                is_printed.set()
            return super().write(text)

    out = Watched()
    monkeypatch.setattr(sys, "stdout", out)

    def source() -> Generator[str]:
        yield '[{"name": "Jo'
        assert is_printed.wait(PATIENCE)
        yield '"}]'

    show(from_chunks(source).pipe(ops.accumulate_json()), PlainLines(), per_second=1e6)

    lines = out.getvalue().splitlines()
    assert lines[0] == "0.name: Jo"
    assert lines[-3:-1] == ["✓ 0", "✓   name: Jo"]


def test_an_error_is_printed_below_the_last_state(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TruncatedJson):
        so.live(from_chunks(['{"name": "Jo']).pipe(ops.accumulate_json()))

    lines = capsys.readouterr().out.splitlines()
    assert lines[-3] == "… name: Jo"
    assert lines[-2].startswith("✗ TruncatedJson: ")
    assert lines[-1].startswith("failed: 1 element in")


def test_an_output_that_cannot_write_a_sign_gets_it_escaped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))

    so.live(from_chunks(['{"name": "Jö"}']).pipe(ops.accumulate_json()))

    assert written.getvalue().startswith(b"\\u2713 name: J\\xf6\n")


def test_a_process_without_an_output_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    assert so.live(from_chunks(["1"]).pipe(ops.accumulate_json())).value == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_model_wrote_moves_the_cursor(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    so.live(from_chunks([Delta(text), Delta(f"{text}\n")]))
    so.live(from_chunks([dumps({text: [text]})]).pipe(ops.accumulate_json()))
    so.live(from_chunks([dumps([text])]).pipe(ops.accumulate_json(), ops.split_items(str)))

    shown = capsys.readouterr().out
    assert not any(character in shown for character in UNSEEN)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_rich_draws_unless_it_is_missing_or_nothing_can_be_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", Tty())
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(new_surface(), Terminal)

    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(new_surface(), PlainLines)

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setitem(sys.modules, "rich", None)
    assert isinstance(new_surface(), PlainLines)


PROGRAM = """
import sys
from pydantic import BaseModel
import streamops as so
from streamops import operators as ops

class User(BaseModel):
    name: str
    email: str

def chunks():
    yield '[{"name": "Ada", "ema'
    input()
    yield 'il": "ada@exam'
    input()
    print("printed in between")
    yield 'ple.org"}]'

stream = so.from_chunks(chunks).pipe(ops.accumulate_json(), ops.to_partial(list[User]))
try:
    print("returned", so.live(stream))
except KeyboardInterrupt:
    print("stopped")
"""
ENVIRONMENT = {**os.environ, "TERM": "xterm-256color"}


def test_a_terminal_shows_it_in_place_and_what_is_printed_in_between_above_it() -> None:
    with on_terminal("-c", PROGRAM, env=ENVIRONMENT, command=sys.executable) as terminal:
        terminal.read_until("name  Ada")
        terminal.read_until("email —")
        terminal.write("\n")
        terminal.read_until("email ada@exam▍")
        terminal.write("\n")
        terminal.read_until("printed in between")
        terminal.read_until("email ada@example.org")
        terminal.read_until("✓ 3 elements in")
        terminal.read_until("returned [User(name='Ada', email='ada@example.org')]")
        assert terminal.status() == 0

    assert "\x1b[1A" in terminal.written


def test_on_a_terminal_ctrl_c_leaves_the_last_state_and_says_so() -> None:
    with on_terminal("-c", PROGRAM, env=ENVIRONMENT, command=sys.executable) as terminal:
        terminal.read_until("name  Ada")
        terminal.write("\x03")
        terminal.read_until("■ interrupted: 1 element in")
        terminal.read_until("stopped")
        assert terminal.status() == 0
