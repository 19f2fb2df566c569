"""What draws a stream while it runs, in a thread of its own, and how often."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from contextvars import copy_context
from types import TracebackType
from typing import Any, Self

from anyio import Event, move_on_after

from streamops.display.blocks import Block, Note, failure_of, seconds
from streamops.display.picture import Picture
from streamops.display.visible import counted
from streamops.eventloop import EventLoop
from streamops.sinks.live_surfaces import Surface

_log = logging.getLogger("streamops")

_TICK = 1.0  # seconds after which the time is shown again, though nothing came
_BEAT = 0.1  # seconds after which the thread looks up, though there is nothing to draw
_LAST_PATIENCE = 1.0  # seconds for the last drawing if it is interrupted again


class Drawing:
    """Draws what is taken from a stream while it runs, and how it ended when it is left.

    Taking costs next to nothing: only a thread draws, not more often than it may. This is left when
    it has ended, or after some seconds if the display is blocked. What fails to be drawn is logged,
    and does not touch the stream.
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
        self._resources = ExitStack()
        self._error: BaseException | None = None
        self._has_news = False
        self._is_left = False
        self._has_failed = False
        self._woken = threading.Event()
        self._ended = threading.Event()
        self._ended_in_loop = Event()
        # A notebook finds the cell that an output belongs to by a variable of the context.
        self._thread = threading.Thread(
            target=copy_context().run,
            args=(self._run, self._blocks()),
            name="streamops live",
            daemon=True,
        )

    def take(self, element: Any) -> None:
        """Take an element, to be seen the next time that it is drawn."""
        if self._first is None:
            self._first = self._clock() - self._begun

        try:
            self._picture.add(element)
        except Exception:
            self._fail()

        # Only the first one since it was drawn has to say so.
        if not self._has_news:
            self._has_news = True
            self._woken.set()

    def __enter__(self) -> Self:
        try:
            self._resources.enter_context(self._surface.captured())
            self._thread.start()
        except BaseException as error:
            self._leave(error)
            self._let_go()
            raise

        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(error)
        try:
            if not self._ended.wait(self._surface.patience):
                self._warn()
        except BaseException:
            self._ended.wait(_LAST_PATIENCE)
            raise
        finally:
            self._let_go()

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave(error)
        try:
            with move_on_after(self._surface.patience, shield=True) as patience:
                await self._ended_in_loop.wait()

            if patience.cancelled_caught:
                self._warn()
        finally:
            self._let_go()

    def _leave(self, error: BaseException | None) -> None:
        self._error = error
        self._is_left = True
        self._woken.set()

    def _let_go(self) -> None:
        # Whoever was interrupted here leaves a thread that still draws.
        if not self._ended.is_set():
            atexit.register(self._ended.wait, _LAST_PATIENCE)

        self._resources.close()

    def _warn(self) -> None:
        _log.warning("The display of a stream is blocked: nobody waits for it any more")

    def _run(self, first: Sequence[Block]) -> None:
        try:
            self._show(self._surface.draw, first)
            while self._wait():
                self._show(self._surface.draw, self._blocks())

            self._show(self._surface.finish, self._last_blocks(self._error))
        finally:
            self._show(self._surface.close)
            self._ended.set()
            if self._loop is not None:
                self._loop.soon(self._ended_in_loop.set)

    def _wait(self) -> bool:
        """Wait until it is time to draw; return False at the end."""
        while True:
            # Cleared before looking: whoever has news sets it after that.
            self._woken.clear()
            if self._is_left:
                return False

            tick = _TICK if self._picture.count else self._surface.tick
            wait = self._pace.until_due(None if self._has_news else tick)
            if wait <= 0:
                self._has_news = False
                return True

            self._woken.wait(min(wait, _BEAT))
            if self._loop is not None:
                # A notebook's loop that sleeps does not notice that it is interrupted.
                self._loop.soon(_nothing)

    def _show(self, show: Callable[..., None], *blocks: Sequence[Block]) -> None:
        try:
            show(*blocks)
        except Exception:
            self._fail()

        self._pace.drawn()

    def _fail(self) -> None:
        if not self._has_failed:
            self._has_failed = True
            _log.exception("A stream could not be shown while it runs")

    def _blocks(self) -> Sequence[Block]:
        passed = seconds(self._passed)
        if not self._picture.count:
            awaited = "item" if self._picture.are_items else "token"
            return [Note(f"waiting for the first {awaited}, {passed}", "waiting")]

        figures = f"{counted(self._picture.count, 'element')} in {passed}"
        return [*self._state(self._surface.rows, is_open=True), Note(figures, "running")]

    def _last_blocks(self, error: BaseException | None) -> Sequence[Block]:
        state = self._state(is_open=error is not None)
        figures = f"{counted(self._picture.count, 'element')} in {seconds(self._passed)}"
        if self._first is not None:
            figures += f", the first after {seconds(self._first)}"

        if error is None:
            return [*state, Note(figures, "done")]

        if isinstance(error, Exception):
            return [*state, failure_of(error), Note(f"failed: {figures}", "failed")]

        return [*state, Note(f"interrupted: {figures}", "interrupted")]

    def _state(self, rows: int | None = None, *, is_open: bool) -> Iterable[Block]:
        try:
            return self._picture.blocks(rows=rows, is_open=is_open)
        except Exception:  # an element may be of any kind
            self._fail()
            return ()

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
