"""What AnthropicDeltas promises, for the events of the Messages API as plain dicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sources.anthropic_deltas import EVENTS, AnthropicDeltas


def translate(events: Iterable[dict[str, Any]]) -> list[Delta]:
    deltas = AnthropicDeltas()
    return [delta for event in events for delta in deltas.translate(event)]


def message_start(**fields: Any) -> dict[str, Any]:
    return {"type": "message_start", "message": {"id": "msg_1", "model": "claude", **fields}}


def start(index: int, type_: str, **fields: Any) -> dict[str, Any]:
    block = {"type": type_, **fields}
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: int, type_: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": type_, **fields}}


def text(index: int, piece: str) -> dict[str, Any]:
    return delta(index, "text_delta", text=piece)


def arguments(index: int, piece: str) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=piece)


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def message_delta(reason: str | None, **usage: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": usage}


def call(piece: str, name: str | None, identifier: str | None, index: int = 0) -> Delta:
    return Delta(piece, "tool_call", 0, index, name, identifier)


PING = {"type": "ping"}
WEATHER = start(1, "tool_use", id="t1", name="weather", input={})


@pytest.mark.parametrize(
    ("events", "deltas"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(
            [start(0, "text", text=""), PING, text(0, "Hel"), text(0, "lo"), stop(0)],
            [Delta("Hel"), Delta("lo")],
            id="a text in pieces",
        ),
        pytest.param(
            [start(0, "text", text="Hel"), text(0, "lo")],
            [Delta("Hel"), Delta("lo")],
            id="a text that begins with its block",
        ),
        pytest.param(
            [start(0, "text", text=""), text(0, "a"), start(2, "text", text=""), text(2, "b")],
            [Delta("a"), Delta("b", index=1)],
            id="texts are counted",
        ),
        pytest.param(
            [
                start(0, "thinking", thinking="", signature=""),
                delta(0, "thinking_delta", thinking="Hm"),
                delta(0, "signature_delta", signature="c2ln"),
                stop(0),
                start(1, "redacted_thinking", data="c2VjcmV0"),
                stop(1),
                text(2, "Yes"),
            ],
            [Delta("Hm", "reasoning"), Delta("Yes")],
            id="thoughts without their signatures",
        ),
        pytest.param(
            [text(0, "a"), delta(0, "citations_delta", citation={"cited_text": "b"}), text(0, "c")],
            [Delta("a"), Delta("c")],
            id="citations carry nothing",
        ),
        pytest.param(
            [WEATHER, arguments(1, ""), arguments(1, '{"ci'), arguments(1, 'ty": 1}'), stop(1)],
            [
                call("", "weather", "t1"),
                call('{"ci', "weather", "t1"),
                call('ty": 1}', "weather", "t1"),
            ],
            id="a call in pieces, the first of them empty",
        ),
        pytest.param(
            [WEATHER, arguments(1, ""), stop(1)],
            [call("", "weather", "t1"), call("{}", "weather", "t1")],
            id="a call without arguments",
        ),
        pytest.param(
            [start(0, "tool_use", id="t1", name="f", input={"a": [1]}), stop(0)],
            [call("", "f", "t1"), call('{"a": [1]}', "f", "t1")],
            id="a call whose input comes whole",
        ),
        pytest.param(
            [start(0, "tool_use", id="t1", name="f", input={"a": 1}), arguments(0, "{}"), stop(0)],
            [call("", "f", "t1"), call("{}", "f", "t1")],
            id="what comes in pieces counts if both come",
        ),
        pytest.param(
            [
                text(0, "Let me see"),
                WEATHER,
                arguments(1, "{"),
                start(2, "tool_use", id="t2", name="time", input={}),
                arguments(2, "[1]"),
                arguments(1, "}"),
                stop(1),
                stop(2),
            ],
            [
                Delta("Let me see"),
                call("", "weather", "t1"),
                call("{", "weather", "t1"),
                call("", "time", "t2", 1),
                call("[1]", "time", "t2", 1),
                call("}", "weather", "t1"),
            ],
            id="calls are counted from 0, whatever comes before them and between their pieces",
        ),
        pytest.param(
            [
                start(0, "server_tool_use", id="s1", name="web_search", input={}),
                arguments(0, '{"query": "x"}'),
                stop(0),
                start(1, "web_search_tool_result", tool_use_id="s1", content=[{"url": "u"}]),
                stop(1),
                start(2, "mcp_tool_use", id="m1", name="ask", server_name="wiki", input={"q": 1}),
                stop(2),
                message_delta("end_turn"),
            ],
            [
                call("", "web_search", "s1"),
                call('{"query": "x"}', "web_search", "s1"),
                call("", "ask", "m1", 1),
                call('{"q": 1}', "ask", "m1", 1),
                Delta(kind="finish", finish_reason="stop"),
            ],
            id="calls that the provider executes",
        ),
        pytest.param(
            [text(0, "a"), arguments(0, "{"), text(0, "b")],
            [Delta("a"), call("{", None, None), Delta("b")],
            id="blocks whose beginning was missed",
        ),
        pytest.param(
            [
                {"type": "vellum"},
                {},
                start(0, "compaction", content=None),
                delta(0, "compaction_delta", content="x"),
                {"type": "content_block_start", "index": 0},
                {"type": "content_block_delta", "index": 0, "delta": None},
                {"type": "message_stop"},
            ],
            [],
            id="what is unknown carries nothing",
        ),
    ],
)
def test_what_is_in_the_blocks_of_a_message(
    events: list[dict[str, Any]], deltas: list[Delta]
) -> None:
    assert translate(events) == deltas


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
        ("of tomorrow", "of tomorrow"),
    ],
)
def test_the_finish_reason_is_in_the_words_of_chat_completions(reason: str, word: str) -> None:
    assert translate([message_delta(reason)]) == [Delta(kind="finish", finish_reason=word)]


def test_usage_is_that_of_the_beginning_updated_by_what_comes_later() -> None:
    events = [
        message_start(usage={"input_tokens": 9, "output_tokens": 1, "service_tier": "standard"}),
        message_delta(None, output_tokens=5),
        message_delta("end_turn", input_tokens=None, output_tokens=7),
    ]

    assert translate(events) == [
        Delta(
            kind="usage",
            usage={"input_tokens": 9, "output_tokens": 5, "service_tier": "standard"},
        ),
        Delta(kind="finish", finish_reason="stop"),
        Delta(
            kind="usage",
            usage={"input_tokens": 9, "output_tokens": 7, "service_tier": "standard"},
        ),
    ]


def test_what_is_repeated_is_emitted_once_for_every_message() -> None:
    message = [message_start(usage={"input_tokens": 9}), *[message_delta("end_turn")] * 2]
    once = [
        Delta(kind="finish", finish_reason="stop"),
        Delta(kind="usage", usage={"input_tokens": 9}),
    ]

    assert translate(message) == once
    assert translate([*message, *message]) == [*once, *once]


def test_blocks_of_further_messages_are_blocks_of_their_own() -> None:
    message = [message_start(), start(0, "text", text=""), text(0, "a"), WEATHER, stop(1)]
    deltas = translate([*message, *message])

    assert [delta.index for delta in deltas if delta.kind == "tool_call"] == [0, 0, 1, 1]
    assert [delta.index for delta in deltas if delta.kind == "content"] == [0, 1]


def test_who_answers_is_known_from_the_first_that_says_so() -> None:
    deltas = AnthropicDeltas()
    assert (deltas.model, deltas.id) == (None, None)

    deltas.translate(message_start(model="", id=None))
    assert (deltas.model, deltas.id) == (None, None)

    deltas.translate(message_start())
    deltas.translate(message_start(model="other", id="msg_2"))
    assert (deltas.model, deltas.id) == ("claude", "msg_1")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "Overloaded"),
        ({"type": "overloaded_error"}, "overloaded_error"),
        ({}, "without saying which"),
        (None, "without saying which"),
    ],
)
def test_an_error_has_the_words_of_the_provider(error: Any, words: str) -> None:
    with pytest.raises(SourceFailed, match=words):
        translate([{"type": "error", "error": error}])


PIECES = st.lists(st.tuples(st.integers(0, 2), st.text(max_size=3)))


@given(PIECES)
def test_every_call_has_the_pieces_of_its_block(pieces: list[tuple[int, str]]) -> None:
    starts = [start(number, "tool_use", id=str(number), name="f", input={}) for number in range(3)]
    deltas = translate([*starts, *(arguments(number, piece) for number, piece in pieces)])

    for number in range(3):
        joined = "".join(piece for place, piece in pieces if place == number)
        assert "".join(delta.text for delta in deltas if delta.index == number) == joined


def test_no_type_of_event_is_also_one_of_the_responses_api() -> None:
    assert not [name for name in EVENTS if name.startswith("response.") or name == "error"]
