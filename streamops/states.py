"""FieldState: how far a value has come."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel, RootModel

from streamops.nodes import Path
from streamops.snapshot import Finished, Snapshot

FieldState: TypeAlias = Literal["pending", "growing", "done"]
"""Whether nothing of a value has arrived, or something, or all of it."""


def state_in_json(snapshot: Snapshot, path: Path) -> FieldState:
    """Return how far the value at a path of the JSON was."""
    place = snapshot.locate(path)
    if isinstance(place, Finished):
        return "done"

    return "pending" if place is None else "growing"


def state_in_finished(value: Any, path: Path) -> FieldState:
    """Return "done" if something stands at a path in a finished value, else "pending"."""
    for key in path:
        if isinstance(key, int) and key < 0:
            return "pending"

        try:
            value = _children(value)[key]
        except (KeyError, IndexError, TypeError):
            return "pending"

    return "done"


def _children(value: Any) -> Any:
    """Return what a path leads through: of a model, the fields that were set."""
    if isinstance(value, RootModel):
        return _children(cast("RootModel[Any]", value).root)

    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in value.model_fields_set}

    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}

    return value
