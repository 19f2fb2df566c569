"""How wide texts are in a terminal."""

from __future__ import annotations

import unicodedata


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(_columns(character) for character in text)


def fitted(text: str, width: int) -> str:
    """Cut a text at its end, or fill it up, to so many columns."""
    if width_of(text) > width:
        while text and width_of(text) > width - 1:
            text = text[:-1]

        text += "…"

    return text + " " * (width - width_of(text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0

    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
