"""What is emitted for the items of lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar, cast

from streamops.errors import SchemaMismatch
from streamops.nodes import Path
from streamops.patterns import Pattern

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ItemResult(Generic[T]):
    """One item of a list: its value, or why it is invalid."""

    index: int
    """How many items of the list came before."""
    value: T | None
    error: SchemaMismatch | None
    text: str
    """The item as it stands in the text."""
    path: Path
    """Where the item stands in the document."""

    def unwrap(self) -> T:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error

        return cast("T", self.value)


class Tagged(NamedTuple, Generic[T]):
    """An item, and which of several lists it stands in."""

    tag: str | Pattern
    """The list, as it was asked for."""
    item: T
