"""Reader: finished JSON to validated values of a type."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from inspect import isroutine
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError

from streamops.compiling import shape_of
from streamops.errors import SchemaMismatch
from streamops.nodes import Path
from streamops.parser import value_of
from streamops.shapes import InvalidValue, Shape, json_of
from streamops.snapshot import Snapshot
from streamops.validation import ValidateWhen, Validation


def reader_of(
    type_: Any,
    *,
    operator: str,
    validate: ValidateWhen = "closed",
    strict: bool | None = None,
    context: Any = None,
) -> Reader:
    """Return the Reader of a type.

    Raises TypeError for what pydantic cannot validate and for marks that do not fit a type.
    """
    validation = Validation(validate, strict, context)
    try:
        if isinstance(type_, str | bytes | int | float | dict | list) or isroutine(type_):
            raise PydanticSchemaGenerationError("a value, not a type")

        # Two contexts may be equal, and still be different objects to a validator.
        is_reusable = context is None and is_hashable(type_)
        if not is_reusable:
            return Reader(type_, validation)

        # A | B equals B | A, and reads otherwise.
        return _cached_reader(type_, repr(type_), validation)
    except PydanticSchemaGenerationError as error:
        raise TypeError(
            f"{operator} needs a type that pydantic can validate, such as a BaseModel or "
            f"list[int], not {type_!r}"
        ) from error


def is_hashable(type_: Any) -> bool:
    """Return whether a type can be the key of a cache; what stands in Annotated may not be."""
    try:
        hash(type_)
    except TypeError:
        return False
    return True


class Reader:
    """Validates JSON as a type, as pydantic does in JSON mode."""

    def __init__(self, type_: Any, validation: Validation) -> None:
        self._validation = validation
        self._adapter: TypeAdapter[Any] = TypeAdapter(type_)
        self.shape: Shape = shape_of(type_, validation)
        """What values of the type look like while they arrive."""

    def read(self, snapshot: Snapshot) -> Any:
        """Return what a complete snapshot's text is as the type.

        Raises SchemaMismatch, with the path of the innermost model that its data does not fit.
        """
        return self._read(snapshot.text, lambda: snapshot.value, (), snapshot)

    def read_item(self, text: str, path: Path, snapshot: Snapshot) -> Any:
        """Return what the text of a value at a path is as the type; raises as ``read`` does."""
        return self._read(text, lambda: value_of(text), path, snapshot)

    def _read(self, text: str, value: Callable[[], Any], path: Path, snapshot: Snapshot) -> Any:
        try:
            return self._validated(text, value)
        except ValidationError as error:
            mismatch = self._mismatch(error, value(), path, snapshot)
            raise mismatch from mismatch.validation_error

    def _validated(self, text: str, value: Callable[[], Any]) -> Any:
        try:
            return self._validation.read(self._adapter, text)
        except ValidationError as error:
            if error.errors(include_url=False)[0]["type"] != "json_invalid":
                raise

            # Pydantic reads a smaller dialect than the parser: no raw control characters.
            return self._validation.read(self._adapter, json_of(value()))

    def _mismatch(
        self, error: ValidationError, value: Any, path: Path, snapshot: Snapshot
    ) -> SchemaMismatch:
        is_field = False

        # As for a stream that came in smaller pieces, blame the innermost model.
        try:
            self.shape.finish(value)
        except InvalidValue as invalid:
            error, path, is_field = invalid.error, (*path, *invalid.path), invalid.is_field
        except RecursionError:  # too deep to find the innermost
            pass

        return SchemaMismatch(
            validation_error=error, path=path, is_field=is_field, snapshot=snapshot
        )


# A server builds the same pipeline for every request.
@lru_cache(maxsize=256)
def _cached_reader(type_: Any, _: str, validation: Validation) -> Reader:
    return Reader(type_, validation)
