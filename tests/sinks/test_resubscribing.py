"""What resubscribing promises on every sink: a connection is closed before the next one opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from typing import Any

import anyio
import httpx2
import pytest
import reactivex
from anyio.lowlevel import checkpoint
from openai import AsyncOpenAI
from pydantic import BaseModel, Field
from reactivex import Observable
from reactivex import operators as rx
from reactivex.abc import DisposableBase
from reactivex.disposable import SerialDisposable
from reactivex.scheduler.eventloop import AsyncIOScheduler

import streamops as so
from streamops.delta import Delta
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun, run
from streamops.sources.iterables import from_chunks
from streamops.sources.openai import from_openai
from tests.answers import chat_calls
from tests.traces import nothing_left
from tests.unawaited import nothing_unawaited

IN_TURN = ["open 0", "close 0", "open 1", "close 1"]
extract: Callable[..., Observable[Any]] = so.extract  # the overloads cannot tell what ** holds
ASKING: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Who?"}]}


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


INVALID = chat_calls(("Person", '{"age": -3, "name": "Jo"}'))
VALID = chat_calls(("Person", '{"age": 3, "name": "Jo"}'))


class Openings:
    """Opens sources that note when they are opened and closed; closing takes a while."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self._opened = 0

    def begin(self) -> int:
        self._opened += 1
        self.events.append(f"open {self._opened - 1}")
        return self._opened - 1

    async def end(self, number: int) -> None:
        # Shorter than this, and the next one would open too late by chance.
        with anyio.CancelScope(shield=True):
            for _ in range(10):
                await checkpoint()

        self.events.append(f"close {number}")

    async def awaited(self) -> AsyncGenerator[str]:
        number = self.begin()

        try:
            for text in ("a", "b", "c"):
                await checkpoint()
                yield text
        finally:
            await self.end(number)

    def blocking(self) -> Generator[str]:
        number = self.begin()

        try:
            yield from ("a", "b", "c")
        finally:
            self.events.append(f"close {number}")

    async def stuck(self) -> AsyncGenerator[str]:
        number = self.begin()

        try:
            yield "a"
            await anyio.Event().wait()
        finally:
            await self.end(number)


class Answers(httpx2.AsyncBaseTransport):
    """Answers requests with these bodies, in turn."""

    def __init__(self, openings: Openings, *bodies: bytes) -> None:
        self._openings = openings
        self._bodies = bodies

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        number = self._openings.begin()
        body = Body(self._bodies[number], partial(self._openings.end, number))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=body)

    def client(self) -> AsyncOpenAI:
        """Make a client that asks once, and gets these answers."""
        http = httpx2.AsyncClient(transport=self)
        return AsyncOpenAI(base_url="http://test/v1", api_key="x", max_retries=0, http_client=http)


class Body(httpx2.AsyncByteStream):
    """The body of an answer, an event at a time."""

    def __init__(self, body: bytes, end: Callable[[], Awaitable[None]]) -> None:
        self._body = body
        self._end: Callable[[], Awaitable[None]] | None = end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self._body.split(b"\n\n"):
            await checkpoint()
            yield event + b"\n\n"

    async def aclose(self) -> None:
        end, self._end = self._end, None

        if end is not None:
            await end()


def failing_once() -> Callable[[Any], Any]:
    failures = [LookupError()]

    def fail(value: Any) -> Any:
        if failures:
            raise failures.pop()

        return value

    return fail


def retry(stream: Observable[Any]) -> Observable[Any]:
    return stream.pipe(rx.map(failing_once()), rx.retry(2))


def catch(stream: Observable[Any]) -> Observable[Any]:
    return stream.pipe(rx.map(failing_once()), rx.catch(stream))


def catch_by_a_function(stream: Observable[Any]) -> Observable[Any]:
    return stream.pipe(rx.map(failing_once()), rx.catch(lambda _, failed: failed))


def repeat_what_was_cut_short(stream: Observable[Any]) -> Observable[Any]:
    return stream.pipe(rx.take(1), rx.repeat(2))


