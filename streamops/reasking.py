"""What is asked when an answer was no good: the same again, with the answer and its faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamops.delta import Delta
from streamops.errors import (
    Fault,
    MalformedJson,
    NoJson,
    SchemaMismatch,
    SourceFailed,
    SpentSource,
    TruncatedJson,
    UnknownElement,
)
from streamops.modes import Mode

_QUOTED = 200  # characters of an input that is quoted to the model


def next_request(
    mode: Mode, request: Mapping[str, Any], heard: Heard, error: Exception
) -> Mapping[str, Any] | None:
    """Return what to ask after an attempt that ended with an error; None if asking is no use.

    An answer that had begun and broke off is asked for again. One that is invalid, or no JSON, is
    put into the conversation together with its faults. Asking does not help where the model ran out
    of tokens, refused or was filtered, and where the client itself has tried again already.
    """
    match error:
        case UnknownElement() | SpentSource():
            return None
        case SourceFailed():
            return request if error.begun else None
        case TruncatedJson(finish_reason=None):
            return request
        case (
            TruncatedJson(finish_reason="length" | "content_filter")
            | NoJson(finish_reason="length")
        ):
            return None
        case SchemaMismatch() | MalformedJson() | NoJson() | TruncatedJson():
            return _with_faults(mode, request, heard, _faults(error))
        case _:
            return None


@dataclass(slots=True)
class _Call:
    """A call that the model made."""

    name: str | None = None
    id: str | None = None
    texts: list[str] = field(default_factory=list[str])

    @property
    def arguments(self) -> str:
        return "".join(self.texts)

    def is_quotable(self) -> bool:
        """Whether providers, some of which read the arguments, will take it as a call."""
        try:
            return self.name is not None and isinstance(json.loads(self.arguments), dict)
        except ValueError:
            return False


class Heard:
    """What a model has answered so far, to be quoted to it."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._calls: dict[int, _Call] = {}

    def add(self, delta: Delta) -> None:
        """Note a piece of the answer."""
        if delta.choice:
            return

        if delta.kind == "content":
            self._texts.append(delta.text)
        elif delta.kind == "tool_call":
            call = self._calls.setdefault(delta.index, _Call())
            call.name, call.id = delta.name, delta.id
            call.texts.append(delta.text)

    @property
    def text(self) -> str:
        """The content, with the arguments of calls behind it."""
        return "".join(self._texts) + "".join(call.arguments for call in self._calls.values())

    @property
    def calls(self) -> list[_Call]:
        """The calls, if all of them can be quoted as such."""
        calls = [*self._calls.values()]
        return calls if all(call.is_quotable() for call in calls) else []


def _with_faults(
    mode: Mode, request: Mapping[str, Any], heard: Heard, faults: str
) -> dict[str, Any]:
    advice = f"{faults}\n\nAnswer again, with the whole of it, and correct that."
    calls = heard.calls if mode in _QUOTE_CALLS else []
    added = _QUOTE_CALLS[mode](calls, advice) if calls else _quote_text(heard.text, advice)

    if mode.api == "chat":
        return {**request, "messages": [*request.get("messages", ()), *added]}

    if request.get("conversation"):
        return {**request, "input": [item for item in added if not _is_said(item)]}

    given = request.get("input") or ()
    before = [{"role": "user", "content": given}] if isinstance(given, str) else [*given]
    return {**request, "input": [*before, *added]}


def _is_said(item: dict[str, Any]) -> bool:
    """Return whether the model has said this, so that a conversation holds it already."""
    return item.get("type") == "function_call" or item.get("role") == "assistant"


def _quote_text(text: str, advice: str) -> list[dict[str, Any]]:
    said = [{"role": "assistant", "content": text}] if text else []
    return [*said, {"role": "user", "content": advice}]


def _quote_tool_calls(calls: list[_Call], advice: str) -> list[dict[str, Any]]:
    ids = [call.id or f"call_{number}" for number, call in enumerate(calls)]
    made = [
        {
            "id": id_,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for id_, call in zip(ids, calls, strict=True)
    ]
    # Every call has to be answered before the conversation may go on.
    answers = [{"role": "tool", "tool_call_id": id_, "content": advice} for id_ in ids]
    return [{"role": "assistant", "content": None, "tool_calls": made}, *answers]


def _quote_function_call(calls: list[_Call], advice: str) -> list[dict[str, Any]]:
    call = calls[0]
    made = {"name": call.name, "arguments": call.arguments}
    return [
        {"role": "assistant", "content": None, "function_call": made},
        {"role": "function", "name": call.name, "content": advice},
    ]


def _quote_response_calls(calls: list[_Call], advice: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []

    for number, call in enumerate(calls):
        id_ = call.id or f"call_{number}"
        made = {"call_id": id_, "name": call.name, "arguments": call.arguments}
        items.append({"type": "function_call", **made})
        items.append({"type": "function_call_output", "call_id": id_, "output": advice})

    return items


_QUOTE_CALLS = {
    Mode.TOOLS: _quote_tool_calls,
    Mode.FUNCTIONS: _quote_function_call,
    Mode.RESPONSES_TOOLS: _quote_response_calls,
}


def _faults(error: Exception) -> str:
    if not isinstance(error, SchemaMismatch):
        return f"The answer is not the JSON that was asked for. {error}"

    return "\n".join(["The answer does not fit the schema:", *map(_told, error.faults)])


def _told(fault: Fault) -> str:
    place = ".".join(map(str, fault.path)) or "the whole"
    found = repr(fault.input)
    shortened = found if len(found) <= _QUOTED else f"{found[:_QUOTED]}…"
    return f"- {place}: {fault.message} (it is {shortened})"
