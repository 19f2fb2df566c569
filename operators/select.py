"""select: the value at one place, each time it changes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from streamops.following import Follower
from streamops.lifting import Operator, Step, lift
from streamops.naming import call_name
from streamops.patterns import Pattern, patterns_for
from streamops.snapshot import Snapshot


def select(path: Pattern, model: Any = None) -> Operator[Snapshot, Any]:
    """Emit the value at a path when it begins, each time it has grown, and when it closes.

        {"a": "x  y", "b": [1,  2], "c  ": 0}  |
        ---x------xy----------------------------|    select(("a",))
        ----------[1]-----------[1, 2]----------|    select(("b",))

    The values are plain JSON as far as it has arrived; one that looks as it did before is not
    emitted again. With ``ANY`` in the path (``("users", ANY, "name")``) the value of each place
    that changed is emitted, in the order of the text. A repeated key begins anew. If nothing stands
    at the path, nothing is emitted.

    With ``model``, a type, the path is given in names of fields, and values are found also under
    their aliases.

    Raises TypeError for what is no path or no type, and ValueError for a path that leads nowhere in
    the model.
    """
    patterns = patterns_for(path, model, operator="select")
    return lift(partial(_Selector, patterns), name=call_name("select", path))


class _Selector(Step[Snapshot, Any]):
    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self._follower = Follower("select", patterns)

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        values: list[Any] = []
        changed = False

        for what, opened, first, last in self._follower.follow(snapshot):
            if what == "grew":
                values.extend(value for _, value in opened.places(first, last))

            # What was open closes from the inside out: all that came before happened in it.
            if what == "closed" and opened.is_place and changed:
                values.append(opened.final)

            changed |= what != "closed"

        if changed and (place := self._follower.place):
            values.append(snapshot.show(place.node))

        return tuple(values)
