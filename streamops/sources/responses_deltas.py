"""What Responses streams, translated to Deltas without I/O and without reactivex."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from streamops.delta import Delta, Kind, text_delta
from streamops.errors import UnknownElement
from streamops.sources.fields import Fields, fields_of, plain, reported_failure, text_of, word_of
from streamops.sources.tool_calls import Call


class ResponsesDeltas:
    """Translate the events of one Responses stream.

    The pieces of a text belong together by ``output_index`` and the part within that item (item
    ids can change on every event). ``Delta.index`` counts, for each kind, the texts in the order
    they began: 0 is the first message's text, the first call's arguments, the first summary. So a
    stream reads like one of Chat Completions, however many reasoning items come first.

    A call is announced by a Delta without text. Text that comes only in a ``done`` event, or only
    in the final response, is emitted then. The finish reason is in the words of Chat Completions:
    ``"tool_calls"`` if the answer ends with a call that the caller has to execute. Calls that the
    provider executes itself (MCP, code interpreter) are tool calls too, but end in ``"stop"``.
    """

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int, int], _Part] = {}
        self._counts: dict[Kind, int] = {}
        self._written: set[tuple[str, int]] = set()
        self._awaits_caller = False

    def translate(self, event: Any) -> tuple[Delta, ...]:
        """Return what one event carries; raise SourceFailed where it reports an error.

        Events of unknown types carry nothing.
        """
        fields = fields_of(event)
        kind = fields.get("type")

        if (channel := _DELTAS.get(kind)) is not None:
            return self._write(channel, fields, text_of(fields.get("delta")))

        if error := fields.get("error"):
            raise reported_failure(error)

        if (channel := _DONES.get(kind)) is not None:
            return self._write_missing(channel, fields, text_of(fields.get(channel.field)))

        match kind:
            case "response.output_item.added":
                return self._announce(fields, fields_of(fields.get("item")))
            case "response.output_item.done":
                return self._finish_item(fields, fields_of(fields.get("item")))
            case "response.completed" | "response.incomplete":
                return self._end(fields_of(fields.get("response")), kind)
            case "response.failed":
                raise reported_failure(fields_of(fields.get("response")).get("error"))
            case "error":
                raise reported_failure(fields)
            case _:
                return ()

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole response carries; raise UnknownElement if it has not ended."""
        response = fields_of(answer)
        status = response.get("status") or "completed"

        if status in ("completed", "incomplete"):
            return self._end(response, f"response.{status}")

        if status in ("failed", "cancelled"):
            raise reported_failure(response.get("error") or f"The response was {status}")

        raise UnknownElement(answer, expected=f"it is {status}: retrieve it when it has ended")

    def _write(self, channel: _Channel, place: Fields, text: str) -> tuple[Delta, ...]:
        if not text:
            return ()

        part = self._part(channel, place)

        if not part.written:
            part.written = True
            self._written.add(_key(channel, place)[:2])

        return (text_delta(text, channel.kind, 0, part.index, part.name, part.id),)

    def _write_missing(self, channel: _Channel, place: Fields, text: str) -> tuple[Delta, ...]:
        part = self._parts.get(_key(channel, place))
        return () if part and part.written else self._write(channel, place, text)

    def _part(self, channel: _Channel, place: Fields) -> _Part:
        key = _key(channel, place)
        part = self._parts.get(key)

        if part is None:
            part = self._parts[key] = _Part(self._counts.get(channel.kind, 0))
            self._counts[channel.kind] = part.index + 1

            if channel.kind in ("content", "tool_call"):
                self._awaits_caller = channel in (_ARGUMENTS, _INPUT)

        return part

    def _announce(self, place: Fields, item: Fields) -> tuple[Delta, ...]:
        channel = _CALLS.get(item.get("type", ""))

        if channel is None:
            return ()

        part = self._part(channel, place)
        name = text_of(item.get("name")) or (channel is _CODE and "code_interpreter") or None

        if part.learn(word_of(item.get("call_id") or item.get("id")), name):
            return (Delta("", "tool_call", 0, part.index, part.name, part.id),)

        return ()

    def _finish_item(self, place: Fields, item: Fields) -> tuple[Delta, ...]:
        deltas = [*self._announce(place, item)]
        # A part's number within the item can differ between its deltas and the finished item.
        known = self._written.copy()

        for channel, number, text in _texts(item):
            part = {"output_index": place.get("output_index"), "content_index": number}

            if _key(channel, part)[:2] not in known:
                deltas.extend(self._write(channel, part, text))

        return tuple(deltas)

    def _end(self, response: Fields, kind: str) -> tuple[Delta, ...]:
        deltas: list[Delta] = []

        if not self._parts:
            for output_index, item in enumerate(response.get("output") or ()):
                place = {"output_index": output_index}
                deltas.extend(self._finish_item(place, fields_of(item)))

        if kind == "response.incomplete":
            reason = text_of(fields_of(response.get("incomplete_details")).get("reason"))
            reason = "length" if reason == "max_output_tokens" else reason or "incomplete"
        else:
            reason = "tool_calls" if self._awaits_caller else "stop"

        deltas.append(Delta(kind="finish", finish_reason=reason))

        if usage := response.get("usage"):
            deltas.append(Delta(kind="usage", usage=plain(usage)))

        return tuple(deltas)


