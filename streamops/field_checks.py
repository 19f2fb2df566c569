"""FieldChecks: the fields of a model one by one, as they close."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from streamops.core_schemas import CoreSchema, innermost
from streamops.shapes import InvalidValue, json_of
from streamops.validation import Validation


class FieldChecks:
    """Validates fields of a type before the rest of it is there, as the type will.

    A validator that takes ``info`` may look at the fields that are declared before its own; so its
    field is checked when those have arrived.
    """

    def __init__(
        self, schema: CoreSchema, title: str, names: dict[str, str], validation: Validation
    ) -> None:
        self._schema = schema
        self._title = title
        self._names = names
        self._validation = validation
        self._validators: dict[str, SchemaValidator] = {}

    def check(self, keys: list[str], values: list[Any], index: int) -> None:
        """Raise InvalidValue if a field does not fit, now that the one at ``index`` has closed."""
        closed = self._names.get(keys[index])
        if closed is None:
            return

        if self._needed.get(closed) == (closed,):
            self._validate(closed, {keys[index]: values[index]})

        waiting = [name for name in self._waiting if closed in self._needed[name]]
        if waiting:
            arrived = {key: values[i] for i, key in enumerate(keys[: index + 1])}
            names = {self._names.get(key) for key in arrived}
            for name in waiting:
                if names.issuperset(self._needed[name]):
                    self._validate(name, arrived)

    def _validate(self, name: str, arrived: dict[str, Any]) -> None:
        """Raise InvalidValue if a field does not fit."""
        if name not in self._validators:
            self._validators[name] = self._validator(self._needed[name])

        try:
            self._validators[name].validate_json(
                json_of(arrived), strict=self._validation.strict, context=self._validation.context
            )
        except ValidationError as error:
            key = next(key for key in arrived if self._names.get(key) == name)
            if any(e["loc"][:1] in ((), (key,), (name,)) for e in error.errors()):
                raise InvalidValue(error, field=key) from None

    def _validator(self, names: tuple[str, ...]) -> SchemaValidator:
        fields = core_schema.model_fields_schema(
            {name: self._field(self._fields[name]) for name in names}, model_name=self._title
        )
        if self._schema["type"] == "definitions":
            definitions = self._schema["definitions"]
            return SchemaValidator(
                core_schema.definitions_schema(fields, definitions), self._config
            )

        return SchemaValidator(fields, self._config)

    def _field(self, field: CoreSchema) -> core_schema.ModelField:
        return core_schema.model_field(
            field["schema"], validation_alias=field.get("validation_alias")
        )

    @cached_property
    def _needed(self) -> dict[str, tuple[str, ...]]:
        """What has to have arrived before a field is checked: itself, and what it may look at."""
        names = list(self._fields)
        return {
            name: tuple(names[: i + 1]) if _looks_at_others(self._fields[name]) else (name,)
            for i, name in enumerate(names)
        }

    @cached_property
    def _waiting(self) -> list[str]:
        """The fields that may have to wait for others."""
        return [name for name, needed in self._needed.items() if len(needed) > 1]

    @cached_property
    def _config(self) -> core_schema.CoreConfig:
        around: CoreSchema = innermost(self._schema, "model", "dataclass", "typed-dict") or {}
        config: Any = dict(around.get("config", {}))
        config["title"] = self._title
        config["extra_fields_behavior"] = "ignore"  # the other fields are no extras
        checked: core_schema.CoreConfig = config
        return checked

    @cached_property
    def _fields(self) -> dict[str, CoreSchema]:
        found = innermost(self._schema, "model-fields", "dataclass-args", "typed-dict")
        if found is None:
            return {}

        fields: Any = found["fields"]
        return {f["name"]: f for f in fields} if found["type"] == "dataclass-args" else fields


def _looks_at_others(schema: CoreSchema) -> bool:
    """Return whether a validator of a field may look at the fields before it."""
    while schema is not None:
        if schema["type"].startswith("function-") and schema["function"]["type"] == "with-info":
            return True
        schema = schema.get("schema")

    return False
