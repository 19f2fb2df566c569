"""The slow, obvious model of what may be shown of a text that may end anywhere.

It reads the whole text again each time, by plain recursion, and shares nothing with the parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from streamops.nodes import Path

WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_LOW_SURROGATE = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NUMBER_TAILS = ("", "0", "0e0")


def mended(text: str) -> str:
    """Join halves of surrogate pairs and replace the lonely ones."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def decided(text: str) -> str:
    """Mend a text whose last character may be the first half of a surrogate pair."""
    return mended(text[:-1] if "\ud800" <= text[-1:] <= "\udbff" else text)


def children(value: Any) -> list[tuple[str | int, Any]]:
    """List what a value holds, with its keys."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).items())
    return list(enumerate(cast("list[Any]", value))) if isinstance(value, list) else []


def truth(text: str) -> Any:
    """Return what json.loads reads, but with lone surrogates replaced."""

    def encodable(value: Any) -> Any:
        if isinstance(value, dict):
            return {mended(str(key)): encodable(item) for key, item in children(value)}
        if isinstance(value, list):
            return [encodable(item) for _, item in children(value)]
        return mended(value) if isinstance(value, str) else value

    return encodable(json.loads(mended(text), strict=False))


class _TextEnds(Exception):
    """There is no more text, or it is not JSON from here on."""


class SlowReading:
    """What may be shown of ``text``, which begins with the JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.complete = False
        self.open: list[Path] = []
        self.finished: set[Path] = set()
        self._holder: list[Any] = []
        try:
            self._read_value(self._holder, 0, ())
            self.complete = True
        except _TextEnds:
            pass

    @property
    def started(self) -> bool:
        return bool(self._holder)

    @property
    def value(self) -> Any:
        return self._holder[0] if self._holder else None

    @property
    def path(self) -> Path:
        return self.open[-1] if self.open else ()

    @property
    def states(self) -> dict[Path, tuple[str, bool]]:
        """Every path in the order of the text, with what stands there and whether it is whole."""
        states: dict[Path, tuple[str, bool]] = {}

        def walk(path: Path, value: Any) -> None:
            states[path] = (repr(value), path in self.finished)
            for key, item in children(value):
                walk((*path, key), item)

        if self.started:
            walk((), self.value)
        return states

    def _peek(self) -> str:
        if self.at == len(self.text):
            raise _TextEnds
        return self.text[self.at]

    def _skip(self, expected: str) -> None:
        if self._peek() != expected:
            raise _TextEnds
        self.at += 1

    def _skip_spaces(self) -> str:
        while self._peek() in " \t\n\r":
            self.at += 1
        return self._peek()

    def _show(self, parent: Any, key: Any, path: Path, value: Any) -> None:
        # A repeated key begins anew.
        self.finished = {other for other in self.finished if other[: len(path)] != path}
        if isinstance(parent, list) and key == len(children(parent)):
            cast("list[Any]", parent).append(value)
        else:
            parent[key] = value

    def _finish(self, path: Path) -> None:
        self.open.pop()
        self.finished.add(path)

    def _read_value(self, parent: Any, key: Any, path: Path) -> None:
        match self._skip_spaces():
            case '"':
                self.open.append(path)
                self._show(parent, key, path, "")
                for text in self._growing_string():
                    self._show(parent, key, path, text)
                self._finish(path)
            case "[":
                self.open.append(path)
                self._read_array(parent, key, path)
                self._finish(path)
            case "{":
                self.open.append(path)
                self._read_object(parent, key, path)
                self._finish(path)
            case _:
                self._show(parent, key, path, self._atom())
                self.finished.add(path)

    def _read_array(self, parent: Any, key: Any, path: Path) -> None:
        array: list[Any] = []
        self._show(parent, key, path, array)
        self._skip("[")
        if self._skip_spaces() != "]":
            self._read_value(array, 0, (*path, 0))
            while self._skip_spaces() == ",":
                self._skip(",")
                self._read_value(array, len(array), (*path, len(array)))
        self._skip("]")

    def _read_object(self, parent: Any, key: Any, path: Path) -> None:
        properties: dict[str, Any] = {}
        self._show(parent, key, path, properties)
        self._skip("{")
        if self._skip_spaces() != "}":
            self._read_property(properties, path)
            while self._skip_spaces() == ",":
                self._skip(",")
                self._read_property(properties, path)
        self._skip("}")

    def _read_property(self, properties: dict[str, Any], path: Path) -> None:
        self._skip_spaces()
        *_, key = "", *self._growing_string()
        self._skip_spaces()
        self._skip(":")
        self._read_value(properties, key, (*path, key))

    def _growing_string(self) -> Iterator[str]:
        text = ""
        self._skip('"')
        while self._peek() != '"':
            text += self._character()
            yield text
        self._skip('"')

    def _character(self) -> str:
        if self._peek() != "\\":
            self.at += 1
            return self.text[self.at - 1]

        length = 6 if self.text[self.at + 1 : self.at + 2] == "u" else 2
        code = self.text[self.at : self.at + length]
        rest = self.text[self.at + length :][:6]
        if len(code) < length or not _is_json(f'"{code}"'):
            raise _TextEnds

        if re.match(r"\\u[dD][89abAB]", code):
            if _LOW_SURROGATE.fullmatch(rest):
                code += rest
            elif _LOW_SURROGATE.fullmatch(rest + r"\udc00"[len(rest) :]):
                raise _TextEnds  # the other half may still come

        self.at += len(code)
        return mended(json.loads(f'"{code}"'))

    def _atom(self) -> Any:
        for word in WORDS:
            if self.text.startswith(word, self.at):
                return self._followed(word)

        token = re.compile(r"[-+.0-9eE]*").match(self.text, self.at)
        assert token is not None
        if not _is_json(token.group()):
            raise _TextEnds
        return self._followed(token.group())

    def _followed(self, atom: str) -> Any:
        self.at += len(atom)
        self._peek()
        return json.loads(atom)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Beginning:
    """Where the JSON begins, or up to where there is certainly none."""

    found: bool
    at: int


