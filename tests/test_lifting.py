"""What `lift` promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
import reactivex
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops.lifting import Operator, Step, lean, lift
from streamops.testing import Stage, chunked
from tests.outcomes import outcome, values


class Unfinished(Exception):
    pass


class Lines(Step[str, str]):
    """Whole lines; a line that says so is an error."""

    def __init__(self) -> None:
        self.rest = ""

    def feed(self, item: str) -> Iterator[str]:
        *lines, self.rest = (self.rest + item).split("\n")
        for line in lines:
            if line == "bad":
                raise ValueError(line)
            yield line

    def close(self) -> Iterable[str]:
        if self.rest:
            yield self.rest
            raise Unfinished(self.rest)


class Doubled(Step[int, int]):
    """Each number twice, as a tuple."""

    def feed(self, item: int) -> Iterable[int]:
        if item < 0:
            raise ValueError(item)
        return (item, item)


class Forgiving(Step[str, str]):
    """Completes when its source fails."""

    def feed(self, item: str) -> Iterable[str]:
        return (item,)

    def fail(self, error: Exception) -> Iterable[str]:
        return (str(error),)


def split_lines() -> Operator[str, str]:
    return lift(Lines)


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        pytest.param([], [], id="nothing arrives"),
        pytest.param([""], [], id="an empty chunk"),
        pytest.param(["one\n"], ["one"], id="one"),
        pytest.param(["a\nb", "c\n", "d\n"], ["a", "bc", "d"], id="many"),
        pytest.param(["a\nb\n\n"], ["a", "b", ""], id="many in one chunk"),
    ],
)
def test_what_a_step_returns_is_emitted(chunks: list[str], lines: list[str]) -> None:
    assert values(reactivex.from_iterable(chunks).pipe(split_lines())) == lines


def test_a_line_is_emitted_when_its_newline_arrives() -> None:
    stage = Stage()
    source = "-a-b-c-|"
    window = "^------!"
    result = "---x-y-|"

    chunks = stage.cold(source, a="on", b="e\ntw", c="o\n")
    lines = stage.run(chunks.pipe(split_lines()))

    assert lines == stage.expect(result, x="one", y="two")
    assert chunks.subscriptions == stage.window(window)


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    chunks = stage.cold("-a----", a="one\n")

    assert stage.run(chunks.pipe(split_lines())) == stage.expect("-x", x="one")
    assert chunks.subscriptions == stage.window("^")


def test_when_the_source_fails_the_values_before_it_are_kept_and_the_error_is_the_same_object() -> (
    None
):
    stage = Stage()
    error = OSError("lost")
    chunks = stage.cold("-a-#", a="one\n", error=error)

    lines = stage.run(chunks.pipe(split_lines()))

    assert lines == stage.expect("-x-#", x="one", error=error)
    assert outcome(reactivex.throw(error).pipe(split_lines())).error is error


def test_what_a_step_raises_ends_the_stream_and_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-|", a="one\n", b="bad\n", c="two\n")

    lines = stage.run(chunks.pipe(split_lines()))

    assert lines == stage.expect("-x-#", x="one", error=ValueError("bad"))
    assert chunks.subscriptions == stage.window("^--!")


def test_what_a_step_raises_without_being_a_generator_ends_the_stream_too() -> None:
    stage = Stage()
    numbers = stage.cold("-1-a-2-|", a=-1)

    doubled = stage.run(numbers.pipe(lift(Doubled)))

    assert doubled == stage.expect(
        "-(1,1)",
    ) + stage.expect("---#", error=ValueError(-1))
    assert numbers.subscriptions == stage.window("^--!")


@pytest.mark.parametrize("size", range(1, 12))
def test_what_precedes_an_error_does_not_depend_on_the_chunks(size: int) -> None:
    chunks = chunked("one\ntwo\nbad\nthree\n", size)

    received = outcome(reactivex.from_iterable(chunks).pipe(split_lines()))

    assert received.values == ["one", "two"]
    assert isinstance(received.error, ValueError)


def test_what_close_returns_comes_before_what_it_raises_and_then_nothing_completes() -> None:
    received = outcome(reactivex.of("one\ntw").pipe(split_lines()))

    assert received.values == ["one", "tw"]
    assert isinstance(received.error, Unfinished)
    assert not received.completed


def test_a_step_that_returns_from_fail_completes_the_stream() -> None:
    source: Observable[str] = reactivex.concat(reactivex.of("a"), reactivex.throw(OSError("b")))

    assert values(source.pipe(lift(Forgiving))) == ["a", "b"]


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    chunks = stage.cold("-a-a-a-|", a="one\n")

    lines = stage.run(chunks.pipe(split_lines()), until=4)

    assert lines == stage.expect("-x-x", x="one")
    assert chunks.subscriptions == stage.window("^---!")


def test_disposing_amid_what_a_step_returns_stops_the_rest() -> None:
    source = Subject[int]()

    received: list[int] = []
    source.pipe(lift(Doubled), rx.take(1)).subscribe(received.append)
    source.on_next(1)

    assert received == [1]
    assert not source.observers


class Counting(Step[int, int]):
    """As many numbers as it is told, at each chunk and at the end; a negative one is an error."""

    def __init__(self, made: list[int]) -> None:
        self.made = made
        self.latest = 0

    def feed(self, item: int) -> Iterator[int]:
        self.latest = item
        for number in range(abs(item)):
            self.made.append(number)
            yield number
        if item < 0:
            raise ValueError(item)

    def close(self) -> Iterator[int]:
        return self.feed(self.latest)


@pytest.mark.parametrize("latest", [5, -5])
def test_nothing_more_is_asked_of_a_step_once_its_subscriber_has_left(latest: int) -> None:
    made: list[int] = []
    errors: list[Exception] = []
    source = Subject[int]()

    source.pipe(lift(lambda: Counting(made)), rx.take(2)).subscribe(on_error=errors.append)
    source.on_next(latest)

    assert made == [0, 1]
    assert errors == []


def test_nor_at_the_end_of_the_source() -> None:
    made: list[int] = []
    source = Subject[int]()

    source.pipe(lift(lambda: Counting(made)), rx.take(7)).subscribe()
    source.on_next(5)
    source.on_completed()

    assert made == [0, 1, 2, 3, 4, 0, 1]


def test_every_subscriber_gets_a_step_of_its_own() -> None:
    source = Subject[str]()
    lines = source.pipe(split_lines())
    first: list[str] = []
    second: list[str] = []

    lines.subscribe(first.append)
    source.on_next("one ")
    lines.subscribe(second.append)
    source.on_next("line\n")

    assert first == ["one line"]
    assert second == ["line"]


def test_a_second_subscription_runs_like_the_first() -> None:
    lines = reactivex.of("a\nb", "c\n").pipe(split_lines())

    assert values(lines) == values(lines) == ["a", "bc"]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[int]()
    errors: list[Exception] = []

    def refuse(number: int) -> None:
        raise KeyError(number)

    source.pipe(lift(Doubled)).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="1"):
        source.on_next(1)
    assert errors == []


@pytest.mark.parametrize("lines", ["one\ntwo\n", "one\nbad\n"])
def test_what_a_subscriber_raises_amid_a_generator_is_not_caught_either(lines: str) -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse(line: str) -> None:
        raise KeyError(line)

    source.pipe(split_lines()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="one"):
        source.on_next(lines)
    assert errors == []


def test_what_a_subscriber_raises_at_completion_is_not_caught_either() -> None:
    source = Subject[str]()
    errors: list[Exception] = []

    def refuse() -> None:
        raise KeyError("completed")

    source.pipe(split_lines()).subscribe(on_completed=refuse, on_error=errors.append)

    with pytest.raises(KeyError, match="completed"):
        source.on_completed()
    assert errors == []


def test_the_scheduler_of_the_subscription_reaches_the_source() -> None:
    stage = Stage()

    numbers = stage.run(reactivex.timer(3.0).pipe(lift(Doubled)))

    assert numbers == stage.expect("---(0,0,|)")


class Echo(Step[int, int]):
    def feed(self, item: int) -> Iterable[int]:
        return (item,)


class Negated(Step[int, int]):
    def feed(self, item: int) -> Iterable[int]:
        return (-item,)


def test_a_lean_step_runs_only_for_who_asks_for_it() -> None:
    source = Subject[int]()
    stream = source.pipe(lift(Echo, new_lean_step=Negated))
    received: list[int] = []

    for each in (stream, lean(stream), stream.pipe(rx.share()), lean(stream.pipe(rx.share()))):
        each.subscribe(received.append)
    source.on_next(1)

    assert received == [1, -1, 1, 1]


def test_a_source_that_has_nothing_lean_is_taken_as_it_is() -> None:
    lifted = Subject[int]().pipe(lift(Echo))

    assert lean(lifted) is lifted


class Remembering(Step[int, int]):
    """Emits what it has seen once more when its source fails."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def feed(self, item: int) -> Iterable[int]:
        self.seen.append(item)
        return (item,)

    def fail(self, error: Exception) -> Iterator[int]:
        yield from self.seen
        raise error


def test_nothing_comes_after_a_subscriber_raised_at_what_a_failing_step_emits() -> None:
    source = Subject[int]()
    received: list[int] = []

    def receive(number: int) -> None:
        received.append(number)
        if len(received) == 3:
            raise KeyError(number)

    source.pipe(lift(Doubled), lift(Remembering)).subscribe(receive)
    source.on_next(1)

    with pytest.raises(KeyError):
        source.on_next(-1)
    assert source.observers == []
    source.on_next(2)
    assert received == [1, 1, 1]


def test_a_step_is_told_once_that_its_source_failed() -> None:
    source = Subject[int]()
    received: list[int] = []
    errors: list[Exception] = []

    def receive(number: int) -> None:
        received.append(number)
        if len(received) == 3:
            source.on_next(-2)  # while the step emits what it has seen

    source.pipe(lift(Doubled), lift(Remembering)).subscribe(receive, errors.append)
    source.on_next(1)
    source.on_next(-1)

    assert received == [1, 1, 1, 1]
    assert [str(error) for error in errors] == ["-1"]
