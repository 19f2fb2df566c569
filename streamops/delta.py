"""Delta: one piece of what the model sent."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["content", "tool_call", "reasoning", "refusal", "finish", "usage"]
"""Which channel a Delta belongs to."""


@dataclass(frozen=True, slots=True)
class Delta:
    """One piece of what the model sent, whatever API it came through.

    The texts of all Deltas with the same ``kind``, ``choice`` and ``index``, joined, are what the
    model wrote on that channel. A ``"finish"`` or ``"usage"`` Delta carries no text.
    """

    text: str = ""
    kind: Kind = "content"
    choice: int = 0
    """Which of several answers (``n > 1``), from 0."""
    index: int = 0
    """Which tool call of this choice. Each call has an index of its own, also where the provider
    numbers them all alike; for other kinds, which part of the output."""
    name: str | None = None
    """Name of the called tool, from the first Delta that knew it on."""
    id: str | None = None
    """Id of the tool call, from the first Delta that knew it on."""
    finish_reason: str | None = None
    """Why the model stopped, in the words of Chat Completions: ``"stop"``, ``"length"``,
    ``"content_filter"``, ``"tool_calls"``, or the provider's own."""
    usage: Mapping[str, Any] | None = None
    """Token counts as the provider sent them."""

    def __repr__(self) -> str:
        said = [_shortened.repr(self.text)] if self.text else []

        for name, usual in _REST:
            if (value := getattr(self, name)) != usual:
                said.append(f"{name}={_shortened.repr(value)}")

        return f"Delta({', '.join(said)})"


_REST = tuple((field.name, field.default) for field in fields(Delta) if field.name != "text")

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = 60


def text_delta(
    text: str,
    kind: Kind = "content",
    choice: int = 0,
    index: int = 0,
    name: str | None = None,
    identifier: str | None = None,
) -> Delta:
    """Return ``Delta(text, kind, choice, index, name, identifier)``, and take less time for it."""
    # A frozen dataclass calls a function to set each field, which takes 0.6 µs instead of 0.14 µs.
    draft: Any = _new(_Draft)
    draft.text = text
    draft.kind = kind
    draft.choice = choice
    draft.index = index
    draft.name = name
    draft.id = identifier
    draft.finish_reason = draft.usage = None
    draft.__class__ = Delta
    delta: Delta = draft
    return delta


class _Draft(Delta):
    """A Delta that is not frozen yet."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


_new = object.__new__
