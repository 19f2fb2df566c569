"""IncrementalParser: text in pieces to snapshots of the JSON so far."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NoReturn, TypeAlias

from streamops.errors import LimitExceeded, MalformedJson, NoJson, StreamopsError, TruncatedJson
from streamops.grammar import Grammar
from streamops.nodes import DocumentNode
from streamops.preamble import Preamble
from streamops.snapshot import Snapshot
from streamops.tokens import (
    REPLACEMENT,
    Exceeded,
    SurrogateMender,
    Unexpected,
    atom,
    spaces,
    words_of,
)

Around: TypeAlias = Literal["skip", "reject"]
"""What to do with text before and after the JSON."""

Values: TypeAlias = Literal["one", "many"]
"""How many values the text holds: ``"many"`` stand one after the other, as in NDJSON."""

DEFAULT_MAX_DEPTH = 500
DEFAULT_MAX_CHARS = 16_000_000

CUT_SHORT = ("length", "content_filter")
"""Finish reasons that say that the model had more to write."""

_SHOWN_AROUND = 60  # characters of the text that a message shows before an error


class IncrementalParser:
    """Reads one JSON value from text that arrives in pieces.

    What it shows obeys these laws:

    1. **Split-proof.** What a snapshot shows depends on the text so far, never on how it was cut
       into chunks.
    2. **Types are stable.** The type of the value at a path never changes once shown.
    3. **Atoms are whole.** Numbers, ``true``, ``false`` and ``null`` appear only when what follows
       them has been seen (or the text has ended): ``75001`` is never shown as ``7500``.
    4. **Strings only grow.** Never half an escape, never half a surrogate pair. A key appears only
       when its value has begun to show.
    5. **Containers only grow at the end.** Only the last element or property can change, and it
       obeys these laws itself. (A repeated key is the one exception: as in ``json.loads`` the last
       one wins.)
    6. **Snapshots are immutable.** One that was emitted never changes; finished subtrees are
       *shared*: ``a.value["users"][0] is b.value["users"][0]``. A chunk that changes nothing yields
       the same value object again.
    7. **The last one is the truth.** It equals ``json.loads(text, strict=False)``.

    By default what models really write is read: raw control characters in strings, ``NaN``,
    ``Infinity`` and ``-Infinity`` as whole words, and a byte order mark before the value. A lone
    surrogate becomes U+FFFD. ``around="skip"`` skips what stands before the value (see Preamble)
    and ignores what stands after it; ``around="reject"`` makes both an error. ``strict=True`` is
    RFC 8259 to the letter, with nothing around the value. Where that leaves a choice, numbers
    that a float cannot hold become infinite or zero as in ``json.loads``, and lone surrogates
    become U+FFFD. ``values="many"`` leaves what stands after the value in ``rest``, for the next
    parser, which is told the ``offset`` at which its text begins. A number of more than 4300
    characters is LimitExceeded.

    Time is linear in the text, and per chunk independent of what has been read before.
    """

    keeps_values: ClassVar[bool] = True
    """Whether values are kept, and not only the text."""

    def __init__(
        self,
        *,
        strict: bool = False,
        around: Around = "skip",
        max_depth: int = DEFAULT_MAX_DEPTH,
        max_chars: int = DEFAULT_MAX_CHARS,
        values: Values = "one",
        offset: int = 0,
    ) -> None:
        if values not in ("one", "many"):
            raise ValueError(f'values must be "one" or "many", not {values!r}')

        if around not in ("skip", "reject"):
            raise ValueError(f'around must be "skip" or "reject", not {around!r}')

        for name, limit in (("max_depth", max_depth), ("max_chars", max_chars)):
            if not isinstance(limit, int) or isinstance(limit, bool):
                raise TypeError(f"{name} must be a whole number, not {limit!r}")

            if limit < 1:
                raise ValueError(f"{name} must be at least 1, not {limit}")

        reject = strict or around == "reject"
        self._rejects_rest = reject and values == "one"
        self._words = words_of(strict=strict)
        self._max_chars = max_chars
        self._offset = offset

        self.document = DocumentNode()
        """What the value is read into."""
        self._write = self.document.text.write
        self._grammar = Grammar(
            self.document, strict=strict, max_depth=max_depth, keeps_values=self.keeps_values
        )
        reading = self._grammar.read()
        next(reading)
        self._send = reading.send

        self._is_beginning = not strict
        self._preamble = None if reject else Preamble()
        self._surrogates = SurrogateMender()
        self._begin = 0  # where in the whole text the latest chunk begins
        self._end_of_json: int | None = None  # where the value, or what can be read, has ended
        self._error: StreamopsError | None = None
        self.complete = False
        """Whether the value is closed."""
        self.rest = ""
        """What was fed after the value had been closed, by the last call."""
        self._latest = Snapshot((self.document, 0), 0, 0)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A parser cannot be copied: feed its text to another one")

    @property
    def text(self) -> str:
        """Everything that was fed until the value was closed."""
        return self.document.text.read(0, self._end_of_json)

    @property
    def snapshot(self) -> Snapshot:
        """What has been read so far."""
        return self._latest

    @property
    def started(self) -> bool:
        """Whether the JSON has begun."""
        return self.document.start is not None

    def feed(self, text: str) -> tuple[Snapshot, ...]:
        """Read more text; return the snapshot after it, or nothing if there is no news.

        That is: one snapshot for each text that is not empty, the complete one as soon as the
        value is closed, and none after it.

        Raises MalformedJson when no continuation can be JSON and LimitExceeded beyond a limit,
        both with the last snapshot, and the same error again when fed again.
        """
        if self.complete or self._error is not None:
            self._feed_on(text)
            return ()

        if not text:
            return ()

        if not text.isascii() or self._surrogates.held:
            text = self._surrogates.feed(text)

        self._begin = begin = self.document.end
        try:
            if begin + len(text) <= self._max_chars:
                self._read(text)
            else:
                self._read_up_to_limit(text)
        except (Unexpected, Exceeded) as fault:
            raise self._failed(fault) from None

        if self.complete and not self._rejects_rest:
            self.rest += self._surrogates.held
            self._surrogates.held = ""

        return self._news()

    def close(self, *, finish_reason: str | None = None) -> tuple[Snapshot, ...]:
        """Say that the text has ended; return the complete snapshot if that closed the value.

        Raises TruncatedJson if the value is still open and NoJson if none had begun, both with the
        whole text and the finish reason given, or the error that ``feed`` raised. A number at the
        very end is whole unless the finish reason says that the text was cut.
        """
        if self._error is not None:
            raise self._error

        if self._surrogates.held:
            self._surrogates.held = ""
            if (snapshots := self.feed(REPLACEMENT)) and self.complete:
                return snapshots

        if self.complete:
            return ()

        document = self.document
        document.has_ended = True
        self._begin = document.end
        pending = self._grammar.pending
        if self._preamble and (value := self._preamble.close()):
            self._preamble = None
            pending = value
            document.start = document.end - len(value)

        last = atom(pending, self._words) if self._grammar.node is document else None
        if last is not None and finish_reason not in CUT_SHORT:
            self._grammar.revision += 1
            document.append(*last)
            self.complete = True

        snapshot = self._take_snapshot()
        if self.complete:
            return (snapshot,)

        if self.started:
            raise TruncatedJson(snapshot=snapshot, text=self.text, finish_reason=finish_reason)

        nothing = NoJson(text=self.text, finish_reason=finish_reason)
        nothing.snapshot = snapshot
        raise nothing

    def _news(self) -> tuple[Snapshot, ...]:
        """Return what is to be told after a chunk."""
        return (self._take_snapshot(),)

    def _take_snapshot(self) -> Snapshot:
        grammar = self._grammar
        node = grammar.node
        end = self.document.end if self._end_of_json is None else self._end_of_json
        if self._preamble is not None:
            end -= self._preamble.undecided

        self._latest = Snapshot((node, node.size), end, grammar.revision, self._latest)
        return self._latest

    def _read(self, text: str) -> None:
        self._write(text)
        self.document.end += len(text)

        # A third of all chunks, or more, are a few characters from within a string.
        string = self._grammar.string
        if string is not None and text and '"' not in text and "\\" not in text:
            string.write(text)
            self._grammar.revision += 1
            return

        if self._is_beginning:
            text = self._begun(text)

        if text:
            try:
                self._send(text)
            except StopIteration as closed:
                if self._grammar.end is None:
                    raise RuntimeError(
                        "The parser was interrupted while it read, and cannot go on: feed the "
                        "text to a new one"
                    ) from None

                self.complete = True
                self._end_of_json = self._grammar.end
                self._take_rest(closed.value)

    def _begun(self, text: str) -> str:
        """Return where the JSON begins in the text, if it has begun."""
        if self._preamble is None:
            self._is_beginning = not text
            return text.removeprefix("\ufeff")

        beginning = self._preamble.feed(text)
        if beginning is None:
            return ""

        self._is_beginning, self._preamble = False, None
        return beginning

    def _read_up_to_limit(self, text: str) -> None:
        room = self._max_chars - self.document.end
        self._read(text[:room])
        if not self.complete:
            raise Exceeded("", 0, "max_chars", self._max_chars)

        self._read_rest(text[room:])

    def _feed_on(self, text: str) -> None:
        """Take what is fed after the value was closed, or raise the error again."""
        if self._error is not None:
            raise self._error

        if not self._rejects_rest:
            self.rest = text
            return

        self._begin = self.document.end
        try:
            self._read_rest(self._surrogates.feed(text))
        except (Unexpected, Exceeded) as fault:
            raise self._failed(fault) from None

    def _read_rest(self, text: str) -> None:
        self._write(text)
        self.document.end += len(text)
        self._take_rest(text)

    def _take_rest(self, text: str) -> None:
        self.rest += text
        if self._rejects_rest:
            junk = spaces(text, 0).end()
            if junk < len(text):
                raise Unexpected(text, junk, "nothing after the value")

    def _failed(self, fault: Unexpected | Exceeded) -> StreamopsError:
        """Return the error that the stream ends with, and keep it."""
        offset = self.document.end - len(fault.text) + fault.position
        error: MalformedJson | LimitExceeded
        if isinstance(fault, Exceeded):
            error = LimitExceeded(fault.limit, fault.value, offset=self._offset + offset)
        else:
            error = self._malformed(fault, offset)

        if self._end_of_json is None:
            self._end_of_json = offset
        error.snapshot = self._take_snapshot()
        self.document.has_ended = True
        self._grammar.string = None
        self._error = error
        return error

    def _malformed(self, unexpected: Unexpected, offset: int) -> MalformedJson:
        begin = max(0, offset - _SHOWN_AROUND)
        line = self.document.text.read(begin, offset + 1).rpartition("\n")[2]
        return MalformedJson(
            offset=self._offset + offset,
            found=unexpected.text[unexpected.position],
            expected=unexpected.expected,
            line=line,
            column=max(0, len(line) - 1),
        )


def value_of(text: str) -> Any:
    """Return what a text that is one whole JSON value says, however large or deep it is."""
    size = len(text) + 1
    parser = IncrementalParser(max_depth=size, max_chars=size)
    parser.feed(text)
    parser.close()
    return parser.snapshot.value