@dataclass(slots=True)
class _Part(Call):
    """One text of a response; its name and id are set if it is a tool call."""

    written: bool = False


class _Channel(NamedTuple):
    """A kind of text in a Responses stream, and the field in which it stands when done."""

    stem: str
    kind: Kind
    field: str


_TEXT = _Channel("response.output_text", "content", "text")
_REFUSAL = _Channel("response.refusal", "refusal", "refusal")
_THOUGHT = _Channel("response.reasoning_text", "reasoning", "text")
_SUMMARY = _Channel("response.reasoning_summary_text", "reasoning", "text")
_ARGUMENTS = _Channel("response.function_call_arguments", "tool_call", "arguments")
_INPUT = _Channel("response.custom_tool_call_input", "tool_call", "input")
_MCP = _Channel("response.mcp_call_arguments", "tool_call", "arguments")
_CODE = _Channel("response.code_interpreter_call_code", "tool_call", "code")

_CHANNELS = (_TEXT, _REFUSAL, _THOUGHT, _SUMMARY, _ARGUMENTS, _INPUT, _MCP, _CODE)
_DELTAS: dict[Any, _Channel] = {f"{channel.stem}.delta": channel for channel in _CHANNELS}
_DONES: dict[Any, _Channel] = {f"{channel.stem}.done": channel for channel in _CHANNELS}
_CALLS = {
    "function_call": _ARGUMENTS,
    "custom_tool_call": _INPUT,
    "mcp_call": _MCP,
    "code_interpreter_call": _CODE,
}
_PARTS = {
    ("content", "output_text"): _TEXT,
    ("content", "refusal"): _REFUSAL,
    ("content", "reasoning_text"): _THOUGHT,
    ("summary", "summary_text"): _SUMMARY,
}


def _key(channel: _Channel, place: Fields) -> tuple[str, int, int]:
    number = place.get("content_index") or place.get("summary_index") or 0
    return channel.stem, place.get("output_index") or 0, number


def _texts(item: Fields) -> Iterator[tuple[_Channel, int, str]]:
    """Yield every text of a finished output item, with its number within the item."""
    if channel := _CALLS.get(item.get("type", "")):
        yield channel, 0, text_of(item.get(channel.field))

    for field in ("summary", "content"):
        for number, part in enumerate(map(fields_of, item.get(field) or ())):
            if channel := _PARTS.get((field, part.get("type", ""))):
                yield channel, number, text_of(part.get(channel.field))
