"""What `to_async_generator` promises when several things happen at once."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import aclosing

import anyio
import pytest
import reactivex
import sniffio
from anyio.lowlevel import checkpoint
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops.sinks.generators import to_async_generator
from streamops.sources.iterables import from_chunks
from tests.counting import Counting, Stuck
from tests.sinks.pulled import collect, texts
from tests.traces import living_tasks, nothing_left

pytestmark = pytest.mark.anyio


async def test_cancelling_the_consumer_cancels_the_read() -> None:
    source = Stuck()
    got: list[str] = []

    async with nothing_left(), anyio.create_task_group() as group:
        group.start_soon(collect, texts(from_chunks(source.awaited)), got)
        await source.waiting.wait()
        group.cancel_scope.cancel()

    assert got == ["first"]
    assert source.open == 0


async def test_cancelling_the_consumer_of_a_merged_stream_cancels_all_reads() -> None:
    one, other = Stuck(), Stuck()
    got: list[str] = []

    async def consume() -> None:
        merged = reactivex.merge(from_chunks(one.awaited), from_chunks(other.awaited))

        async with texts(merged) as values:
            await collect(values, got)

    async with nothing_left(), anyio.create_task_group() as group:
        group.start_soon(consume)
        await one.waiting.wait()
        await other.waiting.wait()
        group.cancel_scope.cancel()

    assert got == ["first", "first"]
    assert (one.open, other.open) == (0, 0)


async def test_cancelling_waits_for_the_thread_of_a_blocking_source() -> None:
    reading = anyio.Event()
    release = threading.Event()
    closed: list[bool] = []
    token = anyio.lowlevel.current_token()

    def blocks() -> Generator[str]:
        try:
            yield "a"
            anyio.from_thread.run_sync(reading.set, token=token)
            release.wait(10)
            yield "late"
        finally:
            closed.append(True)

    async def consume() -> None:
        async for _ in texts(from_chunks(blocks)):
            pass

    async with nothing_left(), anyio.create_task_group() as group:
        group.start_soon(consume)
        await reading.wait()
        group.cancel_scope.cancel()
        assert closed == []
        release.set()

    assert closed == [True]


async def test_aclose_ends_a_read_of_another_task() -> None:
    source = Stuck()
    values = texts(from_chunks(source.awaited))
    got: list[str] = []

    async with nothing_left(), anyio.create_task_group() as group:
        group.start_soon(collect, values, got)
        await source.waiting.wait()
        await values.aclose()
        assert source.open == 0

    assert got == ["first"]


async def test_two_tasks_cannot_ask_for_a_value_at_once() -> None:
    source = Stuck()
    values = texts(from_chunks(source.awaited))

    async def consume() -> None:
        async for _ in values:
            pass

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        await source.waiting.wait()

        with pytest.raises(RuntimeError, match="Another task"):
            await anext(values)

        await values.aclose()


async def test_several_sources_take_turns_inside_of_async_with() -> None:
    one, other = Counting("a", "b"), Counting("x", "y")
    merged = reactivex.merge(from_chunks(one.awaited), from_chunks(other.awaited))

    async with nothing_left():
        async with texts(merged) as values:
            got = [text async for text in values]

        assert sorted(got) == ["a", "b", "x", "y"]
        assert {got[0], got[1]} == {"a", "x"}


async def test_several_sources_need_async_with_on_trio_only() -> None:
    source = Counting("a", "b")
    values = texts(reactivex.merge(from_chunks(source.awaited), from_chunks(source.awaited)))

    async with nothing_left():
        if sniffio.current_async_library() == "trio":
            with pytest.raises(RuntimeError, match="async with"):
                await anext(values)
        else:
            assert sorted([text async for text in values]) == ["a", "a", "b", "b"]

        assert source.open == 0


async def test_a_bare_break_out_of_a_merged_stream_leaves_nothing() -> None:
    if sniffio.current_async_library() == "trio":
        pytest.skip("a merged stream needs async with on trio")

    one, other = Counting("a", "b"), Stuck()
    merged = reactivex.merge(from_chunks(one.awaited), from_chunks(other.awaited))

    async with nothing_left():
        async for _ in texts(merged):
            break

        while one.open or other.open:
            await checkpoint()


async def test_timeout_ends_a_read_that_takes_too_long() -> None:
    source = Stuck()

    async with nothing_left():
        async with texts(from_chunks(source.awaited).pipe(rx.timeout(0.01))) as values:
            assert await anext(values) == "first"

            with pytest.raises(Exception, match="Timeout"):
                await anext(values)

        assert source.open == 0


async def test_dispose_from_another_task_ends_the_iteration() -> None:
    source = Stuck()
    stop: Subject[None] = Subject()
    got: list[str] = []

    async def consume() -> None:
        await collect(texts(from_chunks(source.awaited).pipe(rx.take_until(stop))), got)
        assert source.open == 0

    async with nothing_left(), anyio.create_task_group() as group:
        group.start_soon(consume)
        await source.waiting.wait()
        stop.on_next(None)

    assert got == ["first"]


async def test_values_from_another_thread_come_out() -> None:
    subject: Subject[int] = Subject()

    def push() -> None:
        subject.on_next(1)
        subject.on_next(2)
        subject.on_completed()

    async with nothing_left(), anyio.create_task_group() as group:
        values = to_async_generator(subject.pipe(rx.start_with(0)))
        assert await anext(values) == 0
        group.start_soon(anyio.to_thread.run_sync, push)

        assert [value async for value in values] == [1, 2]


async def test_whoever_shares_a_source_goes_on_when_its_generator_is_closed() -> None:
    source = Counting("a", "b", "c")
    shared = from_chunks(source.awaited).pipe(rx.share())

    async with nothing_left():
        first, second = texts(shared), texts(shared)
        assert await anext(first) == "a"
        got: list[str] = []

        async def consume() -> None:
            got.extend([text async for text in second])

        async with anyio.create_task_group() as group:
            group.start_soon(consume)
            await anyio.wait_all_tasks_blocked()
            await first.aclose()

        assert got == ["b", "c"]
        assert source.open == 0


@pytest.mark.parametrize("with_group", [True, False])
async def test_leaving_a_merged_stream_waits_for_its_reads_and_tasks(with_group: bool) -> None:
    if sniffio.current_async_library() == "trio" and not with_group:
        pytest.skip("a merged stream needs async with on trio")

    one, other = Stuck(), Stuck()
    values = texts(reactivex.merge(from_chunks(one.awaited), from_chunks(other.awaited)))
    before = living_tasks()
    got: list[str] = []

    async with values if with_group else aclosing(values):
        await anext(values)
        await anext(values)

        async with anyio.create_task_group() as group:
            group.start_soon(collect, values, got)
            await one.waiting.wait()
            await other.waiting.wait()
            await values.aclose()
            assert (one.open, other.open) == (0, 0)

    assert living_tasks() == before


async def test_the_thread_that_opened_an_asynchronous_source_ends_before_it_is_read() -> None:
    source = Counting("a", "b")

    async for _ in texts(from_chunks(lambda: source.awaited())):
        # Trio keeps threads of its own.
        assert all(thread.name != "streamops" for thread in threading.enumerate())