def beginning(text: str) -> Beginning:
    """Find the first character that starts JSON, as far as the text tells."""
    at = 1 if text.startswith("\ufeff") else 0
    while text[at : at + 1] in (" ", "\t", "\n", "\r"):
        at += 1

    rest = text[at:]
    if rest[:1] and rest[0] in '{["-0123456789tfn':
        return Beginning(True, at)

    for word in ("NaN", "Infinity"):
        if word.startswith(rest):
            return Beginning(False, at)
        if rest.startswith(word) and not re.match(r"\w", rest[len(word)]):
            return Beginning(True, at)

    while at < len(text):
        rest = text[at:]
        if rest.startswith("<think>"):
            at = text.find("</think>", at + len("<think>"))
            if at < 0:
                return Beginning(False, len(text))
            at += len("</think>")
        elif rest[0] in "[{":
            match _is_confirmed(rest):
                case True:
                    return Beginning(True, at)
                case None:
                    return Beginning(False, at)
                case False:
                    at += 1
        else:
            at += 1

    return Beginning(False, at)


def _is_confirmed(text: str) -> bool | None:
    """Whether a bracket begins JSON by its first token, or None if more text must tell."""
    inside = text[1:].lstrip(" \t\n\r")
    closing = "}" if text[0] == "{" else "]"
    if inside[:1] in ("", closing):
        return bool(inside) or None

    if inside[0] == '"':
        string = re.compile(r'"([^"\\]|\\.)*"', re.DOTALL).match(inside)
        return _is_followed(inside, string.end(), text[0]) if string else None

    if text[0] == "{":
        return False

    if inside[0] in "[{":
        return _is_confirmed(inside)

    for word in WORDS:
        if word.startswith(inside):
            return None
        if inside.startswith(word):
            return _is_followed(inside, len(word), "[")

    if any(_NUMBER.fullmatch(inside + tail) for tail in _NUMBER_TAILS):
        return None

    number = _NUMBER.match(inside)
    return _is_followed(inside, number.end(), "[") if number else False


def _is_followed(text: str, end: int, bracket: str) -> bool | None:
    after = text[end:].lstrip(" \t\n\r")
    return after[0] in (":" if bracket == "{" else ",]") if after else None
