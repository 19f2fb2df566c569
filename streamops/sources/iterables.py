"""from_chunks: whatever yields text, as Deltas."""

from __future__ import annotations

import codecs
import inspect
import threading
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from typing import Any, TypeAlias, cast

from reactivex import Observable

from streamops.delta import Delta
from streamops.errors import SourceFailed, SpentSource, StreamopsError, UnknownElement
from streamops.sources.closing import close_stream, interrupt_stream
from streamops.sources.connection import AnyConnection, AsyncConnection, Connection, discard
from streamops.sources.failing import failed
from streamops.sources.observing import observe

Chunk: TypeAlias = str | bytes | Delta
"""What ``from_chunks`` reads."""

Chunks: TypeAlias = Iterable[Chunk] | AsyncIterable[Chunk]
"""Where it reads them from."""


def from_chunks(
    source: Chunks | Callable[[], Chunks | Awaitable[Chunks]],
) -> Observable[Delta]:
    """Emit a Delta for every chunk: ``str``, ``bytes`` in UTF-8 cut anywhere, or a Delta as it is.

    Every subscription calls a function anew, and iterates anew over a container. An iterator can
    be read once; the second subscription ends with SpentSource. When the subscription ends, the
    iterator and what a function returned are closed, also if nothing was read from the iterator.

    The stream ends with UnknownElement at anything that is no chunk, and with SourceFailed when
    the source raises, or when the bytes are not UTF-8. Raises TypeError for a single text, and for
    what is neither iterable nor a function.
    """
    _reject_single_text(source)

    if _is_iterator(source):
        return _observe_once(source)

    if _is_iterable(source):
        return observe(lambda: _connection(source, owned=False), blocking=False)

    if not callable(source):
        awaited = " Await it, or pass the function." if inspect.isawaitable(source) else ""
        raise TypeError(_not_chunks(source) + awaited)

    opens_itself = inspect.iscoroutinefunction(source) or inspect.isasyncgenfunction(source)
    return observe(lambda: _open(source), blocking=not opens_itself)


def _is_iterator(source: object) -> bool:
    return isinstance(source, (Iterator, AsyncIterator))


def _is_iterable(source: object) -> bool:
    return isinstance(source, (Iterable, AsyncIterable))


def _observe_once(source: object) -> Observable[Delta]:
    unspent = threading.Lock()

    def connect() -> AnyConnection[Delta]:
        if not unspent.acquire(blocking=False):
            raise SpentSource(f"The {type(source).__name__}")

        return _connection(source)

    return observe(connect, blocking=False, once=True)


def _open(function: Callable[[], object]) -> AnyConnection[Delta] | Awaitable[AnyConnection[Delta]]:
    try:
        opened = function()
    except StreamopsError:
        raise
    except Exception as error:
        raise failed(error) from error

    return _Later(opened) if inspect.isawaitable(opened) else _connection(opened)


class _Later(Awaitable[AnyConnection[Delta]]):
    """What a function returned and is still to be awaited."""

    def __init__(self, awaitable: Awaitable[object]) -> None:
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, AnyConnection[Delta]]:
        try:
            opened = yield from self._awaitable.__await__()
        except StreamopsError:
            raise
        except Exception as error:
            raise failed(error) from error

        return _connection(opened)

    def close(self) -> None:
        discard(self._awaitable)


def _connection(source: object, *, owned: bool = True) -> AnyConnection[Delta]:
    _reject_single_text(source)

    if isinstance(source, AsyncIterable):
        return _AsyncChunks(cast("AsyncIterable[object]", source), owned=owned)

    if isinstance(source, Iterable):
        return _Chunks(cast("Iterable[object]", source), owned=owned)

    raise TypeError(_not_chunks(source))


def _reject_single_text(source: object) -> None:
    if isinstance(source, (str, bytes, bytearray)):
        raise TypeError(f"{_not_chunks(source)} Put a single text into a list: from_chunks([text])")


def _not_chunks(source: object) -> str:
    return (
        "from_chunks takes an iterable of str, bytes or Delta, or a function that returns one, "
        f"not {type(source).__name__}."
    )


class _Chunks(Connection[Delta]):
    def __init__(self, source: Iterable[object], *, owned: bool) -> None:
        self.blocking = not isinstance(source, (list, tuple))
        self._source = source
        self._owned = owned
        self._iterator: Iterator[object] | None = None
        self._decoder = _Decoder()

    def read(self) -> tuple[Delta, ...] | None:
        try:
            if self._iterator is None:
                source = self._source
                # An SDK's stream iterates by a generator, which does not close the stream.
                self._iterator = source if isinstance(source, Iterator) else iter(source)

            element = next(self._iterator, _END)
            return self._decoder.decode(element)
        except StreamopsError:
            raise
        except Exception as error:
            raise failed(error) from error

    def close(self) -> None:
        for resource in _resources(self._iterator, self._source, owned=self._owned):
            close = getattr(resource, "close", None)

            if close is not None:
                close()

    def interrupt(self) -> None:
        interrupt_stream(self._iterator)


class _AsyncChunks(AsyncConnection[Delta]):
    def __init__(self, source: AsyncIterable[object], *, owned: bool) -> None:
        self._source = source
        self._owned = owned
        self._iterator: AsyncIterator[object] | None = None
        self._decoder = _Decoder()

    async def read(self) -> tuple[Delta, ...] | None:
        try:
            if self._iterator is None:
                source = self._source
                self._iterator = source if isinstance(source, AsyncIterator) else aiter(source)

            return self._decoder.decode(await anext(self._iterator, _END))
        except StreamopsError:
            raise
        except Exception as error:
            raise failed(error) from error

    async def close(self) -> None:
        for resource in _resources(self._iterator, self._source, owned=self._owned):
            await close_stream(resource)


def _resources(iterator: object, source: object, *, owned: bool) -> tuple[object, ...]:
    return (iterator, source) if owned and source is not iterator else (iterator,)


class _End:
    """Stands for the end of an iterator."""


_END = _End()


class _Decoder:
    def __init__(self) -> None:
        self._utf8: codecs.IncrementalDecoder | None = None
        self._received = 0

    def decode(self, element: object) -> tuple[Delta, ...] | None:
        """Turn an element into Deltas, or the end into None."""
        if isinstance(element, bytes):
            if self._utf8 is None:
                self._utf8 = codecs.getincrementaldecoder("utf-8")()

            return (Delta(self._decode(self._utf8, element)),)

        if self._utf8 is not None:
            # Raises if a character is incomplete: only bytes could have completed it.
            self._decode(self._utf8, b"", final=True)

        if isinstance(element, str):
            return (Delta(element),)

        if isinstance(element, Delta):
            return (element,)

        if isinstance(element, _End):
            return None

        raise UnknownElement(element, expected=_fix(element))

    def _decode(self, utf8: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> str:
        held, _ = utf8.getstate()

        try:
            text = utf8.decode(data, final=final)
        except UnicodeDecodeError as error:
            place = self._received - len(held) + error.start
            raise SourceFailed(
                f"Byte {place} of the source is not UTF-8 ({error.reason}): "
                "decode it yourself and pass str"
            ) from error

        self._received += len(data)
        return text


def _fix(element: object) -> str:
    if type(element).__module__.partition(".")[0] == "openai":
        return "from_chunks reads str, bytes and Delta: use from_openai for what an SDK streams"

    return "from_chunks reads str, bytes and Delta: pick the text out of each element first"
