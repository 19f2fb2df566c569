"""What `select_channel` promises."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.delta import Delta, Kind
from streamops.errors import SourceFailed, UnknownElement
from streamops.testing import Stage
from tests.outcomes import outcome, through, values

CONTENT = Delta("a")
OTHER_PART = Delta("b", index=1)
OTHER_CHOICE = Delta("c", choice=1)
THOUGHT = Delta("d", "reasoning")
CALL = Delta("e", "tool_call", name="add", id="1")
OTHER_CALL = Delta("f", "tool_call", index=1, name="add", id="2")
FINISH = Delta(kind="finish", finish_reason="stop")
DELTAS = [THOUGHT, CONTENT, OTHER_PART, OTHER_CHOICE, CALL, OTHER_CALL, FINISH]

CHANNELS: dict[str, tuple[dict[str, Any], list[Delta]]] = {
    "the content": ({"kind": "content"}, [CONTENT, OTHER_PART]),
    "another choice": ({"kind": "content", "choice": 1}, [OTHER_CHOICE]),
    "the reasoning": ({"kind": "reasoning"}, [THOUGHT]),
    "all tool calls": ({"kind": "tool_call"}, [CALL, OTHER_CALL]),
    "the first tool call": ({"kind": "tool_call", "index": 0}, [CALL]),
    "another tool call": ({"kind": "tool_call", "index": 1}, [OTHER_CALL]),
    "the finish": ({"kind": "finish"}, [FINISH]),
    "a channel that is not there": ({"kind": "refusal"}, []),
}


@pytest.mark.parametrize(("channel", "expected"), CHANNELS.values(), ids=CHANNELS)
def test_the_deltas_of_one_channel_come_as_they_are(
    channel: dict[str, Any], expected: list[Delta]
) -> None:
    received = through(DELTAS, ops.select_channel(**channel))

    assert received.completed
    assert received.values == expected


def test_a_delta_comes_when_it_comes() -> None:
    stage = Stage()
    source = "-a-b-c-|"
    window = "^------!"
    result = "---b---|"

    deltas = stage.cold(source, a=CONTENT, b=THOUGHT, c=CALL)

    assert stage.run(deltas.pipe(ops.select_channel("reasoning"))) == stage.expect(
        result, b=THOUGHT
    )
    assert deltas.subscriptions == stage.window(window)


def test_one_tool_call_is_read_among_others() -> None:
    calls = [
        Delta('{"a": ', "tool_call", name="add", id="1"),
        Delta("[7, ", "tool_call", index=1, name="list", id="2"),
        Delta("8]", "tool_call", index=1, name="list", id="2"),
    ]

    received = through(calls, ops.select_channel("tool_call", index=1), ops.accumulate_json())

    assert received.values[-1].value == [7, 8]


def test_nothing_arrives() -> None:
    assert values(reactivex.empty().pipe(ops.select_channel("content"))) == []


def test_deltas_before_an_error_are_kept_and_the_error_is_the_same_object() -> None:
    error = SourceFailed("overloaded")
    source = reactivex.concat(reactivex.of(CONTENT, THOUGHT), reactivex.throw(error))

    received = outcome(source.pipe(ops.select_channel("content")))

    assert received.values == [CONTENT]
    assert received.error is error


def test_taking_one_delta_ends_the_subscription() -> None:
    stage = Stage()
    deltas = stage.cold("-a-b-c|", a=THOUGHT, b=CONTENT, c=CONTENT)

    taken = stage.run(deltas.pipe(ops.select_channel("content"), rx.take(1)))

    assert taken == stage.expect("---(b,|)", b=CONTENT)
    assert deltas.subscriptions == stage.window("^--!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of(*DELTAS).pipe(ops.select_channel("content"))

    assert values(stream) == values(stream) == [CONTENT, OTHER_PART]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[Delta]()
    errors: list[Exception] = []

    def refuse(delta: Delta) -> None:
        raise KeyError(delta.text)

    source.pipe(ops.select_channel("content")).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="a"):
        source.on_next(CONTENT)
    assert errors == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "tools"}, ValueError, "the kinds content, tool_call, reasoning, .*; not 'tools'"),
        ({"kind": None}, ValueError, "the kinds content"),
        ({"kind": "content", "choice": -1}, ValueError, "choice is a number from 0 on, not -1"),
        ({"kind": "content", "choice": None}, TypeError, "choice is a number from 0 on, not None"),
        ({"kind": "content", "index": -1}, ValueError, "index is a number from 0 on, not -1"),
        ({"kind": "content", "index": "0"}, TypeError, "index is a number from 0 on, not '0'"),
    ],
)
def test_bad_arguments_raise_when_the_operator_is_built(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ops.select_channel(**arguments)


def test_text_that_is_no_delta_ends_the_stream() -> None:
    received = through([CONTENT, "text"], ops.select_channel("content"))

    assert received.values == [CONTENT]
    assert isinstance(received.error, UnknownElement)
    assert "select_channel reads Deltas" in str(received.error)


KINDS: tuple[Kind, ...] = get_args(Kind)
deltas = st.builds(Delta, st.text(), st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(deltas), st.sampled_from(KINDS), st.integers(0, 2))
def test_the_channels_of_the_parts_are_the_channel(
    some: list[Delta], kind: Kind, choice: int
) -> None:
    whole = through(some, ops.select_channel(kind, choice=choice)).values
    parts = [
        through(some, ops.select_channel(kind, choice=choice, index=index)).values
        for index in range(3)
    ]

    assert whole == [d for d in some if (d.kind, d.choice) == (kind, choice)]
    assert sorted(map(id, whole)) == sorted(id(delta) for part in parts for delta in part)
