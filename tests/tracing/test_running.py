"""How `trace` and `atrace` run a pipeline, and that nothing is left of it."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator
from typing import Any

import anyio
import pytest
import reactivex
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx
from reactivex.scheduler import NewThreadScheduler

from streamops import arun, atrace, extract, from_chunks, run, trace
from streamops import operators as ops
from streamops.delta import Delta
from streamops.tracing.trace import Trace
from tests.answers import chat_content
from tests.clients import answering
from tests.counting import Counting, Stuck
from tests.traces import nothing_left
from tests.tracing.played import Clock

METHODS = {name: vars(Observable)[name] for name in ("__init__", "subscribe")}


def is_as_it_was() -> bool:
    now = vars(Observable)
    return all(now[name] is method for name, method in METHODS.items())


@pytest.fixture(autouse=True)
def nothing_is_seen_of_other_tests() -> Iterator[None]:
    """Check that reactivex is as it was, before and after each test."""
    assert is_as_it_was()
    yield
    assert is_as_it_was()


def text_of(delta: Delta) -> str:
    return delta.text


def texts(*chunks: str) -> Observable[str]:
    return from_chunks(list(chunks)).pipe(rx.map(text_of))


def doubled(text: str) -> Observable[str]:
    return texts(text, text)


def values(traced: Trace) -> list[list[Any]]:
    return [stage.values for stage in traced.stages]


def test_reactivex_is_as_it_was_when_nothing_is_traced() -> None:
    seen: list[bool] = []
    trace(texts("a").pipe(rx.do_action(lambda _: seen.append(is_as_it_was()))))

    assert seen == [False]
    assert is_as_it_was()


def test_reactivex_is_as_it_was_after_an_error() -> None:
    def broken(_: str) -> str:
        raise LookupError

    assert trace(texts("a").pipe(rx.map(broken))).error is not None


def test_a_trace_within_a_trace_has_its_own_stages() -> None:
    inner: list[Trace] = []

    def look(text: str) -> str:
        inner.append(trace(texts(text, text)))
        assert not is_as_it_was()
        return text

    outer = trace(texts("a", "b").pipe(rx.map(look)))

    assert [len(traced.stages) for traced in [outer, *inner]] == [3, 2, 2]
    assert values(inner[1])[1] == ["b", "b"]
    assert values(outer)[2] == ["a", "b"]


def test_a_pipeline_that_another_one_runs_is_a_stage_of_it() -> None:
    def ask(text: str) -> str:
        return run(texts(text, text.upper()))

    traced = trace(texts("a").pipe(rx.map(ask)))

    assert [stage.name for stage in traced.stages] == [
        "from_chunks",
        "map",
        "from_chunks",
        "map",
        "map",
    ]
    assert traced.value == "A"


def test_traces_in_several_threads_do_not_see_each_other() -> None:
    meet = threading.Barrier(3)
    traced: dict[str, Trace] = {}

    def work(name: str) -> None:
        def wait(text: str) -> str:
            meet.wait(10)
            return text

        traced[name] = trace(texts(name, name).pipe(rx.map(wait)))

    threads = [threading.Thread(target=work, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert {name: values(one)[1:] for name, one in traced.items()} == {
        name: [[name, name], [name, name]] for name in "xyz"
    }


def test_what_another_thread_runs_meanwhile_is_not_in_the_trace() -> None:
    results: list[str] = []

    def look(text: str) -> str:
        thread = threading.Thread(target=lambda: results.append(run(texts("other"))))
        thread.start()
        thread.join(10)
        return text

    traced = trace(texts("a").pipe(rx.map(look)))

    assert results == ["other"]
    assert values(traced)[1:] == [["a"], ["a"]]
    assert len(traced.stages) == 3


def test_stages_that_run_in_another_thread_are_seen() -> None:
    there = texts("a", "b").pipe(rx.observe_on(NewThreadScheduler()), rx.map(str.upper))

    assert values(trace(there))[1:] == [["a", "b"], ["a", "b"], ["A", "B"]]


def test_an_interrupt_goes_through_and_closes_the_source() -> None:
    source = Counting("a", "b")

    def interrupt(_: Delta) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace(from_chunks(source.blocking).pipe(rx.do_action(interrupt)))

    assert source.opened == 1
    assert source.open == 0


def test_an_asynchronous_source_can_be_traced_without_an_event_loop() -> None:
    source = Counting("a", "b")
    traced = trace(from_chunks(source.awaited).pipe(rx.map(text_of)))

    assert traced.stages[1].values == ["a", "b"]
    assert source.open == 0


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["blocking", "awaited"])
async def test_a_pipeline_is_traced_in_an_event_loop(kind: str) -> None:
    source = Counting("a", "b")

    async with nothing_left():
        read = from_chunks(getattr(source, kind)).pipe(rx.map(text_of))
        traced = await atrace(read.pipe(rx.flat_map(doubled)))

    assert [stage.name for stage in traced.stages] == [
        "from_chunks",
        "map",
        "from_chunks",
        "map",
        "flat_map",
    ]
    assert sorted(traced.stages[-1].values) == ["a", "a", "b", "b"]
    assert traced.value in ("a", "b")
    assert source.open == 0


@pytest.mark.anyio
async def test_an_error_in_an_event_loop_is_in_the_trace() -> None:
    error = LookupError("gone")
    traced = await atrace(from_chunks(Counting("a", error=error).awaited))

    assert traced.error is not None
    assert traced.error.__cause__ is error
    assert [event.kind for event in traced.stages[0].events] == ["subscribed", "next", "error"]


@pytest.mark.anyio
async def test_cancelling_a_trace_closes_the_source() -> None:
    source = Stuck()

    async with nothing_left():
        async with anyio.create_task_group() as group:
            group.start_soon(atrace, from_chunks(source.awaited))
            await source.waiting.wait()
            assert not is_as_it_was()
            group.cancel_scope.cancel()

        assert source.open == 0
        assert is_as_it_was()


@pytest.mark.anyio
async def test_tasks_that_trace_at_the_same_time_do_not_see_each_other() -> None:
    traced: dict[str, Trace] = {}

    async def work(name: str) -> None:
        read = from_chunks(Counting(name, name).awaited).pipe(rx.map(text_of))
        traced[name] = await atrace(read)

    async with anyio.create_task_group() as group:
        for name in "xyz":
            group.start_soon(work, name)

    assert {name: values(one)[1] for name, one in traced.items()} == {
        name: [name, name] for name in "xyz"
    }


@pytest.mark.anyio
async def test_what_a_task_of_a_subscriber_runs_is_not_in_the_trace() -> None:
    results: list[str] = []

    async def other() -> None:
        results.append(await arun(texts("other")))

    async with nothing_left(), anyio.create_task_group() as group:

        def start(_: Delta) -> None:
            group.start_soon(other)

        read = from_chunks(Counting("a", "b").awaited)
        traced = await atrace(read.pipe(rx.do_action(start)))
        assert [stage.name for stage in traced.stages] == ["from_chunks", "do_action"]

    assert results == ["other", "other"]


@pytest.mark.anyio
async def test_each_source_takes_as_long_as_it_was_waited_for() -> None:
    clock, is_done = Clock(), anyio.Event()

    async def fast() -> AsyncGenerator[str]:
        for _ in range(3):
            clock.now += 1.0
            yield "f"

    async def slow() -> AsyncGenerator[str]:
        await is_done.wait()
        clock.now += 1.0
        yield "s"

    first = from_chunks(fast).pipe(rx.do_action(on_completed=is_done.set))
    traced = await atrace(reactivex.merge(first, from_chunks(slow)), clock=clock)

    assert [(stage.name, stage.seconds) for stage in traced.stages] == [
        ("from_chunks", 3.0),
        ("do_action", 0.0),
        ("from_chunks", 4.0),
        ("merge", 0.0),
    ]


def test_a_source_takes_no_time_before_it_is_read_and_after_it_was_left() -> None:
    clock = Clock()

    def think(value: Any) -> Any:
        clock.now += 1.0
        return value

    def answer() -> Generator[str]:
        clock.now += 0.25
        yield "b"
        clock.now += 0.5

    inner = from_chunks(answer).pipe(rx.take(1), rx.map(think), rx.map(text_of))
    traced = trace(texts("a").pipe(rx.map(think), rx.flat_map(lambda _: inner)), clock=clock)

    assert [(stage.name, stage.seconds) for stage in traced.stages] == [
        ("from_chunks", 1.25),
        ("map", 0.0),
        ("map", 1.0),
        ("from_chunks", 0.25),
        ("take", 0.0),
        ("map", 1.0),
        ("map", 0.0),
        ("flat_map", 0.0),
    ]


def test_times_are_those_of_the_clock() -> None:
    clock = Clock()

    def chunks() -> Generator[str]:
        clock.now += 2.0
        yield "[1"
        clock.now += 0.5
        yield "]"
        clock.now += 0.25

    def think(snapshot: Any) -> Any:
        clock.now += 1.0
        return snapshot

    pipeline = from_chunks(chunks).pipe(ops.accumulate_json(), rx.map(think))
    traced = trace(pipeline, clock=clock)
    source, parsed, thought = traced.stages

    assert [event.at for event in source.events] == [0.0, 2.0, 3.5, 4.75]
    assert [event.at for event in parsed.events if event.kind == "next"] == [2.0, 3.5]
    assert [event.at for event in thought.events if event.kind == "next"] == [3.0, 4.5]
    assert [stage.seconds for stage in traced.stages] == [2.75, 0.0, 2.0]
    assert traced.seconds == 4.75
    assert traced.time_to_first_chunk == 2.0
    assert traced.time_to_first_field == 3.5, "a number shows when what follows it is seen"
    assert (thought.first, thought.last) == (3.0, 4.5)
    assert Trace((), 0.0, None).time_to_first_chunk is None


def test_the_first_chunk_has_text_and_the_first_item_is_one() -> None:
    clock = Clock()

    def chunks() -> Generator[Delta]:
        for delta in [Delta(""), Delta("[1,"), Delta(" 2]"), Delta(kind="finish")]:
            clock.now += 1.0
            yield delta

    items = from_chunks(chunks).pipe(ops.accumulate_json(), ops.split_items(int))
    traced = trace(items, clock=clock)

    assert traced.time_to_first_chunk == 2.0
    assert traced.time_to_first_item == 2.0


class User(BaseModel):
    name: str


def name_of(user: User) -> str:
    return user.name


def test_an_extraction_shows_the_request_and_what_reads_it() -> None:
    client = answering(chat_content('{"name": "Jo"}'))
    users = extract(client, response_model=User, model="m", messages=[], mode="json")
    expected = run(users)
    traced = trace(users.pipe(rx.map(name_of)))

    assert expected == User(name="Jo")
    assert traced.value == "Jo"
    assert [stage.name for stage in traced.stages] == [
        "from_openai",
        "accumulate_json",
        "to_partial(User)",
        "distinct_snapshots",
        "extract(User)",
        "map",
    ]
    assert [stage.sources for stage in traced.stages] == [(), (0,), (1,), (2,), (3,), (4,)]


def test_an_extraction_of_items_is_asked_again_in_the_same_rows() -> None:
    bad, good = (chat_content(f'{{"tasks": [{{"name": {name}}}]}}') for name in ("1", '"Jo"'))
    users = extract(
        answering(bad, good),
        response_model=Iterable[User],
        model="m",
        messages=[],
        mode="json",
        max_retries=1,
    )
    traced = trace(users)

    assert [(stage.name, stage.sources) for stage in traced.stages] == [
        ("from_openai", ()),
        ("accumulate_json", (0,)),
        ("split_items(User)", (1,)),
        ("extract(Iterable[User])", (2,)),
    ]
    assert [len(stage.beginnings) for stage in traced.stages] == [1, 1, 1, 0]
    assert traced.value == User(name="Jo")
