"""Items: what is asked for as a list, and comes one by one."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, cast

from pydantic import Field, ValidationError, create_model
from reactivex import Observable

from streamops.branches import Branch
from streamops.errors import MalformedJson, SchemaMismatch
from streamops.forms import Form, Reading
from streamops.items import ItemResult
from streamops.lifting import Operator, Step, lean, lift
from streamops.multitask import MultiTasks, task_of
from streamops.schemas import schema_of
from streamops.snapshot import Snapshot


class Items(Form):
    """Values in a list, each as soon as it is finished."""

    has_items = True
    reads_every_call = True

    def __init__(self, tasks: type[MultiTasks[Any]], *, whole: bool) -> None:
        self.tasks = tasks
        self.item = task_of(tasks)
        self._whole = whole
        self.schemas = (schema_of(tasks),)

    def read(self, tool: str | None, reading: Reading) -> Operator[Snapshot, Any]:
        def operator(source: Observable[Snapshot]) -> Observable[Any]:
            # Only the guard of fields looks at values; without it the text is enough.
            needed = source if reading.fail_fast else lean(source)
            return lift(partial(_Emitting, self, reading), name="")(needed)

        return operator

    def gathered(self, values: list[Any]) -> Iterable[Any]:
        # Each of them is validated, and a validator may not be asked twice.
        return (self.tasks.model_construct(tasks=values) if self._whole else values,)


class _Emitting(Step[Snapshot, Any]):
    """Emits the valid items that no attempt has emitted, and fails at the end for the others.

    What stands in another list than the one that was asked for is emitted at the end, if the one
    that was asked for has not come.
    """

    def __init__(self, form: Items, reading: Reading) -> None:
        self._form = form
        self._reading = reading
        self._results = Branch(reading.split_items(form.item))
        self._guard = _Guard(form, reading) if reading.fail_fast else None
        self._others: list[ItemResult[Any]] = []
        self._errors: list[SchemaMismatch] = []
        self._has_items = False

    def feed(self, snapshot: Snapshot) -> Iterator[Any]:
        try:
            for result in self._results.feed(snapshot):
                yield from self._read(result)
        except SchemaMismatch as error:
            raise self._explained(error) from error

        if snapshot.complete and not self._has_items:
            yield from self._read_elsewhere(snapshot)

        if self._guard is not None:
            self._guard.look(snapshot)

    def close(self) -> Iterator[Any]:
        for result in self._results.close():
            yield from self._read(result)

        if self._errors:
            raise self._errors[0].joined(self._errors[1:])

    def fail(self, error: Exception) -> Iterator[Any]:
        # That it broke off says more than that some items are invalid.
        if self._errors and isinstance(error, MalformedJson):
            raise self._errors[0].joined(self._errors[1:]) from error

        for result in self._results.fail(error):
            yield from self._read(result)

    def _read(self, result: ItemResult[Any]) -> Iterable[Any]:
        if result.path[:-1] not in _WHERE:
            self._others.append(result)
            return ()

        self._has_items = True
        return self._judged(result)

    def _read_elsewhere(self, snapshot: Snapshot) -> Iterator[Any]:
        asked_for = Branch(self._reading.split_items(self._form.item, "tasks"))

        try:
            results = [*asked_for.feed(snapshot), *asked_for.close()]
        except SchemaMismatch:
            results = self._others

        for result in results:
            yield from self._judged(result)

    def _judged(self, result: ItemResult[Any]) -> Iterable[Any]:
        if result.error is None:
            emitted = self._reading.emitted
            is_new = emitted is None or emitted.add(result.text)
            return (result.value,) if is_new else ()

        if self._reading.fail_fast:
            raise result.error

        self._errors.append(result.error)
        return ()

    def _explained(self, error: SchemaMismatch) -> SchemaMismatch:
        """Return an error in terms of what was asked for, if there was no list to be found."""
        snapshot = error.snapshot

        if snapshot is None or not snapshot.complete:
            return error

        try:
            self._form.tasks.model_validate_json(snapshot.text)
        except ValidationError as invalid:
            return SchemaMismatch(validation_error=invalid, snapshot=snapshot)

        return error


_WHERE = ((), ("tasks",))


class _Guard:
    """Ends a list with the first field of an item that is invalid."""

    def __init__(self, form: Items, reading: Reading) -> None:
        self._form = form
        self._reading = reading
        self._fields: Branch[Snapshot, Any] | None = None

    def look(self, snapshot: Snapshot) -> None:
        """Raise SchemaMismatch if a field that has closed does not fit."""
        if self._fields is None:
            self._fields = self._begun(snapshot.value)

        if self._fields is not None:
            # Nobody wants what it shows, only what it raises.
            deque(self._fields.feed(snapshot), maxlen=0)

    def _begun(self, root: Any) -> Branch[Snapshot, Any] | None:
        items: Any = types.GenericAlias(list, (self._form.item,))

        if isinstance(root, list):
            return Branch(self._reading.to_partial(items))

        fields = cast("dict[str, Any]", root) if isinstance(root, dict) else {}
        names = [name for name, value in fields.items() if isinstance(value, list)]

        if not names:
            return None

        name = "tasks" if "tasks" in names else names[0]
        document = create_model("Items", items=(items, Field(validation_alias=name)))
        return Branch(self._reading.to_partial(document))
