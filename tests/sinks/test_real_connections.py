"""However a stream is left, the connection of the real client is closed, and nothing is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import anyio
import httpx2
import pytest
import reactivex
from anyio.lowlevel import checkpoint
from anyio.to_thread import run_sync
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletionChunk
from reactivex import Observable
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun
from streamops.sources.closing import close_stream
from streamops.sources.iterables import from_chunks
from tests.traces import no_threads_left, nothing_left
from tests.wire import Wire, serving

Open = Callable[[], Observable[Delta]]


class Contents(AsyncIterator[str]):
    """The contents of an SDK's asynchronous stream."""

    def __init__(self, stream: AsyncStream[ChatCompletionChunk]) -> None:
        self._stream = stream

    async def __anext__(self) -> str:
        return content(await anext(self._stream))

    async def aclose(self) -> None:
        await close_stream(self._stream)


class BlockingContents(Iterator[str]):
    """The contents of an SDK's stream."""

    def __init__(self, stream: Stream[ChatCompletionChunk]) -> None:
        self._stream = stream
        self.response = stream.response

    def __next__(self) -> str:
        return content(next(self._stream))

    def close(self) -> None:
        self._stream.close()


def content(chunk: ChatCompletionChunk) -> str:
    return chunk.choices[0].delta.content or ""


def async_client(wire: Wire) -> AsyncOpenAI:
    http = httpx2.AsyncClient(trust_env=False)
    return AsyncOpenAI(base_url=wire.url, api_key="k", max_retries=0, http_client=http)


def client(wire: Wire) -> OpenAI:
    http = httpx2.Client(trust_env=False)
    return OpenAI(base_url=wire.url, api_key="k", max_retries=0, http_client=http)


def opened_by(client: AsyncOpenAI) -> Observable[Delta]:
    async def connect() -> Contents:
        return Contents(await client.chat.completions.create(model="m", messages=[], stream=True))

    return from_chunks(connect)


def blocking_opened_by(client: OpenAI) -> Observable[Delta]:
    def connect() -> BlockingContents:
        return BlockingContents(client.chat.completions.create(model="m", messages=[], stream=True))

    return from_chunks(connect)


async def leave_by_break(stream: Observable[Delta]) -> None:
    async for _ in to_async_generator(stream):
        break


async def leave_async_with(stream: Observable[Delta]) -> None:
    async with to_async_generator(stream) as values:
        async for _ in values:
            break


async def leave_by_aclose(stream: Observable[Delta]) -> None:
    values = to_async_generator(stream)
    await anext(values)
    await values.aclose()


async def leave_by_cancelling(stream: Observable[Delta]) -> None:
    with anyio.CancelScope() as scope:
        async for _ in to_async_generator(stream):
            scope.cancel()


async def leave_by_timeout_of_the_task(stream: Observable[Delta]) -> None:
    with anyio.move_on_after(0.05):
        async for _ in to_async_generator(stream):
            continue


async def leave_by_timeout_of_the_stream(stream: Observable[Delta]) -> None:
    with pytest.raises(Exception, match="Timeout"):
        await arun(stream.pipe(rx.timeout(0.05)))


async def leave_by_an_exception(stream: Observable[Delta]) -> None:
    async def fail() -> None:
        async with to_async_generator(stream) as values:
            async for _ in values:
                raise LookupError

    with pytest.raises(LookupError):
        await fail()


async def leave_by_a_bare_exception(stream: Observable[Delta]) -> None:
    async def fail() -> None:
        async for _ in to_async_generator(stream):
            raise LookupError

    with pytest.raises(LookupError):
        await fail()


async def leave_by_take(stream: Observable[Delta]) -> None:
    assert len([value async for value in to_async_generator(stream.pipe(rx.take(1)))]) == 1


async def leave_by_a_take_of_merged(stream: Observable[Delta]) -> None:
    async with to_async_generator(reactivex.merge(stream).pipe(rx.take(1))) as values:
        assert len([value async for value in values]) == 1


async def leave_by_dispose(stream: Observable[Delta]) -> None:
    arrived = anyio.Event()
    subscription = stream.subscribe(lambda _: arrived.set())
    await arrived.wait()
    subscription.dispose()


LEAVING = [
    leave_by_break,
    leave_async_with,
    leave_by_aclose,
    leave_by_cancelling,
    leave_by_timeout_of_the_task,
    leave_by_timeout_of_the_stream,
    leave_by_an_exception,
    leave_by_a_bare_exception,
    leave_by_take,
    leave_by_a_take_of_merged,
    leave_by_dispose,
]


