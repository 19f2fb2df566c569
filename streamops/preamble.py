"""Preamble: find where the JSON begins after prose, reasoning or an opening fence."""

from __future__ import annotations

import re
from functools import cache

_THINK, _END_OF_THINK = "<think>", "</think>"


def _beginnings(word: str) -> str:
    """Return a pattern for every beginning of a word, the whole word included."""
    return "".join(f"(?:{re.escape(letter)}" for letter in word) + ")?" * (len(word) - 1) + ")"


# The bounds keep undecided text short, so that reading it again with each chunk stays cheap: no
# prose has that many brackets, or that long a string, after a bracket.
_SPACE = r"[ \t\n\r]{0,256}"
_CHARACTER = r'(?:[^"\\]|\\.)'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,63})(?:\.[0-9]{1,63})?(?:[eE][-+]?[0-9]{1,63})?"
_OPEN_NUMBER = (
    r"-?(?:(?:0|[1-9][0-9]{0,63})(?:\.(?:[0-9]{1,63}(?:[eE][-+]?[0-9]{0,63})?)?"
    r"|[eE][-+]?[0-9]{0,63})?)?"
)
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")

_STRING = rf'"{_CHARACTER}{{0,255}}"'
_LONG_STRING = rf'"{_CHARACTER}{{256}}'
_ATOM = rf"(?:{_NUMBER}|{'|'.join(_WORDS)})"
_OBJECT = rf"\{{{_SPACE}(?:\}}|{_STRING}{_SPACE}:|{_LONG_STRING})"
_ELEMENT = rf"\]|(?:{_STRING}|{_ATOM}){_SPACE}[],]|{_LONG_STRING}|{_OBJECT}"
_CONFIRMED = rf"{_OBJECT}|(?:\[{_SPACE}){{1,15}}(?:{_ELEMENT})|(?:\[{_SPACE}){{16}}"

_OPEN_STRING = rf'"{_CHARACTER}{{0,255}}(?:\\|"{_SPACE})?'
_OPEN_ATOM = rf"(?:{_ATOM}{_SPACE}|{_OPEN_NUMBER}|{'|'.join(map(_beginnings, _WORDS))})"
_UNDECIDED = (
    rf"(?:\[{_SPACE}){{0,15}}(?:\{{{_SPACE}(?:{_OPEN_STRING})?|{_OPEN_STRING}|{_OPEN_ATOM})?\Z"
)

_VALUE_BEGINS = re.compile(r'[{\["\-0-9tfn]|(?:NaN|Infinity)(?!\w)')
_WORD_UNDECIDED = re.compile(rf"(?:{_beginnings('NaN')}|{_beginnings('Infinity')})\Z")
_INTERESTING = re.compile(rf"[{{\[]|{_THINK}|{_beginnings(_THINK)}\Z")


@cache
def _compiled() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compile what only prose needs: that takes longer (0.7 ms) than importing any other module."""
    return re.compile(_CONFIRMED, re.DOTALL), re.compile(_UNDECIDED, re.DOTALL)


class Preamble:
    """Skips what stands before the JSON, however the text is cut.

    If the first character that is not white space can start a JSON value, it does. Otherwise
    everything up to the first ``{`` or ``[`` that turns out to start JSON is skipped, and so is
    what stands in ``<think>…</think>``. A bracket is confirmed by its first token: a key with its
    colon, an element with what follows it, or the closing bracket.
    """

    def __init__(self) -> None:
        self._undecided = ""
        self._look = self._look_at_start

    @property
    def undecided(self) -> int:
        """How many characters at the end of the text may be JSON, or not."""
        return len(self._undecided)

    def feed(self, text: str) -> str | None:
        """Take more text; return the JSON's beginning as soon as it is found."""
        text = self._undecided + text
        self._undecided = ""
        return self._look(text)

    def close(self) -> str | None:
        """Return what is left if it is a JSON value now that nothing follows."""
        return self._undecided if self._undecided in _WORDS else None

    def _look_at_start(self, text: str) -> str | None:
        self._look = self._look_for_value
        return self._look(text.removeprefix("\ufeff"))

    def _look_for_value(self, text: str) -> str | None:
        text = text.lstrip(" \t\n\r")

        if _WORD_UNDECIDED.match(text) or not text:
            self._undecided = text
            return None

        if _VALUE_BEGINS.match(text):
            return text

        self._look = self._look_in_prose
        return self._look(text)

    def _look_in_prose(self, text: str) -> str | None:
        confirmed, undecided = _compiled()
        position = 0
        while match := _INTERESTING.search(text, position):
            position = match.start()

            if match.group() == _THINK:
                end = text.find(_END_OF_THINK, match.end())
                if end < 0:
                    self._look = self._look_for_end_of_think
                    return self._look(text[match.end() :])

                position = end + len(_END_OF_THINK)
                continue

            if match.group() not in ("{", "[") or undecided.match(text, position):
                self._undecided = text[position:]
                return None

            if confirmed.match(text, position):
                return text[position:]

            position += 1

        return None

    def _look_for_end_of_think(self, text: str) -> str | None:
        thought, end, after = text.partition(_END_OF_THINK)
        if not end:
            self._undecided = thought[1 - len(_END_OF_THINK) :]
            return None

        self._look = self._look_in_prose
        return self._look(after)
