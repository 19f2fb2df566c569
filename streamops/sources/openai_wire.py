"""Wire: the bytes of an answer that the SDK asked for, as Deltas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from streamops.delta import Delta
from streamops.errors import SourceFailed, StreamopsError
from streamops.sources.closing import close_stream, interrupt_stream
from streamops.sources.connection import AsyncConnection, Connection, discard_manager
from streamops.sources.iterables import END
from streamops.sources.openai_failing import ended, failed_request
from streamops.sources.sse import EventDecoder

if TYPE_CHECKING:
    import httpx2


class Wire(Connection[Delta]):
    """The bytes of an answer."""

    def __init__(self, response: httpx2.Response, decoder: EventDecoder) -> None:
        self.response = response
        self._pieces = response.iter_raw() if _is_plain(response) else response.iter_bytes()
        self._decoder = decoder

    def read(self) -> tuple[Delta, ...] | None:
        try:
            piece = END if self._decoder.ended else next(self._pieces, END)
            return self._decoder.decode(piece)
        except Exception as error:
            return ended(_as_the_sdk_raises(error, self.response))

    def close(self) -> None:
        self.response.close()

    def interrupt(self) -> None:
        interrupt_stream(self)


class AsyncWire(AsyncConnection[Delta]):
    """The bytes of an asynchronous answer, which the first read asks for."""

    def __init__(self, manager: Any, decoder: EventDecoder) -> None:
        self._manager = manager
        self._decoder = decoder
        self._response: httpx2.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    async def read(self) -> tuple[Delta, ...] | None:
        response = self._response or await self._open()
        pieces = self._pieces

        if pieces is None:
            plain = _is_plain(response)
            pieces = self._pieces = response.aiter_raw() if plain else response.aiter_bytes()

        try:
            piece = END if self._decoder.ended else await anext(pieces, END)
            return self._decoder.decode(piece)
        except Exception as error:
            return ended(_as_the_sdk_raises(error, response))

    async def close(self) -> None:
        if self._response is None:
            self.abandon()
            return

        await close_stream(self._pieces)
        await close_stream(self._response)

    def abandon(self) -> None:
        discard_manager(self._manager)

    async def _open(self) -> httpx2.Response:
        try:
            opened = await self._manager.__aenter__()
        except (TypeError, StreamopsError):
            raise
        except Exception as error:
            raise failed_request(error, begun=False) from error

        response: httpx2.Response = opened.http_response
        self._response = response
        return response


def _is_plain(response: httpx2.Response) -> bool:
    """Return whether the bytes of a body are those that come: not encoded, and not read before.

    Asked for these, the HTTP client leaves out a layer that takes 0.5 us a piece.
    """
    return "content-encoding" not in response.headers and not response.is_stream_consumed


def _as_the_sdk_raises(error: Exception, response: httpx2.Response) -> Exception:
    """Return an error with the cause that it has when the SDK reads the same answer."""
    import httpx2
    from openai import APIConnectionError, APIError, APITimeoutError

    request = response.request

    if isinstance(error, httpx2.TransportError):
        is_late = isinstance(error, httpx2.TimeoutException)
        raised = APITimeoutError(request) if is_late else APIConnectionError(request=request)
        raised.__cause__ = error
        return raised

    if isinstance(error, SourceFailed) and error.__cause__ is None:
        error.__cause__ = APIError(str(error), request, body=None)

    return error
