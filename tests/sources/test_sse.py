"""What `from_sse` promises."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from streamops import operators as ops
from streamops.delta import Delta, Kind
from streamops.errors import ContentFiltered, SourceFailed
from streamops.sinks.generators import to_generator
from streamops.sinks.values import run
from streamops.sources.sse import EventStream, from_sse

# --- The events of a stream


def events_in(pieces: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    stream = EventStream()
    return [*(event for piece in pieces for event in stream.feed(piece))]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("data: a\n\n", [("", "a")], id="one event"),
        pytest.param("data: a\n\ndata: b\n\n", [("", "a"), ("", "b")], id="two events"),
        pytest.param("data: a", [], id="neither its line nor its event ends"),
        pytest.param("data: a\n", [], id="no blank line ends the event"),
        pytest.param("data: a\ndata: b\n\n", [("", "a\nb")], id="two lines of data"),
        pytest.param("data: a\n:\n:b\n\n", [("", "a")], id="comments"),
        pytest.param(":\n\n: data: a\n\n", [], id="only comments"),
        pytest.param("data:a\n\ndata: a\n\n", [("", "a"), ("", "a")], id="a space is optional"),
        pytest.param("data:  a \n\n", [("", " a ")], id="further spaces are data"),
        pytest.param("data\n\ndata\ndata\n\n", [("", ""), ("", "\n")], id="no colon, no value"),
        pytest.param("data:\n\n", [("", "")], id="a colon, but no value"),
        pytest.param("data: a: b\n\n", [("", "a: b")], id="further colons are data"),
        pytest.param("event: x\ndata: a\n\n", [("x", "a")], id="a name"),
        pytest.param("data: a\nevent:x\n\n", [("x", "a")], id="a name after the data"),
        pytest.param(
            "event: x\nevent: y\ndata: a\n\n", [("y", "a")], id="the last name is the one"
        ),
        pytest.param("event: x\nevent\ndata: a\n\n", [("", "a")], id="an empty name is none"),
        pytest.param(
            "event: x\n\ndata: a\n\n", [("", "a")], id="a name belongs to one event, also to none"
        ),
        pytest.param(
            "event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), ("", "b")], id="names do not stay"
        ),
        pytest.param(
            "id: 1\nretry: 5\nother: x\n data: x\nDATA: x\ndatax: y\ndata: a\n\n",
            [("", "a")],
            id="unknown fields",
        ),
        pytest.param("\n\n\ndata: a\n\n\n\n", [("", "a")], id="more blank lines"),
        pytest.param("data: a\r\n\r\n", [("", "a")], id="lines end in CR LF"),
        pytest.param("data: a\r\rdata: b\r\r", [("", "a"), ("", "b")], id="lines end in CR"),
        pytest.param("data: a\r\ndata: b\n\r", [("", "a\nb")], id="lines end in all of these"),
        pytest.param("data: a\r\n\ndata: b\r\r\n", [("", "a"), ("", "b")], id="next to each other"),
        pytest.param("\ufeffdata: a\n\n", [("", "a")], id="a byte order mark"),
        pytest.param("\ufeff\ufeffdata: a\n\n", [], id="a second one belongs to the field"),
        pytest.param(":\n\ufeffdata: a\n\n", [], id="a byte order mark that comes too late"),
        pytest.param(
            "data: a\u2028\x0b\x85\x1cb\n\n", [("", "a\u2028\x0b\x85\x1cb")], id="no ends of lines"
        ),
        pytest.param("data: ö€😀\n\n", [("", "ö€😀")], id="characters of many bytes"),
    ],
)
def test_a_stream_is_cut_into_its_events(stream: str, events: list[tuple[str, str]]) -> None:
    body = stream.encode()
    expected = [(name.encode(), data.encode()) for name, data in events]

    assert events_in([body]) == expected
    assert events_in(bytes([byte]) for byte in body) == expected


def slowly(body: bytes) -> list[tuple[bytes, bytes]]:
    """Read a whole stream, step by step as the specification says."""
    text = body.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    events: list[tuple[bytes, bytes]] = []
    name, data = "", ""

    for line in text.split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")

        if field == "event":
            name = value
        elif field == "data":
            data += value + "\n"
        elif not line:
            if data:
                events.append((name.encode(), data.removesuffix("\n").encode()))

            name, data = "", ""

    return events


LINES = st.tuples(
    st.sampled_from(["", "", "data", "event", "id", "\ufeff"]),
    st.sampled_from(["", ":", ": ", ":  "]),
    st.sampled_from(["", "a", "ö€😀", "data: b", "\u2028"]),
    st.sampled_from(["\n", "\r", "\r\n", "\n\n", "\r\n\r\n"]),
).map("".join)
STREAMS = st.tuples(st.sampled_from(["", "\ufeff"]), st.lists(LINES), st.sampled_from(["", "data"]))


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


@given(STREAMS, st.lists(st.integers(0, 500)))
def test_a_stream_may_be_cut_anywhere(parts: tuple[str, list[str], str], cuts: list[int]) -> None:
    beginning, lines, end = parts
    body = "".join((beginning, *lines, end)).encode()

    assert events_in(cut(body, cuts)) == slowly(body)


# --- What they carry


def event(data: object, name: str = "") -> bytes:
    named = f"event: {name}\n" if name else ""
    return f"{named}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def chat(text: str, **fields: Any) -> bytes:
    return event({"choices": [{"index": 0, "delta": {"content": text}, **fields}]})


def named(events: list[tuple[str, dict[str, Any]]]) -> bytes:
    return b"".join(event({"type": name, **fields}, name) for name, fields in events)


DONE = event("[DONE]")

CHAT = b"".join([chat("Héllo"), chat(" 😀", finish_reason="stop"), DONE])
RESPONSES = named(
    [
        ("response.created", {"response": {"id": "resp_1"}}),
        ("response.output_text.delta", {"output_index": 0, "delta": "Héllo"}),
        ("response.output_text.delta", {"output_index": 0, "delta": " 😀"}),
        ("response.completed", {"response": {"id": "resp_1", "output": []}}),
    ]
)
MESSAGES = named(
    [
        ("message_start", {"message": {"id": "msg_1", "content": []}}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("ping", {}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "Héllo"}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " 😀"}}),
        ("content_block_stop", {"index": 0}),
        ("message_delta", {"delta": {"stop_reason": "end_turn"}}),
        ("message_stop", {}),
    ]
)
HELLO = [Delta("Héllo"), Delta(" 😀"), Delta(kind="finish", finish_reason="stop")]

BODIES = [
    pytest.param(CHAT, id="Chat Completions"),
    pytest.param(RESPONSES, id="Responses"),
    pytest.param(MESSAGES, id="Messages"),
]


def read(pieces: Iterable[Any]) -> list[Delta]:
    return [*to_generator(from_sse(pieces))]


def until_failed(pieces: Iterable[Any]) -> tuple[list[Delta], SourceFailed]:
    deltas: list[Delta] = []

    with pytest.raises(SourceFailed) as caught:
        deltas.extend(to_generator(from_sse(pieces)))

    return deltas, caught.value


def failure_of(body: bytes) -> tuple[list[Delta], SourceFailed]:
    """Read a body, which fails the same however it is cut."""
    deltas, failure = until_failed([body])
    again, same = until_failed([bytes([byte]) for byte in body])

    assert (again, str(same)) == (deltas, str(failure))
    assert failure.begun
    assert not failure.dropped
    return deltas, failure


@pytest.mark.parametrize("body", BODIES)
def test_each_api_is_told_by_its_events(body: bytes) -> None:
    assert read([body]) == HELLO
    assert read(body.splitlines(keepends=True)) == HELLO
    assert read(body.replace(b"\n", b"\r\n").splitlines(keepends=True)) == HELLO


@pytest.mark.parametrize("body", BODIES)
@given(cuts=st.lists(st.integers(0, 2000)))
def test_a_body_may_be_cut_anywhere(body: bytes, cuts: list[int]) -> None:
    assert read(cut(body, cuts)) == HELLO


def chat_event(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def responses_event(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "output_index": 0, "delta": text}


def messages_event(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}}


EVENTS_OF = [chat_event, responses_event, messages_event]


@st.composite
def written_events(draw: st.DrawFn, text: str, event_of: Callable[[str], dict[str, Any]]) -> str:
    """Draw one of the ways to write the event of a text."""
    indent = draw(st.sampled_from([None, None, 1]))
    data = json.dumps(event_of(text), ensure_ascii=draw(st.booleans()), indent=indent)
    colon = draw(st.sampled_from([": ", ": ", ":"]))
    lines = [f"data{colon}{line}" for line in data.split("\n")]
    lines[:0] = draw(st.sampled_from([[], [], ["event: x"], ["event:x"], ["id: 1", "event: x"]]))

    for _ in range(draw(st.integers(0, 2))):
        extra = draw(st.sampled_from([": keep alive", ":", "retry: 5", "event: y"]))
        lines.insert(draw(st.integers(0, len(lines))), extra)

    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    return "".join(line + ending for line in [*lines, *draw(st.sampled_from([[""], ["", ""]]))])


@given(st.data(), st.lists(st.text(min_size=1)), st.sampled_from(EVENTS_OF))
def test_a_text_is_the_same_however_its_events_are_written_and_cut(
    data: st.DataObject, texts: list[str], event_of: Callable[[str], dict[str, Any]]
) -> None:
    events = [data.draw(written_events(text, event_of)) for text in texts]
    mark = data.draw(st.sampled_from(["", "\ufeff"]))
    body = "".join([mark, *events, "data: [DONE]\n\n"]).encode()
    cuts = data.draw(st.lists(st.integers(0, 5000), max_size=10))

    assert read(cut(body, cuts)) == [Delta(text) for text in texts]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_may_come_as_text(body: bytes) -> None:
    assert read([*body.decode()]) == HELLO


@pytest.mark.parametrize("body", BODIES)
def test_json_in_an_answer_is_read_like_that_of_any_source(body: bytes) -> None:
    quoted = body.replace(b"H", b'[\\"').replace(b" \\ud83d", b"\\ud83d")
    snapshot = run(
        from_sse([quoted.replace(b"\\ude00", b'\\ude00\\"]')]).pipe(ops.accumulate_json())
    )

    assert snapshot.value == ["éllo😀"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"", id="without [DONE]"),
        pytest.param(b"data:[DONE]\n\n", id="[DONE] without a space"),
        pytest.param(b"data: [DONE]", id="[DONE] without an end"),
        pytest.param(DONE + chat("more") + b"data: {\n\n", id="data after [DONE]"),
        pytest.param(b"data: [DONE]\n\n<html>", id="anything after [DONE]"),
        pytest.param(b": done\n\n", id="a comment"),
        pytest.param(b"event: done\n\n", id="an event without data"),
        pytest.param(b"event: keepalive\ndata:\n\n", id="an event with empty data"),
        pytest.param(b'data: {"choices": [{"delta": {"cont', id="half an event"),
        pytest.param(b'data: {"choices": []}\ndata: {', id="half an event of two lines"),
    ],
)
def test_a_stream_may_end_in_many_ways(end: bytes) -> None:
    body = chat("a") + end

    assert read([body]) == [Delta("a")]
    assert read([bytes([byte]) for byte in body]) == [Delta("a")]


def test_an_answer_may_be_nothing_but_done() -> None:
    assert read([DONE]) == read([DONE[:-2]]) == []


def test_nothing_is_read_after_done() -> None:
    def pieces() -> Iterator[bytes]:
        yield chat("a") + DONE
        raise AssertionError("read on")

    assert read(pieces()) == [Delta("a")]


@pytest.mark.parametrize("missing", [1, 2, 3])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_a_last_event_counts_without_the_blank_line_that_ends_it(
    missing: int, ending: bytes
) -> None:
    finish = chat("", finish_reason="stop").replace(b"\n", ending)
    body = chat("a") + finish[: len(finish) - min(missing, 2 * len(ending))]

    assert read([body]) == [Delta("a"), Delta(kind="finish", finish_reason="stop")]


def test_surrogates_that_are_sent_apart_come_together() -> None:
    body = rb'data: {"choices": [{"delta": {"content": "[\"\ud83d"}}]}' + b"\n\n"
    body += rb'data: {"choices": [{"delta": {"content": "\ude00\"]"}}]}' + b"\n\n"

    assert run(from_sse([body]).pipe(ops.accumulate_json())).value == ["😀"]


def test_a_refused_message_is_a_filtered_one() -> None:
    refusal = {"type": "message_delta", "delta": {"stop_reason": "refusal"}}

    with pytest.raises(ContentFiltered):
        run(from_sse([event(refusal)]).pipe(ops.accumulate_json()))


# --- How it fails


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(event({"error": {"message": "No more"}}), id="an object"),
        pytest.param(event({"error": "No more"}), id="a text"),
        pytest.param(event({"error": {"message": "No more"}}, "error"), id="named"),
        pytest.param(event({"message": "No more"}, "error"), id="only named"),
        pytest.param(event("No more", "error"), id="named, and no JSON"),
        pytest.param(event({"choices": [], "error": {"message": "No more"}}), id="in a chunk"),
        pytest.param(event({"type": "error", "message": "No more"}), id="of Responses"),
        pytest.param(
            event({"type": "error", "error": {"type": "overloaded", "message": "No more"}}),
            id="of Messages",
        ),
        pytest.param(event({"message": "No more"}, "error")[:-2], id="without an end"),
        pytest.param(event("No more", "error")[:-2], id="no JSON, and without an end"),
    ],
)
def test_an_error_has_the_words_of_the_provider(error: bytes) -> None:
    deltas, failure = failure_of(chat("a") + error)

    assert deltas == [Delta("a")]
    assert str(failure) == "No more"

    if error.endswith(b"\n\n"):
        assert failure_of(chat("a") + error + chat("b"))[0] == [Delta("a")]


@pytest.mark.parametrize("data", ["", "{}", "[]", "5", '{"error": 5}'])
def test_an_error_may_have_no_words(data: str) -> None:
    deltas, failure = failure_of(chat("a") + f"event: error\ndata: {data}\n\n".encode())

    assert deltas == [Delta("a")]
    assert str(failure)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"choices": [}', "Event 2 of the stream is not JSON"),
        (b"Bad gateway", "Event 2 of the stream is not JSON"),
        (b'{"a": "\xff"}', "Event 2 of the stream is not JSON"),
        (b"[" * 100_000, "Event 2 of the stream is not JSON"),
        (b"[1]", "Event 2 of the stream is no JSON object: '[1]'"),
        (b"null", "Event 2 of the stream is no JSON object: 'null'"),
        (b'{"choices": 5}', "Event 2 of the stream is not one of a model's answer"),
        (b'{"type": [], "choices": [5]}', "Event 2 of the stream is not one of a model's answer"),
    ],
)
def test_an_event_that_is_none_fails_with_its_place_and_words(data: bytes, said: str) -> None:
    deltas, failure = failure_of(chat("a") + b"data: " + data + b"\n\n" + chat("b"))

    assert deltas == [Delta("a")]
    assert said in str(failure)
    assert data[:10].decode(errors="replace") in str(failure)
    assert len(str(failure)) < 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html>\n<html>Bad gateway</html>\n", "'<!DOCTYPE html>.*Bad gateway"),
        (b"\n\n", "without an event"),
        (b": keep alive\n\n", "': keep alive"),
        (b'data: {"choices": [', "'data: {"),
        (b'{"error": {"message": "No such key", "code": 401}}', "^No such key$"),
        (b'{\n  "error": {\n    "message": "No such key"\n  }\n}\n', "^No such key$"),
        (b'{"type": "error", "error": {"message": "Overloaded"}}', "^Overloaded$"),
        (b'{"error": []}', "error"),
        (b'{"detail": "Not found"}', "Not found"),
        (b'{"error": {"raw": "' + b"x" * 50_000 + b'", "message": "No credit"}}', "^No credit$"),
        (b'{"id": "1", "choices": [{"message": {"content": "Hi"}}]}', "stream=True"),
        (b"<" + b"x" * 10_000 + b"\n", "<x+…"),
    ],
)
def test_a_body_without_an_event_fails_with_its_beginning(body: bytes, said: str) -> None:
    deltas, failure = failure_of(body)

    assert deltas == []
    assert len(str(failure)) < 400
    with pytest.raises(SourceFailed, match=said):
        raise failure


NAMES = [
    "type",
    "choices",
    "delta",
    "index",
    "message",
    "usage",
    "content_block",
    "error",
    "content",
    "tool_calls",
    "text",
    "output_index",
    "response",
    "input",
    "content_block_start",
    "content_block_delta",
    "text_delta",
    "message_start",
    "message_delta",
    "tool_use",
    "input_json_delta",
    "response.output_item.added",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner | st.sampled_from(NAMES), max_size=4)
    ),
)


CALL: dict[str, Any] = {
    "index": 0,
    "id": "call_0",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "1",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "content": "a",
                    "reasoning": "b",
                    "reasoning_details": [{"text": "c"}],
                    "refusal": "d",
                    "tool_calls": [CALL],
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"total_tokens": 7},
    },
    {"choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "a"}]}}]},
    {"choices": [{"index": 0, "text": "a", "delta": {"function_call": CALL["function"]}}]},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"},
    {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "function_call", "id": "1", "call_id": "2", "name": "f"},
    },
    {
        "type": "response.output_item.done",
        "output_index": 0,
        "item": {"type": "message", "content": [{"type": "output_text", "text": "a"}]},
    },
    {
        "type": "response.incomplete",
        "response": {
            "id": "1",
            "model": "m",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": [{"type": "function_call", "name": "f", "arguments": "{}"}],
            "usage": {"total_tokens": 7},
        },
    },
    {"type": "message_start", "message": {"id": "1", "model": "m", "usage": {"input_tokens": 5}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "1", "name": "f", "input": {}},
    },
    {
        "type": "content_block_delta",
        "index": 1,
        "delta": {"type": "input_json_delta", "partial_json": "{"},
    },
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 2},
    },
]


@st.composite
def spoilt_events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a real event in which one value is another."""
    event: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(TEMPLATES)))
    place, step = draw(st.sampled_from([*places_in(event)]))
    place[step] = draw(JSON)
    return event


