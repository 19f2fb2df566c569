"""What extract makes of every recorded answer, and of the oddities that providers send.

``STREAMOPS_RECORDINGS`` names a folder with recordings and their ``INDEX.jsonl``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel, Field
from reactivex import Observable

import streamops as so
from streamops.recording import read_recording
from streamops.replay import replay
from tests.answers import (
    USAGE,
    chat_calls,
    chat_content,
    chat_function_call,
    responses_calls,
    responses_text,
)
from tests.clients import answering, open_async_client, open_client
from tests.sources.test_recordings import (
    ENTRIES,
    THEIRS,
    channels,
    error_in,
    events_in,
    fields,
    is_of_responses,
    needs_recordings,
    until_error,
)

Mode = so.Mode
extract: Callable[..., Observable[Any]] = so.extract  # the overloads cannot tell what ** holds


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with replay(THEIRS / "chat", THEIRS / "responses") as url:
        yield url


@pytest.fixture(scope="module")
def client(base_url: str) -> Iterator[OpenAI]:
    with open_client(base_url) as client:
        yield client


@dataclass(frozen=True)
class Ended:
    """How an extraction ended."""

    value: Any
    error: so.StreamopsError | None
    outcome: so.Outcome


def asked(client: OpenAI | AsyncOpenAI, entry: dict[str, Any], stream: bool) -> Observable[Any]:
    path = Path(entry["file"])
    tools: dict[str, Any] = {"mode": Mode.TOOLS, "messages": []}

    if entry["api"] == "responses":
        tools = {"mode": Mode.RESPONSES_TOOLS, "input": ""}

    return extract(client, response_model=dict[str, Any], model=path.stem, stream=stream, **tools)


def extracted(client: OpenAI, entry: dict[str, Any], *, stream: bool) -> Ended:
    values = asked(client, entry, stream)

    try:
        return Ended(so.run(values), None, so.outcome(values))
    except so.StreamopsError as error:
        return Ended(None, error, so.outcome(values))


def first_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text, in the simplest way."""
    for start, character in enumerate(text):
        if character == "{":
            try:
                value: dict[str, Any] = json.JSONDecoder(strict=False).raw_decode(text, start)[0]
            except ValueError:
                continue

            return value

    return None


