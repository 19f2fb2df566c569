"""What a source promises to those who subscribe without a sink of ours."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator

import anyio
import pytest
from anyio.lowlevel import checkpoint
from reactivex import operators as rx
from reactivex.scheduler import ImmediateScheduler, NewThreadScheduler
from reactivex.subject import Subject

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sources.iterables import from_chunks
from tests.counting import Counting, Stuck
from tests.traces import nothing_left


class Log:
    """What an observer has been told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.over = threading.Event()

    def on_next(self, delta: Delta) -> None:
        self.told.append(delta.text)

    def on_error(self, error: Exception) -> None:
        self.told.append(error)
        self.over.set()

    def on_completed(self) -> None:
        self.told.append("end")
        self.over.set()


def test_a_blocking_source_pushes_everything_and_is_closed() -> None:
    source, log = Counting("a", "b"), Log()
    from_chunks(source.blocking).subscribe(log.on_next, log.on_error, log.on_completed)

    assert log.told == ["a", "b", "end"]
    assert source.open == 0


def test_every_subscription_opens_the_source_anew() -> None:
    source = Counting("a")
    stream = from_chunks(source.blocking)
    stream.subscribe()
    stream.subscribe()

    assert (source.opened, source.open) == (2, 0)


def test_what_was_read_before_an_error_is_emitted_before_it() -> None:
    source, log = Counting("a", error=ValueError("broken")), Log()
    from_chunks(source.blocking).subscribe(log.on_next, log.on_error, log.on_completed)

    assert log.told[0] == "a"
    assert isinstance(log.told[1], SourceFailed)
    assert source.open == 0


def test_the_source_is_closed_before_the_end_is_told() -> None:
    source = Counting("a")
    opened: list[int] = []
    from_chunks(source.blocking).subscribe(on_completed=lambda: opened.append(source.open))

    assert opened == [0]


def test_dispose_by_the_subscriber_closes_the_source_at_once() -> None:
    source = Counting("a", "b")
    opened: list[int] = []
    stop: Subject[None] = Subject()

    def leave(_: Delta) -> None:
        stop.on_next(None)
        opened.append(source.open)

    from_chunks(source.blocking).pipe(rx.take_until(stop)).subscribe(leave)

    assert opened == [0]
    assert source.pulled == 1


def test_what_a_subscriber_raises_reaches_the_caller_and_not_on_error() -> None:
    source, log = Counting("a", "b"), Log()

    def fail(_: Delta) -> None:
        raise LookupError

    # Held here, so that it is not closed by being dropped.
    chunks = source.blocking()

    with pytest.raises(LookupError):
        from_chunks(chunks).subscribe(fail, log.on_error)

    assert log.told == []
    assert source.open == 0


def test_keyboard_interrupt_in_a_read_closes_the_source_and_goes_on() -> None:
    closed: list[bool] = []

    def interrupted() -> Generator[str]:
        try:
            yield "a"
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    with pytest.raises(KeyboardInterrupt):
        from_chunks(interrupted).subscribe()

    assert closed == [True]


@pytest.mark.parametrize("scheduler", [NewThreadScheduler(), ImmediateScheduler()])
def test_it_pushes_on_the_scheduler_of_the_subscription(
    scheduler: NewThreadScheduler | ImmediateScheduler,
) -> None:
    source, log = Counting("a", "b"), Log()
    from_chunks(source.blocking).subscribe(
        log.on_next, log.on_error, log.on_completed, scheduler=scheduler
    )

    assert log.over.wait(10)
    assert log.told == ["a", "b", "end"]
    assert source.open == 0


def test_dispose_while_another_thread_reads_closes_the_source_after_the_read() -> None:
    reading, release, closed = threading.Event(), threading.Event(), threading.Event()
    log = Log()

    def blocks() -> Generator[str]:
        try:
            reading.set()
            release.wait(10)
            yield "late"
        finally:
            closed.set()

    subscription = from_chunks(blocks).subscribe(log.on_next, scheduler=NewThreadScheduler())
    assert reading.wait(10)
    subscription.dispose()
    assert not closed.is_set()
    release.set()

    assert closed.wait(10)
    assert log.told == []


def test_retry_and_repeat_open_the_source_anew() -> None:
    source, log = Counting("a", error=ValueError()), Log()
    stream = from_chunks(source.blocking).pipe(rx.retry(3))
    stream.subscribe(log.on_next, log.on_error, log.on_completed)

    assert log.told[:3] == ["a", "a", "a"]
    assert (source.opened, source.open) == (3, 0)


def test_an_asynchronous_source_without_an_event_loop_is_an_error_that_names_the_fix() -> None:
    source, log = Counting("a"), Log()

    async def connect() -> list[str]:
        return ["a"]

    for function in (source.awaited, connect):
        from_chunks(function).subscribe(log.on_next, log.on_error, log.on_completed)

    for error in log.told:
        assert isinstance(error, RuntimeError)
        assert "to_generator" in str(error)
        assert "run" in str(error)

    assert source.opened == 0


@pytest.mark.anyio
async def test_an_asynchronous_source_pushes_from_a_task() -> None:
    source, log = Counting("a", "b"), Log()

    async with nothing_left():
        from_chunks(source.awaited).subscribe(log.on_next, log.on_error, log.on_completed)
        assert log.told == []

        while not log.over.is_set():
            await checkpoint()

        assert log.told == ["a", "b", "end"]
        assert source.open == 0


@pytest.mark.anyio
async def test_an_error_of_an_asynchronous_source_comes_after_what_was_read() -> None:
    source, log = Counting("a", error=ValueError("broken")), Log()

    async with nothing_left():
        from_chunks(source.awaited).subscribe(log.on_next, log.on_error, log.on_completed)

        while not log.over.is_set():
            await checkpoint()

        assert log.told[0] == "a"
        assert isinstance(log.told[1], SourceFailed)
        assert source.open == 0


@pytest.mark.anyio
async def test_dispose_cancels_the_read_of_an_asynchronous_source() -> None:
    source, log = Stuck(), Log()

    async with nothing_left():
        subscription = from_chunks(source.awaited).subscribe(log.on_next, log.on_error)
        await source.waiting.wait()
        subscription.dispose()

        while source.open:
            await checkpoint()

    assert log.told == ["first"]


@pytest.mark.anyio
async def test_dispose_in_another_thread_cancels_the_read_of_an_asynchronous_source() -> None:
    source = Stuck()

    async with nothing_left():
        subscription = from_chunks(source.awaited).subscribe()
        await source.waiting.wait()
        await anyio.to_thread.run_sync(subscription.dispose)

        while source.open:
            await checkpoint()


@pytest.mark.anyio
async def test_what_a_subscriber_of_an_asynchronous_source_raises_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, log = Counting("a", "b"), Log()

    def fail(_: Delta) -> None:
        raise LookupError("a subscriber's mistake")

    async with nothing_left():
        with caplog.at_level(logging.ERROR, "streamops"):
            from_chunks(source.awaited).subscribe(fail, log.on_error)

            while not caplog.records:
                await checkpoint()

    assert "a subscriber's mistake" in caplog.text
    assert log.told == []
    assert source.open == 0


@pytest.mark.anyio
async def test_a_coroutine_function_may_return_a_blocking_source() -> None:
    log = Log()

    async def connect() -> Generator[str]:
        return Counting("a", "b").blocking()

    async with nothing_left():
        from_chunks(connect).subscribe(log.on_next, log.on_error, log.on_completed)

        while not log.over.is_set():
            await checkpoint()

        assert log.told == ["a", "b", "end"]
