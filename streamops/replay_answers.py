"""Whole answers, as a provider gives them without streaming, put together from recorded streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast

from streamops.delta import Delta
from streamops.errors import SourceFailed, UnknownElement
from streamops.recording import Api, Recording
from streamops.sources.chat_deltas import ChatDeltas, index_of
from streamops.sources.openai_deltas import OpenAIDeltas
from streamops.sources.responses_deltas import ResponsesDeltas
from streamops.sources.sse import EventStream, decoded, is_whole, reported

Fields: TypeAlias = Mapping[str, Any]

_CALL_TEXTS = {"custom_tool_call": "input", "code_interpreter_call": "code"}


def whole_answer(recording: Recording, api: Api) -> tuple[int, Fields]:
    """Return the HTTP status and the JSON of what was recorded as a stream.

    A Chat Completions answer has the texts, calls, finish reason and usage of all choices; thoughts
    are its ``reasoning_content``, whichever field they came in, and calls of custom tools look like
    those of functions. A Responses answer is the response in the last event, its output put
    together from the items where that was left empty; its status is ``"incomplete"`` where the end
    is missing. What else was not recorded is null, as the finish reason of a stream that was cut. A
    recorded error is the answer, with the status that it names, or 500.

    ValueError for a recording that cannot be put together.
    """
    try:
        return _put_together([*_carried(recording)], api)
    except Exception as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _carried(recording: Recording) -> Iterator[Fields]:
    """Yield what the events carry, read as ``from_sse`` reads them."""
    stream = EventStream()
    body = b"".join(recording.events)

    for event in (*stream.feed(body), *filter(is_whole, stream.close())):
        name, data = event

        if data.startswith(b"[DONE]"):
            return

        if name == b"error":
            yield reported(data)
        elif data.strip():
            yield _object(decoded(data))


def _object(value: Any) -> Fields:
    if not isinstance(value, dict):
        raise TypeError(f"an event is an object, not {type(value).__name__}")

    return cast("Fields", value)


def _put_together(events: list[Fields], api: Api) -> tuple[int, Fields]:
    translated = OpenAIDeltas()

    for event in events:
        try:
            translated.translate(event)
        except UnknownElement:
            raise
        except SourceFailed as failure:
            return _failed(event, str(failure))

    return 200, _completion(events) if api == "chat" else _response(events)


def _failed(event: Fields, message: str) -> tuple[int, Fields]:
    failed: Fields = event.get("response") or event
    error: Any = failed.get("error") or event
    details: Fields = {} if isinstance(error, str) else error
    named = (str(details.get(field)) for field in ("status_code", "status", "code"))
    statuses = (int(status) for status in named if re.fullmatch("[45][0-9][0-9]", status))
    kind = details.get("type")
    described = {
        "message": message,
        "type": "server_error" if kind in (None, "error", "response.failed") else kind,
        "param": details.get("param"),
        "code": details.get("code"),
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

        choices: list[Any] = event.get("choices") or []

        for choice in filter(None, choices):
            number = index_of(choice)
            deltas.setdefault(number, [])

            delta: Any = choice.get("delta") or {}

            if delta.get("function_call"):
                legacy.add(number)

        for piece in translated.translate(event):
            if piece.kind == "usage":
                usage = piece.usage
            else:
                deltas.setdefault(piece.choice, []).append(piece)

    answers = [
        _choice(number, deltas[number], legacy=number in legacy) for number in sorted(deltas)
    ]
    return {**head, "object": "chat.completion", "choices": answers, "usage": usage}


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
    ended = any(event.get("type") == "response.completed" for event in events)
    status = response.get("status")

    if status in (None, "queued", "in_progress"):
        status = "completed" if ended else "incomplete"

    return {**response, "status": status, "output": response.get("output") or _output(events)}


_Parts: TypeAlias = dict[tuple[str, int], list[Delta]]
"""The Deltas of each text of an item: the part of an answer that their events name, and its
number."""


def _output(events: Iterable[Fields]) -> list[Fields]:
    """Return the items of a response; one that was never finished is made from its texts."""
    translated = ResponsesDeltas()
    begun: dict[int, Fields] = {}
    finished: dict[int, Fields] = {}
    parts: dict[int, _Parts] = {}

    for event in events:
        place = event.get("output_index")
        place = place if type(place) is int else 0
        part, _, step = str(event.get("type")).removeprefix("response.").rpartition(".")

        if part == "output_item":
            (begun if step == "added" else finished)[place] = event.get("item") or {}

        for delta in translated.translate(event):
            if delta.kind not in ("finish", "usage"):
                texts = parts.setdefault(place, {})
                texts.setdefault((part, delta.index), []).append(delta)

    items = (
        finished.get(place) or _item(begun.get(place, {}), parts.get(place, {}))
        for place in sorted({*begun, *finished, *parts})
    )
    return [item for item in items if item]


def _item(begun: Fields, parts: _Parts) -> Fields:
    deltas = [delta for part in parts.values() for delta in part]
    calls = [delta for delta in deltas if delta.kind == "tool_call"]

    if not deltas:
        return begun

    if calls:
        return _call(begun, calls)

    held: dict[str, list[Fields]] = {}

    for (part, _), pieces in parts.items():
        field, described, text = _PARTS[part]
        written = {**described, text: "".join(delta.text for delta in pieces)}
        held.setdefault(field, []).append(written)

    if deltas[-1].kind == "reasoning":
        return {"type": "reasoning", "summary": [], **begun, **held}

    return {"type": "message", "role": "assistant", **begun, **held}


def _call(begun: Fields, deltas: list[Delta]) -> Fields:
    last = deltas[-1]
    kind = begun.get("type", "function_call")
    call = {"type": kind, "call_id": last.id, "name": last.name, **begun}
    return {**call, _CALL_TEXTS.get(kind, "arguments"): "".join(delta.text for delta in deltas)}


_PARTS: dict[str, tuple[str, Fields, str]] = {
    "output_text": ("content", {"type": "output_text", "annotations": []}, "text"),
    "refusal": ("content", {"type": "refusal"}, "refusal"),
    "reasoning_text": ("content", {"type": "reasoning_text"}, "text"),
    "reasoning_summary_text": ("summary", {"type": "summary_text"}, "text"),
}
