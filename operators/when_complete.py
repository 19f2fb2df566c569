"""when_complete: the finished value at one place, the moment it closes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from streamops.following import Follower
from streamops.lifting import Operator, Step, lift
from streamops.naming import call_name
from streamops.patterns import Pattern, patterns_for
from streamops.snapshot import Snapshot


def when_complete(path: Pattern, model: Any = None) -> Operator[Snapshot, Any]:
    """Emit the finished value at a path, once, the moment it closes.

        {"a": "x  y", "b": [1,  2], "c  ": 0}  |
        ----------xy----------------------------|    when_complete(("a",))
        ------------------------[1, 2]----------|    when_complete(("b",))

    The values are plain JSON. A number closes when what follows it has been seen. With ``ANY`` in
    the path (``("users", ANY)``) the value of each place is emitted, in the order in which they
    close. A key that is repeated closes again. If nothing stands at the path, or the stream breaks
    off before it is finished, nothing is emitted.

    With ``model``, a type, the path is given in names of fields, and values are found also under
    their aliases.

    Raises TypeError for what is no path or no type, and ValueError for a path that leads nowhere in
    the model.
    """
    patterns = patterns_for(path, model, operator="when_complete")
    return lift(partial(_Waiter, patterns), name=call_name("when_complete", path))


class _Waiter(Step[Snapshot, Any]):
    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self._follower = Follower("when_complete", patterns)

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        values: list[Any] = []

        for what, opened, first, last in self._follower.follow(snapshot):
            if what == "grew":
                values.extend(value for _, value in opened.places(first, last))
            elif what == "closed" and opened.is_place:
                values.append(opened.final)

        return tuple(values)
