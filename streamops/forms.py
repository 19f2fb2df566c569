"""Form: what a response_model asks for, and how the JSON that answers it is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, create_model
from reactivex import compose
from reactivex import operators as rx

from streamops.emitted import Emitted
from streamops.items import ItemResult
from streamops.lifting import Operator
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.operators.split_items import split_items
from streamops.operators.to_partial import to_partial
from streamops.reading import reader_of
from streamops.schemas import Schema, is_object_schema, schema_of
from streamops.snapshot import Snapshot
from streamops.validation import ValidateWhen


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are validated."""

    fail_fast: bool = False
    strict: bool | None = None
    context: Any = None
    emitted: Emitted | None = None
    """Which items need not be emitted again, if several attempts may bring them."""

    def to_partial(self, type_: Any) -> Operator[Snapshot, Any]:
        """Return the operator for partials of a type."""
        validate: ValidateWhen = "eager" if self.fail_fast else "closed"
        return to_partial(type_, validate=validate, strict=self.strict, context=self.context)

    def split_items(
        self, type_: Any, path: str | None = None
    ) -> Operator[Snapshot, ItemResult[Any]]:
        """Return the operator for items of a type, good or bad."""
        splits: Any = split_items
        results: Operator[Snapshot, ItemResult[Any]] = splits(
            type_, path, on_invalid="result", strict=self.strict, context=self.context
        )
        return results


class Form(ABC):
    """What a response_model asks for, and how the JSON that answers it is read."""

    schemas: tuple[Schema, ...]
    """What is sent: a schema for each of the tools that the model may call."""

    has_items: bool = False
    """Whether values are the items of a list, emitted one after the other."""

    reads_every_call: bool = False
    """Whether there may be several calls, each with values of its own."""

    @abstractmethod
    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        """Return the operator that reads the arguments of a tool, or the content if it is None."""

    def gathered(self, values: list[Any]) -> Iterable[Any]:
        """Return what to emit of an answer that did not stream, given all that was read of it."""
        return values


def whole_form(type_: Any) -> Form:
    """Return the form of one value of a type; raises TypeError for what is none."""
    reader_of(type_, operator="extract")  # raises TypeError
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


class Choice(Form):
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
