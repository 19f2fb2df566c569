"""Where a stream is shown while it runs: a notebook's cell, a terminal, or lines of text."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from streamops.display.blocks import Bar, Block, Failure, Items, Lines, Note, Outline, Written
from streamops.display.html import to_html
from streamops.display.plain import item_line, state_line, to_lines
from streamops.display.visible import in_one_line, visible

if TYPE_CHECKING:
    from rich.live import Live

_WIDTH = 100
_MARGIN = 6  # lines of a terminal that are not for rows


def new_surface() -> Surface:
    """Return what suits the place where this runs."""
    if _is_in_notebook():
        return Notebook()

    stdout: Any = sys.stdout
    moves = stdout is not None and stdout.isatty() and os.environ.get("TERM") != "dumb"
    return Terminal() if moves and find_spec("rich") is not None else PlainLines()


class Surface(ABC):
    """Shows blocks, each time in place of those before."""

    only_new: ClassVar[bool] = False
    """Whether it shows only what is new of items, texts and lines."""
    rows: int | None = None
    """How many rows there is room for, if that is limited."""
    tick: float = 1.0
    """Seconds after which it is drawn again while nothing has come yet."""
    per_second: float = 10
    """How often it is drawn, unless something else is asked for."""

    @abstractmethod
    def draw(self, blocks: Sequence[Block]) -> None:
        """Show how things stand."""

    @abstractmethod
    def finish(self, blocks: Sequence[Block]) -> None:
        """Show how things ended."""


class Notebook(Surface):
    """The output of a cell, which is updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown: dict[str, str] = {}

    def draw(self, blocks: Sequence[Block]) -> None:
        data = {"text/html": to_html(blocks), "text/plain": "\n".join(to_lines(blocks))}
        if data == self._shown:
            return

        self._shown = data
        if self._handle is not None:
            self._handle.update(data, raw=True)
            return

        display: Any = import_module("IPython.display").display
        self._handle = display(data, raw=True, display_id=True)

    finish = draw


class Terminal(Surface):
    """Lines of a terminal that are drawn anew."""

    tick = 0.1

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console()
        self._live: Live | None = None

    @property
    def rows(self) -> int:  # type: ignore[override]
        """How many rows there is room for."""
        return max(self._console.height - _MARGIN, 5)

    def draw(self, blocks: Sequence[Block]) -> None:
        self._draw(blocks, self._console.height - 1)

    def _draw(self, blocks: Sequence[Block], lines: int | None) -> None:
        from rich.live import Live

        from streamops.display.terminal import to_renderable

        if self._live is None:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        self._live.update(to_renderable(blocks, lines=lines), refresh=True)

    def finish(self, blocks: Sequence[Block]) -> None:
        try:
            self._draw(blocks, None)
        finally:
            if self._live is not None:
                self._live.stop()


class PlainLines(Surface):
    """Lines on the standard output: each item, and states now and then."""

    only_new = True
    per_second = 1

    def __init__(self) -> None:
        self._state = ""
        self._label = ""
        self._is_in_line = False

    def draw(self, blocks: Sequence[Block]) -> None:
        bar = next((block for block in blocks if isinstance(block, Bar)), None)
        rows = next((block.rows for block in blocks if isinstance(block, Outline)), ())
        state = state_line(bar, rows, width=_WIDTH) if bar or rows else ""
        if state != self._state:
            self._state = state
            self._print(state)

        for block in blocks:
            if isinstance(block, Items | Lines | Written):
                self._show(block)

    def finish(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            if isinstance(block, Items | Lines | Written):
                self._show(block)

        last = [block for block in blocks if isinstance(block, Bar | Outline | Failure | Note)]
        for line in to_lines(last, width=_WIDTH):
            self._print(line)

    def _show(self, block: Items | Lines | Written) -> None:
        if isinstance(block, Items):
            for item in block.items:
                self._print(item_line(item, name=block.name, width=_WIDTH))
        elif isinstance(block, Lines):
            for line in block.lines:
                self._print(line)
        else:
            self._write(block)

    def _write(self, block: Written) -> None:
        """Write text as it comes, with a line before it that says what it is."""
        if block.label != self._label:
            self._print(f"{in_one_line(block.label)}:")
            self._label = block.label

        text = visible(block.text)
        _write(text)
        self._is_in_line = not text.endswith("\n")

    def _print(self, line: str) -> None:
        _write(f"\n{line}\n" if self._is_in_line else f"{line}\n")
        self._is_in_line = False
        self._label = ""


def _write(text: str) -> None:
    stdout: Any = sys.stdout
    if stdout is not None:
        encoding = getattr(stdout, "encoding", None) or "utf-8"
        stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stdout.flush()


def _is_in_notebook() -> bool:
    """Return whether a kernel of Jupyter runs this, and not the command line of IPython."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
