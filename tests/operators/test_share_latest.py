"""What `share_latest` promises."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable, abc
from reactivex import operators as rx
from reactivex.disposable import Disposable, SerialDisposable
from reactivex.scheduler import ImmediateScheduler
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_generator
from streamops.sources.iterables import from_chunks
from streamops.testing import Stage
from tests.counting import Counting
from tests.outcomes import outcome
from tests.sinks.pulled import text_of

ERROR = SourceFailed("overloaded")

LATE: dict[str, tuple[str, str, str]] = {
    "before anything came": ("", "ab|", "ab|"),
    "between two elements": ("ab", "c|", "bc|"),
    "after the end": ("ab|", "", "b|"),
    "after an end without elements": ("|", "", "|"),
    "before an error": ("ab", "#", "b#"),
    "after an error": ("ab#", "", "b#"),
    "after an error without elements": ("#", "", "#"),
    "to what goes on": ("ab", "", "b"),
}


class Played:
    """A source that counts its subscriptions and plays what it is told to."""

    def __init__(self) -> None:
        self.opened = 0
        self.open = 0
        self._subject: Subject[str] = Subject()

    @property
    def stream(self) -> Observable[str]:
        """What to subscribe to."""

        def subscribe(
            observer: abc.ObserverBase[str], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            self.opened += 1
            self.open += 1
            self._subject = Subject()
            self._subject.subscribe(observer, scheduler=scheduler)
            return Disposable(self._close)

        return Observable(subscribe)

    def play(self, marbles: str) -> None:
        """Push elements, the end ``|`` or the error ``#``."""
        for marble in marbles:
            match marble:
                case "|":
                    self._subject.on_completed()
                case "#":
                    self._subject.on_error(ERROR)
                case _:
                    self._subject.on_next(marble)

    def _close(self) -> None:
        self.open -= 1


class Seen:
    """What a subscriber received, as marbles."""

    def __init__(self, stream: Observable[str]) -> None:
        self.marbles = ""
        self.error: Exception | None = None
        self.subscription = stream.subscribe(self._write, self._fail, lambda: self._write("|"))

    def _write(self, marble: str) -> None:
        self.marbles += marble

    def _fail(self, error: Exception) -> None:
        self.error = error
        self._write("#")


@pytest.mark.parametrize(("before", "after", "received"), LATE.values(), ids=LATE)
def test_a_late_subscriber_gets_the_latest_at_once_then_what_comes(
    before: str, after: str, received: str
) -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    first = Seen(shared)

    source.play(before)
    late = Seen(shared)
    source.play(after)

    assert first.marbles == before + after
    assert late.marbles == received
    assert source.opened == 1


@given(
    st.lists(st.sampled_from(["join", "leave", "push"]), max_size=26),
    st.sampled_from(["|", "#", ""]),
)
def test_whoever_comes_and_goes_sees_the_latest_and_all_after_it(
    actions: list[str], end: str
) -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    present: list[tuple[Seen, list[str]]] = []
    latest = ""

    for number, action in enumerate(actions):
        marble = chr(ord("a") + number)
        if action == "join":
            present.append((Seen(shared), [latest]))
        elif present and action == "leave":
            present.pop(0)[0].subscription.dispose()
            latest = latest if present else ""
        elif present:
            source.play(marble)
            latest = marble
            for _, expected in present:
                expected.append(marble)

        assert source.open == bool(present)

    source.play(end if present else "")

    for seen, expected in present:
        assert seen.marbles == "".join(expected) + end


def test_the_source_is_subscribed_to_with_the_first_subscriber_and_left_with_the_last() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    assert source.opened == 0

    one, other = Seen(shared), Seen(shared)
    source.play("a")
    one.subscription.dispose()
    one.subscription.dispose()
    source.play("b")
    assert source.open == 1
    other.subscription.dispose()

    assert (source.opened, source.open) == (1, 0)
    assert (one.marbles, other.marbles) == ("a", "ab")


def test_after_all_have_left_the_next_one_begins_anew() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    first = Seen(shared)
    source.play("a")
    first.subscription.dispose()

    second = Seen(shared)
    assert second.marbles == ""
    source.play("b|")

    assert second.marbles == "b|"
    assert Seen(shared).marbles == "b|"
    assert (source.opened, source.open) == (2, 0)


