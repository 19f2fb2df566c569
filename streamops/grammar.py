"""Grammar: JSON text that is sent in pieces to nodes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

from streamops.nodes import ArrayNode, ContainerNode, DocumentNode, Node, ObjectNode, StringNode
from streamops.tokens import (
    SPACES,
    Exceeded,
    Unexpected,
    control_in,
    read_atom,
    read_escape,
    read_whole,
    spaces,
    words_of,
)

# What may come next; a message says it in these words.
_VALUE: Final = "a value"
_FIRST_ELEMENT: Final = "a value or ']'"
_AFTER_ELEMENT: Final = "',' or ']'"
_FIRST_KEY: Final = "a key or '}'"
_KEY: Final = "a key"
_COLON: Final = "':'"
_AFTER_PROPERTY: Final = "',' or '}'"
_NOTHING_MORE: Final = "nothing after the value"

_LARGE = 256
"""How many characters must have come for a container to be read at once, if it closes among them:
that takes a tenth of the time (a fifth for numbers), and is wasted if it does not close."""

_TRIES = 8
"""How often that may be wasted on one piece of text."""

_Position: TypeAlias = tuple[str, int]
"""What is left of the text that was sent last, from a position on."""


class Grammar:
    """Reads one value into the nodes of a document, as far as its text has been sent.

    ``read`` is a generator: it takes text, and gives control back when it has read all of it.
    Between two pieces ``node`` and its size say all there is to know.
    """

    def __init__(
        self, document: DocumentNode, *, strict: bool, max_depth: int, keeps_values: bool
    ) -> None:
        self.node: Node = document
        """The innermost value that is open."""
        self.string: StringNode | None = None
        """The string that goes on with whatever comes, up to a quotation mark or backslash."""
        self.revision = 0
        """Changes whenever there is more to show."""
        self.end: int | None = None
        """Where in the whole text the value has ended."""
        self.pending = ""
        """A number or word that is not shown before more arrives."""

        self._document = document
        self._max_depth = max_depth
        self._keeps_values = keeps_values
        self._keys: dict[str, str] = {}
        self._tries = _TRIES
        self._is_strict = strict
        self._words = words_of(strict=strict)

    def read(self) -> Generator[None, str, str]:
        """Read the text that is sent, until the value closes; return what came after it.

        Raises Unexpected when no continuation can be JSON, and Exceeded beyond a limit.
        """
        text = yield
        while (position := spaces(text, 0).end()) == len(text):
            text = yield
        self._document.start = self._offset(text, position)

        container: ContainerNode = self._document
        add, after = container.append, _NOTHING_MORE
        expected, strict = _VALUE, self._is_strict

        while expected is not _NOTHING_MORE:
            if position == len(text):
                text, position = (yield), 0
                self._tries = _TRIES

            character = text[position]

            if character == '"':
                begin = position + 1
                end = text.find('"', begin)
                characters = text[begin:end]
                is_whole = end > 0 and "\\" not in characters
                if strict and control_in(characters):
                    is_whole = False

                if expected is _VALUE or expected is _FIRST_ELEMENT:
                    if is_whole:
                        self.revision += 1
                        add(characters)
                        position = end + 1
                    else:
                        text, position = yield from self._read_string(text, begin, container)
                    expected = after

                elif expected is _KEY or expected is _FIRST_KEY:
                    if is_whole:
                        self._add_key(container, characters)
                        position = end + 1
                    else:
                        text, position = yield from self._read_key(text, begin, container)
                    expected = _COLON

                else:
                    raise Unexpected(text, position, expected)

            elif character == ",":
                if expected is _AFTER_PROPERTY:
                    expected = _KEY
                elif expected is _AFTER_ELEMENT:
                    expected = _VALUE
                else:
                    raise Unexpected(text, position, expected)

                position += 2 if text.startswith(" ", position + 1) else 1

            elif character == ":":
                if expected is not _COLON:
                    raise Unexpected(text, position, expected)

                expected = _VALUE
                position += 2 if text.startswith(" ", position + 1) else 1

            elif character in SPACES:
                position = spaces(text, position).end()

            elif character in "]}":
                allowed = _CLOSING[character]
                if expected not in allowed:
                    raise Unexpected(text, position, expected)

                container, value = self._close(container)
                add, after = container.append, _AFTER[type(container)]
                add(value)
                position += 1
                expected = after

            elif expected is not _VALUE and expected is not _FIRST_ELEMENT:
                raise Unexpected(text, position, expected)

            elif character in "[{":
                if self._tries and len(text) - position >= _LARGE:
                    max_depth = self._max_depth - container.depth
                    whole = read_whole(text, position, strict=strict, max_depth=max_depth)
                    if whole is not None:
                        value, position = whole
                        self.revision += 1
                        add(value)
                        expected = after
                        continue
                    self._tries -= 1

                container = self._open(character, container, text, position)
                add, after = container.append, _AFTER[type(container)]
                expected = _FIRST_ELEMENT if character == "[" else _FIRST_KEY
                position += 1

            else:
                atom = read_atom(text, position, self._words)
                if atom is None:
                    atom, text = yield from self._read_rest_of_atom(text, position)

                value, position = atom
                self.revision += 1
                add(value)
                expected = after

        self.end = self._offset(text, position)
        return text[position:]

    def _read_string(
        self, text: str, position: int, container: ContainerNode
    ) -> Generator[None, str, _Position]:
        """Read a string that does not end in this text, or has escapes."""
        string = self.node = StringNode(container, container.size)
        self.revision += 1
        if not self._keeps_values:
            string.forget()
        if not self._is_strict:
            self.string = string

        text, position = yield from self._read_characters(text, position, string.write, 1)
        self.node, self.string = container, None
        container.append(string.finish(self.revision))
        return text, position

    def _read_key(
        self, text: str, position: int, container: ContainerNode
    ) -> Generator[None, str, _Position]:
        pieces: list[str] = []
        text, position = yield from self._read_characters(text, position, pieces.append, 0)
        self._add_key(container, "".join(pieces))
        return text, position

    def _read_characters(
        self, text: str, position: int, write: Callable[[str], object], shows: int
    ) -> Generator[None, str, _Position]:
        """Read what is left of a string, whose growth shows (1) or not (0)."""
        quote = -1
        while True:
            if quote < position and (quote := text.find('"', position)) < 0:
                quote = len(text)
            escape = text.find("\\", position, quote)
            end = quote if escape < 0 else escape
            control = control_in(text, position, end) if self._is_strict else None
            if control is not None:
                end = control.start()

            if end > position:
                write(text[position:end])
                self.revision += shows

            if control is not None:
                raise Unexpected(text, end, "an escaped control character")

            if end == len(text):
                text, position, quote = (yield), 0, -1
                self._tries = _TRIES
            elif end == quote:
                return text, end + 1
            else:
                string, self.string = self.string, None
                while (escaped := read_escape(text, end)) is None:
                    text, end, quote = text[end:] + (yield), 0, -1
                self.string = string

                character, position = escaped
                write(character)
                self.revision += shows

    def _read_rest_of_atom(
        self, text: str, position: int
    ) -> Generator[None, str, tuple[tuple[Any, int], str]]:
        """Read a number or a word of which more may come."""
        while (atom := read_atom(text, position, self._words)) is None:
            self.pending = text[position:]
            text, position = self.pending + (yield), 0
            self._tries = _TRIES

        self.pending = ""
        return atom, text

    def _open(
        self, bracket: str, container: ContainerNode, text: str, position: int
    ) -> ContainerNode:
        if container.depth == self._max_depth:
            raise Exceeded(text, position, "max_depth", self._max_depth)

        self.revision += 1
        node_type = ObjectNode if bracket == "{" else ArrayNode
        node = self.node = node_type(container, container.size)
        if not self._keeps_values:
            node.forget()
        return node

    def _close(self, container: ContainerNode) -> tuple[ContainerNode, Any]:
        parent = container.parent
        assert parent is not None
        self.node = parent
        return parent, container.finish(self.revision)

    def _add_key(self, container: ContainerNode, key: str) -> None:
        assert isinstance(container, ObjectNode)
        if not self._keeps_values:
            return

        # Equal keys are kept once, however many objects have them.
        container.keys.append(self._keys.setdefault(key, key))

    def _offset(self, text: str, position: int) -> int:
        """Return where in the whole text a position in the text that was sent last is."""
        return self._document.end - len(text) + position


_AFTER: dict[type[ContainerNode], str] = {
    DocumentNode: _NOTHING_MORE,
    ObjectNode: _AFTER_PROPERTY,
    ArrayNode: _AFTER_ELEMENT,
}
_CLOSING: dict[str, tuple[str, str]] = {
    "]": (_AFTER_ELEMENT, _FIRST_ELEMENT),
    "}": (_AFTER_PROPERTY, _FIRST_KEY),
}
