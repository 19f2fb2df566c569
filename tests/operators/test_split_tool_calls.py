"""What `split_tool_calls` promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import SourceFailed, TruncatedJson, UnknownElement
from streamops.operators import ToolCall
from streamops.sinks.generators import to_generator
from streamops.sources.iterables import from_chunks
from streamops.sources.openai_deltas import OpenAIDeltas
from streamops.testing import Stage
from tests.counting import Counting
from tests.outcomes import Outcome, outcome, through, values

DATA = Path(__file__).parents[1] / "data"


def piece(
    text: str, index: int = 0, name: str | None = "add", call: str | None = None, choice: int = 0
) -> Delta:
    return Delta(text, "tool_call", choice, index, name, call)


FINISH = Delta(kind="finish", finish_reason="tool_calls")
TWO_CALLS = [
    piece("", name="weather", call="a"),
    piece('{"city": "Ro', name="weather", call="a"),
    piece('me"}', name="weather", call="a"),
    piece("[1", 1, name="time", call="b"),
    piece("]", 1, name="time", call="b"),
]


def texts_of(call: ToolCall) -> Observable[tuple[int, list[str]]]:
    return call.pipe(rx.map(text_of), rx.to_list(), rx.map(lambda texts: (call.index, texts)))


def text_of(delta: Delta) -> str:
    return delta.text


def split(deltas: list[Any]) -> Outcome[tuple[int, list[str]]]:
    return through(deltas, ops.split_tool_calls(), rx.flat_map(texts_of))


SPLIT: dict[str, tuple[list[Delta], list[tuple[int, list[str]]]]] = {
    "no call": ([Delta("text")], []),
    "one call": ([piece("{"), piece("}")], [(0, ["{", "}"])]),
    "two calls": (TWO_CALLS, [(0, ["", '{"city": "Ro', 'me"}']), (1, ["[1", "]"])]),
    "two calls of the same tool": ([piece("1"), piece("2", 1)], [(0, ["1"]), (1, ["2"])]),
    "content in between": ([piece("{"), Delta("text"), piece("}")], [(0, ["{", "}"])]),
    "a call of another choice": (
        [piece("1"), piece("7", 0, choice=1), piece("2")],
        [(0, ["1", "2"])],
    ),
    "a call without arguments": ([piece(""), piece("1", 1)], [(0, [""]), (1, ["1"])]),
    "a call without a name": ([piece("1", name=None)], [(0, ["1"])]),
    "a call of which nothing is known": ([piece("", name=None)], [(0, [""])]),
    "indexes that do not begin at 0": ([piece("1", 3), piece("2", 5)], [(3, ["1"]), (5, ["2"])]),
    "blanks for a call that has ended": (
        [piece("1"), piece("2", 1), piece(" \n"), piece("3", 1)],
        [(0, ["1"]), (1, ["2", "3"])],
    ),
    "the finish": ([piece("1"), FINISH], [(0, ["1", ""])]),
}


@pytest.mark.parametrize(("deltas", "expected"), SPLIT.values(), ids=SPLIT)
def test_each_call_is_a_stream_of_its_own(
    deltas: list[Delta], expected: list[tuple[int, list[str]]]
) -> None:
    received = split(deltas)

    assert received.completed
    assert received.values == expected


def test_a_call_begins_with_its_first_delta_and_completes_when_the_next_one_begins() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"

    a, b, c, d, e = TWO_CALLS
    deltas = stage.cold(source, a=a, b=b, c=c, d=d, e=e)
    calls = deltas.pipe(ops.split_tool_calls(), rx.flat_map(what_happens))

    assert stage.run(calls) == [
        *stage.expect("-(n,t)", n="weather begins", t=""),
        *stage.expect("---b-c", b='{"city": "Ro', c='me"}'),
        *stage.expect("-------(e,n,t)", e="weather ends", n="time begins", t="[1"),
        *stage.expect("---------t", t="]"),
        *stage.expect("-----------(e,|)", e="time ends"),
    ]
    assert deltas.subscriptions == stage.window(window)


def what_happens(call: ToolCall) -> Observable[str]:
    return reactivex.concat(
        reactivex.of(f"{call.name} begins"),
        call.pipe(rx.map(text_of)),
        reactivex.of(f"{call.name} ends"),
    )


def test_a_call_tells_which_one_it_is() -> None:
    calls = through(TWO_CALLS, ops.split_tool_calls()).values

    assert [(call.index, call.name, call.id) for call in calls] == [
        (0, "weather", "a"),
        (1, "time", "b"),
    ]
    assert repr(calls[1]) == "ToolCall(1, name='time', id='b')"


def test_a_call_whose_name_comes_later_is_emitted_with_it() -> None:
    stage = Stage()
    deltas = stage.cold(
        "-a-b-c|", a=piece("", name=None, call="a"), b=piece("", call="a"), c=piece("{}", call="a")
    )

    names = deltas.pipe(ops.split_tool_calls(), rx.flat_map(names_in))

    assert stage.run(names) == [
        *stage.expect("---(x,x)", x="add"),
        *stage.expect("-----x|", x="add"),
    ]


def names_in(call: ToolCall) -> Observable[str | None]:
    return call.pipe(rx.map(lambda _: call.name))


def test_the_arguments_of_each_call_are_read_as_json() -> None:
    received = through(TWO_CALLS, ops.split_tool_calls(), rx.flat_map(arguments))

    assert received.completed
    assert received.values == [("weather", {"city": "Rome"}), ("time", [1])]


def arguments(call: ToolCall) -> Observable[tuple[str | None, Any]]:
    return call.pipe(
        ops.accumulate_json(), ops.when_complete(()), rx.map(lambda value: (call.name, value))
    )


def test_a_call_that_is_cut_off_says_why() -> None:
    cut = [piece('{"a": '), Delta(kind="finish", finish_reason="length")]

    received = through(cut, ops.split_tool_calls(), rx.flat_map(arguments))

    assert isinstance(received.error, TruncatedJson)
    assert received.error.finish_reason == "length"


def test_a_call_that_nobody_subscribes_to_takes_nothing_from_the_others() -> None:
    received = through(
        TWO_CALLS,
        ops.split_tool_calls(),
        rx.filter(lambda call: call.index == 1),
        rx.flat_map(texts_of),
    )

    assert received.values == [(1, ["[1", "]"])]


def test_whoever_subscribes_late_gets_all_deltas() -> None:
    source = Subject[Delta]()
    calls: list[ToolCall] = []
    source.pipe(ops.split_tool_calls()).subscribe(calls.append)

    source.on_next(piece("a"))
    source.on_next(piece("b"))
    during = outcome(calls[0].pipe(rx.map(text_of)))
    source.on_next(piece("c"))
    source.on_next(piece("d", 1))
    after = outcome(calls[0].pipe(rx.map(text_of)))

    assert during.values == after.values == ["a", "b", "c"]
    assert during.completed
    assert after.completed


def test_what_a_subscriber_pushes_while_it_catches_up_is_not_lost() -> None:
    source = Subject[Delta]()
    calls: list[ToolCall] = []
    source.pipe(ops.split_tool_calls()).subscribe(calls.append)
    source.on_next(piece("a"))
    texts: list[str] = []

    def echo(delta: Delta) -> None:
        texts.append(delta.text)
        if delta.text == "a":
            source.on_next(piece("b"))

    calls[0].subscribe(echo)

    assert texts == ["a", "b"]


def test_calls_can_be_read_one_after_the_other() -> None:
    received = through(TWO_CALLS, ops.split_tool_calls(), rx.map(texts_of), rx.concat_all())

    assert received.values == [(0, ["", '{"city": "Ro', 'me"}']), (1, ["[1", "]"])]


def test_an_error_reaches_the_open_call_and_the_stream() -> None:
    error = SourceFailed("overloaded")
    source = Subject[Delta]()
    calls: list[ToolCall] = []
    errors: list[Exception] = []
    source.pipe(ops.split_tool_calls()).subscribe(calls.append, errors.append)
    source.on_next(piece("a"))
    source.on_next(piece("b", 1))
    first, second = (outcome(call.pipe(rx.map(text_of))) for call in calls)

    source.on_error(error)

    assert first.completed
    assert second.values == ["b"]
    assert second.error is error
    assert errors == [error]
    assert outcome(calls[1]).error is error


def test_a_call_that_goes_on_after_the_next_one_began_ends_the_stream() -> None:
    received = split([piece("a"), piece("b", 1), piece("c")])

    assert received.values == [(0, ["a"])]
    assert isinstance(received.error, SourceFailed)
    assert "Tool call 0 ('add') went on after the next one had begun" in str(received.error)


def test_text_that_is_no_delta_ends_the_stream() -> None:
    received = split(["text"])

    assert isinstance(received.error, UnknownElement)
    assert "split_tool_calls reads Deltas" in str(received.error)


def test_nothing_arrives() -> None:
    received = split([])

    assert received.values == []
    assert received.completed


def test_taking_the_first_call_reads_it_to_its_end_and_then_releases_the_source() -> None:
    stage = Stage()
    a, b, c, d, e = TWO_CALLS
    deltas = stage.cold("-a-b-c-d-e-|", a=a, b=b, c=c, d=d, e=e)

    first = deltas.pipe(ops.split_tool_calls(), rx.take(1), rx.flat_map(arguments))

    assert stage.run(first) == stage.expect("-----x-|", x=("weather", {"city": "Rome"}))
    assert deltas.subscriptions == stage.window("^------!")


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    deltas = stage.cold("-a-b-|", a=piece("a"), b=piece("b"))

    stage.run(deltas.pipe(ops.split_tool_calls(), rx.flat_map(texts_of)), until=2)

    assert deltas.subscriptions == stage.window("^-!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of(*TWO_CALLS).pipe(ops.split_tool_calls(), rx.flat_map(arguments))

    assert values(stream) == values(stream)


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[Delta]()
    errors: list[Exception] = []

    def refuse(call: ToolCall) -> None:
        raise KeyError(call.index)

    source.pipe(ops.split_tool_calls()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="0"):
        source.on_next(piece("a"))
    assert errors == []


def test_bad_arguments_raise_when_the_operator_is_built() -> None:
    first: Any = "first"

    with pytest.raises(ValueError, match="choice is a number from 0 on, not -1"):
        ops.split_tool_calls(choice=-1)
    with pytest.raises(TypeError, match="choice is a number from 0 on, not 'first'"):
        ops.split_tool_calls(choice=first)


def test_a_generator_pulls_calls_one_delta_at_a_time_and_closes_the_source() -> None:
    source = Counting("1", "2", "3")
    calls = from_chunks(source.blocking).pipe(
        rx.map(as_call), ops.split_tool_calls(), rx.flat_map(texts_in)
    )

    pulled = to_generator(calls)
    assert next(pulled) == "1"
    assert source.pulled == 1
    pulled.close()

    assert source.open == 0


def as_call(delta: Delta) -> Delta:
    return piece(delta.text, int(delta.text))


def texts_in(call: ToolCall) -> Observable[str]:
    return call.pipe(rx.map(text_of))


def recorded(name: str) -> list[Delta]:
    lines = (DATA / name).read_text().splitlines()
    payloads = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    translate = OpenAIDeltas().translate
    return [delta for payload in payloads for delta in translate(json.loads(payload))]


CALLS = [
    "chat-parallel-calls.sse",
    "chat-calls-at-one-index.sse",
    "chat-calls-without-index.sse",
    "chat-call-with-blanks.sse",
    "chat-function-call.sse",
    "responses-calls.sse",
]


@pytest.mark.parametrize("name", CALLS)
def test_the_calls_of_recorded_streams_are_told_apart(name: str) -> None:
    deltas = [delta for delta in recorded(name) if delta.kind == "tool_call"]
    whole = {
        index: "".join(delta.text for delta in deltas if delta.index == index)
        for index in dict.fromkeys(delta.index for delta in deltas)
    }

    received = split(deltas)

    assert received.completed
    assert whole
    assert {index: "".join(texts).strip() for index, texts in received.values} == {
        index: text.strip() for index, text in whole.items()
    }


runs = st.lists(st.lists(st.text("ab{ ", max_size=3), min_size=1, max_size=4), max_size=5)


@given(runs, st.lists(st.sampled_from(["content", "choice"]), max_size=20))
def test_whatever_stands_between_them_the_calls_are_those_that_were_sent(
    calls: list[list[str]], noise: list[str]
) -> None:
    deltas: list[Delta] = []
    others = iter(noise)
    for index, texts in enumerate(calls):
        for text in texts:
            other = next(others, None)
            if other is not None:
                deltas.append(Delta("x") if other == "content" else piece("x", choice=1))
            deltas.append(piece(text, index))

    assert split(deltas).values == list(enumerate(calls))
