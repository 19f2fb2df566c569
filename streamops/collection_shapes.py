"""Shapes of lists, sets and dicts: they grow, child by child."""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any, cast

from streamops.nodes import ArrayNode, ContainerNode, Node, ObjectNode
from streamops.shapes import (
    HELD,
    Branch,
    ContainerBranch,
    HeldBranch,
    InvalidValue,
    Shape,
    View,
    Whole,
)
from streamops.value_shapes import TextBranch


class Anything(Shape):
    """JSON that no type says anything of, shown as it is."""

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return _DictBranch(self, None, node, visible=visible)

        if isinstance(node, ArrayNode):
            return _ListBranch(self, list, node, visible=visible)

        return TextBranch(node, visible=visible)

    def finish(self, raw: Any) -> Any:
        return raw


class ListOf(Shape):
    """An array of which every item has the same shape, shown as a list or another collection."""

    def __init__(
        self, item: Shape, length: int | None = None, collect: Callable[[list[Any]], Any] = list
    ) -> None:
        self.item = item
        self.length = length
        self._collect = collect

    @property
    def holds_models(self) -> bool:  # type: ignore[override]  # as the item does, once compiled
        return self.item.holds_models

    def open(self, node: Node, *, visible: bool) -> Branch:
        if not isinstance(node, ArrayNode):
            return HeldBranch(self, node, visible=visible)

        branch = _SetBranch if self._collect in (set, frozenset) else _ListBranch
        return branch(self.item, self._collect, node, visible=visible)

    def finish(self, raw: Any) -> Any:
        if not isinstance(raw, list):
            return HELD

        items: list[Any] = []
        for index, item in enumerate(cast("list[Any]", raw)):
            try:
                items.append(self.item.finish(item))
            except InvalidValue as invalid:
                raise invalid.below(index) from None

        # What follows an item that cannot be shown would stand in the wrong place.
        items = list(takewhile(lambda item: item is not HELD, items))
        return _collected(items, self._collect)

    def child(self, node: Node, index: int) -> Shape | None:
        return self.item


class _ListBranch(ContainerBranch):
    def __init__(
        self,
        item: Shape,
        collect: Callable[[list[Any]], Any],
        node: ContainerNode,
        *,
        visible: bool,
    ) -> None:
        super().__init__(node, visible=visible)
        self._item = item
        self._collect = collect
        self._shown: int | None = None

    def child_shape(self, index: int) -> Shape:
        return self._item

    def take(self, value: Any) -> bool:
        shows = super().take(value)
        if value is HELD and self._shown is None:
            self._shown = len(self.finished) - 1
            self.visible = False
        return shows

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return _collected(self.finished[: self._shown], self._collect), False

    def show(self, view: View, count: int, child: Any) -> Any:
        if self._shown is not None and count > self._shown:
            return _collected(self.finished[: self._shown], self._collect)

        items = self.finished[:count]
        if child is not HELD:
            items.append(child)
        return _collected(items, self._collect)


class _SetBranch(_ListBranch):
    """Follows an array of which only finished items are shown: others have no hash yet."""

    may_hold = True

    def open(self, child: Node) -> Branch:
        branch = HeldBranch(self._item, child, visible=self.visible)
        branch.parent = self
        return branch


def _collected(items: list[Any], collect: Callable[[list[Any]], Any]) -> Any:
    if collect is list:
        return items

    try:
        return collect(items)
    except TypeError:
        return HELD  # an item has no hash


class DictOf(Shape):
    """An object with keys of the model's choice, of which every value has the same shape."""

    def __init__(self, value: Shape, keys: Whole | None = None) -> None:
        self.value = value
        self._keys = keys

    @property
    def holds_models(self) -> bool:  # type: ignore[override]  # as the value does, once compiled
        return self.value.holds_models

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, ObjectNode):
            return _DictBranch(self.value, self._key if self._keys else None, node, visible=visible)

        return HeldBranch(self, node, visible=visible)

    def finish(self, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return HELD

        values: dict[Any, Any] = {}
        for key, item in cast("dict[str, Any]", raw).items():
            try:
                value = self.value.finish(item)
            except InvalidValue as invalid:
                raise invalid.below(key) from None

            name = self._key(key)
            if value is not HELD and name is not HELD:
                values[name] = value

        return values

    def child(self, node: Node, index: int) -> Shape | None:
        return self.value

    def _key(self, key: str) -> Any:
        """Return what a key of the JSON is in the dict, or HELD."""
        if self._keys is None:
            return key

        # Pydantic is less strict with keys than with strings.
        read = self._keys.finish({key: None})
        return HELD if read is HELD else next(iter(read))


class _DictBranch(ContainerBranch):
    def __init__(
        self,
        value: Shape,
        read_key: Callable[[str], Any] | None,
        node: ObjectNode,
        *,
        visible: bool,
    ) -> None:
        super().__init__(node, visible=visible)
        self._value = value
        self._read_key = read_key
        self._keys = node.keys
        self._read: list[Any] = []

    def child_shape(self, index: int) -> Shape:
        return self._value

    def take(self, value: Any) -> bool:
        if self._read_key is not None:
            self._read.append(self._read_key(self._keys[len(self.finished)]))
        return super().take(value)

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return self._so_far(len(self.finished)), False

    def show(self, view: View, count: int, child: Any) -> Any:
        values = self._so_far(count)
        if child is not HELD:
            key = self._keys[count]
            name = key if self._read_key is None else self._read_key(key)
            if name is not HELD:
                values[name] = child
        return values

    def places_of(self, key: str | int, count: int) -> list[int]:
        keys: list[Any] = self._keys[:count]
        if self._read_key is not None:
            keys = [self._read_key(k) for k in keys]
        return [index for index, name in enumerate(keys) if name == key]

    def _so_far(self, count: int) -> dict[Any, Any]:
        keys: list[Any] = self._keys if self._read_key is None else self._read
        pairs = zip(keys, self.finished[:count], strict=False)
        return {k: value for k, value in pairs if value is not HELD and k is not HELD}
