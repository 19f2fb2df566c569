"""IncrementalParser: text in pieces to snapshots of the JSON so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from streamops.errors import LimitExceeded, MalformedJson, NoJson, StreamopsError, TruncatedJson
from streamops.nodes import ArrayNode, ContainerNode, DocumentNode, Mark, ObjectNode, StringNode
from streamops.preamble import Preamble
from streamops.snapshot import Snapshot
from streamops.tokens import (
    LENIENT_WORDS,
    MAX_NUMBER_CHARS,
    NUMBER_BEGINS,
    REPLACEMENT,
    SPACES,
    WORDS,
    SurrogateMender,
    TooLong,
    Unexpected,
    atom,
    plain,
    read_escape,
    read_number,
    read_word,
    skip_spaces,
    spaces,
    strict_plain,
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
        self._words = WORDS if strict else LENIENT_WORDS
        self._plain = strict_plain if strict else plain
        self._state: Callable[[str, int], int] = self._read_root if strict else self._read_mark
        self._offset_of_text = offset
        self._max_depth = max_depth
        self._max_chars = max_chars

        self._document = DocumentNode()
        self._write = self._document.text.write
        self._container: ContainerNode = self._document
        self._string: StringNode | None = None
        self._key: list[str] = []
        self._known_keys: dict[str, str] = {}
        self._preamble = None if reject else Preamble()

        self._text = ""
        self._end = 0  # where in the whole text self._text ends
        self._end_of_json: int | None = None  # where the value, or what can be read, has ended
        self._pending = ""  # read, but not decidable before more arrives
        self._surrogates = SurrogateMender()
        self._revision = 0
        self._shown: Snapshot | None = None  # the first snapshot of its revision
        self._shown_revision = -1
        self._mark: Mark = (self._document, 0)
        self._before: Mark = self._mark
        self._begin = 0  # where in the whole text the latest chunk begins
        self._error: StreamopsError | None = None
        self.complete = False
        """Whether the value is closed."""
        self.rest = ""
        """What was fed after the value had been closed, by the last call."""

    @property
    def text(self) -> str:
        """Everything that was fed until the value was closed."""
        return self._document.text.read(0, self._end_of_json)

    @property
    def started(self) -> bool:
        """Whether the JSON has begun."""
        return self._document.start is not None

    @property
    def snapshot(self) -> Snapshot:
        """What has been read so far."""
        node = self._string or self._container
        end = self._end if self._end_of_json is None else self._end_of_json
        if self._preamble:
            end -= self._preamble.undecided

        same_as = self._shown if self._shown_revision == self._revision else None
        snapshot = Snapshot(
            (node, node.size), self._before, end, self.complete, self._revision, same_as
        )
        if same_as is None:
            self._shown, self._shown_revision = snapshot, self._revision

        return snapshot

    def feed(self, text: str) -> tuple[Snapshot, ...]:
        """Read more text; return the snapshot after it, or nothing if there is no news.

        That is: one snapshot for each text that is not empty, the complete one as soon as the
        value is closed, and none after it.

        Raises MalformedJson when no continuation can be JSON and LimitExceeded beyond a limit,
        both with the last snapshot, and the same error again when fed again.
        """
        if self._error is not None:
            raise self._error

        was_complete = self.complete
        if was_complete and not self._rejects_rest:
            self.rest = text
            return ()

        if not text:
            return ()

        self._before, self._begin = self._mark, self._end
        try:
            self._advance(text)
        except (MalformedJson, LimitExceeded) as error:
            self._end_json(error.offset - self._offset_of_text)
            error.snapshot = self.snapshot
            self._error = error
            self._document.has_ended = True
            raise

        if was_complete:
            return ()

        snapshot = self.snapshot
        self._mark = snapshot.edge
        return (snapshot,)

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

        self._document.has_ended = True
        self._before, self._begin = self._mark, self._end
        if self._preamble and (value := self._preamble.close()):
            self._preamble = None
            self._pending = value
            self._document.start = self._end - len(value)

        last = atom(self._pending, self._words) if self._container is self._document else None
        if last is not None and finish_reason not in CUT_SHORT:
            self._append(*last)
            return (self.snapshot,)

        if self.started:
            raise TruncatedJson(snapshot=self.snapshot, text=self.text, finish_reason=finish_reason)

        nothing = NoJson(text=self.text, finish_reason=finish_reason)
        nothing.snapshot = self.snapshot
        raise nothing

    def _advance(self, text: str) -> None:
        if not text.isascii() or self._surrogates.held:
            text = self._surrogates.feed(text)

        room = len(text) if self.complete else self._max_chars - self._end
        self._read(text[:room])
        if len(text) > room:
            if not self.complete:
                raise self._exceeded("max_chars", self._max_chars, self._max_chars)

            self._read(text[room:])

        if self.complete and not self._rejects_rest:
            self.rest += self._surrogates.held
            self._surrogates.held = ""

    def _read(self, text: str) -> None:
        if not text:
            return

        self._write(text)
        self._end += len(text)

        if self._preamble is not None:
            beginning = self._preamble.feed(text)
            if beginning is None:
                return
            self._preamble = None
            text = beginning

        if self._pending:
            text, self._pending = self._pending + text, ""

        self._text = text
        position, end = 0, len(text)
        try:
            while position < end:
                position = self._state(text, position)
        except Unexpected as fault:
            raise self._malformed(fault.position, fault.expected) from None

    # Every state takes the text and a position in it, and returns the position after what it read:
    # the end of the text if it has to wait for more.

    def _read_mark(self, text: str, position: int) -> int:
        self._state = self._read_root
        return position + text.startswith("\ufeff", position)

    def _read_root(self, text: str, position: int) -> int:
        if text[position] in SPACES:
            return skip_spaces(text, position, "a value")

        self._document.start = self._offset(position)
        self._state = self._read_value
        return position

    def _read_value(self, text: str, position: int) -> int:
        character = text[position]
        if character == '"':
            return self._read_new_string(text, position + 1)

        if character in NUMBER_BEGINS:
            return self._read_number(text, position)

        if character == "{":
            return self._open(ObjectNode, self._read_first_key, position)

        if character == "[":
            return self._open(ArrayNode, self._read_first_element, position)

        if character in self._words:
            return self._read_word(text, position, character)

        return skip_spaces(text, position, "a value")

    def _read_first_element(self, text: str, position: int) -> int:
        if text[position] == "]":
            return self._close_container(position)

        if text[position] not in SPACES:
            self._state = self._read_value
            return position

        return skip_spaces(text, position, "a value")

    def _read_after_element(self, text: str, position: int) -> int:
        character = text[position]
        if character == ",":
            self._state = self._read_value
            return position + 1

        if character == "]":
            return self._close_container(position)

        return skip_spaces(text, position, "',' or ']'")

    def _read_first_key(self, text: str, position: int) -> int:
        if text[position] == "}":
            return self._close_container(position)

        if text[position] == '"':
            return self._read_key(text, position)

        return skip_spaces(text, position, "a key or '}'")

    def _read_key(self, text: str, position: int) -> int:
        if text[position] != '"':
            return skip_spaces(text, position, "a key")

        begin = position + 1
        end = self._plain(text, begin).end()
        if text.startswith('"', end):
            self._add_key(text[begin:end])
            return end + 1

        self._key = []
        self._state = self._read_rest_of_key
        return begin

    def _read_rest_of_key(self, text: str, position: int) -> int:
        position, closed = self._read_characters(text, position, self._key.append)
        if closed:
            self._add_key("".join(self._key))
        return position

    def _read_colon(self, text: str, position: int) -> int:
        if text[position] != ":":
            return skip_spaces(text, position, "':'")

        self._state = self._read_value
        return position + 1

    def _read_after_property(self, text: str, position: int) -> int:
        character = text[position]
        if character == ",":
            self._state = self._read_key
            return position + 1

        if character == "}":
            return self._close_container(position)

        return skip_spaces(text, position, "',' or '}'")

    def _read_new_string(self, text: str, position: int) -> int:
        end = self._plain(text, position).end()
        if text.startswith('"', end):
            self._append(text[position:end])
            return end + 1

        self._string = StringNode(self._container, self._container.size)
        self._revision += 1
        self._state = self._read_string
        return position

    def _read_string(self, text: str, position: int) -> int:
        assert self._string is not None
        end = self._plain(text, position).end()
        if end == len(text):
            self._string.write(text[position:])
            self._revision += 1
            return end

        size = self._string.size
        try:
            position, closed = self._read_characters(text, position, self._string.write)
        finally:
            if self._string.size > size:
                self._revision += 1

        if closed:
            string, self._string = self._string, None
            self._add(string.finish(self._revision))
        return position

    def _read_characters(
        self, text: str, position: int, write: Callable[[str], object]
    ) -> tuple[int, bool]:
        """Read inside a string; return the position, and whether the string is closed."""
        while True:
            end = self._plain(text, position).end()
            if end > position:
                write(text[position:end])

            match text[end : end + 1]:
                case "":
                    return end, False
                case '"':
                    return end + 1, True
                case "\\":
                    escape = read_escape(text, end)
                    if escape is None:
                        return self._wait(text, end), False
                    character, position = escape
                    write(character)
                case _:
                    raise Unexpected(end, "an escaped control character")

    def _read_number(self, text: str, position: int) -> int:
        if text.startswith("-I", position) and "-I" in self._words:
            return self._read_word(text, position, "-I")

        try:
            end = read_number(text, position)
        except TooLong:
            end = self._offset(position + MAX_NUMBER_CHARS)
            raise self._exceeded("number_chars", MAX_NUMBER_CHARS, end) from None

        return self._read_atom(text, position, end)

    def _read_word(self, text: str, position: int, initial: str) -> int:
        word, _ = self._words[initial]
        return self._read_atom(text, position, read_word(text, position, word))

    def _read_atom(self, text: str, position: int, end: int | None) -> int:
        value = None if end is None else atom(text[position:end], self._words)
        if end is None or value is None:
            return self._wait(text, position)

        self._append(*value)
        return end

    def _read_rest(self, text: str, position: int) -> int:
        self._end_json(self._offset(position))
        self.rest += text[position:]
        if self._rejects_rest:
            junk = spaces(text, position).end()
            if junk < len(text):
                raise Unexpected(junk, "nothing after the value")

        return len(text)

    def _wait(self, text: str, position: int) -> int:
        self._pending = text[position:]
        return len(text)

    def _open(self, node_type: type[ContainerNode], state: Any, position: int) -> int:
        node = node_type(self._container, self._container.size)
        if node.depth > self._max_depth:
            raise self._exceeded("max_depth", self._max_depth, self._offset(position))

        self._container = node
        self._revision += 1
        self._state = state
        return position + 1

    def _close_container(self, position: int) -> int:
        node = self._container
        assert node.parent is not None
        self._container = node.parent
        self._add(node.finish(self._revision))
        return position + 1

    def _append(self, value: Any) -> None:
        """Add a finished value that was not shown before."""
        self._revision += 1
        self._add(value)

    def _add(self, value: Any) -> None:
        container = self._container
        container.append(value)

        if type(container) is ObjectNode:
            self._state = self._read_after_property
        elif type(container) is ArrayNode:
            self._state = self._read_after_element
        else:
            self.complete = True
            self._state = self._read_rest

    def _add_key(self, key: str) -> None:
        assert isinstance(self._container, ObjectNode)
        # Equal keys are kept once, however many objects have them.
        self._container.keys.append(self._known_keys.setdefault(key, key))
        self._state = self._read_colon

    def _end_json(self, offset: int) -> None:
        if self._end_of_json is None:
            self._end_of_json = offset

    def _offset(self, position: int) -> int:
        """Return the offset in the whole text of a position in the text that is being read."""
        return self._end - len(self._text) + position

    def _exceeded(self, limit: str, value: int, offset: int) -> LimitExceeded:
        return LimitExceeded(limit, value, offset=self._offset_of_text + offset)

    def _malformed(self, position: int, expected: str) -> MalformedJson:
        offset = self._offset(position)
        begin = max(0, offset - _SHOWN_AROUND)
        line = self._document.text.read(begin, offset + 1).rpartition("\n")[2]
        return MalformedJson(
            offset=self._offset_of_text + offset,
            found=self._text[position],
            expected=expected,
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
