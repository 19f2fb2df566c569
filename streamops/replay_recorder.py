"""A server that passes everything on to another one and saves the streams that come back."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from streamops.recording import RecordingWriter
from streamops.replay import LOOPBACK
from streamops.replay_server import BrokenOffError, Streamed, failure

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

# These belong to one connection, or change because the body is passed on decoded.
_NOT_PASSED_ON = {
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Recorder(Starlette):
    """Pass requests on and save the streamed answers."""

    def __init__(
        self,
        path: Path,
        upstream: str,
        *,
        overwrite: bool,
        on_saved: Callable[[Path], object] | None,
    ) -> None:
        self._on_saved = on_saved
        self._upstream = upstream.rstrip("/")
        self._path = path
        self._overwrite = overwrite
        self._taken: set[Path] = set()
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=30),
            trust_env=urlsplit(upstream).hostname not in LOOPBACK,
        )
        super().__init__(
            routes=[Route("/{path:path}", self._pass_on, methods=_METHODS)],
            lifespan=self._close_client,
        )

    @asynccontextmanager
    async def _close_client(self, _app: Starlette) -> AsyncGenerator[None]:
        async with self._client:
            yield

    async def _pass_on(self, request: Request) -> ASGIApp:
        path = request.url.path.removeprefix("/v1")
        query = f"?{request.url.query}" if request.url.query else ""
        headers = [
            (name, value)
            for name, value in request.headers.raw
            if name.decode() not in _NOT_PASSED_ON
        ]
        # Built without the client, which would add cookies and headers of its own.
        passed_on = httpx2.Request(
            request.method,
            f"{self._upstream}{path}{query}",
            headers=[*headers, (b"accept-encoding", b"identity")],
            content=await request.body(),
        )
        sent = time.monotonic()

        try:
            answer = await self._client.send(passed_on, stream=True)
        except httpx2.RequestError as error:
            reason = str(error) or type(error).__name__
            return failure(502, f"{self._upstream} cannot be reached: {reason}")

        is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        saving = self._save(sent) if is_stream and answer.status_code == 200 else None
        kept = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in _NOT_PASSED_ON
        ]
        return Streamed(_relay(answer, saving), kept, answer.status_code)

    def _save(self, sent: float) -> _Saving:
        path, number = self._path, 1

        while path in self._taken or (path.exists() and not self._overwrite):
            number += 1
            path = self._path.with_stem(f"{self._path.stem}-{number}")

        self._taken.add(path)
        return _Saving(path, sent, self._on_saved)


class _Saving:
    """One stream on its way into a file, which gets its name at the end."""

    def __init__(self, path: Path, sent: float, on_saved: Callable[[Path], object] | None) -> None:
        self._on_saved = on_saved
        self._path = path
        self._sent = sent
        self._partial = path.with_name(f"{path.name}.part")
        self._file = self._partial.open("wb")
        self._writer = RecordingWriter()

    def feed(self, data: bytes) -> None:
        self._file.write(self._writer.feed(data, time.monotonic() - self._sent))

    def close(self, incomplete: str) -> None:
        with self._file:
            last = self._writer.close(time.monotonic() - self._sent, incomplete=incomplete)
            self._file.write(last)

        self._partial.replace(self._path)

        if self._on_saved is not None:
            self._on_saved(self._path)


async def _relay(answer: httpx2.Response, saving: _Saving | None) -> AsyncGenerator[bytes]:
    incomplete = "the client left"

    try:
        async for data in answer.aiter_bytes():
            if saving:
                saving.feed(data)

            yield data

        incomplete = ""
    except httpx2.RequestError as error:
        incomplete = "the upstream broke off"
        raise BrokenOffError from error
    finally:
        if saving:
            saving.close(incomplete)

        with anyio.CancelScope(shield=True):
            await answer.aclose()
