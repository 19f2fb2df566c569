"""What OpenAI-compatible APIs stream, translated to Deltas without I/O and without reactivex.

Events may be the SDK's objects or plain dicts of the decoded JSON.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from streamops.delta import Delta
from streamops.errors import StreamopsError, UnknownElement
from streamops.sources.chat_deltas import ChatDeltas
from streamops.sources.fields import Fields, fields_of, reported_failure, word_of
from streamops.sources.responses_deltas import ResponsesDeltas


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
        fields = fields_of(event)
        # Chunks have no type of their own; the SDK's helper hands them out inside typed events.
        chat = "choices" in fields or "chunk" in fields or not isinstance(fields.get("type"), str)

        if not self._is_known:
            held = fields.get("chunk", fields) if chat else fields.get("response")
            self._learn(fields_of(held))

        return (self._chat if chat else self._responses).translate(fields)

    def translate_answer(self, answer: Any) -> tuple[Delta, ...]:
        """Return what a whole answer carries, in the order in which its stream would.

        It is the SDK's ChatCompletion or Response, or a dict of the same. Each text is in one
        Delta. Raises SourceFailed where it reports an error, and UnknownElement for anything else,
        also for a response that the provider is still working on.
        """
        fields: Fields = fields_of(answer) if isinstance(answer, dict | BaseModel) else {}
        self._learn(fields)

        if error := fields.get("error"):
            raise reported_failure(error)

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
        self.model = self.model or word_of(answer.get("model"))
        self.id = self.id or word_of(answer.get("id"))
        self._is_known = bool(self.model and self.id)