def test_the_scheduler_of_the_first_subscriber_is_passed_on() -> None:
    stage = Stage()
    items = stage.cold("-a-b-|")

    received = stage.run(items.pipe(ops.share_latest()))

    assert received == stage.expect("-a-b-|")
    assert items.subscriptions == stage.window("^----!")


def test_taking_one_leaves_at_once() -> None:
    stage = Stage()
    items = stage.cold("-a-b-|")

    received = stage.run(items.pipe(ops.share_latest(), rx.take(1)))

    assert received == stage.expect("-(a,|)")
    assert items.subscriptions == stage.window("^!")


def test_one_operator_shares_each_source_that_it_is_used_on_by_itself() -> None:
    shares = ops.share_latest()
    one, other = Played(), Played()
    seen_one, seen_other = Seen(one.stream.pipe(shares)), Seen(other.stream.pipe(shares))

    one.play("a|")
    other.play("b")

    assert (seen_one.marbles, seen_other.marbles) == ("a|", "b")


def test_every_subscriber_gets_the_same_error_once() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    seen = [Seen(shared), Seen(shared)]

    source.play("a#")
    seen.append(Seen(shared))

    assert [each.marbles for each in seen] == ["a#"] * 3
    assert all(each.error is ERROR for each in seen)


def test_a_retry_stands_before_it() -> None:
    attempts = iter([reactivex.throw(ERROR), reactivex.of("a")])
    source = reactivex.defer(lambda _: next(attempts))
    shared = source.pipe(rx.retry(2), ops.share_latest())

    assert outcome(shared).values == ["a"]
    assert outcome(shared).values == ["a"]


def test_a_subscription_outside_of_an_event_loop_does_not_spoil_the_pull_after_it() -> None:
    source = Counting("a", "b")
    shared = from_chunks(source.awaited).pipe(rx.map(text_of), ops.share_latest())

    assert isinstance(outcome(shared).error, RuntimeError)
    assert [*to_generator(shared)] == ["a", "b"]
    assert [*to_generator(shared)] == ["b"]
    assert source.opened == 1


@pytest.mark.parametrize("scheduler", [None, ImmediateScheduler()])
def test_a_source_that_pushes_all_at_once_shows_latecomers_its_last(
    scheduler: abc.SchedulerBase | None,
) -> None:
    shared = reactivex.of("a", "b").pipe(ops.share_latest())
    received: list[str] = []

    shared.subscribe(received.append, scheduler=scheduler)

    assert received == ["a", "b"]
    assert Seen(shared).marbles == "b|"


def test_a_subscriber_that_joins_while_an_element_is_told_gets_it_once() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    joined: list[Seen] = []

    def join(marble: str) -> None:
        if marble == "b":
            joined.append(Seen(shared))

    shared.subscribe(join)
    source.play("abc|")

    assert joined[0].marbles == "bc|"


def test_the_next_subscriber_may_send_the_one_before_it_away() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    current = SerialDisposable()
    received: list[str] = []

    def replace(marble: str) -> None:
        received.append(marble)
        current.dispose()

    current.disposable = shared.subscribe()
    source.play("a")
    shared.subscribe(replace)
    source.play("b")

    assert received == ["a", "b"]
    assert (source.opened, source.open) == (1, 1)


def test_what_a_subscriber_raises_reaches_whoever_pushes() -> None:
    source = Played()

    def refuse(_marble: str) -> None:
        raise LookupError

    source.stream.pipe(ops.share_latest()).subscribe(refuse)

    with pytest.raises(LookupError):
        source.play("a")


class Refusing:
    """A subscriber that raises at one element."""

    def __init__(self, stream: Observable[str], refused: str) -> None:
        self.marbles = ""
        self._refused = refused
        stream.subscribe(self._write, self._fail)

    def _write(self, marble: str) -> None:
        self.marbles += marble

        if marble == self._refused:
            raise LookupError(marble)

    def _fail(self, _error: Exception) -> None:
        self.marbles += "#"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_when_one_subscriber_raises_all_others_get_that_element_and_the_end(place: int) -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    others = [Seen(shared) for _ in range(place)]
    raiser = Refusing(shared, "b")
    others += [Seen(shared) for _ in range(place, 2)]

    with pytest.raises(LookupError) as caught:
        source.play("ab")

    assert [other.marbles for other in others] == ["ab#"] * 2
    for other in others:
        assert isinstance(other.error, SourceFailed)
        assert other.error.__cause__ is caught.value
    assert raiser.marbles == "ab"
    assert source.open == 0


