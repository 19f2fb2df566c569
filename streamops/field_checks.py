"""FieldChecks: the fields of a model one by one, as they close."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator, core_schema

from streamops.core_schemas import CoreSchema, innermost
from streamops.shapes import InvalidValue, json_of
from streamops.validation import Validation


class FieldChecks:
    """Validates fields of a model before the rest of it is there, as the model will.

    A validator that looks at other fields is given those that are declared before its own, as
    always; so its field is checked only if they have arrived by then.
    """

    def __init__(
        self, model: type[BaseModel], names: dict[str, str], validation: Validation
    ) -> None:
        self._model = model
        self._names = names
        self._validation = validation
        self._validators: dict[str, SchemaValidator] = {}

    def check(self, keys: list[str], values: list[Any], index: int) -> None:
        """Raise InvalidValue if the field that has closed does not fit."""
        name = self._names.get(keys[index])
        if name is None or self._fields is None:
            return

        if not _looks_at_others(self._fields[name]):
            self._validate((name,), {keys[index]: values[index]})
            return

        declared = list(self._fields)
        needed = declared[: declared.index(name) + 1]
        arrived = {key: values[i] for i, key in enumerate(keys[: index + 1])}
        if {self._names.get(key) for key in arrived} >= set(needed):
            self._validate(tuple(needed), arrived)

    def _validate(self, names: tuple[str, ...], raw: dict[str, Any]) -> None:
        """Raise InvalidValue if the last of the fields does not fit."""
        last = names[-1]
        if last not in self._validators:
            self._validators[last] = self._validator(names)

        try:
            self._validators[last].validate_json(
                json_of(raw), strict=self._validation.strict, context=self._validation.context
            )
        except ValidationError as error:
            of_last = [e for e in error.errors() if self._names.get(str(e["loc"][0])) == last]
            if of_last:
                raise InvalidValue(error) from None

    def _validator(self, names: tuple[str, ...]) -> SchemaValidator:
        assert self._fields is not None
        fields = core_schema.model_fields_schema({name: self._fields[name] for name in names})
        whole: CoreSchema = self._model.__pydantic_core_schema__
        if whole["type"] == "definitions":
            return SchemaValidator(
                core_schema.definitions_schema(fields, whole["definitions"]), self._config
            )

        return SchemaValidator(fields, self._config)

    @cached_property
    def _config(self) -> core_schema.CoreConfig:
        model: CoreSchema = innermost(self._model.__pydantic_core_schema__, "model")
        config: Any = dict(model.get("config", {}))
        config["extra_fields_behavior"] = "ignore"  # the other fields are no extras
        checked: core_schema.CoreConfig = config
        return checked

    @cached_property
    def _fields(self) -> dict[str, CoreSchema] | None:
        schema = innermost(self._model.__pydantic_core_schema__, "model-fields")
        return schema and schema["fields"]


def _looks_at_others(schema: CoreSchema) -> bool:
    """Return whether a validator of a field may look at the fields before it."""
    while schema is not None:
        if schema.get("function", {}).get("type") == "with-info":
            return True
        schema = schema.get("schema")

    return False
