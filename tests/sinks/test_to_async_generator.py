"""What `to_async_generator` promises, on asyncio and on trio."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing

import pytest
import reactivex
from anyio import CancelScope, Event, create_task_group
from anyio.lowlevel import checkpoint
from reactivex import Observable

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_async_generator
from streamops.sources.iterables import from_chunks
from tests.counting import Counting
from tests.sinks.pulled import texts
from tests.traces import living_tasks, nothing_left

pytestmark = pytest.mark.anyio


async def read_and_fail(stream: Observable[Delta]) -> None:
    """Fail at the first value."""
    async with texts(stream) as values:
        async for _ in values:
            raise LookupError


async def test_the_first_value_comes_out_after_the_first_chunk() -> None:
    source = Counting("a", "b", "c")

    async with texts(from_chunks(source.awaited)) as values:
        assert await anext(values) == "a"
        assert source.pulled == 1


async def test_the_source_is_never_more_than_one_chunk_ahead() -> None:
    for source in (Counting(*"abcdef"), Counting(*"abcdef")):
        opens = source.awaited if source.opened == 0 else source.blocking
        count = 0

        async for _ in texts(from_chunks(opens)):
            count += 1
            assert source.pulled == count


async def test_a_single_source_is_awaited_without_any_task() -> None:
    before = living_tasks()
    counted: list[int] = []

    async def counting() -> AsyncGenerator[str]:
        for text in "abc":
            await checkpoint()
            counted.append(living_tasks())
            yield text

    assert [text async for text in texts(from_chunks(counting))] == ["a", "b", "c"]
    assert counted == [before] * 3


async def test_a_blocking_source_is_read_in_another_thread_that_ends_with_it() -> None:
    names: set[str] = set()

    def named() -> Generator[str]:
        for text in "ab":
            names.add(threading.current_thread().name)
            yield text

    async with nothing_left():
        assert [text async for text in texts(from_chunks(named))] == ["a", "b"]

    assert len(names) == 1
    assert threading.current_thread().name not in names


async def test_a_list_is_read_without_a_thread() -> None:
    async for _ in texts(from_chunks(["a", "b"])):
        # Trio keeps threads of its own.
        assert all(thread.name != "streamops" for thread in threading.enumerate())


async def test_the_end_closes_the_source_before_the_iteration_ends() -> None:
    source = Counting("a", "b")

    async with nothing_left():
        assert [text async for text in texts(from_chunks(source.awaited))] == ["a", "b"]
        assert source.open == 0


async def test_errors_are_raised_after_the_values_before_them_with_the_source_closed() -> None:
    source = Counting("a", error=ValueError("broken"))
    values = texts(from_chunks(source.awaited))

    assert await anext(values) == "a"

    with pytest.raises(SourceFailed, match="broken"):
        await anext(values)

    assert source.open == 0

    with pytest.raises(StopAsyncIteration):
        await anext(values)


@pytest.mark.parametrize("kind", ["awaited", "blocking"])
async def test_a_bare_break_closes_the_source_by_itself(kind: str) -> None:
    source = Counting("a", "b")

    async with nothing_left():
        async for _ in texts(from_chunks(getattr(source, kind))):
            break

        while source.open:
            await checkpoint()


@pytest.mark.parametrize("kind", ["awaited", "blocking"])
async def test_leaving_async_with_closes_the_source_before_control_returns(kind: str) -> None:
    source = Counting("a", "b")

    async with nothing_left():
        async with texts(from_chunks(getattr(source, kind))) as values:
            async for _ in values:
                break

        assert source.open == 0


@pytest.mark.parametrize("kind", ["awaited", "blocking"])
async def test_aclose_closes_the_source_before_it_returns(kind: str) -> None:
    source = Counting("a", "b")

    async with nothing_left():
        async with aclosing(texts(from_chunks(getattr(source, kind)))) as values:
            await anext(values)

        assert source.open == 0

        with pytest.raises(StopAsyncIteration):
            await anext(values)

        await values.aclose()


async def test_aclose_before_the_first_value_opens_nothing() -> None:
    source = Counting("a")
    values = texts(from_chunks(source.awaited))
    await values.aclose()

    with pytest.raises(StopAsyncIteration):
        await anext(values)

    assert source.opened == 0


async def test_athrow_closes_the_source_and_raises() -> None:
    source = Counting("a", "b")
    values = texts(from_chunks(source.awaited))
    await anext(values)

    with pytest.raises(LookupError):
        await values.athrow(LookupError())

    assert source.open == 0


async def test_an_exception_in_the_consumer_closes_the_source_and_comes_out_as_it_is() -> None:
    source = Counting("a", "b")

    async with nothing_left():
        with pytest.raises(LookupError):
            await read_and_fail(from_chunks(source.awaited))

        assert source.open == 0


async def test_an_exception_in_the_consumer_of_a_merged_stream_comes_out_as_it_is() -> None:
    source = Counting("a", "b")
    merged = reactivex.merge(from_chunks(source.awaited), from_chunks(source.awaited))

    async with nothing_left():
        with pytest.raises(LookupError):
            await read_and_fail(merged)

        assert source.open == 0


async def test_stop_async_iteration_as_an_error_does_not_look_like_the_end() -> None:
    with pytest.raises(RuntimeError):
        await anext(to_async_generator(reactivex.throw(StopAsyncIteration())))


def test_without_an_event_loop_the_error_says_so() -> None:
    coroutine = anext(to_async_generator(reactivex.just(1)))

    with pytest.raises(RuntimeError, match="asyncio or trio"):
        coroutine.__await__().__next__()


@pytest.mark.anyio
async def test_what_a_source_shields_is_not_broken_off_when_the_stream_ends() -> None:
    saved: list[str] = []
    begun, wanted = Event(), Event()

    async def source() -> AsyncGenerator[str]:
        yield "first"

        with CancelScope(shield=True):
            begun.set()
            await wanted.wait()
            saved.append("all")

        yield "second"

    values = to_async_generator(from_chunks(source))
    await anext(values)

    async with create_task_group() as tasks:
        tasks.start_soon(read_on, values)
        await begun.wait()
        tasks.start_soon(values.aclose)
        await checkpoint()
        wanted.set()

    assert saved == ["all"]


async def read_on(values: AsyncGenerator[Delta]) -> None:
    async for _ in values:
        pass
