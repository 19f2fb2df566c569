"""What Chat Completions streams, translated to Deltas without I/O and without reactivex."""

from __future__ import annotations

from typing import Any

from streamops.delta import Delta, text_delta
from streamops.errors import UnknownElement
from streamops.sources.fields import Fields, fields_of, plain, reported_failure, text_of, word_of
from streamops.sources.tool_calls import Calls


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
        self._calls: dict[int, Calls] = {}
        self._finished: dict[int, str] = {}
        self._usage: Fields | None = None

    def translate(self, event: Any) -> tuple[Delta, ...]:
        """Return what one chunk carries; raise SourceFailed where it reports an error."""
        chunk = fields_of(event)

        if "chunk" in chunk:
            chunk = fields_of(chunk["chunk"])

        if error := chunk.get("error"):
            raise reported_failure(error)

        deltas: list[Delta] = []

        for choice in chunk.get("choices") or ():
            self._read_choice(fields_of(choice), deltas)

        usage = chunk.get("usage")

        if not usage and "x_groq" in chunk:
            usage = fields_of(chunk["x_groq"]).get("usage")

        if usage and (counts := plain(usage)) != self._usage:
            self._usage = counts
            deltas.append(Delta(kind="usage", usage=counts))

        return tuple(deltas)

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole answer carries; raises as ``translate`` does."""
        fields = fields_of(answer)
        choices = [_as_streamed(fields_of(choice)) for choice in fields.get("choices") or ()]
        return self.translate({**fields, "choices": choices})

    def _read_choice(self, fields: Fields, deltas: list[Delta]) -> None:
        choice = index_of(fields)
        reason = fields.get("finish_reason")
        delta = fields_of(fields.get("delta"))
        # The legacy Completions API has texts instead of deltas.
        content = delta.get("content") if "delta" in fields else fields.get("text")

        thought = _reasoning(delta)

        if content and not isinstance(content, str):
            thought, content = thought or _thinking(content), _joined(content)

        if thought:
            deltas.append(text_delta(thought, "reasoning", choice))

        if content:
            deltas.append(text_delta(content, "content", choice))

        if refusal := delta.get("refusal"):
            deltas.append(text_delta(text_of(refusal), "refusal", choice))

        if entries := delta.get("tool_calls"):
            self._read_calls(entries, choice, deltas)
        elif function := delta.get("function_call"):
            self._read_calls([{"index": 0, "function": function}], choice, deltas)

        if reason and (reason := text_of(reason)) != self._finished.get(choice):
            self._finished[choice] = reason
            deltas.append(Delta(kind="finish", choice=choice, finish_reason=reason))

    def _read_calls(self, entries: list[Any], choice: int, deltas: list[Delta]) -> None:
        calls = self._calls.get(choice)

        if calls is None:
            calls = self._calls[choice] = Calls()

        for entry in map(fields_of, entries):
            function = fields_of(entry.get("function") or entry.get("custom"))
            name, identifier = word_of(function.get("name")), word_of(entry.get("id"))
            text = text_of(function.get("arguments") or function.get("input"))

            call = calls.find(entry.get("index"), identifier, name)
            learned = call.learn(identifier, name)

            if text or learned:
                deltas.append(text_delta(text, "tool_call", choice, call.index, call.name, call.id))


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

    message = fields_of(choice["message"])
    calls = map(fields_of, message.get("tool_calls") or ())
    numbered = [{**call, "index": number} for number, call in enumerate(calls)]
    return {**choice, "delta": {**message, "tool_calls": numbered}}


def _joined(content: Any) -> str:
    """Return the text of a message's content, which some send as a list of parts."""
    if isinstance(content, str):
        return content

    return "".join(text_of(fields_of(part).get("text")) for part in content or ())


def _thinking(parts: list[Any]) -> str:
    """Return the text of the thinking parts of a message's content."""
    return "".join(_joined(fields_of(part).get("thinking")) for part in parts)


def _reasoning(delta: Fields) -> str:
    """Return the reasoning in a delta, once: some send the same text in several fields."""
    if text := delta.get("reasoning_content") or delta.get("reasoning"):
        return text_of(text)

    parts = delta.get("reasoning_details")
    return "".join(map(_told, map(fields_of, parts))) if parts else ""


def _told(part: Fields) -> str:
    return text_of(part.get("text") or part.get("summary"))
