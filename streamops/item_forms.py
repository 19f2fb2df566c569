"""Items: what is asked for as a list, and comes one by one."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

from pydantic import Field, ValidationError, create_model
from reactivex import compose

from streamops.calls import Branch
from streamops.errors import SchemaMismatch
from streamops.forms import Form, Reading
from streamops.lifting import Operator, Step, lift
from streamops.multitask import MultiTasks, task_of
from streamops.operators.split_items import ItemResult
from streamops.schemas import schema_of
from streamops.snapshot import Snapshot


class Items(Form):
    """Values in a list, each as soon as it is finished."""

    has_items = True
    reads_every_call = True

    def __init__(self, tasks: type[MultiTasks[Any]], *, whole: bool) -> None:
        self._tasks = tasks
        self._item = task_of(tasks)
        self._whole = whole
        self.schemas = (schema_of(tasks),)

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        items = compose(
            reading.split_items(self._item), lift(partial(_Emitting, self._tasks, reading))
        )
        return (
            lift(partial(_FailingFast, items, self._guard, reading)) if reading.fail_fast else items
        )

    def collected(self, items: list[Any]) -> Any:
        # Each of them is validated, and a validator may not be asked twice.
        return self._tasks.model_construct(tasks=items) if self._whole else items

    def _guard(self, root: Any) -> Any | None:
        """Return the type of a document that has begun, if its list of items has."""
        items: Any = types.GenericAlias(list, (self._item,))

        if isinstance(root, list):
            return items

        if not isinstance(root, dict):
            return None

        fields = cast("dict[str, Any]", root)
        name = next((name for name, value in fields.items() if isinstance(value, list)), None)
        return name and create_model("Items", items=(items, Field(validation_alias=name)))


class _Emitting(Step[ItemResult[Any], Any]):
    """Emits the valid items that no attempt has emitted, and fails at the end for the others."""

    def __init__(self, tasks: type[MultiTasks[Any]], reading: Reading) -> None:
        self._tasks = tasks
        self._fail_fast = reading.fail_fast
        self._emitted = reading.emitted
        self._errors: list[SchemaMismatch] = []

    def feed(self, result: ItemResult[Any]) -> Iterable[Any]:
        if result.error is None:
            is_new = self._emitted is None or self._emitted.add(result.text)
            return (result.value,) if is_new else ()

        if self._fail_fast:
            raise result.error

        self._errors.append(result.error)
        return ()

    def close(self) -> Iterable[Any]:
        if self._errors:
            raise self._all_errors()

        return ()

    def fail(self, error: Exception) -> Iterable[Any]:
        if self._errors:
            raise self._all_errors() from error

        raise self._explained(error) if isinstance(error, SchemaMismatch) else error

    def _all_errors(self) -> SchemaMismatch:
        first, *others = self._errors
        return SchemaMismatch(
            validation_error=first.validation_error,
            path=first.path,
            snapshot=self._errors[-1].snapshot,
            others=others,
        )

    def _explained(self, error: SchemaMismatch) -> SchemaMismatch:
        """Return an error in terms of what was asked for, if there was no list to be found."""
        assert error.snapshot is not None

        try:
            self._tasks.model_validate(error.snapshot.value)
        except ValidationError as invalid:
            return SchemaMismatch(validation_error=invalid, snapshot=error.snapshot)

        return error


class _FailingFast(Step[Snapshot, Any]):
    """Emits items, and ends with the first field of one that is invalid."""

    def __init__(self, items: Operator[Snapshot, Any], guard: Any, reading: Reading) -> None:
        self._items = Branch(items)
        self._guard_of = guard
        self._reading = reading
        self._guard: Branch[Snapshot, Any] | None = None

    def feed(self, snapshot: Snapshot) -> Iterator[Any]:
        yield from self._items.feed(snapshot)

        if self._guard is None and (type_ := self._guard_of(snapshot.value)):
            self._guard = Branch(self._reading.to_partial(type_))

        if self._guard is not None:
            # Nobody wants what it shows, only what it raises.
            deque(self._guard.feed(snapshot), maxlen=0)

    def close(self) -> Iterable[Any]:
        return self._items.close()

    def fail(self, error: Exception) -> Iterable[Any]:
        return self._items.fail(error)
