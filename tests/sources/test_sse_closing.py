"""What from_sse promises about the bodies that it reads: when they are opened, and closed."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
from reactivex import Observable
from reactivex import operators as rx

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import ConnectionDropped, SourceFailed, SpentSource
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun, run
from streamops.sources.sse import from_sse
from tests.clients import TLS, http_client
from tests.traces import no_threads_left, nothing_left
from tests.wire import serving


def event(text: str) -> bytes:
    return f"data: {text}\n\n".encode()


def chat(text: str) -> bytes:
    return event(json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}))


DONE = event("[DONE]")
BODY = b"".join([chat("Héllo"), chat(" 😀"), DONE])
HELLO = [Delta("Héllo"), Delta(" 😀")]


class Body:
    """A body that is read and closed in all ways, and knows how often it is open."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.opened = 0
        self.open = 0

    def blocking(self) -> Iterator[bytes]:
        self.opened += 1
        self.open += 1

        try:
            yield from self.pieces

            if self.error is not None:
                raise self.error
        finally:
            self.open -= 1

    async def awaited(self) -> AsyncIterator[bytes]:
        self.opened += 1
        self.open += 1

        try:
            for piece in self.pieces:
                yield piece

            if self.error is not None:
                raise self.error
        finally:
            self.open -= 1


KINDS = ["blocking", "awaited"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_function_is_called_anew_for_every_subscription(kind: str) -> None:
    body = Body(BODY[:50], BODY[50:])
    stream = from_sse(getattr(body, kind))

    assert [*to_generator(stream)] == [*to_generator(stream)] == HELLO
    assert (body.opened, body.open) == (2, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_an_iterator_can_be_read_once_and_says_so(kind: str) -> None:
    stream = from_sse(getattr(Body(BODY), kind)())
    assert [*to_generator(stream)] == HELLO

    with pytest.raises(SpentSource, match="Pass a function"):
        list(to_generator(stream))


def leave_the_loop(stream: Observable[Delta]) -> None:
    for _ in to_generator(stream):
        break

    gc.collect()


def take_one(stream: Observable[Delta]) -> None:
    assert len([*to_generator(stream.pipe(rx.take(1)))]) == 1


def fail(stream: Observable[Delta]) -> None:
    with pytest.raises(SourceFailed):
        list(to_generator(stream))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leave", [leave_the_loop, take_one, fail])
def test_the_body_is_closed_however_the_subscription_ends(
    kind: str, leave: Callable[[Observable[Delta]], None]
) -> None:
    body = Body(chat("a"), chat("b"), event("no JSON"), chat("c"))
    leave(from_sse(getattr(body, kind)))

    assert (body.opened, body.open) == (1, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_is_closed_at_done(kind: str) -> None:
    body = Body(chat("a") + DONE, chat("b"))

    assert [*to_generator(from_sse(getattr(body, kind)))] == [Delta("a")]
    assert body.open == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_connection_keeps_what_it_brought(kind: str) -> None:
    error = httpx2.ReadError("reset")
    body = Body(chat('{"a": 1'), error=error)

    with pytest.raises(ConnectionDropped, match="the connection broke") as caught:
        run(from_sse(getattr(body, kind)).pipe(ops.accumulate_json()))

    assert caught.value.text == '{"a": 1'
    assert isinstance(caught.value.__cause__, SourceFailed)
    assert caught.value.__cause__.__cause__ is error


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_an_event_loop_reads_the_same(kind: str) -> None:
    pieces = [bytes([byte]) for byte in BODY]

    async with nothing_left():
        stream = from_sse(getattr(Body(*pieces), kind))

        async with to_async_generator(stream) as deltas:
            assert [delta async for delta in deltas] == HELLO

        assert await arun(stream) == HELLO[-1]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_leaving_early_closes_the_body_in_an_event_loop(kind: str) -> None:
    body = Body(chat("a"), chat("b"))

    async with nothing_left():
        async with to_async_generator(from_sse(getattr(body, kind))) as deltas:
            async for _ in deltas:
                assert body.open == 1
                break

        assert body.open == 0


def test_the_bytes_of_a_response_are_read_and_their_connection_closed() -> None:
    with serving("a", "b") as wire, http_client() as client, no_threads_left():
        response = client.send(client.build_request("POST", wire.url), stream=True)
        deltas = to_generator(from_sse(response.iter_bytes()))

        assert next(deltas) == Delta("a")
        exchange = wire.exchange()
        assert exchange.is_open

        deltas.close()
        assert response.is_closed
        assert exchange.is_closed()


@pytest.mark.anyio
async def test_the_bytes_of_a_response_are_read_in_an_event_loop_and_their_connection_closed() -> (
    None
):
    client = httpx2.AsyncClient(trust_env=False, verify=TLS)

    with serving("a", "b") as wire:
        async with client, nothing_left():
            response = await client.send(client.build_request("POST", wire.url), stream=True)

            async with to_async_generator(from_sse(response.aiter_bytes())) as deltas:
                async for delta in deltas:
                    assert delta == Delta("a")
                    break

            assert response.is_closed
            assert wire.exchange().is_closed()


def test_a_request_of_its_own_for_every_subscriber() -> None:
    with serving("a", finished=True) as wire, http_client() as client:

        def ask() -> Iterator[bytes]:
            with client.stream("POST", wire.url) as response:
                yield from response.iter_bytes()

        stream = from_sse(ask)

        for _ in range(2):
            assert [*to_generator(stream)] == [Delta("a")]
            assert wire.exchange().is_closed()
