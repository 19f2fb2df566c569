"""A terminal that a test reads from and types into."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.wire import PATIENCE

COMMAND = Path(sys.executable).with_name("streamops")
"""The command as it is installed."""

# Without a terminal that controls its session, a process gets no signal for Ctrl-C.
ADOPT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """The other side of a terminal that a command runs in."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._received = b""
        self._seen = 0

    @property
    def screen(self) -> str:
        """All that was written so far, without colors and movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.written)

    @property
    def written(self) -> str:
        """All that was written so far."""
        return self._received.decode(errors="ignore")

    def read_until(self, wanted: str) -> None:
        """Read until this is shown, after what was waited for before."""
        while (at := self.screen.find(wanted, self._seen)) < 0:
            self._read(wanted)

        self._seen = at + len(wanted)

    def write(self, text: str) -> None:
        """Type on the keyboard."""
        os.write(self._descriptor, text.encode())

    def status(self) -> int:
        """Read to the end, and return the command's exit status."""
        with suppress(EOFError):
            while True:
                self._read("the end")

        return self._process.wait(PATIENCE)

    def _read(self, wanted: str) -> None:
        ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
        assert ready, f"{wanted!r} did not come after {self.screen}"

        try:
            received = os.read(self._descriptor, 65536)
        except OSError:
            # Linux says so when nobody has the other side open.
            received = b""

        if not received:
            raise EOFError(f"{wanted!r} did not come before the end of {self.screen}")

        self._received += received


@contextmanager
def on_terminal(
    *arguments: str, env: dict[str, str], command: str | Path = COMMAND
) -> Generator[Terminal]:
    """Start the command, ours or another one, in a terminal of 80 columns and 24 lines."""
    ours, theirs = pty.openpty()

    try:
        with subprocess.Popen(
            [sys.executable, "-c", ADOPT_TERMINAL, command, *arguments],
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        ) as process:
            os.close(theirs)

            try:
                yield Terminal(process, ours)
            finally:
                process.kill()
    finally:
        os.close(ours)
