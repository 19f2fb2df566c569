"""What from_openai promises on every recorded stream: ours, and real ones where there are any.

``STREAMOPS_RECORDINGS`` names a folder with ``chat`` and ``responses`` recordings and their
``INDEX.jsonl``. What they carry is read here a second time, in the simplest way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from openai import AsyncOpenAI, OpenAI
from reactivex import Observable
from reactivex import operators as rx

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.replay import replay
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.openai import from_openai
from tests.clients import open_async_client, open_client

OURS = Path(__file__).parent.parent / "data"
THEIRS = Path(os.environ.get("STREAMOPS_RECORDINGS", "nowhere"))
INDEX = THEIRS / "INDEX.jsonl"

# These carry texts where the simplest way does not look for them.
HIDDEN = {"responses-calls", "responses-text-only-when-done", "responses-whole-at-the-end"}
FILES = [
    *(path for path in sorted(OURS.glob("*.sse")) if path.stem not in HIDDEN),
    *sorted(THEIRS.glob("chat/*.sse")),
    *sorted(THEIRS.glob("responses/*.sse")),
]
ENTRIES: list[Any] = [
    entry
    for entry in map(json.loads, INDEX.read_text().splitlines() if INDEX.exists() else [])
    if entry["api"] in ("chat", "responses")
]

Channels: TypeAlias = dict[tuple[str, int], str]

needs_recordings = pytest.mark.skipif(
    not ENTRIES, reason="STREAMOPS_RECORDINGS names no folder with an INDEX.jsonl"
)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    folders = [OURS, THEIRS / "chat", THEIRS / "responses"]

    with replay(*(folder for folder in folders if folder.is_dir())) as url:
        yield url


@pytest.fixture(scope="module")
def client(base_url: str) -> Iterator[OpenAI]:
    with open_client(base_url) as client:
        yield client


def events_in(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().decode().splitlines()
    payloads = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


def items(value: Any) -> list[Any]:
    return value or []


def fields(value: Any) -> dict[str, Any]:
    return value or {}


def is_of_responses(events: list[dict[str, Any]]) -> bool:
    return any(str(event.get("type")).startswith("response.") for event in events)


def error_in(events: list[dict[str, Any]]) -> str | None:
    for event in events:
        failure = event.get("response", {}).get("error") or event.get("error")

        if failure or event.get("type") == "error":
            return str((failure or event)["message"])

    return None


def until_error(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    failures = [number for number, event in enumerate(events) if error_in([event])]
    return events[: failures[0]] if failures else events


def chat_channels(events: list[dict[str, Any]]) -> Channels:
    """Join what each channel of a Chat Completions stream carries."""
    channels: Channels = {}

    def add(kind: str, choice: int, text: str | None) -> None:
        if text:
            channels[kind, choice] = channels.get((kind, choice), "") + text

    for choice in (choice for event in events for choice in items(event.get("choices"))):
        number = choice.get("index", 0)
        delta = fields(choice.get("delta"))
        content = delta.get("content")
        details = items(delta.get("reasoning_details"))
        detailed = "".join(detail.get("text") or detail.get("summary") or "" for detail in details)
        add(
            "reasoning",
            number,
            delta.get("reasoning_content") or delta.get("reasoning") or detailed,
        )

        for part in items(content) if isinstance(content, list) else [{"text": content}]:
            add("content", number, part.get("text"))
            add("reasoning", number, "".join(t["text"] for t in items(part.get("thinking"))))

        add("refusal", number, delta.get("refusal"))
        add("tool_call", number, fields(delta.get("function_call")).get("arguments"))

        for call in items(delta.get("tool_calls")):
            add("tool_call", number, fields(call.get("function")).get("arguments"))

    return channels


WHOLE = {
    "response.output_text": ("content", "text"),
    "response.refusal": ("refusal", "refusal"),
    "response.reasoning_text": ("reasoning", "text"),
    "response.reasoning_summary_text": ("reasoning", "text"),
    "response.function_call_arguments": ("tool_call", "arguments"),
    "response.custom_tool_call_input": ("tool_call", "input"),
    "response.mcp_call_arguments": ("tool_call", "arguments"),
    "response.code_interpreter_call_code": ("tool_call", "code"),
}


def responses_channels(events: list[dict[str, Any]]) -> Channels:
    """Join what each channel of a Responses stream carries: whole texts, or else the deltas."""
    texts: dict[tuple[str, str, int], str] = {}

    for event in events:
        stem, _, ending = str(event.get("type")).rpartition(".")

        if stem in WHOLE:
            kind, field = WHOLE[stem]
            number = event.get("content_index", event.get("summary_index", 0))
            key = (kind, f"{event['output_index']}/{stem}/{number}", 0)
            texts[key] = event[field] if ending == "done" else texts.get(key, "") + event["delta"]

    channels: Channels = {}

    for (kind, _, choice), text in texts.items():
        if text:
            channels[kind, choice] = channels.get((kind, choice), "") + text

    return channels


def channels(events: list[dict[str, Any]]) -> Channels:
    return responses_channels(events) if is_of_responses(events) else chat_channels(events)


def joined(deltas: list[Delta]) -> Channels:
    channels: Channels = {}

    for delta in deltas:
        if delta.text:
            key = (delta.kind, delta.choice)
            channels[key] = channels.get(key, "") + delta.text

    return channels


def by_part(deltas: list[Delta], kind: str) -> list[list[Delta]]:
    parts: dict[tuple[int, int], list[Delta]] = {}

    for delta in deltas:
        if delta.kind == kind:
            parts.setdefault((delta.choice, delta.index), []).append(delta)

    return [*parts.values()]


def source_of(client: OpenAI | AsyncOpenAI, path: Path) -> Observable[Delta]:
    if is_of_responses(events_in(path)):
        return from_openai(client.responses, model=path.stem, input="")

    return from_openai(client.chat.completions, model=path.stem, messages=[])


def read(client: OpenAI, path: Path) -> tuple[list[Delta], str | None]:
    deltas: list[Delta] = []

    try:
        deltas.extend(to_generator(source_of(client, path)))
    except SourceFailed as error:
        return deltas, str(error)

    return deltas, None


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_channel_carries_the_text_on_the_wire(client: OpenAI, path: Path) -> None:
    events = events_in(path)

    deltas, error = read(client, path)

    assert error == error_in(events)
    assert joined(deltas) == channels(until_error(events))


@pytest.mark.anyio
async def test_the_asynchronous_client_reads_the_same(base_url: str, client: OpenAI) -> None:
    async with open_async_client(base_url) as async_client:
        for path in FILES:
            expected, error = read(client, path)
            deltas: list[Delta] = []
            failure = None

            try:
                stream = source_of(async_client, path).pipe(rx.do_action(deltas.append))
                async with to_async_generator(stream) as pieces:
                    assert [piece async for piece in pieces] == deltas
            except SourceFailed as caught:
                failure = str(caught)

            assert (deltas, failure) == (expected, error), name_of(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_stream_finishes_once_for_every_choice_that_does(client: OpenAI, path: Path) -> None:
    deltas, error = read(client, path)
    finished = [(delta.choice, delta.finish_reason) for delta in deltas if delta.kind == "finish"]

    assert len(finished) == len(set(finished))

    if error is None and is_of_responses(events_in(path)):
        assert len(finished) == 1


@needs_recordings
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_every_tool_call_is_put_together_as_the_index_says(
    client: OpenAI, entry: dict[str, Any]
) -> None:
    deltas, _ = read(client, THEIRS / entry["file"])
    # The index leaves out legacy function calls, and tools that the provider runs itself.
    calls = [
        part
        for part in by_part(deltas, "tool_call")
        if part[0].id and part[0].name != "code_interpreter"
    ]

    assert [{(delta.name, delta.id) for delta in part} for part in calls] == [
        {(call["name"], call["id"])} for call in items(entry.get("tool_calls"))
    ]
    assert ["".join(delta.text for delta in part) for part in calls] == [
        call["arguments"] for call in items(entry.get("tool_calls"))
    ]


@needs_recordings
@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.get("json_text")], ids=lambda entry: entry["file"]
)
def test_the_json_of_a_stream_is_on_its_first_channel(
    client: OpenAI, entry: dict[str, Any]
) -> None:
    deltas, _ = read(client, THEIRS / entry["file"])
    [first, *_] = by_part(deltas, "tool_call") or by_part(deltas, "content")

    assert "".join(delta.text for delta in first) == entry["json_text"]
