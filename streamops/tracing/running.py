"""trace and atrace: run a pipeline, and record what each stage of it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from reactivex import Observable

from streamops.sinks.generators import check_stream, to_async_generator, to_generator
from streamops.tracing.recording import Recorder
from streamops.tracing.subscriptions import seen
from streamops.tracing.trace import Trace

Clock = Callable[[], float]


def trace(pipeline: Observable[Any], *, clock: Clock = time.perf_counter) -> Trace:
    """Run a pipeline to its end, and return what each stage of it emitted, and when.

    Stages are what went through ``.pipe`` of a stream of ours, operators of reactivex and functions
    of your own included, and the streams that they subscribe to meanwhile, as ``flat_map`` does:
    what one stage makes again and again shares rows. Tasks and threads that a subscriber starts are
    no part of it.

    If the pipeline ends in an error, that is in ``Trace.error``, and nothing is raised. What it
    emits is kept as long as the trace. Sources are read as by ``run``.

    Nothing is measured when nothing is traced. ``clock`` tells the seconds. TypeError if this is no
    stream.
    """
    check_stream(pipeline, "trace")
    run = _Run(pipeline, clock)

    with run.recording():
        for value in to_generator(run.stream):
            run.values[:] = [value]

    return run.trace()


async def atrace(pipeline: Observable[Any], *, clock: Clock = time.perf_counter) -> Trace:
    """Run a pipeline to its end on asyncio or trio, as ``trace`` does."""
    check_stream(pipeline, "atrace")
    run = _Run(pipeline, clock)

    with run.recording():
        async with to_async_generator(run.stream) as values:
            async for value in values:
                run.values[:] = [value]

    return run.trace()


class _Run:
    def __init__(self, pipeline: Observable[Any], clock: Clock) -> None:
        self._recorder = Recorder(pipeline, clock)
        self.stream: Observable[Any] = Observable(self._recorder.subscribe)
        self.values: list[Any] = []
        """The last one, if there was any."""
        self._error: Exception | None = None
        self._seconds = 0.0

    @contextmanager
    def recording(self) -> Generator[None]:
        """Record; errors end up in the trace, and what cancels goes through."""
        try:
            with seen():
                yield
        except Exception as error:
            self._error = error
        finally:
            self._seconds = self._recorder.elapsed()
            self._recorder.is_over = True

    def trace(self) -> Trace:
        """Return what was recorded."""
        stages = self._recorder.stages()
        return Trace(stages, self._seconds, self._error, tuple(self.values))