WAYS = [retry, catch, catch_by_a_function, repeat_what_was_cut_short]


async def push(stream: Observable[Any]) -> None:
    over = anyio.Event()
    stream.subscribe(on_error=lambda _: over.set(), on_completed=over.set)
    await over.wait()


async def generate(stream: Observable[Any]) -> None:
    async with to_async_generator(stream) as values:
        async for _ in values:
            pass


ASYNC_SINKS = [push, generate, arun]


def all_values(stream: Observable[Any]) -> None:
    list(to_generator(stream))


def subscribe(stream: Observable[Any]) -> None:
    stream.subscribe()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sink", ASYNC_SINKS)
@pytest.mark.anyio
async def test_an_asynchronous_source_is_closed_before_it_is_opened_again(
    sink: Callable[[Observable[Any]], Awaitable[object]],
    way: Callable[[Observable[Any]], Observable[Any]],
) -> None:
    openings = Openings()

    async with nothing_left():
        await sink(way(from_chunks(openings.awaited)))
        await closed(openings, 2)

    assert openings.events == IN_TURN


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sink", [all_values, run])
def test_without_an_event_loop_too(
    sink: Callable[[Observable[Any]], object],
    way: Callable[[Observable[Any]], Observable[Any]],
) -> None:
    openings = Openings()
    sink(way(from_chunks(openings.awaited)))

    assert openings.events == IN_TURN


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sink", [subscribe, all_values, run])
def test_a_blocking_source_is_closed_before_it_is_opened_again(
    sink: Callable[[Observable[Any]], object],
    way: Callable[[Observable[Any]], Observable[Any]],
) -> None:
    openings = Openings()
    sink(way(from_chunks(openings.blocking)))

    assert openings.events == IN_TURN


def asked(client: AsyncOpenAI) -> dict[str, Observable[Any]]:
    """Streams that ask twice."""
    completions = client.chat.completions
    return {
        "bytes": retry(from_openai(completions, wire=True, **ASKING)),
        "objects": retry(from_openai(completions, wire=False, **ASKING)),
        "function": retry(from_openai(lambda: completions.create(**ASKING, stream=True))),
        "helper": retry(from_openai(lambda: completions.stream(**ASKING))),
        "extract": extract(client, response_model=Person, max_retries=1, fail_fast=True, **ASKING),
    }


