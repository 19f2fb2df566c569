"""What replay promises to those who ask for no stream: the same answer, whole.

Every recording is asked for in both ways: ours, and real ones where ``STREAMOPS_RECORDINGS`` names
a folder with some.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias, get_args

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.recording import Api, Recording, read_recording
from streamops.replay import replay
from streamops.replay_answers import whole_answer
from streamops.sinks.values import run
from streamops.sources.openai_deltas import OpenAIDeltas
from streamops.sources.sse import from_sse
from tests.answers import (
    USAGE,
    answering_with,
    broken,
    chat_calls,
    chat_content,
    chat_error_midway,
    chat_function_call,
    chat_refusal,
    responses_calls,
    responses_refusal,
    responses_text,
)
from tests.clients import http_client, open_async_client, open_client
from tests.sources.test_sse import spoilt_events
from tests.test_replay_modes import Body

OURS = Path(__file__).parent / "data"
THEIRS = Path(os.environ.get("STREAMOPS_RECORDINGS", "nowhere"))
FILES = [
    *sorted(OURS.glob("*.sse")),
    *sorted(THEIRS.glob("chat/*.sse")),
    *sorted(THEIRS.glob("responses/*.sse")),
]

Texts: TypeAlias = dict[tuple[str, int], list[str]]
"""The texts of each kind of each choice."""

CALL_TEXTS = {
    "function_call": "arguments",
    "mcp_call": "arguments",
    "custom_tool_call": "input",
    "code_interpreter_call": "code",
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def is_of_responses(path: Path) -> bool:
    return '"response.' in path.read_text()


def ask(client: OpenAI, model: str, *, responses: bool) -> Any:
    if responses:
        return client.responses.create(model=model, input="")

    return client.chat.completions.create(model=model, messages=[])


def streamed(path: Path) -> tuple[list[Delta], str | None]:
    """Return what the stream carries, and the error that ends it."""
    translated = OpenAIDeltas()
    deltas: list[Delta] = []
    # Only line feeds end lines here: texts may hold what Python takes for other ends.
    lines = path.read_bytes().decode().replace("\r\n", "\n").split("\n")
    payloads = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]

    for payload in payloads:
        if payload == "[DONE]":
            break

        try:
            deltas.extend(translated.translate(json.loads(payload)))
        except SourceFailed as error:
            return deltas, str(error)

    return deltas, None


def joined(deltas: list[Delta]) -> Texts:
    parts: dict[tuple[str, int, int], str] = {}

    for delta in deltas:
        if delta.kind not in ("finish", "usage"):
            key = (delta.kind, delta.choice, delta.index)
            parts[key] = parts.get(key, "") + delta.text

    texts: Texts = {}

    for (kind, choice, _), text in sorted(parts.items()):
        texts.setdefault((kind, choice), []).append(text)

    return texts


def texts_of_completion(completion: ChatCompletion) -> Texts:
    texts: Texts = {}

    for choice in completion.choices:
        message = choice.message
        legacy = [message.function_call.arguments] if message.function_call else []
        calls = [call.model_dump()["function"]["arguments"] for call in message.tool_calls or ()]
        found = {
            "content": [message.content or ""],
            "refusal": [message.refusal or ""],
            "reasoning": [(message.model_extra or {}).get("reasoning_content", "")],
            "tool_call": [*calls, *legacy],
        }
        texts.update(
            {
                (kind, choice.index): parts
                for kind, parts in found.items()
                if any(parts) or (kind == "tool_call" and parts)
            }
        )

    return texts


def texts_of_response(response: Response) -> Texts:
    texts: Texts = {}

    for item in (item.model_dump() for item in response.output):
        if field := CALL_TEXTS.get(item["type"]):
            texts.setdefault(("tool_call", 0), []).append(item[field])

        for part in [*(item.get("summary") or ()), *(item.get("content") or ())]:
            kind = {"output_text": "content", "refusal": "refusal"}.get(part["type"], "reasoning")

            if text := part.get("text") or part.get("refusal"):
                texts.setdefault((kind, 0), []).append(text)

    return texts


@pytest.fixture(scope="module")
def client() -> Iterator[OpenAI]:
    folders = [OURS, THEIRS / "chat", THEIRS / "responses"]

    with (
        replay(*(folder for folder in folders if folder.is_dir())) as base_url,
        open_client(base_url) as client,
    ):
        yield client


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_whole_answer_has_the_texts_of_its_stream(client: OpenAI, path: Path) -> None:
    deltas, error = streamed(path)
    responses = is_of_responses(path)

    try:
        answer = ask(client, path.stem, responses=responses)
    except openai.APIStatusError as failure:
        assert error is not None
        assert error in failure.message
        return

    if responses:
        assert texts_of_response(answer) == joined(deltas)
        assert (answer.error.message if answer.error else None) == error
    else:
        assert texts_of_completion(answer) == joined(deltas)
        assert error is None


@pytest.mark.parametrize("path", [path for path in FILES if not is_of_responses(path)], ids=name_of)
def test_a_whole_chat_answer_ends_as_its_stream(client: OpenAI, path: Path) -> None:
    deltas, error = streamed(path)

    if error is not None:
        return

    answer = ask(client, path.stem, responses=False)

    ended = {delta.choice: delta.finish_reason for delta in deltas if delta.kind == "finish"}
    used = [delta.usage for delta in deltas if delta.kind == "usage"]
    usage = answer.usage.model_dump(exclude_unset=True) if answer.usage else None
    calls = {
        (choice.index, call.id, call.function.name)
        for choice in answer.choices
        for call in choice.message.tool_calls or ()
    }
    assert {choice.index: choice.finish_reason for choice in answer.choices} == {
        choice.index: ended.get(choice.index) for choice in answer.choices
    }
    assert set(ended) <= {choice.index for choice in answer.choices}
    assert usage == (used[-1] if used else None)
    assert calls <= {(delta.choice, delta.id, delta.name) for delta in deltas}


def whole(answer: bytes) -> Any:
    with answering_with(answer) as base_url, open_client(base_url) as client:
        return ask(client, "m", responses=answer.startswith(b"event:"))


def test_a_whole_chat_answer_is_what_a_provider_sends() -> None:
    with answering_with(chat_content("Rome fell.")) as base_url, http_client() as http:
        answer = http.post(f"{base_url}/chat/completions", json={"messages": []})

    message = {"role": "assistant", "content": "Rome fell.", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "m",
        "choices": [choice],
        "usage": USAGE,
    }


def test_calls_of_tools_are_whole_and_in_order() -> None:
    message = whole(chat_calls(("first", '{"a": 1}'), ("second", "{}"))).choices[0].message

    assert message.content is None
    assert [
        (call.id, call.function.name, call.function.arguments) for call in message.tool_calls
    ] == [
        ("call_0", "first", '{"a": 1}'),
        ("call_1", "second", "{}"),
    ]


def test_a_call_that_is_null_is_none() -> None:
    answer = chat_content("Rome fell.").replace(
        b'"refusal": null', b'"refusal": null, "function_call": null, "tool_calls": null'
    )

    message = whole(answer).choices[0].message

    assert message.content == "Rome fell."
    assert (message.function_call, message.tool_calls) == (None, None)


def test_a_legacy_function_call_stays_one() -> None:
    choice = whole(chat_function_call("weather", '{"city": "Rome"}')).choices[0]

    assert choice.finish_reason == "function_call"
    assert choice.message.tool_calls is None
    assert choice.message.function_call.name == "weather"
    assert choice.message.function_call.arguments == '{"city": "Rome"}'


@pytest.mark.parametrize("refused", [chat_refusal, responses_refusal])
def test_a_refusal_is_no_content(refused: Callable[[str], bytes]) -> None:
    answer = whole(refused("I can't."))

    if isinstance(answer, ChatCompletion):
        assert answer.choices[0].message.content is None
        assert answer.choices[0].message.refusal == "I can't."
    else:
        assert answer.output_text == ""
        assert answer.output[0].content[0].refusal == "I can't."


def test_a_whole_response_is_the_one_in_the_last_event() -> None:
    text = whole(responses_text("Rome fell.", incomplete="max_output_tokens"))
    calls = whole(responses_calls(("first", '{"a": 1}'), ("second", "{}")))

    assert (text.status, text.output_text) == ("incomplete", "Rome fell.")
    assert text.incomplete_details.reason == "max_output_tokens"
    assert [(call.call_id, call.name, call.arguments) for call in calls.output] == [
        ("call_0", "first", '{"a": 1}'),
        ("call_1", "second", "{}"),
    ]


def test_a_response_without_an_end_has_what_had_come() -> None:
    events = responses_text("Rome fell.").split(b"\n\n")
    cut = b"\n\n".join(events[:-4]) + b"\n\n"

    answer = whole(cut)

    assert (answer.status, answer.output_text) == ("incomplete", "Rome fell.")


def data(*events: object) -> bytes:
    return b"".join(f"data: {json.dumps(event)}\n\n".encode() for event in events)


def response_of(*events: Body) -> Body:
    """Return the whole response that these events add up to."""
    status, answer = whole_answer(read_recording(data(*events)), "responses")

    assert status == 200
    return dict(answer)


def test_the_parts_of_an_unfinished_item_stay_apart() -> None:
    def written(part: str, number: int, text: str) -> Body:
        place = {"output_index": 0, "content_index": number}
        return {"type": f"response.{part}.delta", **place, "delta": text}

    message = response_of(
        written("output_text", 0, "a"), written("output_text", 1, "b"), written("refusal", 2, "no")
    )
    thought = response_of(
        written("reasoning_summary_text", 0, "a"), written("reasoning_text", 0, "b")
    )

    assert message["output"] == [
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "output_text", "text": "a", "annotations": []},
                {"type": "output_text", "text": "b", "annotations": []},
                {"type": "refusal", "refusal": "no"},
            ],
        }
    ]
    assert thought["output"] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "a"}],
            "content": [{"type": "reasoning_text", "text": "b"}],
        }
    ]


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ([], "incomplete"),
        ([{"type": "response.completed"}], "completed"),
        ([{"type": "response.incomplete"}], "incomplete"),
        ([{"type": "response.completed", "response": {"status": "completed"}}], "completed"),
    ],
)
def test_a_response_is_complete_if_an_event_says_so(ends: list[Body], status: str) -> None:
    begun: Body = {"type": "response.created", "response": {"status": "in_progress", "output": []}}

    assert response_of(begun, *ends) == {"status": status, "output": []}


def test_events_without_what_they_are_about_add_nothing() -> None:
    answer = response_of(
        {"type": "response.output_item.added", "output_index": 0},
        {"output_index": 1},
        {"type": "response.output_item.done", "output_index": 2},
        {"type": "response.output_text.delta", "output_index": 3, "delta": "a"},
    )

    assert [item["type"] for item in answer["output"]] == ["message"]


def test_a_choice_without_a_number_is_the_first() -> None:
    answer = whole(
        data(
            {"choices": [{"index": "0", "delta": {"content": "a"}}]},
            {"choices": [{"index": 1, "delta": {"content": "b"}}, None]},
            {"choices": [{"delta": {"content": "c"}}]},
        )
    )

    assert [(choice.index, choice.message.content) for choice in answer.choices] == [
        (0, "ac"),
        (1, "b"),
    ]


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"])
@pytest.mark.parametrize("answer", [chat_content("Rome fell."), responses_text("Rome fell.")])
def test_lines_may_end_in_other_ways(answer: bytes, ending: bytes) -> None:
    # A file is known as a recording by lines of data, which only line feeds begin.
    recording = Recording((answer.replace(b"\n", ending),), None)
    api: Api = "responses" if answer.startswith(b"event:") else "chat"

    assert whole_answer(recording, api) == whole_answer(read_recording(answer), api)


def test_an_event_that_was_cut_is_none() -> None:
    answer = chat_content("Rome", finish=None, usage=None, size=9).removesuffix(b"data: [DONE]\n\n")

    assert whole(answer + b'data: {"choices": [{"del').choices[0].message.content == "Rome"


def test_surrogates_that_are_sent_apart_come_together() -> None:
    halves = [{"choices": [{"delta": {"content": half}}]} for half in ("\ud83d", "\ude00")]

    assert whole(data(*halves)).choices[0].message.content == "😀"


def test_a_chat_answer_without_an_end_has_no_finish_reason() -> None:
    answer = whole(chat_content("Rome fell.", finish=None, usage=None))

    assert answer.choices[0].finish_reason is None
    assert answer.usage is None


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param({"message": "Boom", "code": None}, 500, id="that names no status"),
        pytest.param({"message": "Boom", "code": 502}, 502, id="whose code is one"),
        pytest.param({"message": "Boom", "code": "x", "status_code": 400}, 400, id="that names it"),
        pytest.param("Boom", 500, id="that is a text"),
        pytest.param({"message": "Boom", "code": 7}, 500, id="with a code of its own"),
        pytest.param({"message": "Boom", "code": "429"}, 429, id="whose code is one in quotes"),
        pytest.param({"message": "Boom", "code": "rate_limit"}, 500, id="whose code is a word"),
    ],
)
def test_a_recorded_error_is_an_http_error(error: Any, status: int) -> None:
    answer = f"data: {json.dumps({'error': error})}\n\n".encode()

    with pytest.raises(openai.APIStatusError, match="Boom") as caught:
        whole(answer)

    assert caught.value.status_code == status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(
            data({"type": "response.failed", "response": {"error": {"message": "Boom"}}}),
            500,
            id="a response that failed",
        ),
        pytest.param(
            data(
                {
                    "type": "response.failed",
                    "response": {"error": {"message": "Boom", "code": "429"}},
                }
            ),
            429,
            id="a response that failed with a status",
        ),
        pytest.param(
            b'event: error\ndata: {"message": "Boom", "code": 503}\n\n', 503, id="only named"
        ),
        pytest.param(b"event: error\ndata: Boom\n\n", 500, id="named, and no JSON"),
        pytest.param(data({"type": "error", "message": "Boom"}), 500, id="of Responses"),
    ],
)
def test_an_error_of_any_form_is_an_http_error(answer: bytes, status: int) -> None:
    with (
        answering_with(answer) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.APIStatusError, match="Boom") as caught,
    ):
        ask(client, "m", responses=True)

    assert (caught.value.status_code, caught.value.type) == (status, "server_error")


def test_an_error_without_words_says_so() -> None:
    status, answer = whole_answer(
        read_recording(data({"type": "response.failed", "response": {}})), "responses"
    )

    assert status == 500
    assert "without saying which" in answer["error"]["message"]


def test_an_error_midway_leaves_nothing_of_the_answer() -> None:
    with pytest.raises(openai.InternalServerError, match="Overloaded"):
        whole(chat_error_midway("Rome", "Overloaded"))


@pytest.mark.parametrize("answer", [chat_content("Rome fell."), responses_text("Rome fell.")])
def test_an_incomplete_recording_is_no_whole_answer(answer: bytes) -> None:
    with (
        answering_with(broken(answer, 4)) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        ask(client, "m", responses=answer.startswith(b"event:"))


@pytest.mark.parametrize(
    "answer",
    [
        b"data: Rome fell.\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
        data(5),
        data({"choices": 5}),
        data({"choices": [1]}),
        data({"choices": [{"delta": "x"}]}),
        data({"choices": [{"delta": {"content": 5}}]}),
        data({"choices": [], "usage": [5]}),
        data({"error": [1]}),
        data({"error": True}),
        data({"type": "response.output_item.added", "item": 1}),
        data({"type": "response.completed", "response": 1}),
    ],
)
def test_a_recording_that_makes_no_answer_is_told_so(answer: bytes) -> None:
    with (
        answering_with(answer) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.InternalServerError, match="The recording makes no whole answer: "),
    ):
        ask(client, "m", responses=b'"response.' in answer)


@given(st.lists(spoilt_events(), min_size=1, max_size=4), st.sampled_from(get_args(Api)))
def test_whatever_was_recorded_is_an_answer_or_makes_none(events: list[Body], api: Api) -> None:
    recording = Recording((data(*events),), None)

    try:
        status, answer = whole_answer(recording, api)
    except ValueError:
        with pytest.raises(SourceFailed):
            run(from_sse([data(*events)]))
    else:
        assert 200 <= status < 600
        assert json.loads(json.dumps(answer))


@pytest.mark.anyio
async def test_the_asynchronous_client_reads_whole_answers() -> None:
    with answering_with(chat_content("Rome fell."), responses_text("Rome fell.")) as base_url:
        async with open_async_client(base_url) as client:
            completion = await client.chat.completions.create(model="m", messages=[])
            response = await client.responses.create(model="m", input="")

    assert completion.choices[0].message.content == "Rome fell."
    assert response.output_text == "Rome fell."


def test_streams_and_whole_answers_take_turns_alike() -> None:
    with (
        answering_with(chat_content("one"), chat_content("two")) as base_url,
        open_client(base_url) as client,
    ):
        first = ask(client, "m", responses=False)
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        second = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert (first.choices[0].message.content, second) == ("one", "two")
