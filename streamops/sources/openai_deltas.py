"""What OpenAI-compatible APIs stream, translated to Deltas without I/O and without reactivex.

Events may be the SDK's objects or plain dicts of the decoded JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, cast

from pydantic import BaseModel

from streamops.delta import Delta, Kind
from streamops.errors import SourceFailed, StreamopsError, UnknownElement

Fields: TypeAlias = Mapping[str, Any]


def answer_deltas(answer: Any) -> tuple[Delta, ...]:
    """Return what a whole answer carries, as ``OpenAIDeltas.translate_answer`` does."""
    return OpenAIDeltas().translate_answer(answer)


class OpenAIDeltas:
    """Translate one answer, streamed or whole, whichever of the two APIs it belongs to."""

    def __init__(self) -> None:
        self.model: str | None = None
        """The model that answers, as the first event that names it does."""
        self.id: str | None = None
        """The answer's id, as the first event that has one; some streams change it later."""
        self._is_known = False
        self._chat = ChatDeltas()
        self._responses = ResponsesDeltas()

    def translate(self, event: Any) -> tuple[Delta, ...]:
        """Return what one event carries; raises as the class of its API does.

        An event that is neither the SDK's nor a dict raises UnknownElement.
        """
        fields = _fields(event)
        # Chunks have no type of their own; the SDK's helper hands them out inside typed events.
        chat = "choices" in fields or "chunk" in fields or not isinstance(fields.get("type"), str)

        if not self._is_known:
            held = fields.get("chunk", fields) if chat else fields.get("response")
            self._learn(_fields(held))

        return (self._chat if chat else self._responses).translate(event)

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole answer carries, in the order in which its stream would.

        It is the SDK's ChatCompletion or Response, or a dict of the same. Each text is in one
        Delta. Raises SourceFailed where it reports an error, and UnknownElement for anything else,
        also for a response that the provider is still working on.
        """
        fields: Fields = _fields(answer) if isinstance(answer, dict | BaseModel) else {}
        self._learn(fields)
        _raise_reported(fields)
        reason: Exception | None = None

        try:
            if "output" in fields:
                return self._responses.translate_answer(answer)

            if "choices" in fields:
                return self._chat.translate_answer(answer)
        except StreamopsError:
            raise
        except Exception as error:
            reason = error

        raise UnknownElement(
            answer,
            expected="a ChatCompletion or Response of the openai SDK, or the dict of one, is "
            "needed whole (what .parse() returns, what a coroutine returns, or what came without "
            "stream)",
        ) from reason

    def _learn(self, answer: Fields) -> None:
        self.model = self.model or _text(answer.get("model")) or None
        self.id = self.id or _text(answer.get("id")) or None
        self._is_known = bool(self.model and self.id)


class ChatDeltas:
    """Translate the chunks of one Chat Completions stream.

    Within a chunk the order is reasoning, content, refusal, tool calls, finish, usage.
    ``Delta.index`` of a tool call is the one on the wire where that is unique. A new id at a known
    index starts a new call with the next free index; a call without an index is told by its id,
    and text without either belongs to the latest call. The first Delta of a call is emitted also
    where it has no text yet. The legacy ``function_call`` is a tool call without an id.

    Usage that is repeated and a finish reason that is repeated for its choice are emitted once.
    Events of the SDK's ``.stream()`` helper are read too: the chunks they carry count.
    """

    def __init__(self) -> None:
        self._calls: dict[int, _Calls] = {}
        self._finished: dict[int, str] = {}
        self._usage: Fields | None = None

    def translate(self, event: Any) -> tuple[Delta, ...]:
        """Return what one chunk carries; raise SourceFailed where it reports an error."""
        chunk = _fields(event)

        if "chunk" in chunk:
            chunk = _fields(chunk["chunk"])

        _raise_reported(chunk)
        deltas: list[Delta] = []

        for choice in chunk.get("choices") or ():
            deltas.extend(self._read_choice(_fields(choice)))

        usage = chunk.get("usage") or _fields(chunk.get("x_groq")).get("usage")

        if usage and (counts := _plain(usage)) != self._usage:
            self._usage = counts
            deltas.append(Delta(kind="usage", usage=counts))

        return tuple(deltas)

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole answer carries; raises as ``translate`` does."""
        fields = _fields(answer)
        choices = [_as_streamed(_fields(choice)) for choice in fields.get("choices") or ()]
        return self.translate({**fields, "choices": choices})

    def _read_choice(self, fields: Fields) -> Iterator[Delta]:
        choice = index_of(fields)
        delta = _fields(fields.get("delta"))
        # The legacy Completions API has texts instead of deltas.
        content = delta.get("content") if "delta" in fields else fields.get("text")

        if thought := _reasoning(delta) or _thinking(content):
            yield Delta(thought, "reasoning", choice)

        if text := _joined(content):
            yield Delta(text, "content", choice)

        if refusal := delta.get("refusal"):
            yield Delta(_text(refusal), "refusal", choice)

        if entries := delta.get("tool_calls"):
            yield from self._read_calls(entries, choice)
        elif function := delta.get("function_call"):
            yield from self._read_calls([{"index": 0, "function": function}], choice)

        reason = fields.get("finish_reason")

        if reason and (reason := _text(reason)) != self._finished.get(choice):
            self._finished[choice] = reason
            yield Delta(kind="finish", choice=choice, finish_reason=reason)

    def _read_calls(self, entries: list[Any], choice: int) -> Iterator[Delta]:
        calls = self._calls.setdefault(choice, _Calls())

        for entry in map(_fields, entries):
            function = _fields(entry.get("function") or entry.get("custom"))
            name, identifier = _text(function.get("name")) or None, _text(entry.get("id")) or None
            text = _text(function.get("arguments") or function.get("input"))

            call = calls.find(entry.get("index"), identifier, name)
            learned = call.learn(identifier, name)

            if text or learned:
                yield Delta(text, "tool_call", choice, call.index, call.name, call.id)


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
        fields = _fields(event)
        kind = fields.get("type")

        if (channel := _DELTAS.get(kind)) is not None:
            return self._write(channel, fields, _text(fields.get("delta")))

        _raise_reported(fields)

        if (channel := _DONES.get(kind)) is not None:
            return self._write_missing(channel, fields, _text(fields.get(channel.field)))

        match kind:
            case "response.output_item.added":
                return self._announce(fields, _fields(fields.get("item")))
            case "response.output_item.done":
                return self._finish_item(fields, _fields(fields.get("item")))
            case "response.completed" | "response.incomplete":
                return self._end(_fields(fields.get("response")), kind)
            case "response.failed":
                raise _failure(_fields(fields.get("response")).get("error"))
            case "error":
                raise _failure(fields)
            case _:
                return ()

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole response carries; raise UnknownElement if it has not ended."""
        response = _fields(answer)
        status = response.get("status") or "completed"

        if status in ("completed", "incomplete"):
            return self._end(response, f"response.{status}")

        if status in ("failed", "cancelled"):
            raise _failure(response.get("error") or f"The response was {status}")

        raise UnknownElement(answer, expected=f"it is {status}: retrieve it when it has ended")

    def _write(self, channel: _Channel, place: Fields, text: str) -> tuple[Delta, ...]:
        if not text:
            return ()

        part = self._part(channel, place)
        part.written = True
        self._written.add(_key(channel, place)[:2])
        return (Delta(text, channel.kind, 0, part.index, part.name, part.id),)

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
        name = _text(item.get("name")) or (channel is _CODE and "code_interpreter") or None

        if part.learn(_text(item.get("call_id") or item.get("id")) or None, name):
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
                deltas.extend(self._finish_item(place, _fields(item)))

        if kind == "response.incomplete":
            reason = _text(_fields(response.get("incomplete_details")).get("reason"))
            reason = "length" if reason == "max_output_tokens" else reason or "incomplete"
        else:
            reason = "tool_calls" if self._awaits_caller else "stop"

        deltas.append(Delta(kind="finish", finish_reason=reason))

        if usage := response.get("usage"):
            deltas.append(Delta(kind="usage", usage=_plain(usage)))

        return tuple(deltas)


@dataclass(slots=True)
class _Call:
    """What is known of one tool call."""

    index: int
    id: str | None = None
    name: str | None = None
    announced: bool = False

    def learn(self, identifier: str | None, name: str | None) -> bool:
        """Remember what is new, and say whether anything was; at first, everything is."""
        before = (self.announced, self.id, self.name)
        self.announced, self.id, self.name = True, self.id or identifier, self.name or name
        return before != (self.announced, self.id, self.name)


@dataclass(slots=True)
class _Part(_Call):
    """One text of a response; its name and id are set if it is a tool call."""

    written: bool = False


class _Calls:
    """The tool calls of one choice, each under an index of its own."""

    def __init__(self) -> None:
        self._at: dict[int, _Call] = {}
        self._by_id: dict[str, _Call] = {}
        self._used: set[int] = set()
        self._latest: _Call | None = None

    def find(self, number: Any, identifier: str | None, name: str | None) -> _Call:
        """Return the call that an entry belongs to; a new one if it begins one."""
        numbered = type(number) is int and number >= 0
        call = self._at.get(number) if numbered else self._latest

        if call is not None and _differ(call.id, identifier):
            call = self._by_id.get(identifier or "")
        elif not numbered and not identifier and call is not None and _differ(call.name, name):
            call = None

        if call is None:
            free = numbered and number not in self._used
            call = _Call(number if free else max(self._used, default=-1) + 1)
            self._used.add(call.index)

        if identifier:
            self._by_id[identifier] = call

        if numbered:
            self._at[number] = call

        self._latest = call
        return call


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


def index_of(choice: Fields) -> int:
    """Return the number of a choice; one that is no number, or is missing, counts as 0."""
    number = choice.get("index")
    return number if type(number) is int else 0


def _as_streamed(choice: Fields) -> Fields:
    """Return a choice of a whole answer as it would be if it came in one chunk."""
    if "delta" in choice:
        raise UnknownElement(choice, expected="a whole answer is needed, not a chunk of a stream")

    if "message" not in choice:  # the legacy Completions API has texts
        return choice

    message = _fields(choice["message"])
    calls = map(_fields, message.get("tool_calls") or ())
    numbered = [{**call, "index": number} for number, call in enumerate(calls)]
    return {**choice, "delta": {**message, "tool_calls": numbered}}


def _key(channel: _Channel, place: Fields) -> tuple[str, int, int]:
    number = place.get("content_index") or place.get("summary_index") or 0
    return channel.stem, place.get("output_index") or 0, number


def _texts(item: Fields) -> Iterator[tuple[_Channel, int, str]]:
    """Yield every text of a finished output item, with its number within the item."""
    if channel := _CALLS.get(item.get("type", "")):
        yield channel, 0, _text(item.get(channel.field))

    for field in ("summary", "content"):
        for number, part in enumerate(map(_fields, item.get(field) or ())):
            if channel := _PARTS.get((field, part.get("type", ""))):
                yield channel, number, _text(part.get(channel.field))


def _fields(thing: Any) -> Fields:
    """Return the fields of one of the SDK's objects, or the dict it would be made from."""
    if isinstance(thing, dict):
        return cast("Fields", thing)

    if thing is None:
        return {}

    try:
        fields = cast("Fields", vars(thing))
    except TypeError:
        raise UnknownElement(
            thing, expected="an event of an OpenAI stream is needed, or a part of a whole answer"
        ) from None

    # What the SDK has no field for (reasoning_content, for one) is kept beside the fields.
    extra: Fields | None = getattr(thing, "model_extra", None)
    return {**fields, **extra} if extra else fields


