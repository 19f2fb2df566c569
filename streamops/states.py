"""FieldState: how far a value has come."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any, Literal, TypeAlias, cast

from pydantic import BaseModel, RootModel

from streamops.nodes import Path
from streamops.partial_dataclasses import STATE, vars_of
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
    for depth, key in enumerate(path):
        state: Any = getattr(value, STATE, None)
        if state is not None:  # a partial knows more than it shows
            own: FieldState = state.at(path[depth:])
            return own

        children: Any = _children(value)
        is_sequence = isinstance(children, list | tuple)
        if is_sequence and isinstance(key, int) and key < 0:
            return "pending"

        try:
            value = children[key]
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
        return vars_of(value)

    return () if isinstance(value, str | bytes) else value
