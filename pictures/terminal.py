"""What a command shows on a terminal, and when."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TypeAlias

import pyte
from pyte.screens import Char

# As in "\x1b[2m".
_FAINT, _BLINKING = 2, 5
_COLORS = (38, 48)

# No keys, so that what is recorded asks nobody, and nothing that changes how it looks.
_KEPT = ("PATH", "HOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True)
class Run:
    """Characters of one look that stand side by side."""

    column: int
    text: str
    color: str
    """``"default"``, a name such as ``"green"``, ``"faint"``, or six hexadecimal digits."""
    bold: bool
    italic: bool


Line: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """What stood on the screen from a moment on."""

    seconds: float
    lines: tuple[Line, ...]


def record(
    command: Sequence[str], *, columns: int, rows: int, per_second: float = 12.0
) -> list[Frame]:
    """Run a command in a terminal of its own and return what that showed, each change once.

    At most so many frames per second; the last state is always one. Raises
    subprocess.CalledProcessError if the command fails, with what it showed as its output.
    """
    screen = _Screen(columns, rows)
    stream = pyte.Stream(screen)
    frames = [Frame(0.0, _lines(screen))]

    def look(seconds: float) -> None:
        lines = _lines(screen)
        if lines != frames[-1].lines:
            frames.append(Frame(seconds, lines))

    with _running(command, columns, rows) as (process, descriptor):
        began = looked = time.monotonic()
        for text in _written(descriptor, 1 / per_second):
            stream.feed(text)
            now = time.monotonic()
            if now - looked >= 1 / per_second:
                look(now - began)
                looked = now
        look(time.monotonic() - began)
        status = process.wait()

    if status:
        raise subprocess.CalledProcessError(status, list(command), "\n".join(screen.display))
    return frames


@contextmanager
def _running(
    command: Sequence[str], columns: int, rows: int
) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    try:
        with subprocess.Popen(  # noqa: S603 - the commands are those of the gallery
            command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        ) as process:
            os.close(theirs)
            try:
                yield process, ours
            finally:
                process.kill()
    finally:
        os.close(ours)


def _written(descriptor: int, patience: float) -> Iterator[str]:
    """Give what a command writes, and an empty text when it pauses, until its end."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while True:
        ready, _, _ = select.select([descriptor], [], [], patience)
        if not ready:
            yield ""
            continue

        try:
            written = os.read(descriptor, 65536)
        except OSError:
            return  # Linux says so when nobody has the other side open

        if not written:
            return

        yield decoder.decode(written)


class _Screen(pyte.Screen):
    """An emulated screen that tells faint text, too."""

    # The emulator forgets what is faint, and nothing that is recorded blinks.
    def select_graphic_rendition(self, *attributes: int) -> None:
        super().select_graphic_rendition(*_with_faint_as_blinking(attributes))


def _with_faint_as_blinking(attributes: Sequence[int]) -> Iterator[int]:
    remaining = iter(attributes)
    for attribute in remaining:
        yield _BLINKING if attribute == _FAINT else attribute
        if attribute in _COLORS:  # of 256, or of red, green and blue
            mode = next(remaining, 5)
            yield mode
            yield from islice(remaining, 3 if mode == 2 else 1)


def _lines(screen: pyte.Screen) -> tuple[Line, ...]:
    return tuple(tuple(_runs(screen, row)) for row in range(screen.lines))


def _runs(screen: pyte.Screen, row: int) -> Iterator[Run]:
    characters = [(column, screen.buffer[row][column]) for column in range(screen.columns)]
    for look, group in groupby(characters, key=_look):
        run = list(group)
        text = "".join(character.data for _, character in run)
        if text.strip():
            yield Run(run[0][0], text.rstrip(), *look)


def _look(at: tuple[int, Char]) -> tuple[str, bool, bool]:
    character = at[1]
    color = "faint" if character.blink and character.fg == "default" else character.fg
    return color, character.bold, character.italics
