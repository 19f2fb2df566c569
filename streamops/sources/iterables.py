"""from_chunks: whatever yields text, as Deltas."""

from __future__ import annotations

import codecs
import inspect
import threading
from abc import ABC, abstractmethod
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from functools import partial
from typing import Any, ClassVar, Final, TypeAlias, cast

from reactivex import Observable

from streamops.delta import Delta, text_delta
from streamops.errors import SourceFailed, SpentSource, StreamopsError, UnknownElement
from streamops.sources.closing import close_stream, interrupt_stream
from streamops.sources.connection import AnyConnection, AsyncConnection, Connection, discard
from streamops.sources.failing import failed
from streamops.sources.observing import observe

Chunk: TypeAlias = str | bytes | Delta
"""What ``from_chunks`` reads."""

Chunks: TypeAlias = Iterable[Chunk] | AsyncIterable[Chunk]
"""Where it reads them from."""

_Connect: TypeAlias = Callable[..., AnyConnection[Delta]]
"""What makes a connection of what was opened."""


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
    return observe_elements(source, _TextDecoder)


class End:
    """Stands for the end of an iterator."""


END: Final = End()


class Decoder(ABC):
    """Turns the elements of one connection into Deltas."""

    source: ClassVar[str]
    """Name of the function that takes them."""

    elements: ClassVar[str]
    """What it takes."""

    ended: bool = False
    """Whether to read no further: END comes next, however much the source still has."""

    @abstractmethod
    def decode(self, element: object) -> tuple[Delta, ...] | None:
        """Return the Deltas of an element; for END too, if ``ended`` is set then, or else None."""


def observe_elements(source: object, new_decoder: type[Decoder]) -> Observable[Delta]:
    """Emit what a decoder makes of a source's elements, with a new decoder for every connection.

    What a source is, when it is closed, and what is raised are as in ``from_chunks``.
    """
    connection = partial(_connection, new_decoder=new_decoder)
    name = new_decoder.source
    _reject_single_text(source, new_decoder)

    if _is_iterator(source):
        return _observe_once(source, connection, name)

    if _is_iterable(source):
        return observe(lambda: connection(source, owned=False), blocking=False, name=name)

    if not callable(source):
        awaited = " Await it, or pass the function." if inspect.isawaitable(source) else ""
        raise TypeError(_not_elements(source, new_decoder) + awaited)

    opens_itself = inspect.iscoroutinefunction(source) or inspect.isasyncgenfunction(source)
    return observe(lambda: _open(source, connection), blocking=not opens_itself, name=name)


def _is_iterator(source: object) -> bool:
    return isinstance(source, (Iterator, AsyncIterator))


def _is_iterable(source: object) -> bool:
    return isinstance(source, (Iterable, AsyncIterable))


def _observe_once(source: object, connection: _Connect, name: str) -> Observable[Delta]:
    unspent = threading.Lock()

    def connect() -> AnyConnection[Delta]:
        if not unspent.acquire(blocking=False):
            raise SpentSource(f"The {type(source).__name__}")

        return connection(source)

    return observe(connect, blocking=False, once=True, name=name)


def _open(
    function: Callable[[], object], connection: _Connect
) -> AnyConnection[Delta] | Awaitable[AnyConnection[Delta]]:
    try:
        opened = function()
    except StreamopsError:
        raise
    except Exception as error:
        raise failed(error) from error

    return _Later(opened, connection) if inspect.isawaitable(opened) else connection(opened)


class _Later(Awaitable[AnyConnection[Delta]]):
    """What a function returned and is still to be awaited."""

    def __init__(self, awaitable: Awaitable[object], connection: _Connect) -> None:
        self._awaitable = awaitable
        self._connection = connection

    def __await__(self) -> Generator[Any, Any, AnyConnection[Delta]]:
        try:
            opened = yield from self._awaitable.__await__()
        except StreamopsError:
            raise
        except Exception as error:
            raise failed(error) from error

        return self._connection(opened)

    def close(self) -> None:
        discard(self._awaitable)


def _connection(
    source: object, *, new_decoder: type[Decoder], owned: bool = True
) -> AnyConnection[Delta]:
    _reject_single_text(source, new_decoder)

    if isinstance(source, AsyncIterable):
        return _AsyncChunks(cast("AsyncIterable[object]", source), new_decoder(), owned=owned)

    if isinstance(source, Iterable):
        return _Chunks(cast("Iterable[object]", source), new_decoder(), owned=owned)

    raise TypeError(_not_elements(source, new_decoder))


def _reject_single_text(source: object, decoder: type[Decoder]) -> None:
    if isinstance(source, (str, bytes, bytearray)):
        raise TypeError(
            f"{_not_elements(source, decoder)} Put a single text into a list: "
            f"{decoder.source}([text])"
        )


def _not_elements(source: object, decoder: type[Decoder]) -> str:
    return (
        f"{decoder.source} takes an iterable of {decoder.elements}, or a function that returns "
        f"one, not {type(source).__name__}."
    )


class _Chunks(Connection[Delta]):
    def __init__(self, source: Iterable[object], decoder: Decoder, *, owned: bool) -> None:
        self.blocking = not isinstance(source, (list, tuple))
        self._source = source
        self._owned = owned
        self._iterator: Iterator[object] | None = None
        self._decoder = decoder

    def read(self) -> tuple[Delta, ...] | None:
        try:
            if self._iterator is None:
                source = self._source
                # An SDK's stream iterates by a generator, which does not close the stream.
                self._iterator = source if isinstance(source, Iterator) else iter(source)

            element = END if self._decoder.ended else next(self._iterator, END)
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
    def __init__(self, source: AsyncIterable[object], decoder: Decoder, *, owned: bool) -> None:
        self._source = source
        self._owned = owned
        self._iterator: AsyncIterator[object] | None = None
        self._decoder = decoder

    async def read(self) -> tuple[Delta, ...] | None:
        try:
            if self._iterator is None:
                source = self._source
                self._iterator = source if isinstance(source, AsyncIterator) else aiter(source)

            element = END if self._decoder.ended else await anext(self._iterator, END)
            return self._decoder.decode(element)
        except StreamopsError:
            raise
        except Exception as error:
            raise failed(error) from error

    async def close(self) -> None:
        for resource in _resources(self._iterator, self._source, owned=self._owned):
            await close_stream(resource)


def _resources(iterator: object, source: object, *, owned: bool) -> tuple[object, ...]:
    return (iterator, source) if owned and source is not iterator else (iterator,)


class _TextDecoder(Decoder):
    source = "from_chunks"
    elements = "str, bytes or Delta"

    def __init__(self) -> None:
        self._utf8: codecs.IncrementalDecoder | None = None
        self._received = 0

    def decode(self, element: object) -> tuple[Delta, ...] | None:
        if isinstance(element, bytes):
            if self._utf8 is None:
                self._utf8 = codecs.getincrementaldecoder("utf-8")()

            return (text_delta(self._decode(self._utf8, element)),)

        if self._utf8 is not None:
            # Raises if a character is incomplete: only bytes could have completed it.
            self._decode(self._utf8, b"", final=True)

        if isinstance(element, str):
            return (text_delta(element),)

        if isinstance(element, Delta):
            return (element,)

        if element is END:
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
