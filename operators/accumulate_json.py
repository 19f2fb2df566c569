"""accumulate_json: text that arrives in pieces to snapshots of the JSON so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from copy import copy
from functools import partial
from typing import Any, TypeAlias

from streamops.delta import Delta
from streamops.errors import (
    ConnectionDropped,
    ContentFiltered,
    NoJson,
    Refused,
    SourceFailed,
    StreamopsError,
    TruncatedJson,
    UnknownElement,
)
from streamops.lean import LeanParser
from streamops.lifting import Operator, Step, lift
from streamops.nodes import document_of
from streamops.parser import (
    DEFAULT_MAX_CHARS,
    DEFAULT_MAX_DEPTH,
    Around,
    IncrementalParser,
    Values,
)
from streamops.snapshot import Snapshot

NewParser: TypeAlias = Callable[..., IncrementalParser]

CODE_INTERPRETER = "code_interpreter"
"""The tool whose calls hold Python."""

_SLICE = 4096


def accumulate_json(
    *,
    strict: bool = False,
    around: Around = "skip",
    values: Values = "one",
    max_depth: int = DEFAULT_MAX_DEPTH,
    max_chars: int = DEFAULT_MAX_CHARS,
    choice: int = 0,
) -> Operator[Delta | str, Snapshot]:
    """Emit a Snapshot of the JSON so far for each chunk of text, the last one complete.

    Reads the arguments of the first tool call if the model makes one before it has begun to write
    JSON as content, else the content, of the ``choice`` given. The complete snapshot comes the
    moment the root closes (for a root number: when the text ends), and none after it; what else
    the source sends is read and ignored. ``strict``, ``around`` and the limits are
    IncrementalParser's; with ``values="many"`` several values may follow each other (NDJSON), each
    with a complete snapshot and within the limits; then a chunk gives a snapshot for each value
    that it completes, and one for what is open after it.

    A stream that ends before the root is closed ends in Refused, ContentFiltered, NoJson or
    TruncatedJson; one that cannot be JSON in MalformedJson, after a snapshot of what came before.
    A SourceFailed gets the last snapshot, and becomes ConnectionDropped if JSON was open.
    """
    options: dict[str, Any] = {
        "strict": strict,
        "around": around,
        "values": values,
        "max_depth": max_depth,
        "max_chars": max_chars,
    }
    IncrementalParser(**options)  # a wrong argument raises here, not when somebody subscribes
    step = _ManyValues if values == "many" else _OneValue
    return lift(
        partial(step, partial(IncrementalParser, **options), choice),
        name="accumulate_json",
        new_lean_step=partial(step, partial(LeanParser, **options), choice),
    )


class _OneValue(Step[Delta | str, Snapshot]):
    def __init__(self, new_parser: NewParser, choice: int) -> None:
        self._new_parser = new_parser
        self._choice = choice
        self._parser = new_parser()
        self._tool_call: int | None = None
        self._refusal = ""
        self._finish_reason: str | None = None

    def feed(self, item: Delta | str) -> Iterable[Snapshot]:
        text = item if isinstance(item, str) else self._text_for_us(item)
        if not text:
            return ()

        try:
            return self._parser.feed(text)
        except StreamopsError as error:
            return _last_words(error)

    def close(self) -> Iterable[Snapshot]:
        try:
            return self._parser.close(finish_reason=self._finish_reason)
        except (TruncatedJson, NoJson) as error:
            if self._refusal:
                raise Refused(text=self._refusal, snapshot=error.snapshot) from error

            if self._finish_reason == "content_filter":
                raise ContentFiltered(text=error.text, snapshot=error.snapshot) from error

            raise

    def fail(self, error: Exception) -> Iterable[Snapshot]:
        parser = self._parser
        document_of(parser.snapshot.edge[0]).has_ended = True
        if not isinstance(error, SourceFailed):
            raise error

        # Nothing is missing if the connection breaks after the root was closed.
        if error.dropped and parser.complete:
            return ()

        if error.dropped and parser.started:
            raise ConnectionDropped(snapshot=parser.snapshot, text=parser.text) from error

        if error.snapshot is None:
            error.snapshot = parser.snapshot
            raise error

        # Somebody else reads another part of the same source, and has marked the error as theirs.
        mine = copy(error)
        mine.snapshot = parser.snapshot
        raise mine from error.__cause__

    def _text_for_us(self, delta: Delta) -> str:
        if not isinstance(delta, Delta):
            raise UnknownElement(delta, expected="accumulate_json reads Delta and str")

        if delta.choice != self._choice:
            return ""

        match delta.kind:
            case "content" if self._tool_call is None:
                return delta.text
            case "tool_call" if delta.name != CODE_INTERPRETER:
                return self._arguments(delta)
            case "refusal":
                self._refusal += delta.text
            case "finish":
                self._finish_reason = delta.finish_reason
            case _:
                pass

        return ""

    def _arguments(self, call: Delta) -> str:
        if self._tool_call is None and not self._parser.started:
            self._tool_call = call.index
            self._parser = self._new_parser()

        return call.text if call.index == self._tool_call else ""


class _ManyValues(_OneValue):
    def __init__(self, new_parser: NewParser, choice: int) -> None:
        super().__init__(new_parser, choice)
        self._finished = 0
        self._offset = 0
        self._is_between = False

    def feed(self, item: Delta | str) -> Iterator[Snapshot]:
        text = item if isinstance(item, str) else self._text_for_us(item)
        latest: Snapshot | None = None

        try:
            # A parser keeps what it is given, so it is given no more than it may need.
            for begin in range(0, len(text), _SLICE):
                for snapshot in self._read(text[begin : begin + _SLICE]):
                    latest = None if snapshot.complete else snapshot
                    if snapshot.complete:
                        yield snapshot
        except StreamopsError:
            if latest is not None:
                yield latest
            raise

        if latest is not None:
            yield latest

    def close(self) -> Iterable[Snapshot]:
        try:
            return super().close()
        except NoJson:
            if self._finished:
                return ()
            raise

    def _read(self, text: str) -> Iterator[Snapshot]:
        while text:
            if self._is_between:
                text = self._skip_spaces(text)

            self._offset += len(text)
            for snapshot in super().feed(text):
                if snapshot.started or not self._finished:
                    yield snapshot

            text = self._parser.rest
            if self._parser.complete:
                self._finished += 1
                self._offset -= len(text)
                self._parser = self._new_parser(offset=self._offset)
                self._is_between = True

    def _skip_spaces(self, text: str) -> str:
        value = text.lstrip(" \t\n\r")
        self._offset += len(text) - len(value)
        if value:
            self._parser = self._new_parser(offset=self._offset)
            self._is_between = False
        return value


def _last_words(error: StreamopsError) -> Iterator[Snapshot]:
    if error.snapshot is not None:
        yield error.snapshot

    raise error