@pytest.mark.anyio
@pytest.mark.parametrize("leave", LEAVING)
async def test_leaving_an_asynchronous_stream_closes_its_connection(
    leave: Callable[[Observable[Delta]], Awaitable[None]],
) -> None:
    with serving("a", "b") as wire:
        async with async_client(wire) as client, nothing_left():
            await leave(opened_by(client))

            # A bare break is closed by a task, which gets its turn meanwhile.
            assert await run_sync(wire.exchange().is_closed)


@pytest.mark.anyio
@pytest.mark.parametrize("leave", [leave for leave in LEAVING if leave != leave_by_dispose])
async def test_leaving_a_blocking_stream_in_an_event_loop_closes_its_connection(
    leave: Callable[[Observable[Delta]], Awaitable[None]],
) -> None:
    with serving("a", "b") as wire, client(wire) as blocking:
        async with nothing_left():
            await leave(blocking_opened_by(blocking))

            assert await run_sync(wire.exchange().is_closed)


@pytest.mark.anyio
async def test_two_merged_connections_are_closed_when_one_value_was_enough() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            merged = reactivex.merge(opened_by(client), opened_by(client))

            async with to_async_generator(merged) as values:
                await anext(values)
                await anext(values)

            assert wire.exchange().is_closed()
            assert wire.exchange().is_closed()


@pytest.mark.anyio
async def test_each_value_comes_out_when_its_event_has_come() -> None:
    with serving() as wire:
        async with async_client(wire) as client, nothing_left():
            got: list[str] = []
            arrived = [anyio.Event() for _ in "abc"]

            async def consume() -> None:
                async for delta in to_async_generator(opened_by(client)):
                    arrived[len(got)].set()
                    got.append(delta.text)

            async with anyio.create_task_group() as group:
                group.start_soon(consume)
                exchange = await run_sync(wire.exchange)

                for count, text in enumerate("abc"):
                    exchange.send(text)
                    await arrived[count].wait()

                group.cancel_scope.cancel()

            assert got == ["a", "b", "c"]


@pytest.mark.anyio
async def test_a_dropped_connection_is_an_error_after_the_values() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            async with to_async_generator(opened_by(client)) as values:
                assert (await anext(values)).text == "a"
                wire.exchange().drop()

                with pytest.raises(SourceFailed) as caught:
                    await anext(values)

            assert caught.value.__cause__ is not None


def leave_blocking_by_break(stream: Observable[Delta]) -> None:
    for _ in to_generator(stream):
        break


def leave_blocking_by_close(stream: Observable[Delta]) -> None:
    values = to_generator(stream)
    next(values)
    values.close()


def leave_blocking_by_an_exception(stream: Observable[Delta]) -> None:
    def fail() -> None:
        for _ in to_generator(stream):
            raise LookupError

    with pytest.raises(LookupError):
        fail()


def leave_blocking_by_take(stream: Observable[Delta]) -> None:
    assert len(list(to_generator(stream.pipe(rx.take(1))))) == 1


BLOCKING_LEAVING = [
    leave_blocking_by_break,
    leave_blocking_by_close,
    leave_blocking_by_an_exception,
    leave_blocking_by_take,
]


@pytest.mark.parametrize("leave", BLOCKING_LEAVING)
def test_leaving_a_stream_closes_its_connection(
    leave: Callable[[Observable[Delta]], None],
) -> None:
    with serving("a", "b") as wire, client(wire) as blocking, no_threads_left():
        leave(blocking_opened_by(blocking))

        assert wire.exchange().is_closed()


@pytest.mark.parametrize("leave", BLOCKING_LEAVING)
def test_leaving_an_asynchronous_stream_without_a_loop_closes_its_connection(
    leave: Callable[[Observable[Delta]], None],
) -> None:
    with serving("a", "b") as wire, no_threads_left():
        leave(opened_by(async_client(wire)))

        assert wire.exchange().is_closed()


def test_dispose_by_the_subscriber_closes_the_connection() -> None:
    with serving("a", "b") as wire, client(wire) as blocking, no_threads_left():
        blocking_opened_by(blocking).pipe(rx.take(1)).subscribe()

        assert wire.exchange().is_closed()


@pytest.mark.anyio
async def test_the_bytes_of_a_response_are_chunks() -> None:
    with serving("a", "b") as wire:
        async with httpx2.AsyncClient(trust_env=False) as client, nothing_left():
            request = client.build_request("POST", wire.url)
            response = await client.send(request, stream=True)

            async with to_async_generator(from_chunks(response.aiter_bytes())) as values:
                assert (await anext(values)).text.startswith("data: ")

            del response
            await checkpoint()
            assert wire.exchange().is_closed()
