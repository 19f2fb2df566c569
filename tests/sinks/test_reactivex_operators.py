"""Operators of reactivex between our sources and our sinks, whichever way they are consumed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator

import pytest
import reactivex
from reactivex import Observable
from reactivex import operators as rx
from reactivex.scheduler import NewThreadScheduler

from streamops.delta import Delta
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.iterables import from_chunks
from tests.counting import Counting
from tests.traces import no_threads_left, nothing_left

Texts = Callable[[str], Observable[str]]
Pipeline = Callable[[Texts], Observable[str]]


def text_of(delta: Delta) -> str:
    return delta.text


def shared_twice(texts: Texts) -> Observable[str]:
    shared = texts("abc").pipe(rx.share())
    return reactivex.merge(shared, shared.pipe(rx.map(str.upper)))


def retried(texts: Texts) -> Observable[str]:
    tries: list[int] = []

    def fail_twice(text: str) -> str:
        tries.append(1)

        if len(tries) < 3:
            raise LookupError

        return text

    return texts("ab").pipe(rx.map(fail_twice), rx.retry(3))


def doubled(texts: Texts) -> Observable[str]:
    def twice(text: str) -> Observable[str]:
        return texts(text * 2)

    return texts("ab").pipe(rx.flat_map(twice))


PIPELINES: list[tuple[Pipeline, list[str]]] = [
    (lambda texts: texts("abc").pipe(rx.map(str.upper)), ["A", "B", "C"]),
    (shared_twice, ["a", "A", "b", "B", "c", "C"]),
    (lambda texts: reactivex.merge(texts("ab"), texts("xy")), ["a", "x", "b", "y"]),
    (doubled, ["a", "a", "b", "b"]),
    (lambda texts: texts("ab").pipe(rx.concat(texts("xy"))), ["a", "b", "x", "y"]),
    (retried, ["a", "b"]),
    (lambda texts: texts("ab").pipe(rx.repeat(2)), ["a", "b", "a", "b"]),
    (lambda texts: texts("abc").pipe(rx.take(2)), ["a", "b"]),
    (lambda texts: texts("abc").pipe(rx.timeout(10)), ["a", "b", "c"]),
    (lambda texts: texts("abc").pipe(rx.delay(0.01)), ["a", "b", "c"]),
    (lambda texts: texts("abc").pipe(rx.sample(0.1)), ["c"]),
    (lambda texts: texts("abc").pipe(rx.observe_on(NewThreadScheduler())), ["a", "b", "c"]),
    (lambda texts: texts("abc").pipe(rx.replay(), rx.ref_count()), ["a", "b", "c"]),
    (lambda texts: texts("abc").pipe(rx.buffer_with_count(2), rx.map("".join)), ["ab", "c"]),
    (lambda texts: texts("ab").pipe(rx.zip(texts("xy")), rx.map("".join)), ["ax", "by"]),
]


@pytest.mark.parametrize(("pipeline", "expected"), PIPELINES)
@pytest.mark.parametrize("kind", ["blocking", "awaited"])
def test_a_generator_pulls_through_them(kind: str, pipeline: Pipeline, expected: list[str]) -> None:
    sources: list[Counting] = []

    def texts(text: str) -> Observable[str]:
        sources.append(Counting(*text))
        return from_chunks(getattr(sources[-1], kind)).pipe(rx.map(text_of))

    with no_threads_left():
        assert sorted(to_generator(pipeline(texts))) == sorted(expected)

    assert [source.open for source in sources] == [0] * len(sources)


@pytest.mark.anyio
@pytest.mark.parametrize(("pipeline", "expected"), PIPELINES)
@pytest.mark.parametrize("kind", ["blocking", "awaited"])
async def test_an_asynchronous_generator_pulls_through_them(
    kind: str, pipeline: Pipeline, expected: list[str]
) -> None:
    sources: list[Counting] = []

    def texts(text: str) -> Observable[str]:
        sources.append(Counting(*text))
        return from_chunks(getattr(sources[-1], kind)).pipe(rx.map(text_of))

    async with nothing_left():
        async with to_async_generator(pipeline(texts)) as values:
            assert sorted([value async for value in values]) == sorted(expected)

        assert [source.open for source in sources] == [0] * len(sources)


def test_blocking_sources_take_turns() -> None:
    merged = reactivex.merge(from_chunks(list("abc")), from_chunks(list("xyz")))

    assert [delta.text for delta in to_generator(merged)] == ["a", "x", "b", "y", "c", "z"]


def test_a_merge_is_never_more_than_one_chunk_of_each_source_ahead() -> None:
    one, other = Counting(*"abc"), Counting(*"xyz")
    merged = reactivex.merge(from_chunks(one.blocking), from_chunks(other.blocking))

    for count, _ in enumerate(to_generator(merged), start=1):
        assert one.pulled + other.pulled == count


def test_flat_map_opens_a_source_when_it_is_reached() -> None:
    outer, inner = Counting("a", "b"), Counting("x")
    stream = from_chunks(outer.blocking).pipe(rx.flat_map(lambda _: from_chunks(inner.blocking)))
    values = to_generator(stream)
    assert inner.opened == 0
    next(values)

    assert inner.opened == 1
    values.close()
    assert (outer.open, inner.open) == (0, 0)


def test_timeout_fires_though_a_blocking_read_overran_it() -> None:
    closed: list[bool] = []

    def slow() -> Generator[str]:
        try:
            yield "a"
            threading.Event().wait(0.05)
            yield "late"
        finally:
            closed.append(True)

    values = to_generator(from_chunks(slow).pipe(rx.timeout(0.01)))
    assert next(values).text == "a"

    with pytest.raises(Exception, match="Timeout"):
        next(values)

    assert closed == [True]


def test_a_value_that_was_read_in_time_is_not_timed_out_by_a_slow_consumer() -> None:
    values = to_generator(from_chunks(["a", "b"]).pipe(rx.timeout(10)))

    assert [delta.text for delta in values] == ["a", "b"]


def test_retry_closes_one_connection_before_it_opens_the_next() -> None:
    source = Counting("a", error=ValueError())
    most: list[int] = []

    def opened() -> Generator[str]:
        most.append(source.open)
        return source.blocking()

    values = to_generator(from_chunks(opened).pipe(rx.retry(3)))
    assert [next(values).text for _ in range(3)] == ["a", "a", "a"]

    assert most == [0, 0, 0]
    assert source.opened == 3
