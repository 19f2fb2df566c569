"""What from_openai promises about the response of a subscription that has ended."""

from __future__ import annotations

import gc
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest
import reactivex
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletionChunk
from reactivex import Observable
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun
from streamops.sources.openai import from_openai
from tests.clients import open_async_client, open_client
from tests.traces import no_threads_left, nothing_left
from tests.unawaited import nothing_unawaited
from tests.wire import PATIENCE, Exchange, Wire, serving

CHAT: dict[str, Any] = {"model": "m", "messages": []}


def ways_to_leave() -> dict[str, Callable[[Observable[Delta]], None]]:
    def close(stream: Observable[Delta]) -> None:
        deltas = to_generator(stream)
        next(deltas)
        deltas.close()

    def leave_the_loop(stream: Observable[Delta]) -> None:
        for _ in to_generator(stream):
            break

        gc.collect()

    def take_one(stream: Observable[Delta]) -> None:
        assert len([*to_generator(stream.pipe(rx.take(1)))]) == 1

    def take_one_pushed(stream: Observable[Delta]) -> None:
        stream.pipe(rx.take(1)).subscribe(lambda _: None)

    def fail_in_an_operator(stream: Observable[Delta]) -> None:
        def fail(_: Delta) -> Delta:
            raise LookupError

        with pytest.raises(LookupError):
            next(to_generator(stream.pipe(rx.map(fail))))

    def fail_in_the_subscriber(stream: Observable[Delta]) -> None:
        def fail(_: Delta) -> None:
            raise LookupError

        with pytest.raises(LookupError):
            stream.subscribe(fail)

    return {
        way.__name__: way
        for way in (
            close,
            leave_the_loop,
            take_one,
            take_one_pushed,
            fail_in_an_operator,
            fail_in_the_subscriber,
        )
    }


@pytest.mark.parametrize("way", ways_to_leave())
@pytest.mark.parametrize("helper", [False, True], ids=["resource", "helper"])
def test_the_response_is_closed_however_the_subscription_ends(way: str, *, helper: bool) -> None:
    with serving("a", "b") as wire, open_client(wire.url) as client, no_threads_left():
        completions = client.chat.completions
        stream = (
            from_openai(lambda: completions.stream(**CHAT))
            if helper
            else from_openai(completions, **CHAT)
        )

        ways_to_leave()[way](stream)

        assert wire.exchange().is_closed()


def test_an_open_stream_is_closed_too() -> None:
    with serving("a", "b") as wire, open_client(wire.url) as client:
        opened: Stream[ChatCompletionChunk] = client.chat.completions.create(**CHAT, stream=True)

        ways_to_leave()["close"](from_openai(opened))

        assert opened.response.is_closed
        assert wire.exchange().is_closed()


async def close(stream: Observable[Delta]) -> None:
    deltas = to_async_generator(stream)
    await anext(deltas)
    await deltas.aclose()


async def leave_the_context(stream: Observable[Delta]) -> None:
    async with to_async_generator(stream) as deltas:
        async for _ in deltas:
            break


async def take_one(stream: Observable[Delta]) -> None:
    async with to_async_generator(stream.pipe(rx.take(1))) as deltas:
        assert len([delta async for delta in deltas]) == 1


async def cancel_the_read(stream: Observable[Delta]) -> None:
    async def read(first: anyio.Event) -> None:
        async with to_async_generator(stream) as deltas:
            async for delta in deltas:
                if delta.text == "b":
                    first.set()

    async with anyio.create_task_group() as tasks:
        first = anyio.Event()
        tasks.start_soon(read, first)
        await first.wait()
        tasks.cancel_scope.cancel()


async def fail_in_the_consumer(stream: Observable[Delta]) -> None:
    async def consume() -> None:
        async with to_async_generator(stream) as deltas:
            async for _ in deltas:
                raise LookupError

    with pytest.raises(LookupError):
        await consume()


ASYNC_WAYS: list[Callable[[Observable[Delta]], Awaitable[None]]] = [
    close,
    leave_the_context,
    take_one,
    cancel_the_read,
    fail_in_the_consumer,
]


