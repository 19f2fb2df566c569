"""form_of: the form that a response_model asks for."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from streamops.annotations import types_in, unwrapped
from streamops.forms import Choice, Form, whole_form
from streamops.item_forms import Items
from streamops.modes import TOOL_MODES, Mode
from streamops.multitask import MultiTask, task_of
from streamops.partial_type import Partial, partial_of
from streamops.reading import is_hashable, reader_of
from streamops.schemas import is_object_schema


def form_of(response_model: Any, mode: Mode) -> Form:
    """Return the form of a response_model.

    Raises TypeError or ValueError for what cannot be asked for.
    """
    if not is_hashable(response_model):
        return _form_of(response_model, mode)

    # A | B equals B | A, and reads otherwise.
    return _cached_form(response_model, repr(response_model), mode)


def _form_of(response_model: Any, mode: Mode) -> Form:
    _refuse_what_says_nothing(response_model)
    wanted = partial_of(response_model)

    if wanted is not None:
        _refuse_lazy_items(wanted)
        return whole_form(wanted)

    task = task_of(response_model)

    if task is not None:
        _refuse_lazy_items(task)
        # With fields of its own beside the tasks, it is a model like any other.
        is_list = set(response_model.model_fields) == {"tasks"}
        return Items(response_model, whole=True) if is_list else whole_form(response_model)

    type_, metadata = unwrapped(response_model)

    if get_origin(type_) in (Iterable, list) and not metadata:
        (item,) = get_args(type_)
        reader_of(item, operator="extract")  # raises TypeError
        _refuse_lazy_items(item)
        return Items(MultiTask(item), whole=False)

    _refuse_lazy_items(response_model)
    members = get_args(type_) if get_origin(type_) in (typing.Union, types.UnionType) else ()

    is_plain = all(isinstance(said, FieldInfo) and not said.metadata for said in metadata)

    if members and is_plain and mode in TOOL_MODES and all(map(is_object_schema, members)):
        return Choice(response_model, members)

    return whole_form(response_model)


# A server asks for the same with every request.
@lru_cache(maxsize=256)
def _cached_form(response_model: Any, _: str, mode: Mode) -> Form:
    return _form_of(response_model, mode)


def _refuse_what_says_nothing(response_model: Any) -> None:
    if response_model in (Iterable, typing.Iterable, list, typing.List, Partial, MultiTask):  # noqa: UP006  # as users spell it
        name = getattr(response_model, "__name__", response_model)
        wanted = "MultiTask(User)" if response_model is MultiTask else f"{name}[User]"
        raise TypeError(f"response_model={name} does not say of what: write {wanted}")

    if response_model is None:
        raise TypeError(
            "response_model=None asks for nothing: for text without a type, use from_openai"
        )

    if response_model is BaseModel or isinstance(response_model, TypeVar):
        raise TypeError(f"response_model={response_model!r} has no fields: pass a model of yours")

    if isinstance(response_model, (str, BaseModel, list, dict)):
        raise TypeError(f"response_model is a type, such as a class, not {response_model!r}")


def _refuse_lazy_items(type_: Any) -> None:
    """Refuse what pydantic would validate only when somebody iterates over it."""
    for part, _ in types_in(type_):
        if get_origin(part) in (Iterable, Iterator) or part in (Iterable, Iterator):
            raise TypeError(f"Items can be told one by one only at the top: write list for {part}")

        if partial_of(part) is not None:
            raise TypeError(f"{part.__name__} stands at the top, or not at all: write its model")
