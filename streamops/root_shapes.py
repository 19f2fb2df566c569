"""Shapes of root models: a partial instance around whatever its root shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import RootModel, ValidationError

from streamops.model_shapes import is_equal, with_shown
from streamops.nodes import Node, Path, path_of
from streamops.partial import (
    FieldState,
    PartialState,
    arrived_state,
    field_state,
    partial_model,
)
from streamops.shapes import HELD, Branch, HeldBranch, InvalidValue, Shape, StandIn, View, json_of
from streamops.validation import Validation


class RootShape(Shape):
    """A RootModel, shown as a partial instance as soon as its root shows."""

    holds_models = True

    def __init__(
        self, model: type[RootModel[Any]], compile_root: Callable[[], Shape], validation: Validation
    ) -> None:
        self.model = model
        self._compile_root = compile_root
        self._validation = validation

    @cached_property
    def root(self) -> Shape:
        """The shape of the root, which may contain the model again."""
        return self._compile_root()

    def open(self, node: Node, *, visible: bool) -> Branch:
        return _RootBranch(self, self.root.open(node, visible=visible))

    def finish(self, raw: Any) -> Any:
        if self._validation.when == "final":
            return self.assemble(raw, self.root.finish(raw))

        try:
            return self._validation.read_model(self.model, json_of(raw))
        except ValidationError as error:
            self.root.finish(raw)  # something further inside may be to blame
            raise InvalidValue(error) from None

    def assemble(self, raw: Any, root: Any) -> Any:
        """Return what is shown of a finished value that is validated later."""
        if root is HELD:
            return HELD

        return PartialState(_Arrived(self, raw, root), None).attach(partial_model(self.model))

    @property
    def is_validated_at_the_end(self) -> bool:
        """Whether a finished value is shown before it is validated."""
        return self._validation.when == "final"

    def json_paths(self, path: Path) -> list[Path]:
        return self.root.json_paths(path)

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
        if self.shape.is_validated_at_the_end:
            root, _ = self.branch.finish(raw)
            return self.shape.assemble(raw, root), True

        model = self.shape.finish(raw)
        if self.shape.root.holds_models and not isinstance(self.branch, HeldBranch):
            shown, _ = self.branch.finish(raw)
            if is_equal(model.root, shown):
                model.root = with_shown(model.root, shown)
        return model, True

    def show(self, view: View, count: int, child: Any) -> Any:
        if self.may_hold and self.branch.show(view, count, child) is HELD:
            return HELD

        return PartialState(self, view).attach(partial_model(self.shape.model))

    def read(self, view: View | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the root as it was."""
        assert view is not None
        count, child = view.within(self)
        return {"root": self.branch.show(view, count, child)}, {}

    def state(self, view: View | None, path: Path) -> FieldState:
        """Return how far the value at a path inside the root was."""
        assert view is not None
        return field_state(view.snapshot, path_of(self.node), self.shape.json_paths(path))

    def defaults(self) -> dict[str, Any]:
        """Return nothing: a root that shows is there."""
        return {}


class _Arrived:
    """A root that is finished, and validated later."""

    def __init__(self, shape: RootShape, raw: Any, root: Any) -> None:
        self.shape = shape
        self._raw = raw
        self._root = root

    def read(self, view: View | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the root."""
        return {"root": self._root}, {}

    def state(self, view: View | None, path: Path) -> FieldState:
        """Return whether anything stands at a path; if so, it is finished."""
        return arrived_state(self._raw, self.shape.json_paths(path))

    def defaults(self) -> dict[str, Any]:
        """Return nothing: the root is there."""
        return {}
