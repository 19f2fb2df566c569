"""What `to_generator` promises."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Generator

import pytest
import reactivex
from anyio import CancelScope, Event
from anyio.lowlevel import checkpoint
from reactivex import Observable
from reactivex import operators as rx
from reactivex.scheduler import NewThreadScheduler
from reactivex.subject import Subject

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.operators.share_latest import share_latest
from streamops.sinks.generators import to_generator
from streamops.sources.iterables import Chunks, from_chunks
from tests.counting import Counting
from tests.traces import no_threads_left


def texts(stream: Observable[object]) -> Generator[str]:
    """Pull the texts of a stream."""
    return to_generator(stream.pipe(rx.map(lambda delta: getattr(delta, "text", ""))))


def test_the_first_value_comes_out_after_the_first_chunk() -> None:
    source = Counting("a", "b", "c")
    values = texts(from_chunks(source.blocking))

    assert next(values) == "a"
    assert source.pulled == 1


def test_nothing_is_read_before_the_first_value_is_asked_for() -> None:
    source = Counting("a")
    texts(from_chunks(source.blocking))

    assert source.opened == 0


def test_the_source_is_never_more_than_one_chunk_ahead() -> None:
    source = Counting(*"abcdef")

    for count, _ in enumerate(texts(from_chunks(source.blocking)), start=1):
        assert source.pulled == count


def test_an_asynchronous_source_is_never_more_than_one_chunk_ahead() -> None:
    source = Counting(*"abcdef")

    for count, _ in enumerate(texts(from_chunks(source.awaited)), start=1):
        assert source.pulled == count


def test_no_thread_is_started_for_a_blocking_source() -> None:
    before = threading.active_count()

    for _ in texts(from_chunks(Counting("a", "b").blocking)):
        assert threading.active_count() == before


def test_the_thread_of_an_asynchronous_source_ends_with_the_generator() -> None:
    source = Counting("a", "b")

    with no_threads_left():
        values = texts(from_chunks(source.awaited))
        assert next(values) == "a"
        values.close()

        assert source.open == 0


def test_both_kinds_of_source_are_read_to_the_end_and_closed() -> None:
    source = Counting("a", "b")

    with no_threads_left():
        assert list(texts(from_chunks(source.blocking))) == ["a", "b"]
        assert list(texts(from_chunks(source.awaited))) == ["a", "b"]

    assert (source.opened, source.open) == (2, 0)


def test_a_break_closes_the_source() -> None:
    source = Counting("a", "b")

    for _ in texts(from_chunks(source.blocking)):
        break

    assert source.open == 0


def test_a_break_closes_an_asynchronous_source() -> None:
    source = Counting("a", "b")

    with no_threads_left():
        for _ in texts(from_chunks(source.awaited)):
            break

        assert source.open == 0


def test_the_source_is_closed_before_close_returns() -> None:
    source = Counting("a", "b")
    values = texts(from_chunks(source.blocking))
    next(values)
    values.close()

    assert source.open == 0


def test_take_closes_the_source_before_it_hands_out_the_last_value() -> None:
    source = Counting("a", "b")
    values = texts(from_chunks(source.blocking).pipe(rx.take(1)))

    assert next(values) == "a"
    assert (source.open, source.pulled) == (0, 1)
    assert list(values) == []


def test_errors_are_raised_after_the_values_before_them() -> None:
    source = Counting("a", "b", error=ValueError("broken"))
    values = texts(from_chunks(source.blocking))

    assert [next(values), next(values)] == ["a", "b"]

    with pytest.raises(SourceFailed, match="broken") as caught:
        next(values)

    assert caught.value.__cause__ is source.error
    assert source.open == 0


def test_an_error_of_an_operator_closes_the_source() -> None:
    source = Counting("a", "b")

    def fail(_: object) -> str:
        raise LookupError

    with pytest.raises(LookupError):
        next(to_generator(from_chunks(source.blocking).pipe(rx.map(fail))))

    assert source.open == 0


def test_stop_iteration_as_an_error_does_not_look_like_the_end() -> None:
    with pytest.raises(RuntimeError):
        list(to_generator(reactivex.throw(StopIteration())))


def test_keyboard_interrupt_in_a_read_closes_the_source_and_goes_on() -> None:
    closed: list[bool] = []

    def interrupted() -> Generator[str]:
        try:
            yield "a"
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    values = texts(from_chunks(interrupted))
    next(values)

    with pytest.raises(KeyboardInterrupt):
        next(values)

    assert closed == [True]


def test_an_error_in_closing_comes_after_the_values() -> None:
    def closes_badly() -> Generator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            raise OSError("no close")

    values = texts(from_chunks(closes_badly).pipe(rx.take(1)))

    assert next(values) == "a"

    with pytest.raises(OSError, match="no close"):
        next(values)


def told(event: threading.Event) -> Observable[int]:
    """Set the event."""
    event.set()
    return reactivex.empty()


def test_values_from_another_thread_come_out() -> None:
    subject: Subject[int] = Subject()
    subscribed = threading.Event()
    values = to_generator(subject.pipe(rx.merge(reactivex.defer(lambda _: told(subscribed)))))
    got: list[int] = []
    puller = threading.Thread(target=lambda: got.extend(values))
    puller.start()
    assert subscribed.wait(10)
    subject.on_next(1)
    subject.on_next(2)
    subject.on_completed()
    puller.join(10)

    assert got == [1, 2]


def test_an_interrupt_from_another_thread_ends_the_iteration() -> None:
    stop: Subject[None] = Subject()
    reading = threading.Event()
    release = threading.Event()
    closed: list[bool] = []

    def blocks() -> Generator[str]:
        try:
            yield "a"
            reading.set()
            release.wait(10)
            yield "late"
        finally:
            closed.append(True)

    values = texts(from_chunks(blocks).pipe(rx.take_until(stop)))
    got: list[str] = []
    puller = threading.Thread(target=lambda: got.extend(values))
    puller.start()
    assert reading.wait(10)
    stop.on_next(None)
    assert closed == []
    release.set()
    puller.join(10)

    assert got == ["a"]
    assert closed == [True]


def test_a_source_that_pushes_from_another_thread_is_closed() -> None:
    source = Counting("a", "b")
    stream = from_chunks(source.blocking).pipe(rx.subscribe_on(NewThreadScheduler()))

    assert list(texts(stream)) == ["a", "b"]
    assert source.open == 0


def test_whoever_shares_a_source_is_told_when_its_generator_is_closed() -> None:
    source = Counting("a", "b")
    shared = from_chunks(source.blocking).pipe(rx.share())
    first = texts(shared)
    second_got: list[object] = []
    next(first)
    shared.subscribe(second_got.append, second_got.append)
    first.close()

    assert isinstance(second_got[0], SourceFailed)
    assert source.open == 0


KINDS = [Counting.blocking, Counting.awaited]


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_does_not_wait_for_one_of_the_same_thread_that_reads_what_they_share(
    kind: Callable[[Counting], Chunks],
) -> None:
    source = Counting("a", "b", "c")
    shared = from_chunks(lambda: kind(source)).pipe(share_latest())
    reading, waiting = texts(shared), texts(shared)

    assert [next(reading), next(reading), next(waiting)] == ["a", "b", "b"]

    with pytest.raises(RuntimeError, match="merge"):
        next(waiting)

    assert [*reading] == ["c"]
    assert [*texts(shared)] == ["c"]
    assert (source.opened, source.open) == (1, 0)


def test_a_generator_waits_for_one_of_another_thread_that_reads_what_they_share() -> None:
    source = Counting("a", "b", "c")
    shared = from_chunks(source.blocking).pipe(share_latest())
    reading = texts(shared)
    joined, waits = threading.Event(), threading.Event()
    begun: list[str] = []

    def read() -> None:
        begun.append(next(reading))
        joined.set()
        assert waits.wait(10)
        begun.extend(reading)

    thread = threading.Thread(target=read)
    thread.start()
    assert joined.wait(10)
    waiting = texts(shared)
    first = next(waiting)
    waits.set()

    assert [first, *waiting] == ["a", "b", "c"]
    thread.join(10)
    assert begun == ["a", "b", "c"]


def test_generators_of_one_thread_share_what_another_thread_pushes() -> None:
    subject: Subject[Delta] = Subject()
    shared = subject.pipe(share_latest())
    subscribed = threading.Event()
    got_one = threading.Event()

    def push() -> None:
        assert subscribed.wait(10)
        subject.on_next(Delta("a"))
        assert got_one.wait(10)
        subject.on_next(Delta("b"))
        subject.on_completed()

    pushing = threading.Thread(target=push)
    pushing.start()
    one = texts(shared.pipe(rx.merge(reactivex.defer(lambda _: told(subscribed)))))
    assert next(one) == "a"
    other = texts(shared.pipe(rx.skip(1), rx.merge(reactivex.defer(lambda _: told(got_one)))))

    assert [*other] == ["b"]
    assert [*one] == ["b"]
    pushing.join(10)


def test_a_generator_waits_for_other_threads_when_it_has_left_what_it_shared() -> None:
    shared = from_chunks(["a", "z"]).pipe(share_latest())
    subject: Subject[Delta] = Subject()
    subscribed = threading.Event()
    later = subject.pipe(rx.merge(reactivex.defer(lambda _: told(subscribed))))

    def push() -> None:
        assert subscribed.wait(10)
        subject.on_next(Delta("b"))
        subject.on_completed()

    pushing = threading.Thread(target=push)
    pushing.start()
    reading = texts(shared)
    next(reading)

    assert [*texts(shared.pipe(rx.take(1), rx.concat(later)))] == ["a", "b"]
    assert [*reading] == ["z"]
    pushing.join(10)


def test_a_generator_that_was_left_is_collected_without_the_garbage_collector() -> None:
    source = Counting("a", "b")
    gc.disable()

    try:
        values = texts(from_chunks(source.blocking))
        next(values)
        del values

        assert source.open == 0
    finally:
        gc.enable()


def test_keyboard_interrupt_while_an_asynchronous_source_is_read_closes_it() -> None:
    closed: list[bool] = []
    main = threading.main_thread().ident or 0

    async def interrupts() -> AsyncGenerator[str]:
        try:
            yield "a"
            signal.pthread_kill(main, signal.SIGINT)
            await Event().wait()
        finally:
            with CancelScope(shield=True):
                await checkpoint()
                closed.append(True)

    with no_threads_left():
        values = texts(from_chunks(interrupts))
        next(values)

        with pytest.raises(KeyboardInterrupt):
            next(values)

        assert closed == [True]


def test_dispose_from_another_thread_cancels_the_read_of_an_asynchronous_source() -> None:
    stop: Subject[None] = Subject()
    stopping = threading.Thread(target=stop.on_next, args=(None,))
    closed: list[bool] = []

    async def stopped_when_stuck() -> AsyncGenerator[str]:
        try:
            yield "first"
            stopping.start()
            await Event().wait()
        finally:
            closed.append(True)

    with no_threads_left():
        stream = from_chunks(stopped_when_stuck).pipe(rx.take_until(stop))
        assert list(texts(stream)) == ["first"]

    assert closed == [True]


class Waiting:
    """An asynchronous source that yields its texts and then waits for ever."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.open = 0

    async def awaited(self) -> AsyncGenerator[str]:
        """Yield the texts, then wait."""
        self.open += 1

        try:
            for text in self.texts:
                yield text

            await Event().wait()
        finally:
            self.open -= 1


