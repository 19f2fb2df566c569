"""What annotations are made of."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any, NewType, cast, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo


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


def annotated(type_: Any, metadata: Iterable[Any]) -> Any:
    """Return a type with metadata around it, if there is any."""
    said = tuple(metadata)
    return Annotated[(type_, *said)] if said else type_


def class_of(type_: Any) -> type[Any] | None:
    """Return the class that a type is, perhaps with arguments."""
    origin: Any = get_origin(type_) or type_
    return cast("type[Any]", origin) if isinstance(origin, type) else None


def types_in(annotation: Any, *within: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Yield a type and those that it is made of, as far as the annotation tells.

    Each comes with the metadata around it.
    """
    if annotation in within:
        return  # an alias contains itself

    type_, metadata = unwrapped(annotation)
    yield type_, metadata
    for part in _types_in_namedtuple(type_) or get_args(type_):
        yield from types_in(part, annotation, *within)


def _types_in_namedtuple(type_: Any) -> list[Any]:
    class_: Any = class_of(type_)
    if not hasattr(class_, "_fields"):
        return []

    try:
        return list(get_type_hints(class_).values())
    except NameError:  # it has names of where it stands
        return []
