"""The tool calls of an answer, told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Call:
    """What is known of one tool call."""

    index: int
    id: str | None = None
    name: str | None = None
    announced: bool = False

    def learn(self, identifier: str | None, name: str | None) -> bool:
        """Remember what is new, and say whether anything was; at first, everything is."""
        is_new = (
            not self.announced
            or (identifier is not None and self.id is None)
            or (name is not None and self.name is None)
        )

        if is_new:
            self.announced, self.id, self.name = True, self.id or identifier, self.name or name

        return is_new


class Calls:
    """The tool calls of one choice, each under an index of its own."""

    def __init__(self) -> None:
        self._at: dict[int, Call] = {}
        self._by_id: dict[str, Call] = {}
        self._used: set[int] = set()
        self._latest: Call | None = None

    def find(self, number: Any, identifier: str | None, name: str | None) -> Call:
        """Return the call that an entry belongs to; a new one if it begins one."""
        numbered = type(number) is int and number >= 0
        call = self._at.get(number) if numbered else self._latest

        if call is not None and numbered and not identifier:
            self._latest = call
            return call

        if call is not None and _differ(call.id, identifier):
            call = self._by_id.get(identifier or "")
        elif not identifier and call is not None and _differ(call.name, name):
            call = None

        if call is None:
            free = numbered and number not in self._used
            call = Call(number if free else max(self._used, default=-1) + 1)
            self._used.add(call.index)

        if identifier:
            self._by_id[identifier] = call

        if numbered:
            self._at[number] = call

        self._latest = call
        return call


def _differ(known: str | None, given: str | None) -> bool:
    return bool(known and given and known != given)
