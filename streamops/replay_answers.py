"""Whole answers, as a provider gives them without streaming, put together from recorded streams."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from streamops.delta import Delta
from streamops.recording import Api, Recording
from streamops.sources.openai_deltas import ChatDeltas, ResponsesDeltas

Fields: TypeAlias = Mapping[str, Any]

_CALL_TEXTS = {"custom_tool_call": "input", "code_interpreter_call": "code"}


def whole_answer(recording: Recording, api: Api) -> tuple[int, Fields]:
    """Return the HTTP status and the JSON of what was recorded as a stream.

    A Chat Completions answer has the texts, calls, finish reason and usage of all choices; thoughts
    are its ``reasoning_content``, whichever field they came in, and calls of custom tools look like
    those of functions. A Responses answer is the response in the last event, its output put
    together from the items where that was left empty. What was not recorded is null, as the finish
    reason of a stream that was cut. A recorded error is the answer, with the status that it names,
    or 500.

    ValueError for a recording that is no JSON.
    """
    events = [*_events(recording)]

    for event in events:
        if error := _error_in(event):
            return _failed(error)

    return 200, _completion(events) if api == "chat" else _response(events)


def _events(recording: Recording) -> Iterator[Fields]:
    for event in recording.events:
        lines = (line for line in event.splitlines() if line.startswith(b"data:"))
        data = b"\n".join(line.removeprefix(b"data:") for line in lines).strip()

        if data == b"[DONE]":
            return

        decoded: Any = json.loads(data) if data else None

        if isinstance(decoded, dict):
            yield cast("Fields", decoded)


def _error_in(event: Fields) -> Fields | None:
    error: Any = event.get("error") or (event if event.get("type") == "error" else None)
    return {"message": error} if isinstance(error, str) else error


def _failed(error: Fields) -> tuple[int, Fields]:
    named = (error.get(field) for field in ("status_code", "status", "code"))
    statuses = (status for status in named if isinstance(status, int) and 400 <= status < 600)
    kind = error.get("type") or "error"
    described = {
        "message": error.get("message"),
        "type": "server_error" if kind == "error" else kind,
        "param": error.get("param"),
        "code": error.get("code"),
    }
    return next(statuses, 500), {"error": described}


def _completion(events: Iterable[Fields]) -> Fields:
    translated = ChatDeltas()
    deltas: dict[int, list[Delta]] = {}
    legacy: set[int] = set()
    head: dict[str, Any] = {"id": None, "created": None, "model": None}
    usage: Fields | None = None

    for event in events:
        # Azure's first chunk has none of them, and the id of the last one can be another's.
        head.update({field: head[field] or event.get(field) for field in head})

        for choice in event.get("choices") or ():
            number = choice.get("index") or 0
            deltas.setdefault(number, [])

            delta: Any = choice.get("delta") or {}

            if delta.get("function_call"):
                legacy.add(number)

        for piece in translated.translate(event):
            if piece.kind == "usage":
                usage = piece.usage
            else:
                deltas.setdefault(piece.choice, []).append(piece)

    choices = [
        _choice(number, deltas[number], legacy=number in legacy) for number in sorted(deltas)
    ]
    return {**head, "object": "chat.completion", "choices": choices, "usage": usage}


def _choice(number: int, deltas: list[Delta], *, legacy: bool) -> Fields:
    texts = {
        kind: "".join(delta.text for delta in deltas if delta.kind == kind)
        for kind in ("content", "refusal", "reasoning")
    }
    calls = [*_calls(deltas)]
    is_other = bool(calls or texts["refusal"])
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if is_other and not texts["content"] else texts["content"],
        "refusal": texts["refusal"] or None,
    }

    if texts["reasoning"]:
        message["reasoning_content"] = texts["reasoning"]

    if legacy:
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls

    reasons = [delta.finish_reason for delta in deltas if delta.kind == "finish"]
    finish_reason = reasons[-1] if reasons else None
    return {"index": number, "message": message, "logprobs": None, "finish_reason": finish_reason}


def _calls(deltas: list[Delta]) -> Iterator[Fields]:
    """Yield the calls in the order of their numbers, each with what was known of it at its end."""
    indexes = sorted({delta.index for delta in deltas if delta.kind == "tool_call"})

    for index in indexes:
        pieces = [delta for delta in deltas if delta.kind == "tool_call" and delta.index == index]
        last = pieces[-1]
        function = {"name": last.name, "arguments": "".join(delta.text for delta in pieces)}
        yield {"id": last.id, "type": "function", "function": function}


def _response(events: list[Fields]) -> Fields:
    told = [event for event in events if isinstance(event.get("response"), dict)]
    response: Fields = told[-1]["response"] if told else {"object": "response"}
    return response if response.get("output") else {**response, "output": _output(events)}


def _output(events: Iterable[Fields]) -> list[Fields]:
    """Return the items of a response; one that was never finished is made from its texts."""
    translated = ResponsesDeltas()
    begun: dict[int, Fields] = {}
    finished: dict[int, Fields] = {}
    deltas: dict[int, list[Delta]] = {}

    for event in events:
        place = event.get("output_index")

        if not isinstance(place, int):
            continue

        deltas.setdefault(place, []).extend(translated.translate(event))

        if event["type"] == "response.output_item.added":
            begun[place] = event["item"]

        if event["type"] == "response.output_item.done":
            finished[place] = event["item"]

    return [
        finished.get(place) or _item(begun.get(place, {}), deltas[place])
        for place in sorted(deltas)
    ]


def _item(begun: Fields, deltas: list[Delta]) -> Fields:
    text = "".join(delta.text for delta in deltas)
    last = deltas[-1] if deltas else Delta()

    if last.kind == "tool_call":
        kind = begun.get("type", "function_call")
        call = {"type": kind, "call_id": last.id, "name": last.name, **begun}
        return {**call, _CALL_TEXTS.get(kind, "arguments"): text}

    if last.kind == "reasoning":
        summary = [{"type": "summary_text", "text": text}]
        return {"type": "reasoning", **begun, "summary": summary}

    if not text:
        return begun

    if last.kind == "refusal":
        part: Fields = {"type": "refusal", "refusal": text}
    else:
        part = {"type": "output_text", "text": text, "annotations": []}

    return {"type": "message", "role": "assistant", **begun, "content": [part]}
