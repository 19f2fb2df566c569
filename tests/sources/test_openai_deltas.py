"""What ChatDeltas and ResponsesDeltas promise, for the SDK's objects and for plain dicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._models import construct_type
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from streamops.delta import Delta
from streamops.errors import SourceFailed, UnknownElement
from streamops.sources.chat_deltas import ChatDeltas
from streamops.sources.openai_deltas import OpenAIDeltas, answer_deltas
from streamops.sources.responses_deltas import ResponsesDeltas

DATA = Path(__file__).parent.parent / "data"

CHAT_USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
RESPONSES_USAGE = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 7,
}


def finish(reason: str, choice: int = 0) -> Delta:
    return Delta(kind="finish", choice=choice, finish_reason=reason)


def usage(counts: dict[str, Any]) -> Delta:
    return Delta(kind="usage", usage=counts)


def call(text: str, index: int, name: str, identifier: str | None) -> Delta:
    return Delta(text, "tool_call", index=index, name=name, id=identifier)


def thought(text: str, index: int = 0) -> Delta:
    return Delta(text, "reasoning", index=index)


def refusal(text: str) -> Delta:
    return Delta(text, "refusal")


CHAT = {
    "chat-empty-choices": [
        Delta('{"a"'),
        Delta(": 1}"),
        finish("stop"),
        usage(CHAT_USAGE),
    ],
    "chat-usage-in-every-chunk": [
        Delta("Rome"),
        usage({"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}),
        Delta(" fell"),
        Delta("."),
        finish("stop"),
        usage(CHAT_USAGE),
    ],
    "chat-usage-in-x-groq": [Delta("Hi"), finish("stop"), usage(CHAT_USAGE)],
    "chat-three-choices": [
        Delta("red", choice=1),
        Delta("green", choice=0),
        Delta("blue", choice=2),
        Delta("dish", choice=1),
        finish("stop", 1),
        finish("length", 0),
        finish("stop", 2),
    ],
    "chat-parallel-calls": [
        Delta("Let me look."),
        call("", 0, "weather", "call_a"),
        call('{"city": "Ro', 0, "weather", "call_a"),
        call('me"}', 0, "weather", "call_a"),
        call('{"zone": ', 1, "time", "call_b"),
        call("1}", 1, "time", "call_b"),
        finish("tool_calls"),
    ],
    "chat-calls-at-one-index": [
        call('{"x": 1}', 0, "add", "call_a"),
        call('{"x": 2', 1, "add", "call_b"),
        call("2}", 1, "add", "call_b"),
        call(" ", 0, "add", "call_a"),
        call("{}", 2, "add", "call_c"),
        finish("tool_calls"),
    ],
    "chat-calls-without-index": [
        call('{"x": ', 0, "add", "call_a"),
        call("1}", 0, "add", "call_a"),
        call('{"x": 2}', 1, "add", "call_b"),
        call(" ", 0, "add", "call_a"),
        call("{}", 2, "stop", None),
        finish("tool_calls"),
    ],
    "chat-call-with-blanks": [
        call("", 0, "now", "call_a"),
        call("{", 0, "now", "call_a"),
        call("}", 0, "now", "call_a"),
        call("", 1, "then", "call_b"),
        finish("tool_calls"),
    ],
    "chat-function-call": [
        call("", 0, "weather", None),
        call('{"city": ', 0, "weather", None),
        call('"Rome"}', 0, "weather", None),
        finish("function_call"),
    ],
    "chat-refusal": [refusal("I can't "), refusal("do that."), finish("stop")],
    "chat-reasoning": [
        thought("First"),
        thought(" second"),
        thought(" third"),
        thought(" fourth"),
        Delta("Done"),
        finish("stop"),
    ],
    "chat-content-parts": [
        thought("Two and"),
        thought(" two"),
        Delta("It is"),
        Delta(" four"),
        Delta("."),
        finish("stop"),
    ],
    "chat-finish-changed": [Delta("Hi"), finish("tool_calls"), finish("stop")],
}

RESPONSES = {
    "responses-two-messages": [
        Delta('{"a":'),
        Delta(" 1}"),
        Delta('{"a":', index=1),
        Delta(" 2}", index=1),
        finish("stop"),
        usage(RESPONSES_USAGE),
    ],
    "responses-calls": [
        call("", 0, "weather", "call_a"),
        call('{"city": ', 0, "weather", "call_a"),
        call('"Rome"}', 0, "weather", "call_a"),
        call("", 1, "time", "call_b"),
        call('{"zone": 1}', 1, "time", "call_b"),
        call("", 2, "now", "call_c"),
        call("{}", 2, "now", "call_c"),
        call("", 3, "stop", "call_d"),
        finish("tool_calls"),
        usage(RESPONSES_USAGE),
    ],
    "responses-reasoning": [
        thought("First", 0),
        thought(" thought", 0),
        thought("Second", 1),
        thought("Counting", 2),
        Delta("1, "),
        Delta("2"),
        finish("stop"),
    ],
    "responses-refusal": [
        refusal("I can't "),
        refusal("do that."),
        finish("stop"),
        usage(RESPONSES_USAGE),
    ],
    "responses-incomplete": [Delta('{"a": [1,'), finish("length"), usage(RESPONSES_USAGE)],
    "responses-hosted-tools": [
        call("", 0, "code_interpreter", "ci_1"),
        call("print(", 0, "code_interpreter", "ci_1"),
        call("1)", 0, "code_interpreter", "ci_1"),
        call("", 1, "roll", "mcp_1"),
        call('{"d": 6}', 1, "roll", "mcp_1"),
        call("", 2, "search", "call_x"),
        call("dice", 2, "search", "call_x"),
        Delta("You rolled 4"),
        finish("stop"),
        usage(RESPONSES_USAGE),
    ],
    "responses-text-only-when-done": [
        Delta("Rome"),
        Delta("Paris", index=1),
        finish("stop"),
        usage(RESPONSES_USAGE),
    ],
    "responses-whole-at-the-end": [
        Delta('{"a":'),
        Delta(" 1}", index=1),
        call("", 0, "now", "call_a"),
        call("{}", 0, "now", "call_a"),
        finish("tool_calls"),
        usage(RESPONSES_USAGE),
    ],
}

ERRORS = {
    "chat-error": [Delta('{"a": 1')],
    "chat-error-in-chunk": [Delta('{"a": 1')],
    "responses-failed": [Delta('{"a": [1,')],
    "responses-error": [Delta('{"a": [1,')],
}


def as_dicts(events: Iterable[dict[str, Any]]) -> list[Any]:
    return list(events)


def as_sdk_objects(events: Iterable[dict[str, Any]]) -> list[Any]:
    return [
        construct_type(
            type_=ResponseStreamEvent if "type" in event else ChatCompletionChunk, value=event
        )
        for event in events
    ]


either_form = pytest.mark.parametrize("in_form", [as_dicts, as_sdk_objects])


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (DATA / f"{name}.sse").read_text().splitlines()
    payloads = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


def translate(events: Iterable[Any]) -> list[Delta]:
    deltas = OpenAIDeltas()
    return [delta for event in events for delta in deltas.translate(event)]


def chat(*choices: dict[str, Any]) -> list[Delta]:
    return translate({"choices": [choice]} for choice in choices)


@pytest.mark.parametrize("name", CHAT | RESPONSES)
@either_form
def test_a_recorded_stream_becomes_these_deltas(
    name: str, in_form: Callable[[Iterable[dict[str, Any]]], list[Any]]
) -> None:
    events = in_form(recorded(name))

    deltas = translate(events)

    assert deltas == (CHAT | RESPONSES)[name]


@pytest.mark.parametrize("name", ERRORS)
@either_form
def test_a_reported_error_is_raised_with_the_providers_words(
    name: str, in_form: Callable[[Iterable[dict[str, Any]]], list[Any]]
) -> None:
    first, second, *rest = in_form(recorded(name))
    report = rest[0] if name.startswith("responses") else second
    deltas = OpenAIDeltas()
    before = [*deltas.translate(first)]

    if report is not second:
        before.extend(deltas.translate(second))

    with pytest.raises(SourceFailed, match=r"^The server had an error$"):
        deltas.translate(report)

    assert before == ERRORS[name]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        pytest.param("Overloaded", "Overloaded", id="only a text"),
        pytest.param({"code": 502}, "without saying which", id="without a message"),
        pytest.param({"message": {"reason": 1}}, '{"reason": 1}', id="with a structured message"),
    ],
)
def test_an_error_in_an_unusual_form_is_raised_too(error: Any, message: str) -> None:
    with pytest.raises(SourceFailed, match=message):
        translate([{"error": error}])


@pytest.mark.parametrize("name", CHAT)
def test_the_class_for_chat_alone_reads_the_same(name: str) -> None:
    deltas = ChatDeltas()

    assert [d for event in recorded(name) for d in deltas.translate(event)] == CHAT[name]


@pytest.mark.parametrize("name", RESPONSES)
def test_the_class_for_responses_alone_reads_the_same(name: str) -> None:
    deltas = ResponsesDeltas()

    assert [d for event in recorded(name) for d in deltas.translate(event)] == RESPONSES[name]


def test_what_one_chunk_carries_comes_in_a_fixed_order() -> None:
    entry = {"index": 0, "id": "call_a", "function": {"name": "now", "arguments": "{}"}}
    delta = {"tool_calls": [entry], "refusal": "no", "content": "yes", "reasoning": "hm"}
    chunk = {
        "usage": CHAT_USAGE,
        "choices": [{"finish_reason": "stop", "delta": delta, "index": 0}],
    }

    deltas = translate([chunk])

    assert deltas == [
        thought("hm"),
        Delta("yes"),
        refusal("no"),
        call("{}", 0, "now", "call_a"),
        finish("stop"),
        usage(CHAT_USAGE),
    ]


def test_the_helpers_chunk_events_count_and_those_derived_from_them_do_not() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    derived = [
        {"type": "content.delta", "delta": "Hi", "snapshot": "Hi", "parsed": None},
        {"type": "content.done", "content": "Hi", "parsed": None},
        {"type": "tool_calls.function.arguments.delta", "index": 0, "arguments_delta": "{}"},
    ]

    assert translate([{"type": "chunk", "chunk": chunk, "snapshot": {}}, *derived]) == [Delta("Hi")]


@pytest.mark.parametrize("kind", ["keepalive", "response.queued", "response.something.new"])
def test_events_of_other_types_carry_nothing(kind: str) -> None:
    assert translate([{"type": kind, "sequence_number": 0}]) == []


@pytest.mark.parametrize("element", ["text", b"data: {}", 7])
def test_an_element_that_is_no_event_is_named(element: Any) -> None:
    with pytest.raises(UnknownElement, match="an event of an OpenAI stream"):
        translate([element])


def test_arguments_sent_as_an_object_are_written_as_json() -> None:
    entry = {"index": 0, "id": "call_a", "function": {"name": "add", "arguments": {"x": 1}}}

    assert chat({"delta": {"tool_calls": [entry]}}) == [call('{"x": 1}', 0, "add", "call_a")]


def test_the_input_of_a_custom_tool_is_its_text() -> None:
    entry = {"index": 0, "id": "call_a", "type": "custom", "custom": {"name": "py", "input": "1+1"}}

    assert chat({"delta": {"tool_calls": [entry]}}) == [call("1+1", 0, "py", "call_a")]


def test_the_texts_of_the_legacy_completions_api_are_content() -> None:
    assert chat({"index": 0, "text": "Once"}, {"index": 0, "text": " upon"}) == [
        Delta("Once"),
        Delta(" upon"),
    ]


def test_a_text_beside_a_delta_is_not_a_second_content() -> None:
    assert chat({"index": 0, "text": "Once", "delta": {"content": "Once"}}) == [Delta("Once")]


def test_an_id_that_comes_late_is_carried_from_then_on() -> None:
    first = {"index": 0, "function": {"name": "add", "arguments": "{"}}
    second = {"index": 0, "id": "call_a", "function": {"arguments": "}"}}

    assert chat({"delta": {"tool_calls": [first]}}, {"delta": {"tool_calls": [second]}}) == [
        call("{", 0, "add", None),
        call("}", 0, "add", "call_a"),
    ]


def test_a_wire_index_keeps_its_number_also_when_calls_begin_above_zero() -> None:
    entries = [
        {"index": index, "id": f"call_{index}", "function": {"name": "f", "arguments": "{}"}}
        for index in (2, 5)
    ]

    assert [delta.index for delta in chat({"delta": {"tool_calls": entries}})] == [2, 5]


def test_a_resumed_response_is_read_from_where_it_goes_on() -> None:
    place = {"type": "response.function_call_arguments.delta", "output_index": 3}

    assert translate([{**place, "delta": '{"a'}, {**place, "delta": '": 1}'}]) == [
        Delta('{"a', "tool_call"),
        Delta('": 1}', "tool_call"),
    ]


@pytest.mark.parametrize(
    ("reason", "finish_reason"),
    [
        ("max_output_tokens", "length"),
        ("content_filter", "content_filter"),
        ("strange", "strange"),
        (None, "incomplete"),
    ],
)
def test_an_incomplete_response_says_why(reason: str | None, finish_reason: str) -> None:
    response = {"incomplete_details": {"reason": reason} if reason else None, "usage": None}

    deltas = translate([{"type": "response.incomplete", "response": response}])

    assert deltas == [finish(finish_reason)]


@given(
    calls=st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=4), min_size=1, max_size=4),
    numbering=st.sampled_from(["own", "always 0", "missing", "-1"]),
    order=st.randoms(use_true_random=False),
)
def test_calls_told_apart_by_id_never_mix(
    calls: list[list[str]], numbering: str, order: Any
) -> None:
    entries: list[tuple[int, dict[str, Any]]] = []
    left: dict[int, list[str]] = {n: list(pieces) for n, pieces in enumerate(calls)}

    while left:
        number = order.choice(sorted(left))
        entry: dict[str, Any] = {
            "id": f"call_{number}",
            "function": {"name": f"f{number}", "arguments": left[number].pop(0)},
        }

        if numbering != "missing":
            entry["index"] = {"own": number, "always 0": 0, "-1": -1}[numbering]

        entries.append((number, entry))

        if not left[number]:
            del left[number]

    deltas = chat(*({"delta": {"tool_calls": [entry]}} for _, entry in entries))
    by_index: dict[int, list[Delta]] = {}

    for delta in deltas:
        by_index.setdefault(delta.index, []).append(delta)

    assert {(d.id, d.name) for d in deltas} == {(f"call_{n}", f"f{n}") for n in range(len(calls))}
    assert sorted(
        (group[0].id, "".join(delta.text for delta in group)) for group in by_index.values()
    ) == [(f"call_{number}", "".join(pieces)) for number, pieces in enumerate(calls)]
    assert all(len({delta.id for delta in group}) == 1 for group in by_index.values())


def whole_chat(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "m"}
    return {**head, "choices": [{"index": 0, "logprobs": None, **c} for c in choices], **fields}


def whole_response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "resp_1", "object": "response", "created_at": 0, "model": "m", "error": None}
    return {**head, "status": "completed", "output": [*output], "usage": None, **fields}


def as_dict(answer: dict[str, Any]) -> Any:
    return answer


def as_sdk_object(answer: dict[str, Any]) -> Any:
    kind: type[Any] = ChatCompletion if "choices" in answer else Response
    is_legacy = any("text" in choice for choice in answer.get("choices", ()))
    return construct_type(type_=Completion if is_legacy else kind, value=answer)


whole_in_either_form = pytest.mark.parametrize("in_form", [as_dict, as_sdk_object])

CALL_A = {"id": "call_a", "type": "function", "function": {"name": "add", "arguments": "{}"}}
CALL_B = {"id": "call_b", "type": "custom", "custom": {"name": "py", "input": "1+1"}}

WHOLE = {
    "every kind": (
        whole_chat(
            {
                "message": {
                    "role": "assistant",
                    "tool_calls": [CALL_A, CALL_B],
                    "refusal": "no",
                    "content": "yes",
                    "reasoning_content": "hm",
                },
                "finish_reason": "tool_calls",
            },
            usage=CHAT_USAGE,
        ),
        [
            thought("hm"),
            Delta("yes"),
            refusal("no"),
            call("{}", 0, "add", "call_a"),
            call("1+1", 1, "py", "call_b"),
            finish("tool_calls"),
            usage(CHAT_USAGE),
        ],
    ),
    "several choices": (
        whole_chat(
            {"message": {"content": "red"}, "finish_reason": "stop"},
            {"index": 1, "message": {"content": "blue"}, "finish_reason": "length"},
        ),
        [Delta("red"), finish("stop"), Delta("blue", choice=1), finish("length", 1)],
    ),
    "a legacy function call": (
        whole_chat(
            {
                "message": {"content": None, "function_call": CALL_A["function"]},
                "finish_reason": "function_call",
            }
        ),
        [call("{}", 0, "add", None), finish("function_call")],
    ),
    "a text of the legacy Completions API": (
        whole_chat({"text": "Once", "finish_reason": "length"}),
        [Delta("Once"), finish("length")],
    ),
    "a message that was filtered away": (
        whole_chat({"message": None, "finish_reason": "content_filter"}),
        [finish("content_filter")],
    ),
    "a response with every kind": (
        whole_response(
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
            {"type": "message", "content": [{"type": "output_text", "text": "yes"}]},
            {"type": "message", "content": [{"type": "refusal", "refusal": "no"}]},
            {"type": "function_call", "call_id": "call_a", "name": "add", "arguments": "{}"},
            {"type": "function_call", "call_id": "call_b", "name": "sub", "arguments": "{ }"},
            usage=RESPONSES_USAGE,
        ),
        [
            thought("hm"),
            Delta("yes"),
            refusal("no"),
            call("", 0, "add", "call_a"),
            call("{}", 0, "add", "call_a"),
            call("", 1, "sub", "call_b"),
            call("{ }", 1, "sub", "call_b"),
            finish("tool_calls"),
            usage(RESPONSES_USAGE),
        ],
    ),
    "an incomplete response": (
        whole_response(
            {"type": "message", "content": [{"type": "output_text", "text": "[1,"}]},
            status="incomplete",
            incomplete_details={"reason": "max_output_tokens"},
        ),
        [Delta("[1,"), finish("length")],
    ),
}


@pytest.mark.parametrize(("answer", "deltas"), WHOLE.values(), ids=WHOLE)
@whole_in_either_form
def test_a_whole_answer_becomes_these_deltas(
    in_form: Callable[[dict[str, Any]], Any], answer: dict[str, Any], deltas: list[Delta]
) -> None:
    assert [*answer_deltas(in_form(answer))] == deltas


@pytest.mark.parametrize("name", [name for name in RESPONSES if name.endswith("at-the-end")])
@whole_in_either_form
def test_a_whole_response_carries_what_its_stream_does(
    name: str, in_form: Callable[[dict[str, Any]], Any]
) -> None:
    assert [*answer_deltas(in_form(recorded(name)[-1]["response"]))] == RESPONSES[name]


def test_every_call_of_a_whole_message_is_one_of_its_own() -> None:
    twins = [{**CALL_A, "id": ""}, {**CALL_A, "id": "", "index": 0}, CALL_A, {**CALL_A, "index": 7}]
    answer = whole_chat({"message": {"tool_calls": twins}, "finish_reason": "tool_calls"})

    assert [(delta.index, delta.text) for delta in answer_deltas(answer)[:-1]] == [
        (number, "{}") for number in range(4)
    ]


texts = st.text(max_size=5)
messages = st.fixed_dictionaries(
    {
        "reasoning_content": texts,
        "content": texts | st.none(),
        "refusal": texts,
        "tool_calls": st.lists(texts, max_size=3),
    }
)


@given(
    choices=st.lists(st.tuples(messages, st.sampled_from(["stop", "length"])), max_size=3),
    sizes=st.lists(st.integers(1, 3), min_size=1),
    in_form=st.sampled_from([as_dict, as_sdk_object]),
)
def test_a_whole_answer_carries_what_a_stream_of_it_does_however_that_is_cut(
    choices: list[tuple[dict[str, Any], str]],
    sizes: list[int],
    in_form: Callable[[dict[str, Any]], Any],
) -> None:
    whole: list[dict[str, Any]] = []
    chunks: list[dict[str, Any]] = []

    for index, (message, reason) in enumerate(choices):
        deltas: list[dict[str, Any]] = [
            {field: piece}
            for field in ("reasoning_content", "content", "refusal")
            for piece in cut(message[field] or "", sizes)
        ]
        calls: list[dict[str, Any]] = []

        for number, arguments in enumerate(message["tool_calls"]):
            begun = {"id": f"call_{number}", "type": "function"}
            calls.append({**begun, "function": {"name": "f", "arguments": arguments}})
            entry = {"index": number, **begun, "function": {"name": "f", "arguments": ""}}
            deltas.append({"tool_calls": [entry]})
            deltas.extend(
                {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}
                for piece in cut(arguments, sizes)
            )

        whole.append(
            {
                "index": index,
                "message": {**message, "role": "assistant", "tool_calls": calls or None},
                "finish_reason": reason,
            }
        )
        chunks.extend({"choices": [{"index": index, "delta": delta}]} for delta in deltas)
        chunks.append({"choices": [{"index": index, "delta": {}, "finish_reason": reason}]})

    chunks.append({"choices": [], "usage": CHAT_USAGE})

    carried = answer_deltas(in_form(whole_chat(*whole, usage=CHAT_USAGE)))

    assert joined(carried) == joined(translate(chunks))


def cut(text: str, sizes: list[int]) -> list[str]:
    pieces: list[str] = []

    while text:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[:size])
        text = text[size:]

    return pieces


def joined(deltas: Iterable[Delta]) -> list[Delta]:
    """Join the texts of Deltas that follow each other and differ in nothing else."""
    longest: list[Delta] = []

    for delta in deltas:
        before = longest[-1] if longest else None

        if before is not None and replace(before, text="") == replace(delta, text=""):
            longest[-1] = replace(delta, text=before.text + delta.text)
        else:
            longest.append(delta)

    return longest


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param({"error": {"message": "Overloaded", "code": 502}}, "^Overloaded$", id="alone"),
        pytest.param(
            whole_chat(choices=None, error={"message": "Overloaded"}),
            "^Overloaded$",
            id="beside no choices",
        ),
        pytest.param(
            whole_response(status="failed", error={"code": "x", "message": "Overloaded"}),
            "^Overloaded$",
            id="in a response",
        ),
        pytest.param(whole_response(status="failed"), "was failed", id="without any words"),
        pytest.param(whole_response(status="cancelled"), "was cancelled", id="cancelled"),
    ],
)
def test_an_error_that_a_whole_answer_reports_is_raised(answer: Any, words: str) -> None:
    with pytest.raises(SourceFailed, match=words):
        answer_deltas(answer)


@pytest.mark.parametrize(
    "answer",
    [
        *("<html>", b"{}", None, 7, [], {}, {"id": "1"}, iter(())),
        {"choices": 5},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"tool_calls": 5}}]},
        {"choices": [], "usage": [5]},
        {"output": 5},
        {"output": [{"type": "message", "content": 5}]},
    ],
)
def test_what_is_no_answer_is_named_with_what_is(answer: Any) -> None:
    with pytest.raises(UnknownElement, match="a ChatCompletion or Response of the openai SDK"):
        answer_deltas(answer)


@either_form
def test_a_chunk_of_a_stream_is_no_whole_answer(
    in_form: Callable[[Iterable[dict[str, Any]]], list[Any]],
) -> None:
    (chunk,) = in_form([{"choices": [{"index": 0, "delta": {"content": "Hi"}}]}])

    with pytest.raises(UnknownElement, match="not a chunk of a stream"):
        answer_deltas(chunk)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
@whole_in_either_form
def test_a_response_that_has_not_ended_says_when_to_come_back(
    status: str, in_form: Callable[[dict[str, Any]], Any]
) -> None:
    with pytest.raises(UnknownElement, match=f"it is {status}: retrieve it when it has ended"):
        answer_deltas(in_form(whole_response(status=status)))


def learned(events: Iterable[Any]) -> tuple[str | None, str | None]:
    deltas = OpenAIDeltas()

    for event in events:
        deltas.translate(event)

    return deltas.model, deltas.id


def test_before_the_first_event_nobody_is_known_to_answer() -> None:
    assert learned([]) == (None, None)


@pytest.mark.parametrize(
    "name",
    ["chat-empty-choices", "responses-calls", "responses-incomplete", "responses-whole-at-the-end"],
)
@either_form
def test_who_answers_is_learned_from_the_stream(
    name: str, in_form: Callable[[Iterable[dict[str, Any]]], list[Any]]
) -> None:
    identifier = "chatcmpl-1" if name.startswith("chat") else "resp_1"

    assert learned(in_form(recorded(name))) == ("m", identifier)


def test_the_first_model_and_id_that_are_not_empty_stand() -> None:
    named = [("", ""), ("", "1"), ("a", "2"), ("b", "3"), ("", "")]

    assert learned(
        {"id": identifier, "model": model, "choices": []} for model, identifier in named
    ) == ("a", "1")


def test_who_answers_is_learned_from_the_chunks_in_the_helpers_events() -> None:
    chunk: dict[str, Any] = {"id": "1", "model": "a", "choices": []}

    assert learned([{"type": "chunk", "chunk": chunk, "snapshot": {"id": "9"}}]) == ("a", "1")


def test_the_ids_of_items_and_events_are_not_the_answers() -> None:
    item: dict[str, Any] = {"type": "message", "id": "msg_1", "content": []}
    place = {"type": "response.output_item.done", "id": "event_1", "output_index": 0}

    assert learned([{**place, "item": item}]) == (None, None)


def test_who_answers_is_known_also_where_the_answer_is_an_error() -> None:
    deltas = OpenAIDeltas()

    with pytest.raises(SourceFailed):
        deltas.translate({"id": "1", "model": "a", "choices": [], "error": {"message": "no"}})

    assert (deltas.model, deltas.id) == ("a", "1")


@pytest.mark.parametrize("answer", [whole_chat(), whole_response()], ids=["chat", "responses"])
@whole_in_either_form
def test_a_whole_answer_says_who_answered(
    answer: dict[str, Any], in_form: Callable[[dict[str, Any]], Any]
) -> None:
    deltas = OpenAIDeltas()
    deltas.translate_answer(in_form(answer))

    assert (deltas.model, deltas.id) == ("m", answer["id"])
