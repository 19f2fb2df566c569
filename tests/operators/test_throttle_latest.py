"""What `throttle_latest` promises."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable, abc
from reactivex import operators as rx
from reactivex.subject import Subject
from reactivex.testing import TestScheduler

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.iterables import from_chunks
from streamops.testing import Stage
from tests.outcomes import outcome
from tests.traces import nothing_left

THROTTLED: dict[str, tuple[str, str]] = {
    "nothing": ("-----|", "-----|"),
    "one": ("-a-------|", "-a-------|"),
    "the first of each burst at once": ("-a------b------|", "-a------b------|"),
    "the latest at the end of its interval": ("-a-b-c-------|", "-a----c------|"),
    "every interval": ("-a-b-c-d-e-f-g----|", "-a----c----f----g-|"),
    "a pause after a trailing one": ("-a-b--------c---|", "-a----b-----c---|"),
    "an interval that begins with a trailing one": ("-a-b-----c-----|", "-a----b----c---|"),
    "one at the very end of an interval": ("-a----b-c------|", "-a----b----c---|"),
    "one that waits when the source completes": ("-a-b|", "-a--(b,|)"),
    "one that waits when the source fails": ("-a-b#", "-a--(b,#)"),
    "an error and nothing that waits": ("-a-#", "-a-#"),
    "a source that never completes": ("-a-b-c-", "-a----c"),
}


@pytest.mark.parametrize(("source", "result"), THROTTLED.values(), ids=THROTTLED)
def test_at_most_one_comes_per_interval_and_the_last_always(source: str, result: str) -> None:
    stage = Stage()
    error = SourceFailed("overloaded")

    items = stage.cold(source, error=error)
    received = stage.run(items.pipe(ops.throttle_latest(5)))

    assert received == stage.expect(result, error=error)


def test_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of(1, 2, 3), reactivex.throw(error))

    received = outcome(source.pipe(ops.throttle_latest(5)))

    assert received.values == [1, 3]
    assert received.error is error


def test_of_a_source_that_pushes_all_at_once_the_first_and_the_last_come() -> None:
    received = outcome(reactivex.of(1, 2, 3, None).pipe(ops.throttle_latest(5)))

    assert received.values == [1, None]
    assert received.completed


def test_disposing_early_ends_the_subscription_and_the_timer() -> None:
    stage = Stage()
    items = stage.cold("-a-b-c-d-e|")

    received = stage.run(items.pipe(ops.throttle_latest(5)), until=4)

    assert received == stage.expect("-a")
    assert items.subscriptions == stage.window("^---!")


def test_taking_the_trailing_one_ends_the_subscription() -> None:
    stage = Stage()
    items = stage.cold("-a-b-c-d-e|")

    received = stage.run(items.pipe(ops.throttle_latest(5), rx.take(2)))

    assert received == stage.expect("-a----(c,|)")
    assert items.subscriptions == stage.window("^-----!")


def test_a_second_subscription_has_an_interval_of_its_own() -> None:
    stage = Stage()
    items = stage.cold("-a-b|")
    stream = items.pipe(ops.throttle_latest(5))

    received = stage.run(stream.pipe(rx.concat(stream)))

    first, second = "-a--b", "-----a--(b,|)"
    assert received == stage.expect(first) + stage.expect(second)


class CountingScheduler(TestScheduler):
    """Counts timers, and how many of them fired."""

    timers = 0
    fired = 0

    def schedule_relative(self, duetime: Any, action: Any, state: Any = None) -> abc.DisposableBase:
        self.timers += 1

        def fire(scheduler: abc.SchedulerBase, given: Any = None) -> Any:
            self.fired += 1
            return action(scheduler, given)

        return super().schedule_relative(duetime, fire, state)


def test_one_timer_runs_per_interval_however_many_items_come() -> None:
    scheduler = CountingScheduler()
    source = Subject[int]()
    received: list[int] = []
    source.pipe(ops.throttle_latest(5)).subscribe(received.append, scheduler=scheduler)

    for number in range(1000):
        source.on_next(number)
    assert scheduler.timers == 1

    scheduler.advance_by(5)
    assert scheduler.timers == 2
    assert received == [0, 999]


@pytest.mark.parametrize("end", ["completed", "failed", "disposed"])
def test_no_timer_fires_after_the_end(end: str) -> None:
    scheduler = CountingScheduler()
    source = Subject[int]()
    received: list[int] = []
    subscription = source.pipe(ops.throttle_latest(5)).subscribe(
        received.append, print, scheduler=scheduler
    )
    source.on_next(1)
    source.on_next(2)

    if end == "completed":
        source.on_completed()
    elif end == "failed":
        source.on_error(SourceFailed("overloaded"))
    else:
        subscription.dispose()
    scheduler.advance_by(100)

    assert (scheduler.timers, scheduler.fired) == (1, 0)
    assert received == ([1] if end == "disposed" else [1, 2])


def test_what_a_subscriber_pushes_meanwhile_is_not_lost() -> None:
    scheduler = TestScheduler()
    source = Subject[int]()
    received: list[int] = []

    def echo(number: int) -> None:
        received.append(number)
        if number < 3:
            source.on_next(number + 1)

    source.pipe(ops.throttle_latest(5)).subscribe(echo, scheduler=scheduler)
    source.on_next(1)
    assert received == [1]

    scheduler.advance_by(5)
    scheduler.advance_by(5)
    assert received == [1, 2, 3]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[int]()
    errors: list[Exception] = []

    def refuse(number: int) -> None:
        raise KeyError(number)

    source.pipe(ops.throttle_latest(5)).subscribe(refuse, errors.append, scheduler=TestScheduler())

    with pytest.raises(KeyError, match="1"):
        source.on_next(1)
    assert errors == []


@pytest.mark.parametrize(
    ("seconds", "error"),
    [
        (0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("1", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_what_is_no_interval_raises_when_the_operator_is_built(
    seconds: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match="throttle_latest takes a number of seconds"):
        ops.throttle_latest(seconds)


@given(st.lists(st.integers(1, 8), min_size=1, max_size=30), st.integers(1, 9), st.booleans())
def test_what_comes_is_never_too_often_never_stale_and_never_late(
    pauses: list[int], seconds: int, fails: bool
) -> None:
    times = list(accumulate(pauses))
    end = times[-1] + 1
    scheduler = TestScheduler()
    source = Subject[int]()
    received: list[tuple[float, int]] = []
    ends: list[float] = []

    def note(number: int) -> None:
        received.append((scheduler.clock, number))

    def note_end(_: Exception | None = None) -> None:
        ends.append(scheduler.clock)

    source.pipe(ops.throttle_latest(seconds)).subscribe(
        note, note_end, note_end, scheduler=scheduler
    )
    for number, time in enumerate(times):
        scheduler.advance_to(time)
        source.on_next(number)
    scheduler.advance_to(end)
    source.on_error(SourceFailed("overloaded")) if fails else source.on_completed()
    scheduler.advance_by(100)

    assert ends == [end]
    assert received[0] == (times[0], 0)
    assert received[-1][1] == len(times) - 1
    moments = [time for time, _ in received if time < end]
    assert all(later - earlier >= seconds for earlier, later in pairwise(moments))
    for moment, number in received:
        newer = times[number + 1] if number + 1 < len(times) else end
        assert times[number] <= moment <= newer
    for number, time in enumerate(times):
        assert any(shown >= number and at <= time + seconds for at, shown in received)


def text_of(delta: Delta) -> str:
    return delta.text


def throttled_texts() -> Observable[str]:
    return from_chunks(list("abcdef")).pipe(rx.map(text_of), ops.throttle_latest(60))


def test_a_generator_pulls_through_it_and_waits_for_no_timer_at_the_end() -> None:
    assert list(to_generator(throttled_texts())) == ["a", "f"]


@pytest.mark.anyio
async def test_an_asynchronous_generator_pulls_through_it() -> None:
    async with nothing_left(), to_async_generator(throttled_texts()) as texts:
        assert [text async for text in texts] == ["a", "f"]