def _plain(thing: Any) -> Fields:
    """Return the same as plain data, without what the wire did not carry."""
    if isinstance(thing, dict):
        return cast("Fields", thing)

    return cast("Fields", thing.model_dump(exclude_unset=True))


def _text(value: Any) -> str:
    """Return the text of a value that ought to be one; some send arguments as an object."""
    if isinstance(value, str):
        return value

    return "" if value is None else json.dumps(value)


def _joined(content: Any) -> str:
    """Return the text of a message's content, which some send as a list of parts."""
    if isinstance(content, str):
        return content

    return "".join(_text(_fields(part).get("text")) for part in content or ())


def _thinking(content: Any) -> str:
    """Return the thinking parts of a message's content, if it is a list of parts."""
    if isinstance(content, str):
        return ""

    return "".join(_joined(_fields(part).get("thinking")) for part in content or ())


def _reasoning(delta: Fields) -> str:
    """Return the reasoning in a delta, once: some send the same text in several fields."""
    if text := delta.get("reasoning_content") or delta.get("reasoning"):
        return _text(text)

    details = map(_fields, delta.get("reasoning_details") or ())
    return "".join(_text(part.get("text") or part.get("summary")) for part in details)


def _differ(known: str | None, given: str | None) -> bool:
    return bool(known and given and known != given)


def _raise_reported(fields: Fields) -> None:
    if error := fields.get("error"):
        raise _failure(error)


def _failure(error: Any) -> SourceFailed:
    message = error if isinstance(error, str) else _fields(error).get("message")
    return SourceFailed(_text(message) or "The provider reported an error without saying which")
