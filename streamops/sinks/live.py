"""live and alive: a stream is shown while it runs, and its final value returned."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from reactivex import Observable

from streamops.display.picture import Picture
from streamops.eventloop import EventLoop, running_loop
from streamops.lifting import are_items
from streamops.sinks.generators import check_stream, to_async_generator, to_generator
from streamops.sinks.live_drawing import Drawing
from streamops.sinks.live_surfaces import Surface, new_surface
from streamops.sinks.values import only

T = TypeVar("T")


def live(stream: Observable[T], *, per_second: float | None = None, rows: int = 40) -> T:
    """Show a stream while it runs, and return its last value or raise its error, as ``run`` does.

    In Jupyter one output cell is updated in place, on a terminal some lines are if rich is
    installed; anywhere else lines are printed. Of several at once on a terminal the first is drawn,
    and the others print lines above it. What is shown follows the elements: of a Snapshot, a
    partial or a plain value what has arrived, which part of it is finished and what is missing; of
    a Progress also a bar; items as a table of the last of them (a DataFrame's in Jupyter, if pandas
    is imported), Deltas as the text so far. It is drawn at most ``per_second`` times (10; 1 where
    lines are printed) and at the end once more, in a thread of its own, so that nothing waits for
    it; a display that is blocked then is left alone after some seconds. ``rows`` is the most that
    is shown of a value or a table.

    An error is shown below the last state before it is raised. If it is interrupted, as by the stop
    button of a notebook, the source is closed and the last state stays.

    Works in a notebook's cell with blocking and asynchronous sources, though a loop runs there.
    Asynchronous ones are read as by ``to_generator``, in an event loop in a thread. The connections
    that an asynchronous client keeps belong to one loop: use ``live`` or ``alive`` with it, not
    both.

    Raises what ``run`` does, and ValueError for a rate or a number of rows that is not positive.
    """
    check_stream(stream, "live")
    return show(stream, new_surface(), per_second=per_second, rows=rows)


async def alive(stream: Observable[T], *, per_second: float | None = None, rows: int = 40) -> T:
    """Show a stream while it runs, as ``live`` does, and return what ``arun`` returns.

    Awaited in the event loop that runs, asyncio's (that of a notebook is one) or trio's.
    """
    check_stream(stream, "alive")
    return await ashow(stream, new_surface(), per_second=per_second, rows=rows)


def show(
    stream: Observable[T],
    surface: Surface,
    *,
    per_second: float | None = None,
    rows: int = 40,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Show a stream on a surface, and return its last value."""
    last: deque[T] = deque(maxlen=1)

    with _drawing(stream, surface, per_second, rows, clock=clock) as drawing:
        with closing(to_generator(stream)) as values:
            for value in values:
                last.append(value)
                drawing.take(value)

        return only(last)


async def ashow(
    stream: Observable[T], surface: Surface, *, per_second: float | None = None, rows: int = 40
) -> T:
    """Show a stream on a surface, and return its last value."""
    last: deque[T] = deque(maxlen=1)

    async with _drawing(stream, surface, per_second, rows, loop=running_loop()) as drawing:
        async with to_async_generator(stream) as values:
            async for value in values:
                last.append(value)
                drawing.take(value)

        return only(last)


def _drawing(
    stream: Observable[T],
    surface: Surface,
    per_second: float | None,
    rows: int,
    *,
    loop: EventLoop | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Drawing:
    rate = surface.per_second if per_second is None else per_second
    if not rate > 0:
        raise ValueError(f"per_second must be positive, not {per_second!r}")

    if not rows > 0:
        raise ValueError(f"rows must be positive, not {rows!r}")

    picture = Picture(are_items=are_items(stream), rows=rows, only_new=surface.only_new)
    return Drawing(surface, picture, per_second=rate, loop=loop, clock=clock)
