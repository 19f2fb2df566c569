"""select_channel: the pieces of one channel."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import get_args

from streamops.delta import Delta, Kind
from streamops.errors import UnknownElement
from streamops.lifting import Operator, Step, lift
from streamops.naming import call_name


def select_channel(
    kind: Kind, *, choice: int = 0, index: int | None = None
) -> Operator[Delta, Delta]:
    """Emit the Deltas of one kind and one choice, as they are.

    ``index`` takes one tool call, or one part of the output; without it, all of them come.

    Raises TypeError or ValueError for what is no kind, choice or index. An element that is no Delta
    ends the stream in UnknownElement.
    """
    kinds = get_args(Kind)
    if kind not in kinds:
        raise ValueError(f"select_channel knows the kinds {', '.join(kinds)}; not {kind!r}")

    check_number("choice", choice)
    if index is not None:
        check_number("index", index)

    return lift(partial(_Channel, kind, choice, index), name=call_name("select_channel", kind))


def check_number(name: str, number: int) -> None:
    """Raise TypeError or ValueError for what cannot number a choice or a tool call."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"{name} is a number from 0 on, not {number!r}")

    if number < 0:
        raise ValueError(f"{name} is a number from 0 on, not {number}")


class _Channel(Step[Delta, Delta]):
    def __init__(self, kind: Kind, choice: int, index: int | None) -> None:
        self._kind = kind
        self._choice = choice
        self._index = index

    def feed(self, delta: Delta) -> Iterable[Delta]:
        if not isinstance(delta, Delta):
            raise UnknownElement(delta, expected="select_channel reads Deltas")

        wanted = delta.kind == self._kind and delta.choice == self._choice
        return (delta,) if wanted and self._index in (None, delta.index) else ()
