"""Shapes of models that a validator around them has the last word on."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from streamops.keeping import is_equal
from streamops.nodes import Node
from streamops.shapes import HELD, Branch, Shape, StandIn, View, Whole, Wrapped


class Revised(Wrapped):
    """A model that fills up, and is what the validator makes of it when it closes."""

    def __init__(self, shape: Shape, judge: Whole) -> None:
        self._shape = shape
        self._judge = judge

    @cached_property
    def shape(self) -> Shape:
        return self._shape

    def open(self, node: Node, *, visible: bool) -> Branch:
        return _RevisedBranch(self, self.shape.open(node, visible=visible))

    def finish(self, raw: Any) -> Any:
        return self.revise(self.shape.finish(raw), raw)

    def revise(self, value: Any, raw: Any) -> Any:
        """Return what the validator makes of a finished value; the value itself if that is equal.

        HELD, in place of what is only known at the end, leaves the value.
        """
        revised = self._judge.finish(raw)
        return value if revised is HELD or is_equal(value, revised) else revised


class _RevisedBranch(StandIn):
    """Follows the model."""

    def __init__(self, shape: Revised, branch: Branch) -> None:
        super().__init__(branch)
        self.is_lazy = branch.is_lazy
        self._shape = shape

    def finish(self, raw: Any) -> tuple[Any, bool]:
        value, _ = self.branch.finish(raw)
        return self._shape.revise(value, raw), True

    def show(self, view: View, count: int, child: Any) -> Any:
        return self.branch.show(view, count, child)
