"""The tokens of JSON, read from text that may end anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from json import JSONDecoder
from typing import Any, Never, TypeAlias, cast

MAX_NUMBER_CHARS = 4300  # what Python converts to an int without being told to

Words: TypeAlias = dict[str, tuple[str, Any]]
"""The words that are values, by what they begin with."""

_WORDS: Words = {
    "t": ("true", True),
    "f": ("false", False),
    "n": ("null", None),
}
_LENIENT_WORDS: Words = {
    **_WORDS,
    "N": ("NaN", float("nan")),
    "I": ("Infinity", float("inf")),
    "-I": ("-Infinity", float("-inf")),
}

SPACES = frozenset(" \t\n\r")
_CONTAINERS: tuple[type, ...] = (dict, list)
_NUMBER_BEGINS = frozenset("-0123456789")
REPLACEMENT = "\ufffd"


def words_of(*, strict: bool) -> Words:
    """Return the words of RFC 8259, or those that json.loads reads."""
    return _WORDS if strict else _LENIENT_WORDS


def _always(pattern: str) -> Callable[[str, int], re.Match[str]]:
    """Compile a pattern that matches everywhere, if only the empty string."""
    return cast("Callable[[str, int], re.Match[str]]", re.compile(pattern).match)


spaces = _always(r"[ \t\n\r]*")
control_in = re.compile(r"[\x00-\x1f]").search
_number_characters = _always(r"[-+.0-9eE]*")
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?").fullmatch
_whole_number = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?(?=[ \t\n\r,\]}])").match
_number_so_far = _always(
    r"-?(?:(?:0|[1-9][0-9]*)(?:\.(?:[0-9]+(?:[eE][-+]?[0-9]*)?)?|[eE][-+]?[0-9]*)?)?"
)
_escape = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9a-fA-F]{4}))').match
_escape_so_far = _always(r"(?:\\(?:u[0-9a-fA-F]{0,3})?)?")
_low_surrogate = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})").match
_low_surrogate_so_far = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?\Z").match
_escaped_surrogate = re.compile(r"\\u[dD][89a-fA-F]").search
_surrogates = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")

_ESCAPED = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip


class Fault(Exception):  # never leaves the parser, which makes an error of it
    """The text cannot be read on."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(text, position)
        self.text = text
        """Ends where all that has arrived ends."""
        self.position = position


class Unexpected(Fault):
    """No continuation of the text can be JSON."""

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(text, position)
        self.expected = expected


class Exceeded(Fault):
    """The text goes beyond a limit."""

    def __init__(self, text: str, position: int, limit: str, value: int) -> None:
        super().__init__(text, position)
        self.limit = limit
        self.value = value


def read_escape(text: str, position: int) -> tuple[str, int] | None:
    """Return what an escape stands for and where it ends, or None if that depends on more text."""
    escape = _escape(text, position)
    if escape is None:
        end = _escape_so_far(text, position).end()
        if end < len(text):
            raise Unexpected(
                text, end, "a hexadecimal digit" if end > position + 1 else "an escape"
            )
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


def read_atom(text: str, position: int, words: Words) -> tuple[Any, int] | None:
    """Return a number or what a word means, and where it ends; None if that depends on more."""
    number = _whole_number(text, position)
    if number is not None:
        token, decimals = number.group(0, 1)
        return float(token) if decimals else int(token), number.end()

    initial = text[position]
    if initial == "-" and text.startswith("I", position + 1) and "-I" in words:
        initial = "-I"

    if initial in words:
        word, value = words[initial]
        end = _end_of_word(text, position, word)
        return None if end is None else (value, end)

    if initial not in _NUMBER_BEGINS:
        raise Unexpected(text, position, "a value")

    end = _end_of_number(text, position)
    return None if end is None else (*cast("tuple[Any]", atom(text[position:end], words)), end)


def _end_of_number(text: str, position: int) -> int | None:
    """Return where a number ends, or None if that depends on more text."""
    end = _number_characters(text, position).end()
    token = text[position : min(end, position + MAX_NUMBER_CHARS)]
    valid = _number_so_far(token, 0).end()
    if valid < len(token):
        raise Unexpected(text, position + valid, "a valid number")

    if end > position + MAX_NUMBER_CHARS:
        raise Exceeded(text, position + MAX_NUMBER_CHARS, "number_chars", MAX_NUMBER_CHARS)

    if end == len(text):
        return None

    if not _number(token):
        raise Unexpected(text, end, "a digit")

    return end


def _end_of_word(text: str, position: int, word: str) -> int | None:
    """Return where a word ends, or None if that depends on more text."""
    token = text[position : position + len(word)]
    if not word.startswith(token):
        same = next(i for i, letter in enumerate(token) if letter != word[i])
        raise Unexpected(text, position + same, word)

    end = position + len(word)
    return end if end < len(text) else None


def atom(token: str, words: Words) -> tuple[Any] | None:
    """Return the value of a number or a word, in a tuple, or None for what is neither."""
    number = _number(token)
    if number is not None:
        is_float = number.group(1) or number.group(2)
        return (float(token) if is_float else int(token),)

    return next(((value,) for word, value in words.values() if word == token), None)


def read_whole(text: str, position: int, *, strict: bool, max_depth: int) -> tuple[Any, int] | None:
    """Return an array or an object that closes within a text, and where it ends.

    None for one that does not close, and for what must be read with more care: what is no JSON,
    lone surrogates, numbers that are too long, arrays and objects that are too deep.
    """
    decoder = _strict_decoder if strict else _decoder
    try:
        value, end = decoder.raw_decode(text, position)
    except (ValueError, RecursionError):
        return None

    if _escaped_surrogate(text, position, end) or _may_exceed(max_depth, value, text[position:end]):
        return None

    return value, end


def _may_exceed(max_depth: int, value: Any, text: str) -> bool:
    """Return whether more arrays and objects may be open at once in a text that became a value."""
    brackets = text.count("[") + text.count("{")
    if brackets <= max_depth:
        return False

    depth = seen = 0
    level: list[Any] = [value]
    while level:
        depth += 1
        seen += len(level)
        children = chain.from_iterable(map(_children_of, level))
        level = [child for child in children if type(child) in _CONTAINERS]

    # A repeated key may hide some that are deeper; or a string holds brackets.
    return depth > max_depth or seen < brackets


def _children_of(container: Any) -> Iterable[Any]:
    if type(container) is dict:
        return cast("dict[str, Any]", container).values()

    return cast("list[Any]", container)


def _integer(token: str) -> int:
    return int(_not_too_long(token))


def _decimal(token: str) -> float:
    return float(_not_too_long(token))


def _not_too_long(token: str) -> str:
    if len(token) > MAX_NUMBER_CHARS:
        raise ValueError(token)

    return token


def _refuse(constant: str) -> Never:
    raise ValueError(constant)


_decoder = JSONDecoder(strict=False, parse_int=_integer, parse_float=_decimal)
_strict_decoder = JSONDecoder(
    strict=True, parse_int=_integer, parse_float=_decimal, parse_constant=_refuse
)


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
