"""Shapes of root models: a partial instance around whatever its root shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

from pydantic import RootModel

from streamops.keeping import is_equal, with_shown
from streamops.nodes import Node
from streamops.partial import Arrived, partial_model, unfilled
from streamops.shapes import HELD, Branch, HeldBranch, Judged, Shape, StandIn, View, json_of
from streamops.states import state_in_finished
from streamops.validation import Validation


class RootShape(Judged):
    """A RootModel, shown as a partial instance as soon as its root shows."""

    def __init__(
        self, model: type[RootModel[Any]], compile_root: Callable[[], Shape], validation: Validation
    ) -> None:
        super().__init__(validation)
        self.model = model
        self._compile_root = compile_root

    @cached_property
    def root(self) -> Shape:
        """The shape of the root, which may contain the model again."""
        return self._compile_root()

    def open(self, node: Node, *, visible: bool) -> Branch:
        return _RootBranch(self, self.root.open(node, visible=visible))

    def validate(self, raw: Any) -> Any:
        return self._validation.read_model(self.model, json_of(raw))

    def blame(self, raw: Any) -> None:
        self.root.finish(raw)

    def finish(self, raw: Any) -> Any:
        value = self.judge(raw)
        return self.assemble(self.root.finish(raw)) if value is HELD else value

    def assemble(self, root: Any) -> Any:
        """Return what is shown of a finished value that is validated later."""
        if root is HELD:
            return HELD

        arrived = Arrived(self, {"root": root}, {}, {}, partial(state_in_finished, root))
        return unfilled(partial_model(self.model), arrived, None)

    def complete(self) -> None:
        assert self.root is not None

    def seen_in(self, node: Node, count: int) -> Shape:
        return self.root.seen_in(node, count)

    def child(self, node: Node, index: int) -> Shape | None:
        return self.root.child(node, index)


class _RootBranch(StandIn):
    """Follows the root in place of the model around it."""

    def __init__(self, shape: RootShape, root: Branch) -> None:
        super().__init__(root)
        self.shape = shape

    def finish(self, raw: Any) -> tuple[Any, bool]:
        model = self.shape.judge(raw)
        if model is HELD:
            root, _ = self.branch.finish(raw)
            return self.shape.assemble(root), True

        if self.shape.root.holds_models and not isinstance(self.branch, HeldBranch):
            shown, _ = self.branch.finish(raw)
            if is_equal(model.root, shown):
                model.root = with_shown(model.root, shown)
        return model, True

    def show(self, view: View, count: int, child: Any) -> Any:
        if self.may_hold and self.branch.show(view, count, child) is HELD:
            return HELD

        return unfilled(partial_model(self.shape.model), self, view)

    def read(self, view: View) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the root as it was."""
        count, child = view.within(self)
        return {"root": self.branch.show(view, count, child)}, {}

    def defaults(self) -> dict[str, Any]:
        """Return nothing: a root that shows is there."""
        return {}
