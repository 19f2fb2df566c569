"""Partial: the all-optional twin of a model as a type, in the classic style."""

from __future__ import annotations

import types
from collections.abc import AsyncIterable, Generator, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from pydantic import BaseModel
from reactivex import compose

from streamops.classic import read_answer, read_stream
from streamops.delta import Delta
from streamops.lifting import Operator
from streamops.operators.accumulate_json import accumulate_json
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.operators.to_partial import to_partial
from streamops.partial import partial_model
from streamops.reading import is_hashable, reader_of
from streamops.sinks.awaiting import AsyncValues

T = TypeVar("T")

_OF = "__streamops_partial_of__"
_TYPE = "__streamops_partial_type__"


class Partial(Generic[T]):
    """A type that is read while it arrives: ``Partial[User]``, ``Partial[list[User]]``.

        for user in Partial[User].from_streaming_response(stream): ...

    Of a model it is a subclass, the same one every time, whose fields are all optional, so that
    ``Partial[User](name="Jo")`` is a User. Raises TypeError for what is no type that pydantic
    takes.
    """

    def __class_getitem__(cls, type_: Any) -> Any:
        if isinstance(type_, TypeVar):
            return types.GenericAlias(cls, (type_,))

        if partial_of(type_) is not None:
            return type_

        reader_of(type_, operator="Partial")  # raises TypeError

        if _is_a(type_, BaseModel):
            return _partial_of_model(type_)

        # A | B equals B | A, and reads otherwise.
        return _cached(type_, repr(type_)) if is_hashable(type_) else _partial_of_any(type_)

    def __new__(cls, *_: Any, **__: Any) -> Self:
        if issubclass(cls, BaseModel):
            return super().__new__(cls)

        of = partial_of(cls)
        advice = "write Partial[Model]" if of is None else f"those of models have, not {of}"
        raise TypeError(f"{cls.__name__} has no instances: {advice}")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @classmethod
    def from_response(cls, completion: Any) -> T:
        """Return what a whole ChatCompletion or Response holds, validated.

        It is read from the first call that the model made, else from the content, fenced or not.
        Raises as ``accumulate_json`` and ``to_partial`` do, and UnknownElement for what is no whole
        answer.
        """
        value: T = read_answer(completion, cls._reads())[-1]
        return value

    @overload
    @classmethod
    def from_streaming_response(cls, completion: AsyncIterable[Any]) -> AsyncValues[T]: ...
    @overload
    @classmethod
    def from_streaming_response(cls, completion: Iterable[Any]) -> Generator[T, None, None]: ...
    @classmethod
    def from_streaming_response(cls, completion: Any) -> Any:
        """Iterate over the value in an open stream of the SDK as far as it has arrived.

        Each partial that differs comes, and at last the validated value. An AsyncStream is read
        with ``async for``. Any other iterable of the same events, as objects or dicts, is read too.
        Leaving the loop closes the stream, as ``to_generator`` and ``to_async_generator`` do;
        closing the generator before its first partial closes it too, except an AsyncStream, which
        is then the caller's to close. Errors are raised as in ``from_response``, after the partials
        before them. TypeError now if this is no stream.
        """
        return read_stream(completion, cls._reads())

    @classmethod
    def _reads(cls) -> Operator[Delta, Any]:
        of = partial_of(cls)

        if of is None:
            raise TypeError("Partial does not say of what: write Partial[Model]")

        return compose(accumulate_json(), to_partial(of), distinct_snapshots())


def partial_of(type_: Any) -> Any | None:
    """Return the T of a ``Partial[T]``; None for anything else."""
    return getattr(type_, _OF, None) if _is_a(type_, Partial) else None


def _partial_of_model(model: type[BaseModel]) -> type[Any]:
    twin: Any = partial_model(model)

    if _TYPE not in vars(twin):
        namespace = {
            "__module__": model.__module__,
            "__doc__": twin.__doc__,
            "__reduce__": _reduced,
            _OF: model,
        }
        made = _new_class(twin.__name__, (twin, Partial), namespace)

        # A model may have methods, or fields, of the same names.
        for name in ("from_response", "from_streaming_response", "_reads"):
            setattr(made, name, vars(Partial)[name])

        setattr(twin, _TYPE, made)

    kept: type[Any] = getattr(twin, _TYPE)
    return kept


def _partial_of_any(type_: Any) -> type[Any]:
    name = type_.__name__ if isinstance(type_, type) else repr(type_)
    return _new_class(f"Partial[{name}]", (Partial,), {_OF: type_, "__module__": __name__})


@lru_cache(maxsize=256)
def _cached(type_: Any, _: str) -> type[Any]:
    return _partial_of_any(type_)


def _is_a(type_: Any, base: type[Any]) -> bool:
    return isinstance(type_, type) and issubclass(type_, base)


def _new_class(name: str, bases: tuple[Any, ...], namespace: dict[str, Any]) -> type[Any]:
    return types.new_class(name, bases, exec_body=lambda body: body.update(namespace))


def _reduced(instance: Any) -> tuple[Any, ...]:
    return _restored, (partial_of(type(instance)), instance.__getstate__())


def _restored(model: Any, state: dict[str, Any]) -> Any:
    instance = object.__new__(_partial_of_model(model))
    instance.__setstate__(state)
    return instance
