"""from_openai: Deltas from what the openai SDK streams."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from reactivex import Observable

from streamops.delta import Delta
from streamops.errors import SpentSource, StreamopsError
from streamops.sources.closing import close_stream, interrupt_stream
from streamops.sources.connection import (
    AnyConnection,
    AsyncConnection,
    Connection,
    discard,
    discard_manager,
)
from streamops.sources.observing import observe
from streamops.sources.openai_deltas import OpenAIDeltas
from streamops.sources.openai_failing import ended, failed_request
from streamops.sources.openai_wire import AsyncWire, Wire
from streamops.sources.sse import EventDecoder

if TYPE_CHECKING:
    import httpx2

# What opening may raise that is no failure of the source: wrong arguments, and errors of ours.
_UNCHANGED = (TypeError, StreamopsError)

_NAME = "from_openai"

_Connected: TypeAlias = Callable[[Any], AnyConnection[Delta]]
"""What makes a connection of what was opened."""


def from_openai(source: Any, *, wire: bool | None = None, **request: Any) -> Observable[Delta]:
    """Emit what a model sends, through Chat Completions or Responses, piece by piece.

    The source is ``client.chat.completions`` or ``client.responses`` of any of the SDK's clients,
    with the arguments of the request (``stream=True`` is added), or a function that opens a
    stream: every subscriber makes a request of its own then. Or it is an open stream, or what the
    SDK's ``.stream()`` helpers return, which can be read once: a second subscriber gets
    SpentSource. Whenever and however a subscription ends, its response is closed,
    that of an open stream even if nothing was read.

    The SDK sends the request of a resource, with its authentication, retries and timeouts. With
    ``wire=True`` the bytes of the answer are then read as by ``from_sse``: the same Deltas at less
    than a tenth of the cost, since the SDK makes no object for each event. By default that is done
    unless something wraps the resource or its client, such as a tracer, which would see nothing of
    the answer; ``wire=False`` reads the SDK's stream.

    The stream ends with SourceFailed if the provider reports an error or cannot be reached, and
    with the TypeError of the SDK if arguments of the request are wrong. Anything else as a source
    is a TypeError now, ``stream=False`` a ValueError.
    """
    if type(source).__name__.endswith(("WithRawResponse", "WithStreamingResponse")):
        raise TypeError(
            f"from_openai reads streams, and {type(source).__name__} returns responses: pass the "
            "resource itself, such as client.chat.completions"
        )

    create = getattr(source, "create", None)

    if callable(create):
        if not request.get("stream", True):
            raise ValueError("from_openai streams: leave out stream=False")

        return ask(source, {**request, "stream": True}, OpenAIDeltas, wire=wire)

    if wire:
        raise TypeError(
            "wire=True goes with client.chat.completions or client.responses, which send the "
            "request; the bytes of an answer that is open already are read by from_sse"
        )

    if request:
        names = ", ".join(request)
        raise TypeError(
            f"Arguments of a request ({names}) go with client.chat.completions or "
            "client.responses; a function or an open stream has its own"
        )

    if _is_iterator(source):
        return observe(
            partial(_connect, _Once(source), _connection), blocking=False, once=True, name=_NAME
        )

    if callable(source):
        return _observe(source, _connection, blocking=_blocks(source))

    if _is_manager(source):
        return observe(
            partial(_connect, _Once(source), _connection),
            blocking=hasattr(source, "__enter__"),
            name=_NAME,
        )

    raise TypeError(
        "from_openai needs client.chat.completions or client.responses with the arguments of a "
        "request, a stream that the openai SDK opened, or a function that opens one, not "
        f"{type(source).__name__}{_advice(source)}"
    )


def ask(
    resource: Any,
    request: Mapping[str, Any],
    new_deltas: Callable[[], OpenAIDeltas],
    *,
    on_send: Callable[[], None] | None = None,
    wire: bool | None = None,
) -> Observable[Delta]:
    """Emit what a model answers to one request to one of the SDK's resources.

    ``new_deltas`` makes what translates an answer, and learns who gave it; ``on_send`` is called
    when the request is sent. Without ``stream=True`` in the request, the Deltas of the whole answer
    come at once. Otherwise as ``from_openai``.
    """
    create: Callable[..., Any] = resource.create
    connected: Callable[[Any, OpenAIDeltas], AnyConnection[Delta]] = _connection

    if not request.get("stream"):
        connected = _Answer
    elif _is_bare(resource) if wire is None else wire:
        create, connected = resource.with_streaming_response.create, _wired

    def opening() -> Any:
        if on_send is not None:
            on_send()

        return create(**request)

    return _observe(
        opening, lambda opened: connected(opened, new_deltas()), blocking=_blocks(create)
    )


def _blocks(function: Callable[..., Any]) -> bool:
    return not inspect.iscoroutinefunction(inspect.unwrap(function))


def _observe(
    opening: Callable[[], Any], connected: _Connected, *, blocking: bool
) -> Observable[Delta]:
    # Python complains about a coroutine that nobody awaits: this one is made when it is awaited.
    begin = opening if blocking else partial(_Unsent, opening)
    return observe(partial(_connect, begin, connected), blocking=blocking, name=_NAME)


def _connect(
    opening: Callable[[], Any], connected: _Connected
) -> AnyConnection[Delta] | Awaitable[AnyConnection[Delta]]:
    try:
        opened = opening()
    except _UNCHANGED:
        raise
    except Exception as error:
        raise failed_request(error, begun=False) from error

    if inspect.isawaitable(opened):
        return _Opening(opened, connected)

    try:
        return connected(opened)
    except TypeError:
        response = _response(opened)

        if response is not None and not hasattr(response.stream, "aclose"):
            response.close()

        raise


class _Unsent(Awaitable[Any]):
    """What a coroutine function opens, which is called when this is awaited."""

    def __init__(self, opening: Callable[[], Any]) -> None:
        self._opening = opening

    def __await__(self) -> Generator[Any, Any, Any]:
        opened = self._opening()
        return (yield from opened.__await__()) if inspect.isawaitable(opened) else opened


class _Opening(Awaitable[AnyConnection[Delta]]):
    """The connection to what is still to be awaited."""

    def __init__(self, opening: Awaitable[Any], connected: _Connected) -> None:
        self._opening = opening
        self._connected = connected

    def __await__(self) -> Generator[Any, Any, AnyConnection[Delta]]:
        return _awaited(self._opening, self._connected).__await__()

    def close(self) -> None:
        discard(self._opening)


async def _awaited(opening: Awaitable[Any], connected: _Connected) -> AnyConnection[Delta]:
    try:
        opened = await opening
    except _UNCHANGED:
        raise
    except Exception as error:
        raise failed_request(error, begun=False) from error

    try:
        return connected(opened)
    except TypeError:
        await close_stream(_response(opened))
        raise


def _response(opened: Any) -> httpx2.Response | None:
    """Return the response in what is no stream; only that is ours to close."""
    import httpx2

    response = getattr(opened, "http_response", opened)
    return response if isinstance(response, httpx2.Response) else None


def _connection(opened: Any, deltas: OpenAIDeltas | None = None) -> AnyConnection[Delta]:
    if not _is_iterator(opened) and not _is_manager(opened):
        raise TypeError(
            "The function has to return a stream of the openai SDK, not "
            f"{type(opened).__name__}: pass stream=True to create()"
        )

    if hasattr(opened, "__anext__") or hasattr(opened, "__aenter__"):
        return _AsyncEvents(opened, deltas or OpenAIDeltas())

    stream = opened if hasattr(opened, "__next__") else _enter(opened)
    return _Events(stream, deltas or OpenAIDeltas())


def _is_bare(resource: Any) -> bool:
    """Return whether a resource is as the SDK made it, so that nobody else wants its streams."""
    if not _is_the_sdks_own(resource, "create"):
        return False

    client: Any = resource._client
    posted = getattr(getattr(resource, "_post", None), "__func__", None)
    own_post: Any = getattr(cast("type[Any]", type(client)), "post", None)
    asks = _is_the_sdks_own(client, "request") and _is_the_sdks_own(client, "post")
    return asks and posted is own_post


def _is_the_sdks_own(owner: Any, name: str) -> bool:
    """Return whether a method is the SDK's, and nothing that stands in for it."""
    import openai

    function: Any = getattr(cast("type[Any]", type(owner)), name, None)

    if not isinstance(function, FunctionType) or name in vars(owner):
        return False

    # A decorator's code is in a file of its own, whatever name the function goes by.
    return Path(function.__code__.co_filename).is_relative_to(Path(openai.__file__).parent)


