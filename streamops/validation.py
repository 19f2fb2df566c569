"""Validation: when what arrives is validated, and how strictly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, TypeAdapter
from pydantic_core import SchemaValidator

ValidateWhen: TypeAlias = Literal["closed", "final", "eager"]
"""Nested models when they close, everything at the end, or also each field of a model."""


@dataclass(frozen=True, slots=True)
class Validation:
    """When values are validated, and what pydantic is told then."""

    when: ValidateWhen = "closed"
    strict: bool | None = None
    context: Any = None
    forgives: bool = False
    """Whether what does not fit may still be rewritten, and is judged with what contains it."""

    def __post_init__(self) -> None:
        if self.when not in ("closed", "final", "eager"):
            raise ValueError(f'validate is "closed", "final" or "eager", not {self.when!r}')

        if self.strict is not None and not isinstance(self.strict, bool):
            raise TypeError(f"strict is True, False or None, not {self.strict!r}")

    def forgiving(self) -> Validation:
        """Return the same for what may still be rewritten."""
        return replace(self, forgives=True)

    def read(self, reader: TypeAdapter[Any] | SchemaValidator, json: str | bytes) -> Any:
        """Return what JSON is as a type; raises ValidationError."""
        return reader.validate_json(json, strict=self.strict, context=self.context)

    def read_model(self, model: type[BaseModel], json: str | bytes) -> BaseModel:
        """Return what JSON is as a model; raises ValidationError."""
        return model.model_validate_json(json, strict=self.strict, context=self.context)


DEFAULT_VALIDATION = Validation()
