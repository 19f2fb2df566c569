"""from_sse: the bytes of a streaming answer, as Deltas."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from typing import Any, Final, TypeAlias

import jiter
from reactivex import Observable

from streamops.delta import Delta
from streamops.errors import SourceFailed, StreamopsError, UnknownElement
from streamops.sources.anthropic_deltas import EVENTS, AnthropicDeltas
from streamops.sources.fields import OBJECT
from streamops.sources.iterables import END, Decoder, observe_elements
from streamops.sources.openai_deltas import OpenAIDeltas

Pieces: TypeAlias = Iterable[bytes] | AsyncIterable[bytes] | Iterable[str] | AsyncIterable[str]
"""Where ``from_sse`` reads a body from: pieces of it, cut anywhere."""

_QUOTED = 200  # characters of a body that a message quotes
_HEAD = 65_536  # bytes of a body that are kept, in case no event comes


def from_sse(source: Pieces | Callable[[], Pieces | Awaitable[Pieces]]) -> Observable[Delta]:
    """Emit what a model sends, read from the ``text/event-stream`` body of its answer.

    Reads Chat Completions, Responses and Anthropic's Messages, told apart by their events, into
    the Deltas that ``from_openai`` would emit. The source is one of ``bytes`` or ``str`` as in
    ``from_chunks``, and is read anew, or once, and closed as there. Nothing is read after
    ``[DONE]``. A last event that lacks its final blank line counts if it is a whole JSON object,
    though the specification drops it: it may be what finishes the answer. Events of other APIs
    carry nothing.

    The stream ends with SourceFailed, after the Deltas of what came before, when the provider
    reports an error, when an event is not JSON, and when a body that is not empty holds no event,
    as a page of HTML does. A line is kept until it ends, however long it grows.
    """
    return observe_elements(source, EventDecoder)


Event: TypeAlias = tuple[bytes, bytes]
"""The name of an event, empty if it has none, and its lines of data, joined."""


class EventStream:
    """Cuts an event stream into its events, however it comes in pieces.

    Follows the WHATWG's specification, except that an event may lack the blank line that ends it,
    and that data stay bytes: whoever reads JSON from them decodes them anyway.
    """

    # The decoders of httpx2 and of the openai SDK, private both, take 4 and 6 times as long: they
    # make a text and an object of every event.

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._ends_in_return = False
        self._has_begun = False
        self._name = b""
        self._data: list[bytes] = []

    def feed(self, piece: bytes) -> list[Event]:
        """Return the events that end in a piece."""
        if self._ends_in_return and piece.startswith(b"\n"):
            piece = piece[1:]
            self._ends_in_return = False

        if not piece:
            return []

        # Unlike a text's, these are the lines of the specification: CR LF, LF and CR end them.
        lines = piece.splitlines()
        last = piece[-1]
        self._ends_in_return = last == _RETURN
        rest = b"" if last in (_NEWLINE, _RETURN) else lines.pop()

        if lines and (self._line or not self._has_begun):
            lines[0] = self._first_line(lines[0])

        if rest:
            self._line.append(rest)

        return self._read(lines)

    def close(self) -> list[Event]:
        """Return the event that nothing ended, if there is one."""
        return self.feed(b"\n\n")

    def _first_line(self, end: bytes) -> bytes:
        line = b"".join((*self._line, end))
        self._line.clear()

        if self._has_begun:
            return line

        self._has_begun = True
        return line.removeprefix(_BYTE_ORDER_MARK)

    def _read(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        name, data = self._name, self._data

        for line in lines:
            beginning = line[:6]

            if beginning == b"data: ":
                data.append(line[6:])
            elif not line:
                if data:
                    events.append((name, b"\n".join(data)))
                    data.clear()

                name = b""
            elif beginning == b"event:":
                name = line[6:].removeprefix(b" ")
            elif line.startswith(b"data:"):
                data.append(line[5:])
            elif line == b"data":
                data.append(b"")
            elif line == b"event":
                name = b""

        self._name = name
        return events


_NEWLINE: Final = 10
_RETURN: Final = 13
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class EventDecoder(Decoder):
    """Turns the body of an answer into Deltas."""

    source = "from_sse"
    elements = "str or bytes"

    def __init__(self, deltas: OpenAIDeltas | None = None) -> None:
        self._stream = EventStream()
        self._openai = deltas or OpenAIDeltas()
        self._anthropic = AnthropicDeltas()
        self._count = 0
        self._head = bytearray()
        self._failure: SourceFailed | None = None

    def decode(self, element: object) -> tuple[Delta, ...] | None:
        if element is END:
            return self._end()

        if isinstance(element, str):
            element = element.encode()

        if not isinstance(element, bytes):
            raise UnknownElement(element, expected=_fix(element))

        if not self._count and len(self._head) < _HEAD:
            self._head += element[:_HEAD]

        return self._translate_all(self._stream.feed(element))

    def _end(self) -> tuple[Delta, ...] | None:
        if self._failure is not None:
            raise self._failure

        if self.ended:
            return None

        self.ended = True
        deltas = self._translate_all(filter(is_whole, self._stream.close()))

        if self._head and not self._count:
            failure = self._no_stream()
            failure.begun = True
            raise failure

        return deltas

    def _no_stream(self) -> SourceFailed:
        head = bytes(self._head)

        if _object(head).get("error"):
            try:
                self._openai.translate(reported(head))
            except SourceFailed as failure:
                return failure

        return SourceFailed(
            "The body ended without an event of an event stream (does the request say "
            f"stream=True?): {_quoted(head)}"
        )

    def _translate_all(self, events: Iterable[Event]) -> tuple[Delta, ...]:
        deltas: list[Delta] = []

        try:
            for name, data in events:
                self._count += 1

                if data[:6] == b"[DONE]":
                    self.ended = True
                    break

                deltas += self._translate(name, data)
        except SourceFailed as failure:
            # What came before an error is read first, however the body was cut.
            failure.begun = True
            self._failure = failure
            self.ended = True

        return tuple(deltas)

    def _translate(self, name: bytes, data: bytes) -> tuple[Delta, ...]:
        if name == b"error":
            return self._openai.translate(reported(data))

        try:
            value = decoded(data)
        except (ValueError, RecursionError) as error:
            if not data.strip():
                return ()

            raise self._unreadable(data, f"is not JSON ({error})") from error

        if not isinstance(value, OBJECT):
            raise self._unreadable(data, "is no JSON object")

        try:
            deltas = self._anthropic if value.get("type") in EVENTS else self._openai
            return deltas.translate(value)
        except StreamopsError:
            raise
        except Exception as error:
            what = f"is not one of a model's answer ({type(error).__name__}: {error})"
            raise self._unreadable(data, what) from error

    def _unreadable(self, data: bytes, what: str) -> SourceFailed:
        return SourceFailed(f"Event {self._count} of the stream {what}: {_quoted(data)}")


def is_whole(event: Event) -> bool:
    """Return whether an event counts though nothing ended it; what a provider regrets does."""
    name, data = event
    return name == b"error" or data.startswith(b"[DONE]") or bool(_object(data))


def decoded(data: bytes) -> Any:
    """Return the JSON of an event's data; ValueError or RecursionError where they are none."""
    try:
        return jiter.from_json(data)
    except ValueError:
        # A provider may cut a text between the escapes of a surrogate pair; jiter refuses halves.
        return json.loads(data.decode())


def _object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that data are; an empty one if they are none."""
    try:
        value = decoded(data)
    except (ValueError, RecursionError):
        return {}

    fields: dict[str, Any] = value if isinstance(value, OBJECT) else {}
    return fields


def reported(data: bytes) -> dict[str, Any]:
    """Return what an event that reports an error says, as a chunk of Chat Completions has it."""
    fields = _object(data)
    words: Any = fields.get("error") or fields or data.decode(errors="replace").strip()
    return {"error": words if isinstance(words, (str, dict)) and words else {"message": None}}


def _quoted(data: bytes) -> str:
    text = data.decode(errors="replace")
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")


def _fix(element: object) -> str:
    if type(element).__module__.partition(".")[0] == "openai":
        return "from_sse reads the body of an answer: use from_openai for what an SDK streams"

    return "from_sse reads the bytes (or str) of a streaming answer's body"
