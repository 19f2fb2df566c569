"""Stream: how fields stream, said by the model."""

from __future__ import annotations

import sys
from enum import Enum
from types import SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic.fields import FieldInfo

T = TypeVar("T")

_MARKS = "__streamops_marks__"


class Stream(Enum):
    """How a field streams: ``name: Annotated[str, Stream.done]``.

    Without any of these, strings, lists, dicts and models grow, and everything else is shown when
    it is finished. As a decorator, ``@Stream.done`` above a class, it holds wherever the class is
    the type of a field; subclasses inherit it.
    """

    done = "done"
    """Shown only when it is finished (a model: validated)."""

    required = "required"
    """The model that has the field is not shown before the field is."""

    grow = "grow"
    """A Literal or Enum of strings is shown as soon as only one of them can still be meant."""

    def __call__(self, type_: type[T]) -> type[T]:
        """Mark a class."""
        setattr(type_, _MARKS, _marks_of_class(type_) | {self})
        return type_

    def __repr__(self) -> str:
        return f"Stream.{self.name}"


def unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return the type that an annotation stands for, and the metadata around it.

    An alias or a new name for a type stands for the type.
    """
    metadata: tuple[Any, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*more, *metadata)
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):
            alias: Any = get_origin(annotation) or annotation
            annotation = with_arguments(_value_of(alias), alias.__type_params__, annotation)
        else:
            return annotation, _flattened(metadata)


def _value_of(alias: Any) -> Any:
    """Return what an alias stands for, with names in it that were not known where it stands."""
    namespace = vars(sys.modules[alias.__module__])
    holder = SimpleNamespace(__annotations__={"value": alias.__value__})
    try:
        return get_type_hints(holder, namespace, {}, include_extras=True)["value"]
    except NameError:
        return alias.__value__


def _flattened(metadata: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return metadata with what a Field brings along."""
    found: list[Any] = []
    for said in metadata:
        found += [said, *said.metadata] if isinstance(said, FieldInfo) else [said]
    return tuple(found)


def with_arguments(annotation: Any, parameters: tuple[Any, ...], generic: Any) -> Any:
    """Put the arguments of a generic type in place of its parameters; Any where there is none."""
    arguments = dict(zip(parameters, get_args(generic), strict=False))
    if annotation in parameters:
        return arguments.get(annotation, Any)

    open_parameters: tuple[Any, ...] = getattr(annotation, "__parameters__", ())
    if not open_parameters or isinstance(annotation, type):
        return annotation

    return annotation[tuple(arguments.get(parameter, Any) for parameter in open_parameters)]


def marks_of(annotation: Any) -> frozenset[Stream]:
    """Return how a type is marked, by its metadata or as a class."""
    type_, metadata = unwrapped(annotation)
    return _marks_of_class(type_) | {mark for mark in metadata if isinstance(mark, Stream)}


def is_required(annotation: Any) -> bool:
    """Return whether a model is not to be shown before a field of this type is."""
    if Stream.required in marks_of(annotation):
        return True

    type_, _ = unwrapped(annotation)
    is_union = get_origin(type_) in (Union, UnionType)
    return is_union and any(map(is_required, get_args(type_)))


def _marks_of_class(type_: Any) -> frozenset[Stream]:
    marks: frozenset[Stream] = getattr(type_, _MARKS, frozenset())
    return marks if isinstance(type_, type) else frozenset()
