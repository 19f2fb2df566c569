"""The tokens of JSON, read from text that may end anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias, cast

MAX_NUMBER_CHARS = 4300  # what Python converts to an int without being told to

Words: TypeAlias = dict[str, tuple[str, Any]]
"""The words that are values, by what they begin with."""

WORDS: Words = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
}
LENIENT_WORDS: Words = {
    **WORDS,
    "N": ("NaN", float("nan")),
    "I": ("Infinity", float("inf")),
    "-I": ("-Infinity", float("-inf")),
}

SPACES = frozenset(" \t\n\r")
NUMBER_BEGINS = frozenset("-0123456789")
REPLACEMENT = "\ufffd"


def _always(pattern: str) -> Callable[[str, int], re.Match[str]]:
    """Compile a pattern that matches everywhere, if only the empty string."""
    return cast("Callable[[str, int], re.Match[str]]", re.compile(pattern).match)


spaces = _always(r"[ \t\n\r]*")
plain = _always(r'[^"\\]*')
strict_plain = _always(r'[^"\\\x00-\x1f]*')
_number_characters = _always(r"[-+.0-9eE]*")
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?").fullmatch
_number_so_far = _always(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+(?:[eE][-+]?[0-9]*)?)?|[eE][-+]?[0-9]*)?)?"
)
_escape = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))').match
_escape_so_far = _always(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?")
_low_surrogate = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match
_low_surrogate_so_far = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?\Z").match
_surrogates = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")

_ESCAPED = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip


class Unexpected(Exception):  # never leaves the parser: MalformedJson is made of it
    """No continuation of the text can be JSON."""

    def __init__(self, position: int, expected: str) -> None:
        super().__init__(position, expected)
        self.position = position
        self.expected = expected


class TooLong(Exception):  # never leaves the parser: LimitExceeded is made of it
    """A number has more than MAX_NUMBER_CHARS characters."""


def skip_spaces(text: str, position: int, expected: str) -> int:
    """Return where white space ends, which is all that may stand instead of what was expected."""
    if text[position] not in SPACES:
        raise Unexpected(position, expected)

    return spaces(text, position).end()


def read_escape(text: str, position: int) -> tuple[str, int] | None:
    """Return what an escape stands for and where it ends, or None if that depends on more text."""
    escape = _escape(text, position)
    if escape is None:
        end = _escape_so_far(text, position).end()
        if end < len(text):
            raise Unexpected(end, "a hexadecimal digit" if end > position + 1 else "an escape")
        return None

    short, code = escape.groups()
    if short:
        return _ESCAPED[short], escape.end()

    character, end = chr(int(code, 16)), escape.end()
    if not "\ud800" <= character <= "\udfff":
        return character, end

    if character <= "\udbff":
        if low := _low_surrogate(text, end):
            return _joined(character + chr(int(low.group(1), 16))), low.end()

        if _low_surrogate_so_far(text, end):
            return None

    return REPLACEMENT, end


def read_number(text: str, position: int) -> int | None:
    """Return where a number ends, or None if that depends on more text."""
    end = _number_characters(text, position).end()
    token = text[position : min(end, position + MAX_NUMBER_CHARS)]
    valid = _number_so_far(token, 0).end()
    if valid < len(token):
        raise Unexpected(position + valid, "a valid number")

    if end > position + MAX_NUMBER_CHARS:
        raise TooLong

    if end == len(text):
        return None

    if not _number(token):
        raise Unexpected(end, "a digit")

    return end


def read_word(text: str, position: int, word: str) -> int | None:
    """Return where a word ends, or None if that depends on more text."""
    token = text[position : position + len(word)]
    if not word.startswith(token):
        same = next(i for i, letter in enumerate(token) if letter != word[i])
        raise Unexpected(position + same, word)

    end = position + len(word)
    return end if end < len(text) else None


def atom(token: str, words: Words) -> tuple[Any] | None:
    """Return the value of a number or a word, in a tuple, or None for what is neither."""
    number = _number(token)
    if number is not None:
        is_float = number.group(1) or number.group(2)
        return (float(token) if is_float else int(token),)

    return next(((value,) for word, value in words.values() if word == token), None)


class SurrogateMender:
    """Joins surrogates that arrive in two halves, and replaces those that stay alone."""

    def __init__(self) -> None:
        self.held = ""
        """A first half at the end of the text, whose second half may still come."""

    def feed(self, text: str) -> str:
        """Return the text without lone surrogates, as far as that can be told."""
        text, self.held = self.held + text, ""
        if "\ud800" <= text[-1:] <= "\udbff":
            text, self.held = text[:-1], text[-1]

        return _surrogates.sub(lambda match: _joined(match.group()), text)


def _joined(surrogates: str) -> str:
    """Return the character of a surrogate pair, or a replacement for a lone one."""
    if len(surrogates) == 1:
        return REPLACEMENT

    return surrogates.encode("utf-16", "surrogatepass").decode("utf-16")