def _wired(manager: Any, deltas: OpenAIDeltas) -> AnyConnection[Delta]:
    decoder = EventDecoder(deltas)

    if hasattr(manager, "__aenter__"):
        return AsyncWire(manager, decoder)

    return Wire(_enter(manager).http_response, decoder)


def _enter(manager: Any) -> Any:
    try:
        return manager.__enter__()
    except _UNCHANGED:
        raise
    except Exception as error:
        raise failed_request(error, begun=False) from error


class _Once:
    """Gives away an open stream, once."""

    def __init__(self, opened: Any) -> None:
        self._left = [opened]

    def __call__(self) -> Any:
        try:
            return self._left.pop()
        except IndexError:
            raise SpentSource("An open stream") from None


class _Answer(Connection[Delta]):
    """An answer that did not stream."""

    blocking = False

    def __init__(self, answer: Any, deltas: OpenAIDeltas) -> None:
        self._unread = [answer]
        self._deltas = deltas

    def read(self) -> tuple[Delta, ...] | None:
        if not self._unread:
            return None

        try:
            return self._deltas.translate_answer(self._unread.pop())
        except Exception as error:
            return ended(error)

    def close(self) -> None:
        self._unread.clear()


class _Events(Connection[Delta]):
    """The events of a stream."""

    def __init__(self, stream: Any, deltas: OpenAIDeltas) -> None:
        self._stream = stream
        self._deltas = deltas

    def read(self) -> tuple[Delta, ...] | None:
        try:
            return self._deltas.translate(next(self._stream))
        except StopIteration:
            return None
        except Exception as error:
            return ended(error)

    def close(self) -> None:
        close = getattr(self._stream, "close", None)

        if close is not None:
            close()

    def interrupt(self) -> None:
        interrupt_stream(self._stream)