@pytest.mark.parametrize("leave", ASYNC_WAYS)
@pytest.mark.parametrize("source", ["resource", "helper", "blocking resource"])
@pytest.mark.anyio
async def test_the_response_is_closed_however_the_task_leaves(
    leave: Callable[[Observable[Delta]], Awaitable[None]], source: str
) -> None:
    with serving("a", "b") as wire, open_client(wire.url) as blocking_client:
        async with open_async_client(wire.url) as client, nothing_left():
            await leave(
                {
                    "resource": from_openai(client.chat.completions, **CHAT),
                    "helper": from_openai(lambda: client.chat.completions.stream(**CHAT)),
                    "blocking resource": from_openai(blocking_client.chat.completions, **CHAT),
                }[source]
            )

            assert wire.exchange().is_closed()


@pytest.mark.anyio
async def test_a_stream_that_opened_after_the_reader_had_left_is_closed() -> None:
    left = threading.Event()
    exchanges: list[Exchange] = []

    with serving("a") as wire, open_client(wire.url) as client:

        def opening() -> Stream[ChatCompletionChunk]:
            stream: Stream[ChatCompletionChunk] = client.chat.completions.create(
                **CHAT, stream=True
            )
            left.wait()
            return stream

        async def read() -> None:
            async with to_async_generator(from_openai(opening)) as deltas:
                await anext(deltas)

        async with nothing_left():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read)
                exchanges.append(await anyio.to_thread.run_sync(wire.exchange))
                tasks.cancel_scope.cancel()
                left.set()

            assert exchanges[0].is_closed()


@pytest.mark.parametrize("way", ["cancelled", "timed out"])
@pytest.mark.parametrize("helper", [False, True], ids=["resource", "helper"])
@pytest.mark.anyio
async def test_leaving_does_not_wait_for_the_headers_of_a_blocking_client(
    way: str, *, helper: bool
) -> None:
    held = threading.Event()
    wire = Wire(lambda _: None, headers_held=held)

    with wire, open_client(wire.url) as client:
        completions = client.chat.completions
        stream = (
            from_openai(completions.stream(**CHAT)) if helper else from_openai(completions, **CHAT)
        )

        async with nothing_left():
            if way == "cancelled":
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(arun, stream)
                    assert await anyio.to_thread.run_sync(wire.asked.wait, PATIENCE)
                    tasks.cancel_scope.cancel()
            else:
                with pytest.raises(Exception, match="Timeout"):
                    await arun(stream.pipe(rx.timeout(0.05)))

            assert not held.is_set()
            held.set()
            assert await anyio.to_thread.run_sync(wire.exchange().is_closed)


def test_a_stream_that_was_read_to_its_end_is_closed() -> None:
    opened: list[Stream[ChatCompletionChunk]] = []

    def opening(wire: Wire, client: OpenAI) -> Stream[ChatCompletionChunk]:
        opened.append(client.chat.completions.create(**CHAT, stream=True))
        wire.exchange()
        return opened[0]

    with serving("a", finished=True) as wire, open_client(wire.url) as client:
        assert [*to_generator(from_openai(lambda: opening(wire, client)))] == [Delta("a")]

    assert opened[0].response.is_closed


@pytest.mark.parametrize("texts", [(), ("a",)], ids=["without a chunk", "with a chunk"])
@pytest.mark.anyio
async def test_nothing_is_left_of_a_stream_that_says_it_is_done(texts: tuple[str, ...]) -> None:
    with serving(*texts, finished=True) as wire:
        async with open_async_client(wire.url) as client, nothing_left():
            deltas = to_async_generator(from_openai(client.chat.completions, **CHAT))

            assert [delta.text async for delta in deltas] == [*texts]


def test_a_raw_response_that_a_function_opened_by_mistake_is_closed() -> None:
    with serving("a") as wire, open_client(wire.url) as client:
        completions = client.chat.completions.with_raw_response

        with pytest.raises(TypeError, match="has to return a stream"):
            next(to_generator(from_openai(lambda: completions.create(**CHAT, stream=True))))

        assert wire.exchange().is_closed()


