"""Shapes of single values: numbers, strings, and what is one of a few strings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict

from streamops.nodes import Node, StringNode
from streamops.shapes import HELD, Branch, HeldBranch, Whole
from streamops.validation import Validation

# What pydantic strips: White_Space in Unicode, which for Python's own strip is a little more.
_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class Atom(Whole):
    """A type whose finished JSON needs no conversion."""

    def __init__(self, annotation: Any, config: ConfigDict, validation: Validation) -> None:
        super().__init__(annotation, config, validation)
        self._type = annotation

    def finish(self, raw: Any) -> Any:
        return raw if type(raw) is self._type else super().finish(raw)


class Text(Atom):
    """A string, shown as it grows, perhaps without the white space around it."""

    is_atomic = False

    def __init__(
        self,
        config: ConfigDict,
        validation: Validation,
        length: int | None = None,
        *,
        strips: bool = False,
    ) -> None:
        super().__init__(str, config, validation)
        self.length = length
        self._strips = strips

    def open(self, node: Node, *, visible: bool) -> Branch:
        if not isinstance(node, StringNode):
            return super().open(node, visible=visible)

        branch = _StrippedBranch if self._strips else TextBranch
        return branch(node, visible=visible)

    def finish(self, raw: Any) -> Any:
        value = super().finish(raw)
        return value.strip(_SPACES) if self._strips and isinstance(value, str) else value


class TextBranch(Branch):
    """Follows a string."""

    def __init__(self, node: Node, *, visible: bool) -> None:
        super().__init__(node, visible=visible)
        self._size = 0

    def advance(self, count: int) -> bool:
        changed = count > self._size and self.visible
        self._size = count
        return changed

    def open(self, child: Node) -> Branch:
        raise TypeError(f"a string has no child {child}")

    def finish_child(self, child: Branch) -> bool:
        raise TypeError(f"a string has no child {child}")

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return raw, False

    def show(self, view: Any, count: int, child: Any) -> Any:
        return self.node.build(count)


class _StrippedBranch(TextBranch):
    """Follows a string whose white space at both ends goes; what is in between comes late."""

    def __init__(self, node: StringNode, *, visible: bool) -> None:
        super().__init__(node, visible=visible)
        self._string = node

    def advance(self, count: int) -> bool:
        new = self._string.read(self._size, count)
        return super().advance(count) and bool(new.strip(_SPACES))

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return raw.strip(_SPACES), False

    def show(self, view: Any, count: int, child: Any) -> Any:
        return self._string.build(count).strip(_SPACES)


class Guessed(Whole):
    """One of a few strings, shown as soon as no other of them can still be meant."""

    def __init__(
        self, annotation: Any, config: ConfigDict, validation: Validation, choices: list[str]
    ) -> None:
        super().__init__(annotation, config, validation)
        self._choices = choices
        self.longest = max(map(len, choices))

    def open(self, node: Node, *, visible: bool) -> Branch:
        if isinstance(node, StringNode):
            return _GuessedBranch(self, node, visible=visible)

        return super().open(node, visible=visible)

    def guess(self, beginning: str) -> Any:
        """Return what a string that begins like this can only become, or HELD."""
        possible = [choice for choice in self._choices if choice.startswith(beginning)]
        return self.finish(possible[0]) if len(possible) == 1 else HELD


class _GuessedBranch(HeldBranch):
    def __init__(self, shape: Guessed, node: StringNode, *, visible: bool) -> None:
        super().__init__(shape, node, visible=visible)
        self._guess: Callable[[str], Any] = shape.guess
        self._longest = shape.longest
        self._guessed: tuple[int, Any] | None = None

    def advance(self, count: int) -> bool:
        if self._guessed is not None or count > self._longest:
            return False

        value = self._guess(self.node.build(count))
        if value is HELD:
            return False

        self._guessed = count, value
        self.visible = self.parent_visible
        return self.visible

    def finish(self, raw: Any) -> tuple[Any, bool]:
        value, visible = super().finish(raw)
        return value, visible and self._guessed is None

    def show(self, view: Any, count: int, child: Any) -> Any:
        if self._guessed is None or count < self._guessed[0]:
            return HELD

        return self._guessed[1]
