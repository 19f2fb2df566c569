"""Small recorded answers of both APIs, in the format of the wire, and a server that gives them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from streamops.modes import Mode
from streamops.recording import read_recording
from streamops.replay import replay

Fields: TypeAlias = Mapping[str, Any]
Events: TypeAlias = list[tuple[str, Fields]]

CREATED = 1700000000
USAGE: Fields = {
    "prompt_tokens": 5,
    "completion_tokens": 2,
    "total_tokens": 7,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
RESPONSES_USAGE: Fields = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 7,
}


def chat_content(
    text: str,
    *,
    finish: str | None = "stop",
    usage: Fields | None = USAGE,
    size: int = 4,
    model: str = "m",
    id: str = "chatcmpl-1",  # noqa: A002  # what the wire calls it
) -> bytes:
    """Answer with a text in pieces of that size; without a ``finish`` or ``usage``, none comes."""
    deltas: list[Fields] = [{"role": "assistant", "content": "", "refusal": None}]
    deltas.extend({"content": piece} for piece in _cut(text, size))
    return _chat(deltas, finish, usage, model, id)


def chat_calls(
    *calls: tuple[str, str],
    finish: str | None = "tool_calls",
    usage: Fields | None = USAGE,
    size: int = 4,
    model: str = "m",
    id: str = "chatcmpl-1",  # noqa: A002  # what the wire calls it
) -> bytes:
    """Answer with calls of tools, each a name and its arguments; their ids are call_0, call_1..."""
    deltas: list[Fields] = [{"role": "assistant", "content": None}]

    for index, (name, arguments) in enumerate(calls):
        begun = {"id": f"call_{index}", "type": "function"}
        function = {"name": name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, **begun, "function": function}]})
        deltas.extend(
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in _cut(arguments, size)
        )

    return _chat(deltas, finish, usage, model, id)


def chat_function_call(
    name: str,
    arguments: str,
    *,
    finish: str | None = "function_call",
    usage: Fields | None = USAGE,
    size: int = 4,
    model: str = "m",
    id: str = "chatcmpl-1",  # noqa: A002  # what the wire calls it
) -> bytes:
    """Answer with a call of the kind that came before tools.

    The finish reason is ``"stop"`` at OpenAI where the request forced this very function.
    """
    begun = {"name": name, "arguments": ""}
    deltas: list[Fields] = [{"role": "assistant", "content": None, "function_call": begun}]
    deltas.extend({"function_call": {"arguments": piece}} for piece in _cut(arguments, size))
    return _chat(deltas, finish, usage, model, id)


def chat_refusal(
    text: str,
    *,
    usage: Fields | None = USAGE,
    size: int = 4,
    model: str = "m",
    id: str = "chatcmpl-1",  # noqa: A002  # what the wire calls it
) -> bytes:
    """Answer that the model will not."""
    deltas: list[Fields] = [{"role": "assistant", "content": None, "refusal": ""}]
    deltas.extend({"refusal": piece} for piece in _cut(text, size))
    return _chat(deltas, "stop", usage, model, id)


def chat_error_midway(text: str, message: str, *, size: int = 4, model: str = "m") -> bytes:
    """Answer with the beginning of a text, then with an error."""
    error = {"message": message, "type": "server_error", "param": None, "code": None}
    begun = chat_content(text, finish=None, usage=None, size=size, model=model)
    return begun.removesuffix(_DONE) + _data({"error": error}) + _DONE


def responses_text(
    text: str, *, incomplete: str | None = None, size: int = 4, model: str = "m"
) -> bytes:
    """Answer with a message; ``incomplete`` is the reason why it ends early."""
    return _responses([_message("output_text", "text", text, size)], incomplete, model)


def responses_refusal(text: str, *, size: int = 4, model: str = "m") -> bytes:
    """Answer that the model will not."""
    return _responses([_message("refusal", "refusal", text, size)], None, model)


def responses_calls(
    *calls: tuple[str, str], incomplete: str | None = None, size: int = 4, model: str = "m"
) -> bytes:
    """Answer with calls of tools, each a name and its arguments; their ids are call_0, call_1..."""
    items = [_function_call(f"call_{number}", *call, size) for number, call in enumerate(calls)]
    return _responses(items, incomplete, model)


def broken(answer: bytes, events: int) -> bytes:
    """Cut an answer after so many events; the server drops the connection there."""
    kept = b"".join(read_recording(answer).events[:events])
    return kept + b"\n: streamops incomplete: cut by a test\n"


@contextmanager
def answering_with(
    *answers: bytes,
    mode: Mode | str | None = None,
    on_request: Callable[[Fields], object] | None = None,
) -> Generator[str]:
    """Serve the answers in turn, those of each API for itself, and give the ``base_url``."""
    with tempfile.TemporaryDirectory() as folder:
        for number, answer in enumerate(answers):
            (Path(folder) / f"answer-{number:04}.sse").write_bytes(answer)

        server = replay(folder, mode=mode, on_request=on_request)

    with server as base_url:
        yield base_url


_DONE = b"data: [DONE]\n\n"
_STARTED = "in_progress"
_EMPTY: dict[str, Fields] = {
    "message": {"content": []},
    "function_call": {"arguments": ""},
}


def _cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _data(event: Fields) -> bytes:
    return f"data: {json.dumps(event)}\n\n".encode()


def _chat(
    deltas: Iterable[Fields],
    finish: str | None,
    usage: Fields | None,
    model: str,
    identifier: str,
) -> bytes:
    head: Fields = {
        "id": identifier,
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "system_fingerprint": None,
    }
    choices: list[Fields] = [
        {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas
    ]

    if finish is not None:
        choices.append({"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish})

    chunks = [{**head, "choices": [choice], "usage": None} for choice in choices]

    if usage is not None:
        chunks.append({**head, "choices": [], "usage": usage})

    return b"".join(map(_data, chunks)) + _DONE


def _message(kind: str, field: str, text: str, size: int) -> tuple[Fields, Events]:
    """Return a finished message with one part, and the events between its start and its end."""
    rest: Fields = {"annotations": []} if kind == "output_text" else {}
    part: Fields = {"type": kind, field: text, **rest}
    events: Events = [("response.content_part.added", {"part": {**part, field: ""}})]
    events.extend((f"response.{kind}.delta", {"delta": piece}) for piece in _cut(text, size))
    events.append((f"response.{kind}.done", {field: text}))
    events.append(("response.content_part.done", {"part": part}))
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
    return item, [(name, {"content_index": 0, **fields}) for name, fields in events]


def _function_call(call_id: str, name: str, arguments: str, size: int) -> tuple[Fields, Events]:
    """Return a finished call, and the events between its start and its end."""
    stem = "response.function_call_arguments"
    events: Events = [(f"{stem}.delta", {"delta": piece}) for piece in _cut(arguments, size)]
    events.append((f"{stem}.done", {"arguments": arguments}))
    called = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", "id": f"fc_{call_id}", **called}, events


def _responses(items: Iterable[tuple[Fields, Events]], incomplete: str | None, model: str) -> bytes:
    begun: Fields = {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": None,
    }
    status = "completed" if incomplete is None else "incomplete"
    output: list[Fields] = []
    events: Events = [(f"response.{name}", {"response": begun}) for name in ("created", _STARTED)]

    for index, (item, between) in enumerate(items):
        added: Fields = {**item, **_EMPTY[item["type"]], "status": _STARTED}
        done: Fields = {**item, "status": status}
        place = {"output_index": index}
        events.append(("response.output_item.added", {**place, "item": added}))
        events.extend(
            (name, {"item_id": item["id"], **place, **fields}) for name, fields in between
        )
        events.append(("response.output_item.done", {**place, "item": done}))
        output.append(done)

    details = None if incomplete is None else {"reason": incomplete}
    ended = {"status": status, "incomplete_details": details, "usage": RESPONSES_USAGE}
    response = {**begun, **ended, "output": output}
    events.append((f"response.{status}", {"response": response}))
    return b"".join(
        f"event: {name}\n".encode() + _data({"type": name, "sequence_number": number, **fields})
        for number, (name, fields) in enumerate(events)
    )