def test_a_timer_fires_while_an_asynchronous_source_is_stuck() -> None:
    source = Waiting("a")

    with no_threads_left():
        values = texts(from_chunks(source.awaited).pipe(rx.timeout(0.05)))
        assert next(values) == "a"

        with pytest.raises(Exception, match="Timeout"):
            next(values)

        assert source.open == 0


def test_a_stuck_asynchronous_source_holds_no_other_up() -> None:
    stuck, other = Waiting(), Counting(*"abc")

    with no_threads_left():
        merged = reactivex.merge(from_chunks(stuck.awaited), from_chunks(other.awaited))
        assert list(texts(merged.pipe(rx.take(3)))) == ["a", "b", "c"]

        assert (stuck.open, other.open) == (0, 0)


def test_leaving_a_stuck_asynchronous_source_closes_it() -> None:
    stuck = Waiting()

    with no_threads_left():
        merged = reactivex.merge(from_chunks(stuck.awaited), reactivex.of(Delta("a")))
        values = texts(merged)
        assert next(values) == "a"
        values.close()

        assert stuck.open == 0


@pytest.mark.anyio
async def test_an_asynchronous_source_is_read_inside_of_an_event_loop_too() -> None:
    with no_threads_left():
        assert list(texts(from_chunks(Counting("a", "b").awaited))) == ["a", "b"]


def test_a_script_may_end_while_a_generator_is_still_there() -> None:
    script = """
import streamops as so

async def chunks():
    try:
        yield "a"
        yield "b"
    finally:
        print("closed")

values = so.to_generator(so.from_chunks(chunks))
print(next(values).text)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )

    assert (ended.stdout.split(), ended.stderr) == (["a", "closed"], "")