SOURCES = ["bytes", "objects", "function", "helper", "extract"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("sink", ASYNC_SINKS)
@pytest.mark.anyio
async def test_a_response_is_closed_before_the_next_request(
    sink: Callable[[Observable[Any]], Awaitable[object]], source: str
) -> None:
    openings = Openings()

    async with Answers(openings, INVALID, VALID).client() as client, nothing_left():
        await sink(asked(client)[source])
        await closed(openings, 2)

    assert openings.events == IN_TURN


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("sink", [all_values, run])
def test_a_response_is_closed_before_the_next_request_without_an_event_loop_too(
    sink: Callable[[Observable[Any]], object], source: str
) -> None:
    openings = Openings()
    sink(asked(Answers(openings, INVALID, VALID).client())[source])

    assert openings.events == IN_TURN


@pytest.mark.anyio
async def test_nothing_is_left_of_a_second_attempt_that_nobody_waits_for() -> None:
    openings = Openings()
    subscription = SerialDisposable()
    attempts: list[int] = []

    def leave(attempt: so.Attempt) -> None:
        attempts.append(attempt.number)

        if attempt.number == 2:
            subscription.dispose()

    with nothing_unawaited():
        async with Answers(openings, INVALID, VALID).client() as client, nothing_left():
            stream = extract(
                client, response_model=Person, max_retries=1, on_attempt=leave, **ASKING
            )
            subscription.disposable = stream.subscribe()
            await closed(openings, 1)

    assert attempts == [1, 2]
    assert openings.events == ["open 0", "close 0"]
    assert len(so.outcome(stream)) == 1


@pytest.mark.anyio
async def test_whoever_subscribes_anew_by_hand_has_one_open_at_a_time_too() -> None:
    openings = Openings()
    stream = from_chunks(openings.awaited).pipe(rx.map(failing_once()))

    def subscribe_again(_: Exception) -> None:
        stream.subscribe()

    async with nothing_left():
        stream.subscribe(on_error=subscribe_again)
        await closed(openings, 2)

    assert openings.events == IN_TURN


@pytest.mark.anyio
async def test_all_that_failed_together_is_closed_before_any_of_it_is_opened_again() -> None:
    openings = Openings()
    chunks = from_chunks(openings.awaited)
    merged = reactivex.merge(chunks, chunks).pipe(rx.map(failing_once()), rx.retry(2))

    async with nothing_left():
        await push(merged)
        await closed(openings, 4)

    assert sorted(openings.events[:4]) == ["close 0", "close 1", "open 0", "open 1"]


@pytest.mark.anyio
async def test_what_is_given_up_while_it_waits_for_another_one_is_never_opened() -> None:
    openings = Openings()
    second = SerialDisposable()
    failed = anyio.Event()

    def subscribe_again(_: Exception) -> None:
        second.disposable = from_chunks(openings.awaited).subscribe()
        failed.set()

    async with nothing_left():
        stream = from_chunks(openings.awaited).pipe(rx.map(failing_once()))
        stream.subscribe(on_error=subscribe_again)
        await failed.wait()
        await checkpoint()
        second.dispose()
        await closed(openings, 1)

    assert openings.events == ["open 0", "close 0"]


@pytest.mark.anyio
async def test_a_source_opens_while_another_one_closes_that_was_left_elsewhere() -> None:
    released = anyio.Event()
    closing = anyio.Event()

    async def closes_late() -> AsyncGenerator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            with anyio.CancelScope(shield=True):
                closing.set()
                await released.wait()

    async def leave() -> None:
        await push(from_chunks(closes_late).pipe(rx.take(1)))

    async with nothing_left():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(leave)
            await closing.wait()
            await push(from_chunks(Openings().awaited))

        released.set()


@pytest.mark.anyio
async def test_a_source_may_read_another_one_while_it_closes() -> None:
    heard: list[Delta] = []
    over = anyio.Event()

    async def says_goodbye() -> AsyncGenerator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            with anyio.CancelScope(shield=True):
                await push(from_chunks(Openings().awaited).pipe(rx.do_action(heard.append)))
                over.set()

    async with nothing_left():
        await push(from_chunks(says_goodbye).pipe(rx.take(1)))
        await over.wait()

    assert [delta.text for delta in heard] == ["a", "b", "c"]


@pytest.mark.parametrize("way", WAYS)
def test_on_a_scheduler_of_the_event_loop_too(
    way: Callable[[Observable[Any]], Observable[Any]],
) -> None:
    openings = Openings()

    async def main() -> None:
        scheduler = AsyncIOScheduler(asyncio.get_running_loop())
        way(from_chunks(openings.awaited)).subscribe(scheduler=scheduler)
        await closed(openings, 2)

    asyncio.run(main())

    assert openings.events == IN_TURN


def test_dispose_while_the_event_loop_stands_still_closes_when_it_goes_on() -> None:
    openings = Openings()
    left: list[DisposableBase] = []

    async def leave() -> None:
        arrived = anyio.Event()
        left.append(from_chunks(openings.stuck).subscribe(lambda _: arrived.set()))
        await arrived.wait()

    with asyncio.Runner() as runner:
        runner.run(leave())
        left[0].dispose()
        assert openings.events == ["open 0"]

        runner.run(closed(openings, 1))

    assert openings.events == ["open 0", "close 0"]


async def closed(openings: Openings, times: int) -> None:
    """Wait until so many sources are closed: whoever pushes hears of the end before that."""
    with anyio.fail_after(10):
        while sum(event.startswith("close") for event in openings.events) < times:
            await checkpoint()
