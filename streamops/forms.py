"""Form: what a response_model asks for, and how the JSON that answers it is read."""

from __future__ import annotations

import types
import typing
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, create_model
from reactivex import compose
from reactivex import operators as rx

from streamops.calls import Branch
from streamops.lifting import Operator, Step, lift
from streamops.modes import TOOL_MODES, Mode
from streamops.multitask import MultiTask, MultiTasks, task_of
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.operators.split_items import split_items
from streamops.operators.to_partial import to_partial
from streamops.partial_type import Partial, partial_of
from streamops.reading import is_hashable
from streamops.schemas import Schema, is_object_schema, schema_of
from streamops.snapshot import Snapshot
from streamops.validation import ValidateWhen


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are validated."""

    fail_fast: bool = False
    strict: bool | None = None
    context: Any = None

    def to_partial(self, type_: Any) -> Operator[Snapshot, Any]:
        """Return the operator for partials of a type."""
        validate: ValidateWhen = "eager" if self.fail_fast else "closed"
        return to_partial(type_, validate=validate, strict=self.strict, context=self.context)

    def split_items(self, type_: Any) -> Operator[Snapshot, Any]:
        """Return the operator for items of a type."""
        return split_items(type_, strict=self.strict, context=self.context)


class Form(ABC):
    """What a response_model asks for, and how the JSON that answers it is read."""

    schemas: tuple[Schema, ...]
    """What is sent: a schema for each of the tools that the model may call."""

    has_items: bool = False
    """Whether values are emitted one after the other, so that each is to be emitted once."""

    reads_every_call: bool = False
    """Whether there may be several calls, each with values of its own."""

    @abstractmethod
    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        """Return the operator that reads the arguments of a tool, or the content if it is None."""


def form_of(response_model: Any, mode: Mode, *, streams: bool) -> Form:
    """Return the form of a response_model, whose items come one by one if the answer streams.

    Raises TypeError or ValueError for what cannot be asked for.
    """
    if not is_hashable(response_model):
        return _form_of(response_model, mode, streams)

    # A | B equals B | A, and reads otherwise.
    return _cached_form(response_model, repr(response_model), mode, streams)


def _form_of(response_model: Any, mode: Mode, streams: bool) -> Form:
    if response_model in (Iterable, typing.Iterable, list, typing.List, Partial):  # noqa: UP006
        name = getattr(response_model, "__name__", response_model)
        raise TypeError(f"response_model={name} does not say of what: write {name}[User]")

    wanted = partial_of(response_model)

    if wanted is not None:
        return _whole(wanted)

    if get_origin(response_model) in (Iterable, list):
        return _Items(MultiTask(*get_args(response_model)))

    if task_of(response_model) is not None and streams:
        return _Items(response_model)

    is_union = get_origin(response_model) in (typing.Union, types.UnionType)
    members = get_args(response_model) if is_union else ()

    if members and mode in TOOL_MODES and all(map(is_object_schema, members)):
        return _Choice(response_model, members)

    return _whole(response_model)


# A server asks for the same with every request.
@lru_cache(maxsize=256)
def _cached_form(response_model: Any, _: str, mode: Mode, streams: bool) -> Form:
    return _form_of(response_model, mode, streams)


def _whole(type_: Any) -> Form:
    return _Whole(type_) if is_object_schema(type_) else _Wrapped(type_)


def _has_value(answer: BaseModel) -> bool:
    return "value" in answer.model_fields_set


def _value_of(answer: Any) -> Any:
    return answer.value


class _Whole(Form):
    """One value, whose JSON is an object."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        self.schemas = (schema_of(type_),)

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        return compose(reading.to_partial(self._type), distinct_snapshots())


class _Wrapped(Form):
    """One value whose JSON is no object: the field of one, since every mode asks for objects."""

    def __init__(self, type_: Any) -> None:
        self._model = create_model("Answer", value=(type_, ...))
        self.schemas = (schema_of(self._model),)

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        return compose(
            reading.to_partial(self._model),
            rx.filter(_has_value),
            rx.map(_value_of),
            distinct_snapshots(),
        )


class _Items(Form):
    """Values in a list, each as soon as it is finished."""

    has_items = True
    reads_every_call = True

    def __init__(self, tasks: type[MultiTasks[Any]]) -> None:
        self._tasks = tasks
        self._item = task_of(tasks)
        self.schemas = (schema_of(tasks),)

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        items = reading.split_items(self._item)

        if not reading.fail_fast:
            return items

        whole = reading.to_partial(self._tasks)
        bare = reading.to_partial(types.GenericAlias(list, (self._item,)))
        return lift(lambda: _FailingFast(items, whole, bare), emits_items=True)


class _Choice(Form):
    """One of several models, each the arguments of a tool of its own."""

    reads_every_call = True

    def __init__(self, union: Any, members: tuple[Any, ...]) -> None:
        self._union = union
        self.schemas = tuple(map(schema_of, members))
        self._members = {
            schema.name: member for schema, member in zip(self.schemas, members, strict=True)
        }

        if len(self._members) < len(members):
            names = ", ".join(schema.name for schema in self.schemas)
            raise ValueError(
                f"Tools are told apart by their names, and these are not: {names}. Rename a class"
            )

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        member = self._members.get(tool or "", self._union)
        return compose(reading.to_partial(member), distinct_snapshots())


class _FailingFast(Step[Snapshot, Any]):
    """Emits items, and ends with the first field of an item that is invalid."""

    def __init__(
        self,
        items: Operator[Snapshot, Any],
        whole: Operator[Snapshot, Any],
        bare: Operator[Snapshot, Any],
    ) -> None:
        self._items = Branch(items)
        self._whole = whole
        self._bare = bare
        self._guard: Branch[Snapshot, Any] | None = None

    def feed(self, snapshot: Snapshot) -> Iterator[Any]:
        yield from self._items.feed(snapshot)

        if self._guard is None and snapshot.started:
            self._guard = Branch(self._bare if isinstance(snapshot.value, list) else self._whole)

        if self._guard is not None:
            # Nobody wants what it shows, only what it raises.
            deque(self._guard.feed(snapshot), maxlen=0)

    def close(self) -> Iterable[Any]:
        return self._items.close()

    def fail(self, error: Exception) -> Iterable[Any]:
        return self._items.fail(error)