@pytest.mark.anyio
async def test_an_asynchronous_raw_response_opened_by_mistake_is_closed() -> None:
    with serving("a") as wire:
        async with open_async_client(wire.url) as client, nothing_left():
            completions = client.chat.completions.with_raw_response

            with pytest.raises(TypeError, match="has to return a stream"):
                await arun(from_openai(lambda: completions.create(**CHAT, stream=True)))

            assert wire.exchange().is_closed()


def test_an_open_stream_is_closed_by_whoever_leaves_before_the_first_read() -> None:
    with serving("a") as wire, open_client(wire.url) as client:
        opened: Any = client.chat.completions.create(**CHAT, stream=True)

        assert not list(to_generator(from_openai(opened).pipe(rx.take_until(reactivex.of(1)))))
        assert wire.exchange().is_closed()


@pytest.mark.parametrize("sink", ["generator", "subscribe"])
@pytest.mark.anyio
async def test_an_open_asynchronous_stream_is_closed_by_whoever_leaves_before_the_first_read(
    sink: str,
) -> None:
    with serving("a") as wire:
        async with open_async_client(wire.url) as client, nothing_left():
            opened: Any = await client.chat.completions.create(**CHAT, stream=True)
            stream = from_openai(opened)

            if sink == "generator":
                async with to_async_generator(
                    stream.pipe(rx.take_until(reactivex.of(1)))
                ) as deltas:
                    assert [delta async for delta in deltas] == []
            else:
                stream.subscribe().dispose()

            assert await anyio.to_thread.run_sync(wire.exchange().is_closed)


class Traced:
    """A resource whose function no longer looks like a coroutine function."""

    def __init__(self, resource: Any) -> None:
        self.with_streaming_response = self
        self._create = resource.with_streaming_response.create

    def create(self, **request: Any) -> Any:
        return self._create(**request)


ASKING: dict[str, Callable[[AsyncOpenAI], Observable[Delta]]] = {
    "bytes": lambda client: from_openai(client.chat.completions, wire=True, **CHAT),
    "objects": lambda client: from_openai(client.chat.completions, wire=False, **CHAT),
    "tracer": lambda client: from_openai(Traced(client.chat.completions), wire=True, **CHAT),
    "function": lambda client: from_openai(
        lambda: client.chat.completions.create(**CHAT, stream=True)
    ),
    "helper": lambda client: from_openai(lambda: client.chat.completions.stream(**CHAT)),
    "helper of responses": lambda client: from_openai(
        lambda: client.responses.stream(model="m", input="?")
    ),
    "manager": lambda client: from_openai(client.chat.completions.stream(**CHAT)),
}
"""Streams whose request is a coroutine of the SDK until it is sent."""


@pytest.mark.parametrize("source", ASKING)
@pytest.mark.anyio
async def test_nothing_is_left_of_a_request_that_was_never_sent(source: str) -> None:
    with serving("a") as wire, nothing_unawaited():
        async with open_async_client(wire.url) as client, nothing_left():
            ASKING[source](client).subscribe().dispose()

        assert not wire.asked.is_set()


@pytest.mark.parametrize("source", ASKING)
def test_nothing_is_left_of_a_request_that_no_event_loop_sends(source: str) -> None:
    errors: list[Exception] = []

    with nothing_unawaited():
        client = AsyncOpenAI(base_url="http://test/v1", api_key="test")
        ASKING[source](client).subscribe(on_error=errors.append)

    assert [type(error) for error in errors] == [RuntimeError]


@pytest.mark.anyio
async def test_the_sdk_still_has_the_private_names_that_closing_relies_on() -> None:
    with serving("a", finished=True) as wire:
        async with open_async_client(wire.url) as client:
            # Any, because they are private.
            stream: Any = await client.chat.completions.create(**CHAT, stream=True)

            async with stream:
                assert inspect.isasyncgen(stream._iterator)
                assert inspect.isasyncgenfunction(stream._iter_events)

            helper: Any

            async with client.chat.completions.stream(**CHAT) as helper:
                assert inspect.isasyncgen(helper._iterator)
                assert isinstance(helper._raw_stream, AsyncStream)
