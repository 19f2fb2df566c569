"""Where a stream is shown: on a terminal, or in lines."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Generator
from contextlib import redirect_stdout
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
    surface = PlainLines(sys.stdout)
    surface.tick = 0
    deltas = [Delta("I th", "reasoning"), Delta("ink", "reasoning"), Delta("Hel"), Delta("lo\n!")]

    show(from_chunks(deltas), surface, per_second=per_second)

    *lines, _ = capsys.readouterr().out.splitlines()
    assert lines == ["reasoning:", "I think", "content:", "Hello", "!"]


class Watched(io.StringIO):
    """Says when a line has been printed."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self.is_printed = threading.Event()
        self._line = line

    def write(self, text: str) -> int:
        if text == self._line:
            self.is_printed.set()
        return super().write(text)


def test_a_state_is_printed_in_one_line_now_and_then_and_at_the_end_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = Watched("0.name: Jo\n")
    monkeypatch.setattr(sys, "stdout", out)

    def source() -> Generator[str]:
        yield '[{"name": "Jo'
        assert out.is_printed.wait(PATIENCE)
        yield '"}]'

    show(from_chunks(source).pipe(ops.accumulate_json()), PlainLines(sys.stdout), per_second=1e6)

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

    for variable, value in (("TERM", "dumb"), ("TERM", "unknown"), ("TTY_COMPATIBLE", "0")):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            assert isinstance(new_surface(), PlainLines), value

    monkeypatch.setitem(sys.modules, "rich", None)
    assert isinstance(new_surface(), PlainLines)


class NoFile:
    """Has nothing of a file."""


def closed() -> io.StringIO:
    output = io.StringIO()
    output.close()
    return output


class Ascii(Tty):
    encoding = "ascii"


@pytest.mark.parametrize("output", [NoFile(), closed(), Ascii()])
def test_an_output_that_cannot_be_drawn_on_does_not_touch_the_stream(
    monkeypatch: pytest.MonkeyPatch, output: Any
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", output)

    assert isinstance(new_surface(), PlainLines)
    assert so.live(from_chunks(["1"]).pipe(ops.accumulate_json())).value == 1


def test_lines_go_where_the_output_was_when_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    out, elsewhere = Watched("0: 1\n"), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)

    def source() -> Generator[str]:
        with redirect_stdout(elsewhere):
            yield "[1,"
            assert out.is_printed.wait(PATIENCE)
        yield "2]"

    numbers = from_chunks(source).pipe(ops.accumulate_json(), ops.split_items(int))
    show(numbers, PlainLines(sys.stdout), per_second=1e9)

    assert elsewhere.getvalue() == ""


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
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
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

    assert terminal.written.rindex(SHOW_CURSOR) > terminal.written.rindex(HIDE_CURSOR)


TWO_AT_ONCE = """
import asyncio
import streamops as so
from streamops import operators as ops

async def chunks(name):
    yield '["' + name + '1"'
    await asyncio.to_thread(input)
    yield ',"' + name + '2"]'

def items(name):
    return so.from_chunks(lambda: chunks(name)).pipe(
        ops.accumulate_json(), ops.split_items(str)
    )

async def main():
    await asyncio.gather(so.alive(items("a"), per_second=1e3), so.alive(items("b"), per_second=1e3))

asyncio.run(main())
print("restored" if sys.stdout is sys.__stdout__ else "lost")
"""


def test_what_is_shown_at_the_same_time_is_printed_above() -> None:
    program = f"import sys\n{TWO_AT_ONCE}"
    with on_terminal("-c", program, env=ENVIRONMENT, command=sys.executable) as terminal:
        terminal.read_until("0: b1\r\n")
        terminal.write("\n")
        terminal.write("\n")
        terminal.read_until("1: b2\r\n")
        terminal.read_until("restored")
        assert terminal.status() == 0

    assert terminal.written.count(HIDE_CURSOR) == 1