def places_in(container: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each value's container, and its key or index there."""
    steps = container.keys() if hasattr(container, "keys") else range(len(container))

    for step in steps:
        yield container, step

        if isinstance(container[step], (dict, list)):
            yield from places_in(container[step])


def is_well_typed(delta: Delta) -> bool:
    words = (delta.name, delta.id, delta.finish_reason)
    return (
        type(delta.text) is str
        and delta.kind in get_args(Kind)
        and type(delta.choice) is type(delta.index) is int
        and all(word is None or type(word) is str for word in words)
        and (delta.usage is None or type(delta.usage) is dict)
    )


@given(st.lists(JSON | spoilt_events(), min_size=1, max_size=4))
def test_whatever_json_comes_ends_in_deltas_or_the_one_error(values: list[Any]) -> None:
    try:
        for delta in read(map(event, map(json.dumps, values))):
            assert is_well_typed(delta)
    except SourceFailed as error:
        assert error.begun


@pytest.mark.parametrize(
    ("carried", "deltas"),
    [
        pytest.param(
            {"choices": [{"index": "0", "delta": {"content": "a"}}]},
            [Delta("a")],
            id="a choice with a number in quotes",
        ),
        pytest.param(
            {"choices": [{"index": 1.5, "delta": {"content": "a"}}]},
            [Delta("a")],
            id="half a choice",
        ),
        pytest.param(
            {"choices": [{"finish_reason": 1}]},
            [Delta(kind="finish", finish_reason="1")],
            id="a finish reason that is a number",
        ),
        pytest.param(
            {"choices": [{"delta": {"tool_calls": [{**CALL, "index": "0", "id": 7}]}}]},
            [Delta("{}", "tool_call", name="f", id="7")],
            id="a call with an id that is a number",
        ),
        pytest.param(
            {
                "type": "response.output_item.added",
                "item": {"type": "function_call", "call_id": 7, "name": ["f"]},
            },
            [Delta("", "tool_call", name='["f"]', id="7")],
            id="a call of Responses with a name that is a list",
        ),
        pytest.param(
            {"type": "response.incomplete", "response": {"incomplete_details": {"reason": 1}}},
            [Delta(kind="finish", finish_reason="1")],
            id="a reason that is a number",
        ),
        pytest.param(
            {"type": "content_block_start", "content_block": {"type": "text", "text": {"a": 1}}},
            [Delta('{"a": 1}')],
            id="a text of Messages that is an object",
        ),
        pytest.param(
            {
                "type": "content_block_start",
                "content_block": {"type": "tool_use", "id": 7, "name": 8},
            },
            [Delta("", "tool_call", name="8", id="7")],
            id="a call of Messages with a name that is a number",
        ),
        pytest.param(
            {"type": "message_delta", "delta": {"stop_reason": ["end_turn"]}},
            [Delta(kind="finish", finish_reason='["end_turn"]')],
            id="a stop reason that is a list",
        ),
    ],
)
def test_values_of_other_types_become_those_that_a_delta_has(
    carried: dict[str, Any], deltas: list[Delta]
) -> None:
    assert read([event(carried)]) == deltas


@pytest.mark.parametrize("wrong", [5, None, Delta("a"), bytearray(b"data: {}")])
def test_what_is_no_piece_of_a_body_is_an_error_that_names_the_fix(wrong: Any) -> None:
    deltas, failure = until_failed([chat("a"), wrong])

    assert deltas == [Delta("a")]
    assert "from_sse reads the bytes" in str(failure)


def test_an_element_of_the_sdk_is_an_error_that_names_from_openai() -> None:
    chunk = ChatCompletionChunk(
        id="1", choices=[], created=0, model="m", object="chat.completion.chunk"
    )

    assert "use from_openai" in str(until_failed([chunk])[1])


@pytest.mark.parametrize("source", [5, None, object()])
def test_what_is_no_source_is_rejected(source: Any) -> None:
    with pytest.raises(TypeError, match="from_sse takes an iterable of str or bytes"):
        from_sse(source)

    with pytest.raises(TypeError, match="from_sse takes an iterable of str or bytes"):
        list(to_generator(from_sse(lambda: source)))


def test_a_single_text_is_rejected_with_the_fix() -> None:
    mistake: Any = CHAT

    with pytest.raises(TypeError, match=r"from_sse\(\[text\]\)"):
        from_sse(mistake)
