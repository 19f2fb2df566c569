"""One request, many views: each sees what it would see alone, and a late one the state at once."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice, product
from typing import Any, Literal

import anyio
import httpx2
import pytest
import reactivex
from anyio.to_thread import run_sync
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx

import streamops as so
from streamops import operators as ops
from streamops.testing import chunked
from tests.clients import TLS, open_async_client, open_client
from tests.outcomes import Outcome, outcome, through
from tests.strategies import Sizes, chunk_sizes, cut
from tests.traces import no_threads_left, nothing_left
from tests.wire import Exchange, Wire

Snapshots = Observable[so.Snapshot]
View = Callable[[Snapshots], Observable[Any]]
Received = dict[str, list[Any]]
Kind = Literal["blocking", "awaited"]

KINDS: list[Kind] = ["blocking", "awaited"]


class Person(BaseModel):
    name: str
    age: int


class Meeting(BaseModel):
    note: str
    people: list[Person]
    place: str


TEXT = json.dumps(
    {
        "note": "A meeting\nof three",
        "people": [{"name": "Jo", "age": 31}, {"name": "Al", "age": 5}, {"name": "Eve", "age": 7}],
        "place": "Here and there",
    }
)
CHUNKS = chunked(TEXT, 7)
SNAPSHOTS: list[so.Snapshot] = through(CHUNKS, ops.accumulate_json()).values
"""What each chunk shows."""

HALFWAY = len(CHUNKS) // 2
FIRST_PERSON = Person(name="Jo", age=31)


def percent_of(progress: so.Progress[Any]) -> float:
    return progress.percent


VIEWS: dict[str, View] = {
    "text": lambda s: s.pipe(ops.text_deltas(("note",))),
    "items": lambda s: s.pipe(ops.split_items(Person)),
    "percent": lambda s: s.pipe(ops.track_progress(Meeting), rx.map(percent_of)),
    "final": lambda s: s.pipe(ops.to_partial(Meeting), rx.last()),
    "first person": lambda s: s.pipe(ops.when_complete(("people", 0))),
    "events": lambda s: s.pipe(ops.field_events()),
}


def alone(chunks: list[str]) -> Received:
    """Return what each view sees that has a source of its own."""
    return {
        name: through(chunks, ops.accumulate_json(), view).values for name, view in VIEWS.items()
    }


def merged(shared: Snapshots) -> Observable[tuple[str, Any]]:
    """Watch all views in one stream, each element with the name of its view."""

    def named(name: str) -> Observable[tuple[str, Any]]:
        return VIEWS[name](shared).pipe(rx.map(lambda value: (name, value)))

    return reactivex.merge(*map(named, VIEWS))


def by_name(elements: list[tuple[str, Any]]) -> Received:
    return {name: [value for other, value in elements if other == name] for name in VIEWS}


class Provider:
    """A server that streams an answer, and remembers who asked."""

    def __init__(self, url: str, exchanges: list[Exchange]) -> None:
        self.url = url
        self.exchanges = exchanges

    @contextmanager
    def blocking(self) -> Generator[Snapshots]:
        """Share the snapshots of a request by a blocking client."""
        with open_client(self.url) as client:
            yield shared_by(client)

    @asynccontextmanager
    async def sharing(self, kind: Kind) -> AsyncGenerator[Snapshots]:
        """Share the snapshots of a request by either client."""
        if kind == "awaited":
            async with self.awaited() as shared:
                yield shared
        else:
            with self.blocking() as shared:
                yield shared

    @asynccontextmanager
    async def awaited(self) -> AsyncGenerator[Snapshots]:
        """Share the snapshots of a request by an asynchronous client."""
        async with open_async_client(self.url) as client:
            yield shared_by(client)


def shared_by(client: OpenAI | AsyncOpenAI) -> Snapshots:
    deltas = so.from_openai(client.chat.completions, model="m", messages=[])
    return deltas.pipe(ops.accumulate_json(), ops.share_latest())


@contextmanager
def answering(*texts: str, finished: bool = True) -> Generator[Provider]:
    """Answer with these texts, and go on waiting after them unless the answer is finished."""
    exchanges: list[Exchange] = []

    def begin(exchange: Exchange) -> None:
        exchanges.append(exchange)
        exchange.send(*texts)
        if finished:
            exchange.finish()

    with Wire(begin) as wire:
        yield Provider(wire.url, exchanges)


def pull_merged(shared: Snapshots) -> Received:
    return by_name([*so.to_generator(merged(shared))])


def subscribe_to_merged(shared: Snapshots) -> Received:
    return by_name(outcome(merged(shared)).values)


@pytest.mark.parametrize("watch", [pull_merged, subscribe_to_merged])
def test_all_views_of_a_blocking_client_are_served_by_one_request(
    watch: Callable[[Snapshots], Received],
) -> None:
    with answering(*CHUNKS) as provider, provider.blocking() as shared, no_threads_left():
        assert watch(shared) == alone(CHUNKS)
        assert len(provider.exchanges) == 1


def test_all_views_of_an_asynchronous_client_are_pulled_without_a_loop_from_one_request() -> None:
    with answering(*CHUNKS) as provider, no_threads_left():
        shared = shared_by(
            AsyncOpenAI(
                base_url=provider.url,
                api_key="test",
                max_retries=0,
                http_client=httpx2.AsyncClient(
                    trust_env=False,
                    verify=TLS,
                    # What is kept open would belong to a loop that has ended.
                    limits=httpx2.Limits(max_keepalive_connections=0),
                ),
            )
        )

        assert pull_merged(shared) == alone(CHUNKS)
        assert len(provider.exchanges) == 1


async def await_merged(shared: Snapshots) -> Received:
    async with so.to_async_generator(merged(shared)) as elements:
        return by_name([element async for element in elements])


async def await_each(shared: Snapshots) -> Received:
    received: Received = {}

    async def watch(name: str) -> None:
        async with so.to_async_generator(VIEWS[name](shared)) as values:
            received[name] = [value async for value in values]

    async with anyio.create_task_group() as group:
        for name in VIEWS:
            group.start_soon(watch, name)

    return received


async def subscribe_to_each(shared: Snapshots) -> Received:
    outcomes, ended = subscribed(shared)

    for event in ended:
        await event.wait()

    return {name: each.values for name, each in outcomes.items()}


def subscribed(shared: Snapshots) -> tuple[dict[str, Outcome[Any]], list[anyio.Event]]:
    """Subscribe to each view by itself; the events tell of their ends."""
    ended = [anyio.Event() for _ in VIEWS]
    outcomes = {
        name: outcome(view(shared).pipe(rx.finally_action(event.set)))
        for (name, view), event in zip(VIEWS.items(), ended, strict=True)
    }
    return outcomes, ended


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("watch", "kind"), [*product([await_merged, await_each], KINDS), (subscribe_to_each, "awaited")]
)
async def test_all_views_in_a_loop_are_served_by_one_request(
    watch: Callable[[Snapshots], Awaitable[Received]], kind: Kind
) -> None:
    with answering(*CHUNKS) as provider:
        async with provider.sharing(kind) as shared, nothing_left():
            assert await watch(shared) == alone(CHUNKS)
            assert len(provider.exchanges) == 1


def state_at_once(snapshot: so.Snapshot) -> Received:
    """Return what some views show first that join when this is the latest snapshot."""
    value = snapshot.value
    people = [
        Person.model_validate(person)
        for index, person in enumerate(value.get("people", []))
        if snapshot.is_complete(("people", index))
    ]
    return {"text": [value["note"]] if value.get("note") else [], "items": people}


@given(chunk_sizes(), st.integers(1, len(TEXT)))
def test_whoever_comes_late_gets_the_state_at_once_and_then_what_comes(
    sizes: Sizes, moment: int
) -> None:
    chunks = [*cut(TEXT, sizes)]
    snapshots: list[so.Snapshot] = through(chunks, ops.accumulate_json()).values
    shared = so.from_chunks(lambda: iter(chunks)).pipe(ops.accumulate_json(), ops.share_latest())
    reading = so.to_generator(shared)
    rest = snapshots[moment % len(snapshots) :]
    deque(islice(reading, len(snapshots) - len(rest) + 1), maxlen=0)

    late = {name: outcome(view(shared)) for name, view in VIEWS.items()}
    expected = state_at_once(rest[0])
    assert {name: late[name].values for name in expected} == expected

    deque(reading, maxlen=0)
    assert late == {name: through(rest, view) for name, view in VIEWS.items()}


def test_whoever_comes_during_a_blocking_answer_joins_its_request() -> None:
    with answering(*CHUNKS) as provider, provider.blocking() as shared:
        reading = so.to_generator(shared)
        for _ in range(HALFWAY):
            next(reading)

        late = {name: outcome(view(shared)) for name, view in VIEWS.items()}
        assert late["text"].values == ["A meeting\nof three"]
        assert late["items"].values == [FIRST_PERSON]

        assert len([*reading]) == len(CHUNKS) - HALFWAY
        assert late == {
            name: through(SNAPSHOTS[HALFWAY - 1 :], view) for name, view in VIEWS.items()
        }
        assert len(provider.exchanges) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [1, HALFWAY])
async def test_whoever_comes_during_an_answer_in_a_loop_joins_its_request(
    after: int, kind: Kind
) -> None:
    with answering(*CHUNKS) as provider:
        async with provider.sharing(kind) as shared, nothing_left():
            async with so.to_async_generator(shared) as reading:
                for _ in range(after):
                    await anext(reading)

                late, ended = subscribed(shared)
                assert len([snapshot async for snapshot in reading]) == len(CHUNKS) - after
                assert all(event.is_set() for event in ended)

            rest = SNAPSHOTS[after - 1 :]
            assert late == {name: through(rest, view) for name, view in VIEWS.items()}
            assert len(provider.exchanges) == 1


def test_whoever_comes_after_the_end_gets_the_whole_without_a_request() -> None:
    with answering(*CHUNKS) as provider, provider.blocking() as shared:
        assert so.run(shared).complete

        expected = {name: through(SNAPSHOTS[-1:], view).values for name, view in VIEWS.items()}
        assert {name: [*so.to_generator(view(shared))] for name, view in VIEWS.items()} == expected
        assert {name: outcome(view(shared)).values for name, view in VIEWS.items()} == expected
        assert len(provider.exchanges) == 1


@pytest.mark.anyio
async def test_whoever_comes_after_the_end_in_a_loop_gets_the_whole_without_a_request() -> None:
    with answering(*CHUNKS) as provider:
        async with provider.awaited() as shared, nothing_left():
            await so.arun(shared)

            expected = {name: through(SNAPSHOTS[-1:], view).values for name, view in VIEWS.items()}
            assert await await_each(shared) == expected
            assert await subscribe_to_each(shared) == expected
            assert len(provider.exchanges) == 1


def test_one_after_the_other_subscribes_to_a_blocking_answer_after_its_end() -> None:
    with answering(*CHUNKS) as provider, provider.blocking() as shared:
        first, second = outcome(VIEWS["text"](shared)), outcome(VIEWS["text"](shared))

        assert len(first.values) > 1
        assert second.values == ["A meeting\nof three"]
        assert len(provider.exchanges) == 1


def endings(outcomes: dict[str, Outcome[Any]]) -> list[Any]:
    """Return the ends of materialized views, each of which has to have exactly one."""
    notifications = [[one for one in each.values if one.kind != "N"] for each in outcomes.values()]
    assert all(len(ends) == 1 for ends in notifications)
    return [ends[0] for ends in notifications]


def materialized(shared: Snapshots) -> dict[str, Outcome[Any]]:
    return {name: outcome(view(shared).pipe(rx.materialize())) for name, view in VIEWS.items()}


def test_an_error_reaches_every_view_once_and_late_ones_after_the_state() -> None:
    with answering(*CHUNKS[:HALFWAY], finished=False) as provider, provider.blocking() as shared:
        reading = so.to_generator(shared)
        next(reading)
        views = materialized(shared)
        for _ in range(HALFWAY - 1):  # what is on its way is lost with the connection
            next(reading)
        provider.exchanges[0].drop()

        with pytest.raises(so.ConnectionDropped) as caught:
            deque(reading, maxlen=0)

        late = materialized(shared)
        ends = endings(views) + endings(late)
        assert all(end.exception is caught.value for end in ends)
        assert late["items"].values[0].value == FIRST_PERSON
        assert len(provider.exchanges) == 1


@pytest.mark.anyio
async def test_an_error_is_raised_once_in_every_task_that_watches() -> None:
    caught: list[so.StreamopsError] = []

    with answering(*CHUNKS[:HALFWAY], finished=False) as provider:
        async with provider.awaited() as shared, nothing_left():
            arrived = anyio.Event()
            watched = shared.pipe(rx.do_action(lambda _: arrived.set()))

            async def watch(name: str) -> None:
                try:
                    await so.arun(VIEWS[name](watched))
                except so.StreamopsError as error:
                    caught.append(error)

            async with anyio.create_task_group() as group:
                for name in VIEWS:
                    group.start_soon(watch, name)
                await arrived.wait()
                provider.exchanges[0].drop()

            assert [type(error) for error in caught] == [so.ConnectionDropped] * len(VIEWS)
            assert all(error is caught[0] for error in caught)
            assert len(provider.exchanges) == 1


def refuse_the_last(snapshot: so.Snapshot) -> None:
    if snapshot.complete:
        raise LookupError


def test_one_that_raises_beside_a_pull_leaves_nobody_waiting_and_nothing_open() -> None:
    with answering(*CHUNKS, finished=False) as provider, provider.blocking() as shared:
        elements = so.to_generator(shared)
        next(elements)
        shared.subscribe(refuse_the_last)
        other = outcome(shared)

        with pytest.raises(LookupError):
            deque(elements, maxlen=0)

        assert other.values == SNAPSHOTS
        assert isinstance(other.error, so.SourceFailed)
        assert provider.exchanges[0].is_closed()
        anew = so.to_generator(shared)
        assert next(anew) == SNAPSHOTS[0]
        anew.close()
        assert len(provider.exchanges) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_one_that_raises_beside_a_pull_in_a_loop_leaves_nobody_waiting_and_nothing_open(
    kind: Kind,
) -> None:
    with answering(*CHUNKS, finished=False) as provider:
        async with provider.sharing(kind) as shared, nothing_left():
            async with so.to_async_generator(shared) as reading:
                await anext(reading)
                shared.subscribe(refuse_the_last)

                async with so.to_async_generator(shared) as other:
                    await anext(other)

                    with pytest.raises(LookupError):
                        deque([snapshot async for snapshot in reading], maxlen=0)

                    with pytest.raises(so.SourceFailed, match="LookupError"):
                        deque([snapshot async for snapshot in other], maxlen=0)

            assert await run_sync(provider.exchanges[0].is_closed)


@pytest.mark.anyio
async def test_one_that_raises_in_a_task_of_its_own_leaves_nobody_waiting_and_nothing_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering(*CHUNKS, finished=False) as provider:
        async with provider.awaited() as shared, nothing_left():
            shared.subscribe(refuse_the_last)

            with pytest.raises(so.SourceFailed, match="LookupError"):
                await so.arun(shared)

            assert await run_sync(provider.exchanges[0].is_closed)

    assert "LookupError" in caplog.text


def test_closing_the_pull_of_all_views_closes_a_blocking_response() -> None:
    with answering(*CHUNKS[:HALFWAY], finished=False) as provider, provider.blocking() as shared:
        elements = so.to_generator(merged(shared))
        next(elements)
        assert provider.exchanges[0].is_open
        elements.close()

        assert provider.exchanges[0].is_closed()


@pytest.mark.anyio
async def test_a_response_is_closed_when_the_last_subscriber_has_left_and_not_before() -> None:
    with answering(*CHUNKS[:HALFWAY], finished=False) as provider:
        async with provider.awaited() as shared, nothing_left():
            arrived = anyio.Event()
            disposables = [view(shared).subscribe() for view in VIEWS.values()]
            last = shared.subscribe(lambda _: arrived.set())
            await arrived.wait()

            for disposable in disposables:
                disposable.dispose()
            assert provider.exchanges[0].is_open
            last.dispose()

            assert await run_sync(provider.exchanges[0].is_closed)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_a_response_is_closed_when_all_tasks_that_watch_are_cancelled(kind: Kind) -> None:
    with answering(*CHUNKS[:HALFWAY], finished=False) as provider:
        async with provider.sharing(kind) as shared, nothing_left():
            arrived = anyio.Event()
            watched = shared.pipe(rx.do_action(lambda _: arrived.set()))

            async with anyio.create_task_group() as group:
                group.start_soon(await_each, watched)
                await arrived.wait()
                group.cancel_scope.cancel()

            assert await run_sync(provider.exchanges[0].is_closed)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", KINDS)
async def test_the_others_go_on_when_the_one_leaves_that_reads_for_all(kind: Kind) -> None:
    with answering(*CHUNKS) as provider:
        async with provider.sharing(kind) as shared, nothing_left():
            reading = so.to_async_generator(shared)
            await anext(reading)
            received: list[Received] = []

            async def watch() -> None:
                received.append(await await_each(shared))

            async with anyio.create_task_group() as group:
                group.start_soon(watch)
                await anyio.wait_all_tasks_blocked()
                await reading.aclose()

            assert received == [alone(CHUNKS)]
            assert len(provider.exchanges) == 1


@pytest.mark.anyio
async def test_nobody_waits_for_a_slow_view_behind_a_subscription_that_reads_for_all() -> None:
    with answering(*CHUNKS) as provider:
        async with provider.awaited() as shared, nothing_left():
            shared.subscribe()

            async with so.to_async_generator(shared) as slow:
                await anext(slow)
                assert (await so.arun(shared)).complete

            assert len(provider.exchanges) == 1


@pytest.mark.anyio
async def test_whoever_comes_after_all_have_left_makes_a_request_of_its_own() -> None:
    with answering(*CHUNKS) as provider:
        async with provider.awaited() as shared, nothing_left():
            async with so.to_async_generator(shared) as first:
                await anext(first)

            assert await await_merged(shared) == alone(CHUNKS)
            assert len(provider.exchanges) == 2
