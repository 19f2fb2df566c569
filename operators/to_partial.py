"""to_partial: snapshots to instances of a model that fill up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, TypeVar, overload

from streamops.errors import SchemaMismatch
from streamops.growth import Growth
from streamops.lifting import Operator, Step, lift
from streamops.naming import call_name
from streamops.nodes import DocumentNode
from streamops.reading import Reader, reader_of
from streamops.shapes import HELD, InvalidValue, View
from streamops.snapshot import Snapshot, not_a_snapshot
from streamops.validation import ValidateWhen

T = TypeVar("T")


@overload
def to_partial(
    model: type[T],
    *,
    validate: ValidateWhen = "closed",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, T]: ...
@overload
def to_partial(
    model: Any,
    *,
    validate: ValidateWhen = "closed",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Any]: ...
def to_partial(
    model: Any,
    *,
    validate: ValidateWhen = "closed",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Any]:
    """Emit the model as far as it has arrived for each snapshot, and at last the validated one.

    A partial is an instance of a subclass of ``model`` whose fields are all optional: what has not
    arrived shows its default, else None, and is absent from ``model_fields_set``. Strings, lists,
    sets, dicts, dataclasses and models grow; numbers, literals, enums, dates and types made of a
    fixed number of parts appear when they are finished. A model may say otherwise of its fields
    with ``Stream``. ``state_of(partial).at(path)`` tells whether a value is pending, growing or
    done.

    Validators and constraints never run on unfinished data. ``validate`` says when they run:

    - ``"closed"``: a nested model (or dataclass, or TypedDict) is validated when it closes, and is
      the same object from then on. Its validators run again with each model around it, as pydantic
      validates the whole. What a ``before`` or ``wrap`` validator around it may still rewrite is
      judged with that: until then it is shown as a partial if it does not fit.
    - ``"eager"``: also each field when it closes, so that the first invalid one ends the stream. A
      field with a validator that takes ``info`` is checked when the fields declared before it have
      arrived, too.
    - ``"final"``: all at the end. Until then a closed model is shown as a partial, and what only
      validation can tell (which member of a union) is not shown.

    A model is judged when it closes even if its field comes again, by a repeated key or another of
    its aliases; what a field showed under one of its aliases stays until the model around closes.
    An error that a validator raises beside ValueError and AssertionError ends the stream as it is.
    Do not change what partials hold: they share it.

    ``strict`` and ``context`` are passed on to pydantic. The last element is
    ``model.model_validate_json`` of the whole text. Takes any type that pydantic takes; of one that
    is no model, the value so far is emitted (``list[User]``: a list).

    Raises TypeError when called with something that is no type, or with a type that is marked to
    stream as it cannot, and ValueError for another ``validate``. The stream ends in SchemaMismatch,
    with the path of the innermost model or field that is invalid.
    """
    reader = reader_of(
        model, operator="to_partial", validate=validate, strict=strict, context=context
    )
    return lift(partial(_Partials, reader), name=call_name("to_partial", model))


class _Partials(Step[Snapshot, Any]):
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._growth: Growth | None = None
        # Snapshots of several documents may come in turns, when streams are merged.
        self._growths: dict[DocumentNode, Growth] = {}

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        if not isinstance(snapshot, Snapshot):
            raise not_a_snapshot(snapshot, "to_partial")

        node, count = snapshot.mark
        if node.parent is None and count:
            # What was shown so far may go before the whole is validated.
            self._growths.pop(snapshot.document, None)
            self._growth = None
            return (self._reader.read(snapshot),)

        try:
            growth = self._growth
            view = growth.follow(snapshot) if growth is not None else None
            if growth is None or view is None:
                growth, view = self._follow_another(snapshot)
        except InvalidValue as invalid:
            raise SchemaMismatch(
                validation_error=invalid.error,
                path=invalid.path,
                is_field=invalid.is_field,
                snapshot=snapshot,
            ) from invalid.error

        root = growth.root
        if root is None:
            return ()

        shown = root.show(view, 0, HELD) if root.is_lazy else view.show(root)
        return () if shown is HELD else (shown,)

    def _follow_another(self, snapshot: Snapshot) -> tuple[Growth, View]:
        document = snapshot.document
        growth = self._growths.get(document) or Growth(self._reader.shape, document)
        self._growth = self._growths[document] = growth
        view = growth.follow(snapshot)
        assert view is not None, "it is of that document"
        return growth, view
