"""What one writes by hand to read unfinished JSON with pydantic: models of optional fields."""

from __future__ import annotations

from types import UnionType
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field, create_model
from typing_extensions import TypeIs


def optional_twin(annotation: Any, around: tuple[Any, ...] = ()) -> Any:
    """Return a type whose models have only optional fields; ``around`` are those it stands in."""
    if _is_model(annotation):
        name = f"Optional{annotation.__name__}"
        return ForwardRef(name) if annotation in around else _twin(name, annotation, around)

    origin: Any = get_origin(annotation)
    if origin is None:
        return annotation

    if origin is Literal:
        # Half of a value is none of the values.
        return Any

    arguments = tuple(optional_twin(argument, around) for argument in get_args(annotation))
    around_them: Any = Union if origin is UnionType else origin
    return around_them[arguments]


def _is_model(annotation: Any) -> TypeIs[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _twin(name: str, model: type[BaseModel], around: tuple[Any, ...]) -> type[BaseModel]:
    definitions: dict[str, Any] = {
        field_name: (
            optional_twin(field.annotation, (*around, model)) | None,
            Field(default=None, validation_alias=field.validation_alias),
        )
        for field_name, field in model.model_fields.items()
    }
    return create_model(name, **definitions)
