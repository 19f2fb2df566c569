"""What a model may write to get out of the place where its text is shown."""

from __future__ import annotations

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[red]x[/red]",
    "\x1b[2J",
    "\ud800",
    "a\x00b",
    "\u202eabc\u200f",
    "</td></table>",
    "a\rb\u2028c",
)
"""Texts, each of which does harm where it is not escaped."""

UNSEEN = "\x1b\ud800\x00\u202e\u200f\r\u2028\x9b"
"""Characters that are never to be shown as they are."""
