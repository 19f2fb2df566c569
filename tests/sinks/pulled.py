"""How the tests of the asynchronous generator consume it."""

from __future__ import annotations

from collections.abc import AsyncIterable

from reactivex import Observable
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.sinks.awaiting import AsyncValues
from streamops.sinks.generators import to_async_generator


def texts(stream: Observable[Delta]) -> AsyncValues[str]:
    """Pull the texts of a stream."""
    return to_async_generator(stream.pipe(rx.map(text_of)))


def text_of(delta: Delta) -> str:
    return delta.text


async def collect(values: AsyncIterable[str], got: list[str]) -> None:
    """Take all values; those before an error too."""
    async for text in values:
        got.append(text)  # noqa: PERF401 - a comprehension would lose them
