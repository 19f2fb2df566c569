"""What Anthropic's Messages API streams, translated to Deltas without I/O and without reactivex."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from streamops.delta import Delta, Kind, text_delta
from streamops.sources.fields import Fields, reported_failure, text_of, word_of

EVENTS: Final = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
    }
)
"""The types of events that no other API has; its errors look like those of the others."""


class AnthropicDeltas:
    """Translate the events of one Messages stream.

    ``Delta.index`` counts, for each kind, the blocks in the order they began: 0 is the first text,
    the first call, the first thought. A call is announced by a Delta without text. Calls that the
    provider executes itself (``server_tool_use``, ``mcp_tool_use``) are tool calls too.

    A call for which no ``partial_json`` came has the input it began with, which is emitted when
    its block stops: ``{}`` for a tool without arguments, which is the JSON that its arguments are.

    The finish reason is in the words of Chat Completions; ``refusal`` is ``"content_filter"``,
    since it says that a classifier of the provider stopped the answer, without words of the model.
    Others (``pause_turn``) stay as they are. Usage is what the message began with, updated by what
    came later, and is emitted with the finish reason. Neither is repeated.
    """

    model: str | None = None
    """Which model answers, once it is known."""

    id: str | None = None
    """Id of the message, once it is known."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[Kind, Any], _Block] = {}
        self._counts: dict[Kind, int] = {}
        self._usage: dict[str, Any] = {}
        self._finish_reason: str | None = None
        self._emitted_usage: Fields | None = None

    def translate(self, event: Fields) -> tuple[Delta, ...]:
        """Return what one event carries; raise SourceFailed where it reports an error.

        Events, blocks and deltas of unknown types carry nothing.
        """
        match event.get("type"):
            case "content_block_delta":
                return self._continue(event)
            case "content_block_start":
                return self._begin(event)
            case "content_block_stop":
                return self._stop(event)
            case "message_start":
                return self._begin_message(event.get("message") or {})
            case "message_delta":
                return self._end_message(event)
            case "error":
                error: Fields = event.get("error") or {}
                raise reported_failure({"message": error.get("message") or error.get("type")})
            case _:
                return ()

    def _begin_message(self, message: Fields) -> tuple[Delta, ...]:
        self.model = self.model or word_of(message.get("model"))
        self.id = self.id or word_of(message.get("id"))
        self._usage = dict(message.get("usage") or {})
        self._finish_reason = self._emitted_usage = None
        return ()

    def _begin(self, event: Fields) -> tuple[Delta, ...]:
        begun: Fields = event.get("content_block") or {}
        type_ = begun.get("type")

        if type_ in _CALLS:
            block = self._open("tool_call", event)
            block.id = word_of(begun.get("id"))
            block.name = word_of(begun.get("name"))
            block.input = begun.get("input") or {}
            return (block.delta(""),)

        if type_ not in _TEXTS:
            return ()

        kind, field = _TEXTS[type_]
        self._blocks.pop((kind, event.get("index")), None)
        return self._write(kind, event, begun.get(field))

    def _continue(self, event: Fields) -> tuple[Delta, ...]:
        delta: Fields = event.get("delta") or {}
        channel = _DELTAS.get(delta.get("type"))

        if channel is None:
            return ()

        kind, field = channel
        return self._write(kind, event, delta.get(field))

    def _stop(self, event: Fields) -> tuple[Delta, ...]:
        block = self._blocks.get(("tool_call", event.get("index")))

        if block is None or block.written:
            return ()

        return self._write("tool_call", event, json.dumps(block.input))

    def _write(self, kind: Kind, event: Fields, value: Any) -> tuple[Delta, ...]:
        text = text_of(value)

        if not text:
            return ()

        block = self._blocks.get((kind, event.get("index"))) or self._open(kind, event)
        block.written = True
        return (block.delta(text),)

    def _open(self, kind: Kind, event: Fields) -> _Block:
        count = self._counts.get(kind, 0)
        self._counts[kind] = count + 1
        block = self._blocks[kind, event.get("index")] = _Block(kind, count)
        return block

    def _end_message(self, event: Fields) -> tuple[Delta, ...]:
        deltas: list[Delta] = []
        delta: Fields = event.get("delta") or {}
        reason = text_of(delta.get("stop_reason"))

        if reason and reason != self._finish_reason:
            self._finish_reason = reason
            deltas.append(Delta(kind="finish", finish_reason=_REASONS.get(reason, reason)))

        usage: Fields = event.get("usage") or {}
        # Counts are those of the whole message so far; a null says nothing.
        self._usage.update({name: count for name, count in usage.items() if count is not None})

        if self._usage and self._usage != self._emitted_usage:
            self._emitted_usage = self._usage.copy()
            deltas.append(Delta(kind="usage", usage=self._emitted_usage))

        return tuple(deltas)


@dataclass(slots=True)
class _Block:
    kind: Kind
    index: int
    name: str | None = None
    id: str | None = None
    input: Any = None
    written: bool = False

    def delta(self, text: str) -> Delta:
        return text_delta(text, self.kind, 0, self.index, self.name, self.id)


_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_TEXTS: dict[Any, tuple[Kind, str]] = {
    "text": ("content", "text"),
    "thinking": ("reasoning", "thinking"),
}
_DELTAS: dict[Any, tuple[Kind, str]] = {
    "text_delta": ("content", "text"),
    "thinking_delta": ("reasoning", "thinking"),
    "input_json_delta": ("tool_call", "partial_json"),
}
_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
