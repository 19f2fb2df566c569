"""A surface that remembers what it was given to show."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from streamops.display.blocks import Block, Note, Tone
from streamops.display.plain import to_lines
from streamops.sinks.live_surfaces import Surface
from tests.wire import PATIENCE


class Remembering(Surface):
    """Remembers each drawing as lines; ``on_draw`` is called with the lines of each."""

    def __init__(
        self, on_draw: Callable[[list[str]], object] | None = None, *, tick: float = 60
    ) -> None:
        self.tick = tick
        self.drawn: list[list[str]] = []
        self.finished: list[list[str]] = []
        self.tone: Tone | None = None
        self._on_draw = on_draw
        self._changed = threading.Condition()

    def draw(self, blocks: Sequence[Block]) -> None:
        lines = list(to_lines(blocks))
        with self._changed:
            self.drawn.append(lines)
            self._changed.notify_all()

        if self._on_draw is not None:
            self._on_draw(lines)

    def finish(self, blocks: Sequence[Block]) -> None:
        self.finished.append(list(to_lines(blocks)))
        self.tone = next(block.tone for block in blocks if isinstance(block, Note))

    def has_drawn(self, is_it: Callable[[list[str]], bool]) -> bool:
        """Wait until something was drawn; False if it is not."""
        with self._changed:
            return self._changed.wait_for(lambda: any(map(is_it, self.drawn)), PATIENCE)
