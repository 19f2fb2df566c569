"""Answers as bytes: what providers send for the chunks of a document, and clients that get it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import httpx2
from openai import OpenAI

from benchmarks.contenders import Reading, Unfit
from benchmarks.workloads import Workload

Pieces = Sequence[bytes]

LONGEST = 100_000
"""No answer is written of a longer document: an event costs the same wherever it stands."""


class Wire:
    """A client, and what it is answered with next, without a network."""

    def __init__(self) -> None:
        self._answer: Iterable[bytes] = ()
        http = httpx2.Client(transport=httpx2.MockTransport(self._respond))
        self.client = OpenAI(
            base_url="http://test/v1", api_key="test", max_retries=0, http_client=http
        )

    def answer_with(self, pieces: Iterable[bytes]) -> None:
        self._answer = pieces

    def _respond(self, _: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(200, headers=headers, stream=_Body(self._answer))


class _Body(httpx2.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def over_chat(
    workload: Workload,
    read: Callable[[OpenAI], object],
    says: Callable[[Any], Any] | None = None,
) -> Reading:
    """Have a client ask for Chat Completions: it gets the recording, or an answer like one."""

    def elements(chunks: list[str]) -> Pieces:
        return workload.pieces if chunks == [*workload.recorded] else chat_pieces(chunks)

    return _over(workload, read, elements, says)


def over_responses(
    workload: Workload,
    read: Callable[[OpenAI], object],
    says: Callable[[Any], Any] | None = None,
) -> Reading:
    """Have a client ask for Responses."""
    return _over(workload, read, responses_pieces, says)


def check_length(workload: Workload) -> None:
    if len(workload.text) > LONGEST:
        raise Unfit(f"longer than {LONGEST} characters")


def _over(
    workload: Workload,
    read: Callable[[OpenAI], object],
    elements: Callable[[list[str]], Pieces],
    says: Callable[[Any], Any] | None,
) -> Reading:
    check_length(workload)
    wire = Wire()

    def read_all(pieces: Iterable[bytes]) -> object:
        wire.answer_with(pieces)
        return read(wire.client)

    return Reading(read_all, elements, says)


def chat_pieces(texts: list[str]) -> Pieces:
    """Write an answer of Chat Completions, a piece for each text."""
    begin = chat_chunk({"role": "assistant", "content": "", "refusal": None})
    end = chat_chunk({}, "stop") + b"data: [DONE]\n\n"
    return _between(begin, [chat_chunk({"content": text}) for text in texts], end)


def chat_chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    """Write an event of Chat Completions as the provider does."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    return _event(
        {
            "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012",
            "object": "chat.completion.chunk",
            "created": 1735689600,
            "model": "gpt-4o-2024-08-06",
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
            "choices": [choice],
            "usage": None,
            "obfuscation": "AbCdEfGh",
        }
    )


def responses_pieces(texts: list[str]) -> Pieces:
    """Write an answer of Responses, a piece for each text."""
    place = {"output_index": 0, "item_id": "msg_0123456789abcdef0123456789abcdef0123456789abcdef"}
    text = "".join(texts)
    numbers = iter(range(len(texts) + 8))

    def event(kind: str, **data: Any) -> bytes:
        return _event({"type": f"response.{kind}", "sequence_number": next(numbers), **data})

    def part(text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def message(status: str, content: list[Any]) -> dict[str, Any]:
        head = {"type": "message", "id": place["item_id"], "role": "assistant", "status": status}
        return {**head, "content": content}

    def delta(text: str) -> bytes:
        return event(
            "output_text.delta",
            **place,
            content_index=0,
            delta=text,
            logprobs=[],
            obfuscation="AbCdEfGh",
        )

    begin = (
        event("created", response=_response("in_progress", []))
        + event("output_item.added", output_index=0, item=message("in_progress", []))
        + event("content_part.added", **place, content_index=0, part=part(""))
    )
    deltas = list(map(delta, texts))
    whole = message("completed", [part(text)])
    end = (
        event("output_text.done", **place, content_index=0, text=text, logprobs=[])
        + event("content_part.done", **place, content_index=0, part=part(text))
        + event("output_item.done", output_index=0, item=whole)
        + event("completed", response=_response("completed", [whole]))
    )
    return _between(begin, deltas, end)


def messages_pieces(texts: list[str]) -> Pieces:
    """Write an answer of Anthropic's Messages, a piece for each text."""

    def event(kind: str, **data: Any) -> bytes:
        return _event({"type": kind, **data})

    begin = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    end = event("message_delta", delta={"stop_reason": "end_turn"})
    deltas = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
        for text in texts
    ]
    return _between(begin, deltas, end)


def _between(begin: bytes, deltas: list[bytes], end: bytes) -> Pieces:
    deltas[0] = begin + deltas[0]
    deltas[-1] += end
    return deltas


def _event(data: dict[str, Any]) -> bytes:
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _response(status: str, output: list[Any]) -> dict[str, Any]:
    return {
        "id": "resp_0123456789abcdef0123456789abcdef0123456789abcdef",
        "object": "response",
        "created_at": 1735689600,
        "status": status,
        "model": "gpt-4o-2024-08-06",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
