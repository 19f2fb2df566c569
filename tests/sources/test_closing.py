"""What closing and interrupting the real client's streams promises."""

from __future__ import annotations

import threading

import anyio
import httpx2
import pytest
from openai import APIConnectionError, AsyncOpenAI, AsyncStream, OpenAI
from openai.types.chat import ChatCompletionChunk

from streamops.sources.closing import close_stream, interrupt_stream
from tests.traces import no_threads_left, nothing_left
from tests.wire import Wire, serving

pytestmark = pytest.mark.anyio


def async_client(wire: Wire) -> AsyncOpenAI:
    http = httpx2.AsyncClient(trust_env=False)
    return AsyncOpenAI(base_url=wire.url, api_key="k", max_retries=0, http_client=http)


async def open_stream(client: AsyncOpenAI) -> AsyncStream[ChatCompletionChunk]:
    return await client.chat.completions.create(model="m", messages=[], stream=True)


async def test_a_stream_that_was_never_read_is_closed() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            await close_stream(await open_stream(client))

            assert wire.exchange().is_closed()


async def test_a_stream_that_was_left_after_its_first_chunk_is_closed() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            stream = await open_stream(client)
            await anext(stream)
            await close_stream(stream)
            del stream

            assert wire.exchange().is_closed()


async def test_a_stream_with_unread_chunks_is_closed() -> None:
    with serving(*"abcdefgh") as wire:
        async with async_client(wire) as client, nothing_left():
            stream = await open_stream(client)
            await anext(stream)
            await close_stream(stream)
            del stream

            assert wire.exchange().is_closed()


async def test_a_stream_whose_read_was_cancelled_is_closed() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            stream = await open_stream(client)
            await anext(stream)

            with anyio.move_on_after(0):
                await anext(stream)

            await close_stream(stream)
            del stream

            assert wire.exchange().is_closed()


async def test_a_stream_is_closed_by_a_task_that_is_cancelled() -> None:
    with serving("a") as wire:
        async with async_client(wire) as client, nothing_left():
            stream = await open_stream(client)
            await anext(stream)

            with anyio.CancelScope() as scope:
                scope.cancel()
                await close_stream(stream)

            del stream
            assert wire.exchange().is_closed()


# The SDK itself drops its generators at the end, and trio minds.
@pytest.mark.filterwarnings("ignore:Async generator 'httpcore2:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Async generator 'httpx2:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Async generator 'openai:ResourceWarning")
async def test_a_stream_that_was_read_to_the_end_is_closed() -> None:
    with serving("a", finished=True) as wire:
        async with async_client(wire) as client, nothing_left():
            stream = await open_stream(client)
            assert len([chunk async for chunk in stream]) == 1
            await close_stream(stream)
            del stream


async def test_the_helper_stream_is_closed() -> None:
    with serving("a", "b") as wire:
        async with async_client(wire) as client, nothing_left():
            async with client.chat.completions.stream(model="m", messages=[]) as stream:
                await anext(stream)
                await close_stream(stream)

            del stream
            assert wire.exchange().is_closed()


async def test_the_bytes_of_a_response_are_closed() -> None:
    with serving("a") as wire:
        async with httpx2.AsyncClient(trust_env=False) as client, nothing_left():
            request = client.build_request("POST", wire.url)
            response = await client.send(request, stream=True)
            chunks = response.aiter_bytes()
            await anext(chunks)
            await close_stream(chunks)
            del chunks, response

            assert wire.exchange().is_closed()


def test_an_interrupt_ends_a_read_that_blocks_in_another_thread() -> None:
    with (
        serving("a") as wire,
        no_threads_left(),
        OpenAI(
            base_url=wire.url,
            api_key="k",
            max_retries=0,
            http_client=httpx2.Client(trust_env=False),
        ) as client,
    ):
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        next(stream)
        errors: list[Exception] = []

        def read() -> None:
            try:
                next(stream)
            except (APIConnectionError, StopIteration) as error:
                errors.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        interrupt_stream(stream)
        reader.join(10)

        assert not reader.is_alive()
        assert len(errors) == 1
        interrupt_stream(stream)


def test_what_has_no_socket_is_not_interrupted() -> None:
    interrupt_stream(iter("abc"))
