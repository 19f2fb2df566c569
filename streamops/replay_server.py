"""The server behind replay and record: loopback, in a thread, gone when its context is left."""

from __future__ import annotations

import atexit
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping
from contextlib import aclosing, contextmanager
from itertools import chain, cycle
from typing import Any, cast

import anyio

from streamops.modes import Mode
from streamops.recording import Api, Pace, Recording
from streamops.replay_answers import whole_answer
from streamops.replay_checks import check_request
from streamops.replay_fields import Refusal

try:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.types import ASGIApp, Receive, Scope, Send
    from uvicorn.protocols.http.h11_impl import H11Protocol
except ImportError as error:
    raise ImportError("A replay server needs: pip install 'streamops[server]'") from error

_log = logging.getLogger("streamops.replay")
# Breaking an answer off is what these servers are asked to do, not an error of theirs.
_log.addFilter(lambda record: "returned without" not in record.getMessage())


class BrokenOffError(Exception):
    """Raised by a body that ends before its end."""


@contextmanager
def serve(app: ASGIApp, port: int) -> Generator[str]:
    """Serve an app on this machine, and give the ``base_url`` for clients.

    Answers that are still on their way when the context is left are broken off.
    """
    listener = socket.create_server(("127.0.0.1", port))
    server = _Server(app)
    # The socket listens already, so that a client can connect before the thread has begun.
    thread = threading.Thread(
        target=server.run, args=([listener],), name="streamops-server", daemon=True
    )

    def stop() -> None:
        server.should_exit = True
        thread.join()

    # For a script that ends inside of the context: Python waits for no daemon, and later it runs
    # no more.
    atexit.register(stop)
    thread.start()

    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        stop()
        atexit.unregister(stop)


class Streamed:
    """An answer whose body arrives piece by piece, each in an HTTP chunk of its own.

    The pieces are closed when the client has left or the server stops.
    """

    def __init__(
        self, pieces: AsyncGenerator[bytes], headers: Iterable[tuple[bytes, bytes]], status: int
    ) -> None:
        self._pieces = pieces
        self._start = {"status": status, "headers": list(headers)}

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        async with aclosing(self._pieces), anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_when_gone, receive, tasks.cancel_scope)
            await self._send(send)
            tasks.cancel_scope.cancel()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", **self._start})

        try:
            async for piece in self._pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except BrokenOffError:
            return

        await send({"type": "http.response.body", "body": b""})


class Player(Starlette):
    """Answer like a provider, with recordings."""

    def __init__(
        self,
        recordings: Mapping[str, list[Recording]],
        pace: Pace,
        mode: Mode | None,
        on_request: Callable[[Mapping[str, Any]], object] | None,
    ) -> None:
        self._recordings = recordings
        self._pace: Pace = pace
        self._mode = mode
        self._on_request = on_request
        everything = [*chain.from_iterable(recordings.values())]
        self._in_turn = {
            api: cycle([recording for recording in everything if api in recording.apis])
            for api in ("chat", "responses")
        }
        # Whatever stands before these paths: /v1, or what Azure has there.
        super().__init__(
            routes=[
                Route("/{prefix:path}chat/completions", self._answer_chat, methods=["POST"]),
                Route("/{prefix:path}responses", self._answer_response, methods=["POST"]),
                Route("/{prefix:path}models", self._list_models),
                Route("/{path:path}", self._refuse, methods=["GET", "POST"]),
            ]
        )

    async def _answer_chat(self, request: Request) -> ASGIApp:
        return await self._answer(request, "chat")

    async def _answer_response(self, request: Request) -> ASGIApp:
        return await self._answer(request, "responses")

    async def _answer(self, request: Request, api: Api) -> ASGIApp:
        try:
            body: Any = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            return failure(400, f"The request is not JSON that can be read ({error})")

        if not isinstance(body, dict):
            return failure(400, "The request is no JSON object")

        arguments = cast("dict[str, Any]", body)

        try:
            if self._on_request is not None:
                self._on_request(arguments)
        except Exception as error:
            _log.exception("on_request raised")
            return failure(500, f"on_request raised {type(error).__name__}: {error}")

        try:
            check_request(arguments, api, self._mode)
        except Refusal as refusal:
            return failure(400, str(refusal), refusal.parameter)

        model: Any = arguments.get("model")
        named = self._recordings.get(model, []) if isinstance(model, str) else []
        of_that_api = (recording for recording in named if api in recording.apis)
        recording = next(of_that_api, None) or next(self._in_turn[api], None)

        if recording is None:
            return failure(404, f"No recording answers {request.url.path}; {self._inventory()}")

        if not arguments.get("stream"):
            return _whole(recording, api)

        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        return Streamed(_play(recording, self._pace), headers, 200)

    async def _list_models(self, _request: Request) -> ASGIApp:
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "streamops"}
            for name in sorted(self._recordings)
        ]
        return _json({"object": "list", "data": models}, 200)

    async def _refuse(self, request: Request) -> ASGIApp:
        return failure(404, f"Nothing is served at {request.url.path}; {self._inventory()}")

    def _inventory(self) -> str:
        names = ", ".join(sorted(self._recordings))
        return f"there are /chat/completions and /responses, with recordings of {names}"


def failure(status: int, message: str, parameter: str | None = None) -> ASGIApp:
    """Say what is wrong in the way that OpenAI's clients understand."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": parameter, "code": None}
    return _json({"error": error}, status)


def _json(content: Mapping[str, Any], status: int) -> ASGIApp:
    # In ASCII: a recording may have halves of surrogate pairs, and a request quoted in an error.
    return Response(json.dumps(content), status, media_type="application/json")


def _whole(recording: Recording, api: Api) -> ASGIApp:
    if not recording.complete:
        return Streamed(_break_off(), [(b"content-type", b"application/json")], 200)

    try:
        status, answer = whole_answer(recording, api)
    except ValueError as error:
        return failure(500, f"The recording makes no whole answer: {error}")

    return _json(answer, status)


async def _break_off() -> AsyncGenerator[bytes]:
    yield b""
    raise BrokenOffError


async def _play(recording: Recording, pace: Pace) -> AsyncGenerator[bytes]:
    began = time.monotonic()

    for number, event in enumerate(recording.events):
        if pace == "recorded":
            due = recording.times[number] if recording.times else 0.0
        else:
            due = number / pace if pace else 0.0

        await anyio.sleep(max(0.0, began + due - time.monotonic()))
        yield event

    if not recording.complete:
        raise BrokenOffError


async def _cancel_when_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue

    scope.cancel()


class _Server(uvicorn.Server):
    """A server that breaks off what is still on its way when it is stopped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._scopes: set[anyio.CancelScope] = set()
        super().__init__(
            uvicorn.Config(
                self._answer,
                interface="asgi3",
                http=_Protocol,
                loop="asyncio",
                ws="none",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                date_header=False,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for scope in self._scopes:
            scope.cancel()

        await super().shutdown(sockets)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)

        with anyio.CancelScope() as cancel_scope:
            self._scopes.add(cancel_scope)

            try:
                await self._app(scope, receive, send)
            finally:
                self._scopes.discard(cancel_scope)

        return None


class _Protocol(H11Protocol):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = _log