def object_of(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object that was answered, if the answer is one."""
    if entry.get("json_complete"):
        text = entry["json_text"].strip()
        return json.loads(text, strict=False) if text.startswith("{") else None

    for call in entry.get("tool_calls", [])[:1]:
        return first_object(call["arguments"])

    text = channels(events_in(THEIRS / entry["file"])).get(("content", 0), "")
    return first_object(text) if entry.get("json_docs") or "json_text" not in entry else None


def failure_of(entry: dict[str, Any]) -> str | None:
    return error_in(events_in(THEIRS / entry["file"]))


FAILED = [entry for entry in ENTRIES if failure_of(entry) is not None]
GOOD = [entry for entry in ENTRIES if entry not in FAILED and object_of(entry) is not None]
BAD = [entry for entry in ENTRIES if entry not in FAILED and object_of(entry) is None]


def each(entries: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("entry", entries, ids=lambda entry: entry["file"])


streamed_or_not = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@needs_recordings
@each(GOOD)
@streamed_or_not
def test_json_is_what_the_index_says(client: OpenAI, entry: dict[str, Any], stream: bool) -> None:
    ended = extracted(client, entry, stream=stream)

    assert ended.value == object_of(entry)
    assert [ending.status for ending in ended.outcome] == ["complete"]


def expected_error(entry: dict[str, Any]) -> tuple[tuple[type[so.StreamopsError], ...], str]:
    """Return the errors that an answer without a JSON object may end with, and its status."""
    sent = channels(events_in(THEIRS / entry["file"]))

    if ("refusal", 0) in sent:
        return (so.Refused,), "refused"

    if entry.get("json_complete") is False:
        return (so.TruncatedJson,), "truncated"

    ran_out = {"length", "incomplete"} & {*entry["finish"]}
    return (so.NoJson, so.SchemaMismatch), "truncated" if ran_out else "invalid"


@needs_recordings
@each(BAD)
@streamed_or_not
def test_what_is_no_json_object_ends_in_the_error_that_says_so(
    client: OpenAI, entry: dict[str, Any], stream: bool
) -> None:
    errors, status = expected_error(entry)

    ended = extracted(client, entry, stream=stream)

    assert isinstance(ended.error, errors)
    assert [(ending.status, ending.error) for ending in ended.outcome] == [(status, ended.error)]


@needs_recordings
@each(FAILED)
@streamed_or_not
def test_what_a_provider_reports_is_what_the_stream_ends_with(
    client: OpenAI, entry: dict[str, Any], stream: bool
) -> None:
    ended = extracted(client, entry, stream=stream)

    if stream and entry.get("json_text", "")[:1].isdigit():  # wrong before the provider failed
        assert isinstance(ended.error, so.SchemaMismatch)
        return

    assert isinstance(ended.error, so.SourceFailed)
    assert str(failure_of(entry)) in str(ended.error)
    assert [ending.status for ending in ended.outcome] == ["failed"]


def told(events: list[dict[str, Any]], field: str) -> list[Any]:
    """Return what a stream says of itself, each time it does."""
    in_response = is_of_responses(events)
    holders = [event.get("response", event) if in_response else event for event in events]
    grok = [fields(event.get("x_groq")) for event in events] if field == "usage" else []
    return [holder[field] for holder in (*holders, *grok) if holder.get(field)]


@needs_recordings
@each(ENTRIES)
def test_model_id_and_usage_are_found_wherever_they_were_sent(
    client: OpenAI, entry: dict[str, Any]
) -> None:
    events = until_error(events_in(THEIRS / entry["file"]))

    found = extracted(client, entry, stream=True).outcome

    assert found.model == next(iter(told(events, "model")), None)
    assert found.response_id == next(iter(told(events, "id")), None)
    assert found.usage == next(reversed(told(events, "usage")), None)


@needs_recordings
@each([*GOOD, *BAD])
def test_a_whole_answer_says_the_same_of_itself(client: OpenAI, entry: dict[str, Any]) -> None:
    streamed, whole = (extracted(client, entry, stream=way).outcome for way in (True, False))

    assert whole.finish_reason == streamed.finish_reason
    assert whole.model == streamed.model
    assert whole.usage == streamed.usage


@needs_recordings
@pytest.mark.anyio
@streamed_or_not
async def test_the_asynchronous_client_extracts_the_same(
    base_url: str, client: OpenAI, stream: bool
) -> None:
    async with open_async_client(base_url) as async_client:
        for entry in ENTRIES:
            expected = extracted(client, entry, stream=stream)
            values = asked(async_client, entry, stream)
            value, error = None, None

            try:
                value = await so.arun(values)
            except so.StreamopsError as caught:
                error = caught

            assert value == expected.value, entry["file"]
            assert str(error) == str(expected.error), entry["file"]
            assert repr(so.outcome(values)) == repr(expected.outcome), entry["file"]


class User(BaseModel):
    name: str
    age: int = Field(ge=0)


class Search(BaseModel):
    """Look something up."""

    query: str


class Reply(BaseModel):
    """Say something."""

    text: str


JO, AL = User(name="Jo", age=3), User(name="Al", age=4)
ONE, OTHER = '{"tasks": [{"name": "Jo", "age": 3}]}', '{"tasks": [{"name": "Al", "age": 4}]}'
ANSWERS: list[tuple[Any, tuple[tuple[str, str], ...], list[Any]]] = [
    (
        Search | Reply,
        (("Search", '{"query": "a"}'), ("Reply", '{"text": "it is {so}"}')),
        [Search(query="a"), Reply(text="it is {so}")],
    ),
    (Iterable[User], (("MultiUser", ONE), ("MultiUser", OTHER)), [JO, AL]),
]
QUESTIONS: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [{"role": "user", "content": "Who was there?"}]},
    "responses": {"model": "m", "input": "Who was there?"},
}


def finished(client: OpenAI, response_model: Any, mode: so.Mode) -> tuple[list[Any], so.Outcome]:
    """Return what came whole, and how it ended."""
    stream = extract(client, response_model=response_model, mode=mode, **QUESTIONS[mode.api])

    with client:
        values = [*so.to_generator(stream)]

    whole = [value for value in values if type(value) in (User, Search, Reply)]
    return whole, so.outcome(stream)


def decoded(answer: bytes) -> list[dict[str, Any]]:
    lines = [line for event in read_recording(answer).events for line in event.splitlines()]
    data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
    return [json.loads(event) for event in data if event != b"[DONE]"]


def encoded(events: Iterable[dict[str, Any]]) -> bytes:
    body = [f"event: {event.get('type', '')}\ndata: {json.dumps(event)}\n\n" for event in events]
    return "".join(body).encode() + b"data: [DONE]\n\n"


Mutate = Callable[[list[dict[str, Any]]], Iterable[dict[str, Any]]]


def in_choices(change: Callable[[dict[str, Any]], object]) -> Mutate:
    def mutate(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for choice in (choice for event in events for choice in event["choices"]):
            change(choice)

        return events

    return mutate


def in_calls(change: Callable[[dict[str, Any]], object]) -> Mutate:
    def change_all(choice: dict[str, Any]) -> None:
        for call in choice["delta"].get("tool_calls", ()):
            change(call)

    return in_choices(change_all)


def finish_with(reason: str | None) -> Mutate:
    def change(choice: dict[str, Any]) -> None:
        choice["finish_reason"] = choice["finish_reason"] and reason

    return in_choices(change)


def finish_twice(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield event

        if any(choice["finish_reason"] for choice in event["choices"]):
            yield event


def finish_with_the_last_piece(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    *pieces, finish, usage = events
    pieces[-1]["choices"][0]["finish_reason"] = finish["choices"][0]["finish_reason"]
    return [*pieces, usage]


def usage_in_every_chunk(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "usage": USAGE} for event in events]


def usage_in_x_groq(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*events[:-1], {**events[-1], "usage": None, "x_groq": {"usage": USAGE}}]


def without_choices_at_first(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    empty: dict[str, Any] = {**events[0], "id": "", "model": "", "choices": []}
    return [empty, {**empty, "choices": None}, {"id": ""}, *events]


def another_id_in_every_chunk(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "id": f"{event['id']}{number or ''}"} for number, event in enumerate(events)]


def content_first(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    words = ({"content": "Let me {look}"}, {"content": "."}, {"reasoning_content": '{"no": 1}'})
    said = [
        {**events[0], "choices": [{"index": 0, "delta": word, "finish_reason": None}]}
        for word in words
    ]
    return [*said, *events]


def another_choice(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield event
        yield {**event, "choices": [{**choice, "index": 1} for choice in event["choices"]]}


def at_index(number: int | None) -> Mutate:
    return in_calls(lambda call: call.update(index=number))


def later_pieces(**fields: Any) -> Mutate:
    return in_calls(
        lambda call: (
            "id" in call or call.update(id=fields["id"]),
            call["function"].setdefault("name", fields["name"]),
        )
    )


def repeat_name_and_id(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known: dict[int, tuple[str, str]] = {}

    def change(call: dict[str, Any]) -> None:
        number = call["index"]
        first = known.setdefault(number, (call.get("id", ""), call["function"].get("name", "")))
        call["id"], call["function"]["name"] = first

    return [*in_calls(change)(events)]


def without_arguments_at_first(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*in_calls(lambda call: "id" in call and call["function"].pop("arguments"))(events)]


def all_calls_in_one_chunk(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    calls: dict[int, dict[str, Any]] = {}

    def collect(piece: dict[str, Any]) -> None:
        call = calls.setdefault(piece["index"], piece)

        if call is not piece:
            call["function"]["arguments"] += piece["function"]["arguments"]

    in_calls(collect)(events)
    delta = {"role": "assistant", "tool_calls": [*calls.values()]}
    whole = {**events[0], "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return [whole, *events[-2:]]


def unchanged(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return events


OF_CHAT: dict[str, Mutate] = {
    "nothing": unchanged,
    "finish is eos": finish_with("eos"),
    "finish never comes": finish_with(None),
    "finish is stop": finish_with("stop"),
    "finish comes twice": finish_twice,
    "finish comes with the last piece": finish_with_the_last_piece,
    "usage in every chunk": usage_in_every_chunk,
    "usage in x_groq": usage_in_x_groq,
    "no choices at first": without_choices_at_first,
    "another id in every chunk": another_id_in_every_chunk,
    "another choice": another_choice,
    "content first": content_first,
}
OF_TOOLS: dict[str, Mutate] = {
    "no index": in_calls(lambda call: call.pop("index")),
    "index null": at_index(None),
    "index -1": at_index(-1),
    "one index for all": at_index(0),
    "name and id are empty later": later_pieces(id="", name=""),
    "name and id are null later": later_pieces(id=None, name=None),
    "name and id are repeated": repeat_name_and_id,
    "no arguments at first": without_arguments_at_first,
    "arguments null at first": in_calls(
        lambda call: "id" in call and call["function"].update(arguments=None)
    ),
    "all calls in one chunk": all_calls_in_one_chunk,
}


@pytest.mark.parametrize(("response_model", "calls", "values"), ANSWERS, ids=["choice", "items"])
@pytest.mark.parametrize("oddity", [*OF_CHAT, *OF_TOOLS])
def test_calls_are_read_however_they_are_sent(
    response_model: Any, calls: tuple[tuple[str, str], ...], values: list[Any], oddity: str
) -> None:
    mutate = {**OF_CHAT, **OF_TOOLS}[oddity]
    answer = encoded(mutate(decoded(chat_calls(*calls))))

    found, outcome = finished(answering(answer), response_model, Mode.TOOLS)

    assert found == values
    assert [ending.status for ending in outcome] == ["complete"]
    assert outcome.usage == USAGE
    assert (outcome.model, outcome.response_id) == ("m", "chatcmpl-1")


@pytest.mark.parametrize(("response_model", "calls", "values"), ANSWERS, ids=["choice", "items"])
@pytest.mark.parametrize("oddity", OF_CHAT)
def test_a_function_call_is_read_however_it_is_sent(
    response_model: Any, calls: tuple[tuple[str, str], ...], values: list[Any], oddity: str
) -> None:
    answer = encoded(OF_CHAT[oddity](decoded(chat_function_call(*calls[1]))))

    found, outcome = finished(answering(answer), response_model, Mode.FUNCTIONS)

    assert found == values[1:]
    assert [ending.status for ending in outcome] == ["complete"]
    assert outcome.usage == USAGE


def item_ids_that_change(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**event, "item_id": f"item_{number}"} if "item_id" in event else event
        for number, event in enumerate(events)
    ]


def without(*kinds: str) -> Mutate:
    return lambda events: [event for event in events if not event["type"].endswith(kinds)]


def nothing_in_the_response(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    last = events[-1]
    return [*events[:-1], {**last, "response": {**last["response"], "output": []}}]


def keepalive(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        yield {"type": "keepalive", "sequence_number": 0}
        yield {**event, "obfuscation": "x{"}


def message_first(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    said = decoded(responses_text("Let me {look}."))[2:-1]
    later = [
        {**event, "output_index": event["output_index"] + 1} if "output_index" in event else event
        for event in events
    ]
    return [*later[:2], *said, *later[2:]]


OF_RESPONSES: dict[str, Mutate] = {
    "nothing": unchanged,
    "item ids change": item_ids_that_change,
    "arguments come when done": without("arguments.delta"),
    "arguments come with the item": without("arguments.delta", "arguments.done"),
    "nothing in the response": nothing_in_the_response,
    "keepalive and obfuscation": keepalive,
    "it was resumed": without("response.created", "response.in_progress"),
    "a message first": message_first,
}


@pytest.mark.parametrize(("response_model", "calls", "values"), ANSWERS, ids=["choice", "items"])
@pytest.mark.parametrize("oddity", OF_RESPONSES)
def test_calls_of_a_response_are_read_however_they_are_sent(
    response_model: Any, calls: tuple[tuple[str, str], ...], values: list[Any], oddity: str
) -> None:
    answer = encoded(OF_RESPONSES[oddity](decoded(responses_calls(*calls))))

    found, outcome = finished(answering(answer), response_model, Mode.RESPONSES_TOOLS)

    assert found == values
    assert [ending.status for ending in outcome] == ["complete"]
    assert outcome.usage
    assert (outcome.model, outcome.response_id) == ("m", "resp_1")


@pytest.mark.parametrize(("response_model", "calls", "_"), ANSWERS, ids=["choice", "items"])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_call_that_was_cut_before_its_arguments_is_missed(
    response_model: Any, calls: tuple[tuple[str, str], ...], _: object, reason: str
) -> None:
    answer = chat_calls(calls[0], (calls[1][0], ""), finish=reason)
    client = answering(answer)
    stream = extract(client, response_model=response_model, **QUESTIONS["chat"])
    found: list[Any] = []

    with client, pytest.raises((so.NoJson, so.ContentFiltered)):
        found.extend(so.to_generator(stream))

    status = {"length": "truncated", "content_filter": "filtered"}[reason]
    assert [ending.status for ending in so.outcome(stream)] == [status]


def test_running_out_of_tokens_before_any_json_is_not_asked_for_again() -> None:
    answers = chat_content("Well, let me think", finish="length"), chat_content('{"name": "Jo"}')
    asking: dict[str, Any] = {"mode": Mode.JSON, "max_retries": 2, **QUESTIONS["chat"]}

    with answering(*answers) as client:
        stream = extract(client, response_model=User, **asking)

        with pytest.raises(so.NoJson):
            so.run(stream)

    assert [ending.status for ending in so.outcome(stream)] == ["truncated"]


class Dropped(httpx2.SyncByteStream):
    """A body whose connection breaks at its end."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        raise httpx2.ReadError("reset by peer")


CUT: list[tuple[so.Mode, Callable[[str], bytes]]] = [
    (Mode.TOOLS, lambda text: chat_calls(("Reply", text), size=12)),
    (Mode.FUNCTIONS, lambda text: chat_function_call("Reply", text, size=12)),
    (Mode.RESPONSES_TOOLS, lambda text: responses_calls(("Reply", text), size=12)),
]


def arguments_in(body: bytes) -> str:
    """Return the arguments of the first call in those events that have arrived whole."""
    *whole, _ = body.split(b"\n\n")
    events = decoded(b"\n\n".join([*whole, b""]))
    deltas = [choice["delta"] for event in events for choice in event.get("choices", ())]
    calls = [call["function"] for delta in deltas for call in delta.get("tool_calls", ())]
    functions = [delta["function_call"] for delta in deltas if "function_call" in delta]
    pieces = [event["delta"] for event in events if isinstance(event.get("delta"), str)]
    return "".join([*(call["arguments"] for call in [*calls, *functions]), *pieces])


@pytest.mark.parametrize(("mode", "answer"), CUT, ids=[mode.name for mode, _ in CUT])
def test_an_answer_cut_at_any_byte_is_whole_or_a_failure(
    mode: so.Mode, answer: Callable[[str], bytes]
) -> None:
    text = '{"text": "it is {so} é"}'
    body = answer(text)
    sent = [body[:end] for end in range(len(body) + 1)]
    answers = iter(sent)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, stream=Dropped(next(answers))))
    http = httpx2.Client(transport=transport)
    client = OpenAI(base_url="http://t/v1", api_key="x", max_retries=0, http_client=http)
    endings: list[tuple[object, ...]] = []

    with client:
        for _ in sent:
            stream = extract(
                client, response_model=Search | Reply, mode=mode, **QUESTIONS[mode.api]
            )
            values: list[Any] = []

            with suppress(so.SourceFailed):
                values.extend(so.to_generator(stream))

            is_whole = any(type(value) is Reply for value in values)
            endings.append((is_whole, *(ending.status for ending in so.outcome(stream))))

    arrived = [arguments_in(part) == text for part in sent]
    assert endings == [(whole, "complete" if whole else "failed") for whole in arrived]
    assert {*arrived} == {True, False}