class _AsyncEvents(AsyncConnection[Delta]):
    """The events of an asynchronous stream, or of the one that a manager opens."""

    def __init__(self, opened: Any, deltas: OpenAIDeltas) -> None:
        self._opened = opened
        self._stream: Any = None
        self._events: Any = None
        self._deltas = deltas

    async def read(self) -> tuple[Delta, ...] | None:
        if self._stream is None:
            self._stream = await self._enter()
            self._events = _hold_events(self._stream)

        try:
            return self._deltas.translate(await anext(self._stream))
        except StopAsyncIteration:
            return None
        except Exception as error:
            return ended(error)

    async def close(self) -> None:
        if self._stream is None:
            self.abandon()

        await close_stream(self._stream or self._opened)
        await close_stream(self._events)

    def abandon(self) -> None:
        if not hasattr(self._opened, "__anext__"):
            discard_manager(self._opened)

    async def _enter(self) -> Any:
        if hasattr(self._opened, "__anext__"):
            return self._opened

        try:
            return await self._opened.__aenter__()
        except _UNCHANGED:
            raise
        except Exception as error:
            raise failed_request(error, begun=False) from error


def _hold_events(stream: Any) -> Any:
    """Return the generator of wire events that one of the SDK's streams will read from.

    At ``[DONE]`` and after an error the SDK drops it unfinished, and the event loop complains.
    """
    below = getattr(stream, "_raw_stream", stream)

    if not hasattr(below, "_iter_events"):
        return None

    events = below._iter_events()
    below._iter_events = lambda: events
    return events


def _is_iterator(source: object) -> bool:
    # Asked of the type: a class has the methods of its instances.
    return hasattr(type(source), "__next__") or hasattr(type(source), "__anext__")


def _is_manager(source: Any) -> bool:
    from openai.lib.streaming import chat, responses

    return isinstance(
        source,
        (
            chat.ChatCompletionStreamManager,
            chat.AsyncChatCompletionStreamManager,
            responses.ResponseStreamManager,
            responses.AsyncResponseStreamManager,
        ),
    )


def _advice(source: Any) -> str:
    if inspect.isawaitable(source):
        return ": await it, or pass a function that returns it"

    if hasattr(source, "chat") or hasattr(source, "completions"):
        return ": one of its resources is what creates a stream"

    return ""