def test_whoever_comes_after_a_subscriber_raised_begins_anew() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    Refusing(shared, "a")

    with pytest.raises(LookupError):
        source.play("a")

    assert source.open == 0
    late = Seen(shared)
    source.play("x|")
    assert late.marbles == "x|"
    assert (source.opened, source.open) == (2, 0)


def test_what_one_raises_is_not_hidden_by_others_that_have_nobody_to_tell_of_it() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    shared.subscribe()
    Refusing(shared, "a")
    shared.subscribe()

    with pytest.raises(LookupError):
        source.play("a")

    assert source.open == 0


def test_what_one_raises_while_it_subscribes_ends_as_without_sharing() -> None:
    source = reactivex.of("a", "b")
    failures: list[Exception] = []

    def refuse(_marble: str) -> None:
        raise LookupError

    for stream in (source, source.pipe(ops.share_latest())):
        stream.subscribe(refuse, failures.append, scheduler=ImmediateScheduler())

    assert [type(failure) for failure in failures] == [LookupError] * 2


def test_a_slow_latecomer_holds_nobody_up() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    first = Seen(shared)
    source.play("a")
    begun, told = threading.Event(), threading.Event()
    received: list[str] = []

    def dawdle(marble: str) -> None:
        begun.set()
        assert told.wait(10)
        received.append(marble)

    joining = threading.Thread(target=shared.subscribe, args=(dawdle,))
    joining.start()
    assert begun.wait(10)
    pushing = threading.Thread(target=source.play, args=("bc|",))
    pushing.start()
    pushing.join(10)
    seen = first.marbles
    told.set()
    joining.join(10)

    assert seen == "abc|"
    assert received == ["a", "b", "c"]


def test_a_latecomer_may_wait_for_another_thread_that_subscribes() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    shared.subscribe()
    source.play("a")
    joined: list[Seen] = []

    def wait_for_another(_marble: str) -> None:
        thread = threading.Thread(target=lambda: joined.append(Seen(shared)), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    shared.subscribe(wait_for_another)

    assert joined[0].marbles == "a"


def test_what_a_subscriber_pushes_into_the_source_comes_to_all_in_order() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    before = Seen(shared)

    def answer(marble: str) -> None:
        if marble == "a":
            source.play("b|")

    shared.subscribe(answer)
    after = Seen(shared)
    source.play("a")

    assert (before.marbles, after.marbles) == ("ab|", "ab|")


def test_an_error_reaches_all_though_one_has_nobody_to_tell() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    first = Seen(shared)
    shared.subscribe()
    last = Seen(shared)

    with pytest.raises(SourceFailed):
        source.play("a#")

    assert (first.marbles, last.marbles) == ("a#", "a#")
    assert source.open == 0


def test_a_latecomer_that_raises_does_not_keep_the_source() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    first = Seen(shared)
    source.play("a")
    failures: list[Exception] = []

    def refuse(_marble: str) -> None:
        raise LookupError

    shared.subscribe(refuse, failures.append)
    first.subscription.dispose()

    assert [type(failure) for failure in failures] == [LookupError]
    assert source.open == 0


def test_one_may_leave_in_another_thread_while_an_element_is_told() -> None:
    source = Played()
    shared = source.stream.pipe(ops.share_latest())
    other = Seen(shared)

    def send_away(_marble: str) -> None:
        thread = threading.Thread(target=other.subscription.dispose)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    shared.subscribe(send_away)
    source.play("ab")

    assert other.marbles == "a"


def test_no_element_is_lost_or_told_twice_to_whoever_joins_from_other_threads() -> None:
    source: Subject[int] = Subject()
    shared = source.pipe(ops.share_latest())
    shared.subscribe()
    received: list[list[Any]] = [[] for _ in range(50)]

    def join() -> None:
        for numbers in received:
            shared.subscribe(numbers.append)

    thread = threading.Thread(target=join)
    thread.start()
    for number in range(2000):
        source.on_next(number)
    thread.join()
    source.on_next(2000)

    assert [*map(last_of, received)] == [2000] * 50
    assert all(numbers == [*range(numbers[0], 2001)] for numbers in received)


def last_of(numbers: list[int]) -> int:
    return numbers[-1]
