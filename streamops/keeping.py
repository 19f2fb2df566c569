"""Keeping the objects that were shown when what holds them is validated again."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, cast

from pydantic import BaseModel


def is_equal(value: Any, shown: Any) -> bool:
    """Return whether both are equal, as far as they can be compared."""
    try:
        return bool(value == shown)
    except Exception:
        return False  # arrays and the like have no one answer


def with_shown(value: Any, shown: Any) -> Any:
    """Return a validated value with the models in it that were shown before."""
    if type(value) is not type(shown):
        return value

    if isinstance(value, BaseModel) or is_dataclass(value):
        return shown

    if isinstance(value, list):
        items, before = cast("list[Any]", value), cast("list[Any]", shown)
        return [*map(with_shown, items, before)] if len(items) == len(before) else items

    if isinstance(value, dict):
        fields, earlier = cast("dict[Any, Any]", value), cast("dict[Any, Any]", shown)
        return {key: with_shown(item, earlier.get(key)) for key, item in fields.items()}

    # Tuples, sets and what else holds models is one thing: all of it was shown, or nothing.
    return shown if is_equal(value, shown) else value
