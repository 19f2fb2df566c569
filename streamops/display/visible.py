"""Text that a model wrote, as it may be shown: nothing in it moves a cursor or turns a line."""

from __future__ import annotations

import re
from html import escape

from streamops.nodes import Path

# Control characters, what changes the direction of text, surrogates, and what is no character.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_MATHEMATICS = re.compile(r"[$\\]")
_BREAKS = re.compile("[\t\n]")
_ELLIPSIS = "…"


def visible(text: str) -> str:
    """Write what cannot be seen as Python writes it, except tabs and line ends."""
    return _HIDDEN.sub(_escaped, text)


def in_one_line(text: str) -> str:
    """Write what cannot be seen as Python writes it, tabs and line ends too."""
    return _BREAKS.sub(_escaped, visible(text))


def in_html(text: str) -> str:
    r"""Return HTML that shows a text as it is.

    Notebooks set what stands between ``$`` or behind ``\[`` as mathematics, unless that is an
    element of its own.
    """
    return _MATHEMATICS.sub(r"<span>\g<0></span>", escape(visible(text), quote=True))


def shortened(text: str, width: int) -> str:
    """Leave out the middle of a text that is too long."""
    if len(text) <= width:
        return text

    head = width // 2
    return f"{text[:head]}{_ELLIPSIS}{text[len(text) - (width - head - 1) :]}"


def ending(text: str, width: int) -> str:
    """Leave out the beginning of a text that is too long: it grows at its end."""
    return text if len(text) <= width else _ELLIPSIS + text[len(text) - width + 1 :]


def counted(count: int, noun: str) -> str:
    """Write how many there are: ``1 item``, ``2,000 items``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def place_of(path: Path) -> str:
    """Write a path as Python would, in one line: ``users[1].email``."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"

    return f"[{in_one_line(shortened(repr(key), 40))}]"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
