"""Where a stream is shown while it runs: a notebook's cell, a terminal, or lines of text."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from streamops.display.blocks import Bar, Block, Failure, Items, Lines, Note, Outline, Written
from streamops.display.html import to_html
from streamops.display.kernel import is_in_kernel
from streamops.display.plain import item_line, state_line, to_lines
from streamops.display.visible import in_one_line, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

_WIDTH = 100
_MARGIN = 6  # lines of a terminal that are not for rows
_SIGNS = "✓✗…▸■▍—━⠋"


def new_surface() -> Surface:
    """Return what suits the place where this runs."""
    if is_in_kernel():
        return Notebook()

    console = _console_on(sys.stdout)
    return PlainLines(sys.stdout) if console is None else Terminal(console)


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
    patience: float = 3.0
    """Seconds that are waited for the last drawing."""

    @abstractmethod
    def draw(self, blocks: Sequence[Block]) -> None:
        """Show how things stand."""

    @abstractmethod
    def finish(self, blocks: Sequence[Block]) -> None:
        """Show how things ended."""

    def captured(self) -> AbstractContextManager[None]:
        """Return the context in which what others print does not disturb it; nothing is drawn."""
        return nullcontext()

    def close(self) -> None:
        """Leave everything as it was found, but for what is shown."""
        return


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

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None

    @property
    def rows(self) -> int:  # type: ignore[override]  # a terminal may be resized
        """How many rows there is room for."""
        return max(self._console.height - _MARGIN, 5)

    @contextmanager
    def captured(self) -> Generator[None]:
        """Let what is printed appear above."""
        from rich.file_proxy import FileProxy

        # Live would do so in the thread that draws, where somebody may just have redirected it.
        with ExitStack() as resources:
            output = FileProxy(self._console, self._console.file)
            resources.enter_context(redirect_stdout(output))
            if sys.stderr is not None and _is_terminal(sys.stderr):
                errors = FileProxy(self._console, sys.stderr)
                resources.enter_context(redirect_stderr(errors))

            yield

    def draw(self, blocks: Sequence[Block]) -> None:
        self._draw(blocks, self._console.height - 1)

    def finish(self, blocks: Sequence[Block]) -> None:
        self._draw(blocks, None)

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()

    def _draw(self, blocks: Sequence[Block], lines: int | None) -> None:
        from rich.live import Live

        from streamops.display.terminal import to_renderable

        if self._live is None:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(to_renderable(blocks, lines=lines), refresh=True)


class PlainLines(Surface):
    """Lines on an output: each item, and states now and then."""

    only_new = True
    per_second = 1

    def __init__(self, output: Any) -> None:
        self._output = output
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
            self._show(block)

    def finish(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._show(block)

        last = [block for block in blocks if isinstance(block, Bar | Outline | Failure | Note)]
        for line in to_lines(last, width=_WIDTH):
            self._print(line)

    def _show(self, block: Block) -> None:
        """Print a block of what has come since the last time; states are none."""
        match block:
            case Items():
                for item in block.items:
                    self._print(item_line(item, name=block.name, width=_WIDTH))
            case Lines():
                for line in block.lines:
                    self._print(line)
            case Written():
                self._write(block)
            case _:
                return

    def _write(self, block: Written) -> None:
        """Write text as it comes, with a line before it that says what it is."""
        if block.label != self._label:
            self._print(f"{in_one_line(block.label)}:")
            self._label = block.label

        text = visible(block.text)
        self._put(text)
        self._is_in_line = not text.endswith("\n")

    def _print(self, line: str) -> None:
        self._put(f"\n{line}\n" if self._is_in_line else f"{line}\n")
        self._is_in_line = False
        self._label = ""

    def _put(self, text: str) -> None:
        if self._output is None:
            return

        encoding = getattr(self._output, "encoding", None) or "utf-8"
        self._output.write(text.encode(encoding, "backslashreplace").decode(encoding))
        # Flushed within a line, what prints above a display would end it.
        if text.endswith("\n") or not _is_above_another(self._output):
            self._output.flush()


def _console_on(output: Any) -> Console | None:
    """Return what draws on an output, or None where lines cannot be drawn anew."""
    if not _is_terminal(output) or _is_above_another(output) or find_spec("rich") is None:
        return None

    try:
        _SIGNS.encode(output.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return None

    from rich.console import Console

    console = Console(file=output)
    return console if console.is_interactive else None


def _is_terminal(output: Any) -> bool:
    try:
        return bool(output.isatty())
    except (AttributeError, ValueError, OSError):  # no file, or closed
        return False


def _is_above_another(output: Any) -> bool:
    """Return whether what is written there appears above what rich draws already."""
    return hasattr(output, "rich_proxied_file")
