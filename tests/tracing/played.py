"""Pipelines that run by a clock of their own."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from reactivex import Observable

from streamops import from_chunks, trace
from streamops.delta import Delta
from streamops.tracing.trace import Trace

Script = Sequence[float | str | Delta | Exception]
"""Seconds to wait, chunks to send, and what to fail with."""


class Clock:
    """Tells a time that only the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def played(script: Script, *operators: Any, clock: Clock | None = None) -> Trace:
    """Trace operators behind a source that follows a script."""
    clock = clock or Clock()
    source: Any = following(script, clock)
    pipeline: Observable[Any] = source.pipe(*operators)
    return trace(pipeline, clock=clock)


def following(script: Script, clock: Clock) -> Observable[Delta]:
    """Make a source that follows a script by a clock."""

    def chunks() -> Generator[str | Delta]:
        for part in script:
            match part:
                case float():
                    clock.now += part
                case Exception():
                    raise part
                case int():
                    raise TypeError("seconds are floats")
                case _:
                    yield part

    return from_chunks(chunks)
