"""Stream: how fields stream, said by the model."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from typing_extensions import is_typeddict

from streamops.annotations import class_of, unwrapped

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
    """The model that has the field is not shown before the field is there (if the field is not
    shown itself: before it is finished). Says nothing of anything but fields."""

    grow = "grow"
    """A Literal or Enum of strings is shown as soon as only one of them can still be meant. Says
    nothing of what grows anyway."""

    def __call__(self, type_: type[T]) -> type[T]:
        """Mark a class."""
        if not isinstance(type_, type):
            raise TypeError(f"{self!r} stands above a class or in Annotated[...], not {type_!r}")

        setattr(type_, _MARKS, _marks_of_class(type_) | {self})
        return type_

    def __repr__(self) -> str:
        return f"Stream.{self.name}"


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
    class_ = class_of(type_)
    if class_ is None:
        return frozenset()

    # The bases of a TypedDict are only known by what its class statement said.
    bases: tuple[Any, ...] = getattr(class_, "__orig_bases__", ())
    own: frozenset[Stream] = getattr(class_, _MARKS, frozenset())
    return own.union(*map(_marks_of_class, bases)) if is_typeddict(class_) else own
