"""How classes in the classic style read an answer that the caller has asked for."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from streamops.delta import Delta
from streamops.lifting import Operator
from streamops.sinks.awaiting import AsyncValues
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.iterables import from_chunks
from streamops.sources.openai import from_openai
from streamops.sources.openai_deltas import answer_deltas

T = TypeVar("T")


def read_answer(answer: Any, operator: Operator[Delta, T]) -> list[T]:
    """Return all that an operator emits of a whole answer, or raise what that ends with."""
    return [*to_generator(from_chunks(answer_deltas(answer)).pipe(operator))]


def read_stream(
    stream: Any, operator: Operator[Delta, T]
) -> Generator[T, None, None] | AsyncValues[T]:
    """Iterate over what an operator emits of an open stream, asynchronously if the stream is.

    Other iterables of the same events are read, too. Raises TypeError for anything else.
    """
    kind = cast("type[Any]", type(stream))

    if issubclass(kind, (str, bytes, dict, BaseModel)):
        raise TypeError(
            f"from_streaming_response reads what came with stream=True, not {kind.__name__}: "
            "a whole answer is read by from_response"
        )

    iterator = _iterator(stream, kind)
    values = from_openai(iterator).pipe(operator)

    if hasattr(kind, "__aiter__") or hasattr(kind, "__aenter__"):
        return to_async_generator(values)

    generator = _closing(iterator, to_generator(values))
    next(generator)
    return generator


def _closing(iterator: Any, values: Generator[T, None, None]) -> Generator[Any, None, None]:
    """Iterate over values after a first one that stands for nothing.

    A generator that has not begun runs no code when it is closed, and would leave the iterator
    open.
    """
    try:
        yield
    except BaseException:
        close = getattr(iterator, "close", None)

        if close is not None:
            close()

        raise

    yield from values


def _iterator(stream: Any, kind: Any) -> Any:
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return stream

    if hasattr(kind, "__aiter__"):
        return aiter(stream)

    return iter(stream) if hasattr(kind, "__iter__") else stream
