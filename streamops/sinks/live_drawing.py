"""What draws a stream while it runs, in a thread of its own, and how often."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Self

from streamops.display.blocks import (
    Block,
    Note,
    blocks_of,
    counted,
    failure_of,
    seconds,
)
from streamops.display.picture import Picture
from streamops.eventloop import EventLoop
from streamops.sinks.live_surfaces import Surface
from streamops.snapshot import Snapshot

_log = logging.getLogger("streamops")

_TICK = 1.0  # seconds after which the time is shown again, though nothing came


class Drawing:
    """Draws what is taken from a stream while it runs, and how it ended when it is left.

    Taking costs next to nothing: a thread draws, not more often than it may, and ends before this
    is left. What fails to be drawn is logged, and does not touch the stream.
    """

    def __init__(
        self,
        surface: Surface,
        picture: Picture,
        *,
        per_second: float,
        loop: EventLoop | None,
        clock: Callable[[], float],
    ) -> None:
        self._surface = surface
        self._picture = picture
        self._loop = loop
        self._clock = clock
        self._pace = Pace(per_second, clock)
        self._begun = clock()
        self._first: float | None = None
        self._condition = threading.Condition()
        self._has_news = False
        self._has_ended = False
        self._has_failed = False
        # A notebook finds the cell that an output belongs to by a variable of the context.
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="streamops live", daemon=True
        )

    def take(self, element: Any) -> None:
        """Take an element, to be seen the next time that it is drawn."""
        if self._first is None:
            self._first = self._clock() - self._begun

        self._picture.add(element)
        # Only the first one since it was drawn has to say so.
        if not self._has_news:
            with self._condition:
                self._has_news = True
                self._condition.notify()

    def __enter__(self) -> Self:
        self._draw()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._condition:
            self._has_ended = True
            self._condition.notify()

        self._thread.join()
        self._show(self._surface.finish, partial(self._last_blocks, error))

    def _run(self) -> None:
        while self._wait():
            self._draw()
            if self._loop is not None:
                # A notebook's loop that sleeps does not notice that it is interrupted.
                self._loop.soon(_nothing)

    def _wait(self) -> bool:
        """Wait until it is time to draw; return False at the end."""
        with self._condition:
            while not self._has_ended:
                tick = _TICK if self._picture.count else self._surface.tick
                wait = self._pace.until_due(None if self._has_news else tick)
                if wait <= 0:
                    self._has_news = False
                    return True

                self._condition.wait(wait)

        return False

    def _draw(self) -> None:
        self._show(self._surface.draw, self._blocks)
        self._pace.drawn()

    def _show(
        self, show: Callable[[Sequence[Block]], None], blocks: Callable[[], Sequence[Block]]
    ) -> None:
        try:
            show(blocks())
        except Exception:
            if not self._has_failed:
                _log.exception("A stream could not be shown while it runs")
            self._has_failed = True

    def _blocks(self) -> Sequence[Block]:
        passed = seconds(self._passed)
        if not self._picture.count:
            awaited = "item" if self._picture.are_items else "token"
            return [Note(f"waiting for the first {awaited}, {passed}", "waiting")]

        figures = f"{counted(self._picture.count, 'element')} in {passed}"
        shown = self._picture.blocks(rows=self._surface.rows, is_open=True)
        return [*shown, Note(figures, "running")]

    def _last_blocks(self, error: BaseException | None) -> Sequence[Block]:
        shown = self._picture.blocks(is_open=error is not None)
        snapshot = getattr(error, "snapshot", None)
        if not shown and isinstance(snapshot, Snapshot):
            shown = list(blocks_of(snapshot))

        figures = f"{counted(self._picture.count, 'element')} in {seconds(self._passed)}"
        if self._first is not None:
            figures += f", the first after {seconds(self._first)}"

        if error is None:
            return [*shown, Note(figures, "done")]

        if isinstance(error, Exception):
            return [*shown, failure_of(error), Note(f"failed: {figures}", "failed")]

        return [*shown, Note(f"interrupted: {figures}", "interrupted")]

    @property
    def _passed(self) -> float:
        return self._clock() - self._begun


def _nothing() -> None: ...


class Pace:
    """Says when to draw: not more often than asked for, and now and then if nothing comes."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._drawn = clock()

    def until_due(self, tick: float | None = None) -> float:
        """Return the seconds to wait; ``tick`` is after how many it is drawn without any news."""
        wait = self._interval if tick is None else max(self._interval, tick)
        return self._drawn + wait - self._clock()

    def drawn(self) -> None:
        """Take note that it was drawn now."""
        self._drawn = self._clock()
