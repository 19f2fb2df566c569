"""What came out of a stream, all at once."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeGuard, TypeVar, cast

import reactivex
from pydantic import BaseModel
from reactivex import Observable
from reactivex.subject import Subject

from streamops.testing import chunked

T = TypeVar("T")


@dataclass
class Outcome(Generic[T]):
    """What a subscriber received."""

    values: list[T] = field(default_factory=list[T])
    error: Exception | None = None
    completed: bool = False


def outcome(stream: Observable[T]) -> Outcome[T]:
    """Subscribe to a stream that pushes everything at once."""
    received: Outcome[T] = Outcome()

    def fail(error: Exception) -> None:
        received.error = error

    def complete() -> None:
        received.completed = True

    stream.subscribe(received.values.append, fail, complete)
    return received


def through(chunks: Iterable[Any], *operators: Callable[[Any], Any]) -> Outcome[Any]:
    """Push chunks through operators."""
    stream: Observable[Any] = reactivex.from_iterable(chunks)
    for operator in operators:
        stream = operator(stream)
    return outcome(stream)


def by_offset(
    text: str, sizes: Iterable[int], *operators: Callable[[Any], Any]
) -> tuple[dict[int, Any], Exception | None]:
    """Return what was emitted last after how many characters, and the error at the end."""
    source: Subject[Any] = Subject()
    stream: Observable[Any] = source
    for operator in operators:
        stream = operator(stream)

    received = outcome(stream)
    emitted: dict[int, Any] = {}
    offset = 0
    for chunk in chunked(text, *sizes):
        before = len(received.values)
        source.on_next(chunk)
        offset += len(chunk)
        if len(received.values) > before:
            emitted[offset] = received.values[-1]

    before = len(received.values)
    source.on_completed()
    if len(received.values) > before:
        emitted[offset] = received.values[-1]
    return emitted, received.error


def pushed(chunks: Iterable[Any], *operators: Callable[[Any], Any]) -> Outcome[Any]:
    """Push chunks through operators from outside, after the subscription."""
    source: Subject[Any] = Subject()
    stream: Observable[Any] = source
    for operator in operators:
        stream = operator(stream)

    received = outcome(stream)
    for chunk in chunks:
        source.on_next(chunk)
    source.on_completed()
    return received


def values(stream: Observable[T]) -> list[T]:
    """Return what a stream emits that completes at once, or raise what it ends with."""
    received = outcome(stream)
    if received.error is not None:
        raise received.error

    assert received.completed
    return received.values


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def shown(value: Any) -> Any:
    """Describe a value and everything in it by what a user could see of it."""
    if isinstance(value, BaseModel):
        # Not by iteration: a model may iterate over something else.
        fields = {**vars(value), **(value.model_extra or {})}
        return type(value), value.model_fields_set, {name: shown(fields[name]) for name in fields}

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return type(value), {name: shown(field) for name, field in fields.items()}

    if isinstance(value, list | tuple | deque):
        items = cast("list[Any]", value)
        return type(items), [shown(item) for item in items]

    if is_dict(value):
        return {key: shown(item) for key, item in value.items()}

    return type(value), value
