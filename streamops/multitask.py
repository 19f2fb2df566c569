"""MultiTask: a class for several tasks of one type, in the classic style."""

from __future__ import annotations

import types
from collections.abc import AsyncIterable, Generator, Iterable
from typing import (
    Annotated,
    Any,
    ClassVar,
    Generic,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    overload,
)

from pydantic import BaseModel, create_model

from streamops.calls import read_calls
from streamops.classic import read_answer, read_stream
from streamops.delta import Delta
from streamops.lifting import Operator
from streamops.operators.split_items import split_items
from streamops.reading import reader_of
from streamops.schemas import schema_of
from streamops.sinks.awaiting import AsyncValues

T = TypeVar("T")


class _FunctionSchema:
    """Makes the schema of whichever class it is read on."""

    def __get__(self, _: object, owner: type[BaseModel]) -> dict[str, Any]:
        schema = schema_of(owner)
        return {
            "name": schema.name,
            "description": schema.description,
            "parameters": schema.parameters,
        }


class MultiTasks(BaseModel, Generic[T]):
    """Several tasks of one type; ``MultiTask`` makes the classes that a model is asked for."""

    tasks: list[T]

    openai_schema: ClassVar[_FunctionSchema] = _FunctionSchema()
    """The class as a function definition, ``functions=[MultiUser.openai_schema]``: a new dict with
    ``"name"``, ``"description"`` and ``"parameters"``. Raises TypeError, with the path of the
    field, where pydantic has no JSON schema."""

    @classmethod
    def from_response(cls, completion: Any) -> Self:
        """Return the tasks in a whole ChatCompletion or Response, each validated.

        They are read from the calls that the model made, else from the content, fenced or not; from
        ``tasks`` or whichever list comes first, or the root if it is a list. Raises as
        ``accumulate_json`` and ``split_items`` do, and UnknownElement for what is no whole answer.
        """
        return cls.model_construct(tasks=read_answer(completion, cls._reads()))

    @overload
    @classmethod
    def from_streaming_response(cls, completion: AsyncIterable[Any]) -> AsyncValues[T]: ...
    @overload
    @classmethod
    def from_streaming_response(cls, completion: Iterable[Any]) -> Generator[T, None, None]: ...
    @classmethod
    def from_streaming_response(cls, completion: Any) -> Any:
        """Iterate over the tasks in an open stream of the SDK, each as soon as it closes.

        An AsyncStream is read with ``async for``. Any other iterable of the same events, as objects
        or dicts, is read too. Leaving the loop closes the stream, as ``to_generator`` and
        ``to_async_generator`` do; closing the generator before its first task closes it too, except
        an AsyncStream, which is then the caller's to close. The tasks are found, and errors raised,
        as in ``from_response``, errors after the tasks before them. TypeError now if this is no
        stream.
        """
        return read_stream(completion, cls._reads())

    @classmethod
    def _reads(cls) -> Operator[Delta, T]:
        items = split_items(task_of(cls))
        return read_calls(lambda _: items)


@overload
def MultiTask(
    task: type[T], name: str | None = None, description: str | None = None
) -> type[MultiTasks[T]]: ...
@overload
def MultiTask(
    task: Any, name: str | None = None, description: str | None = None
) -> type[MultiTasks[Any]]: ...
def MultiTask(  # noqa: N802  # it makes a class, and reads like one where it is used
    task: Any, name: str | None = None, description: str | None = None
) -> type[MultiTasks[Any]]:
    """Return a new class with one field, ``tasks``, that is a list of the type.

        MultiUser = MultiTask(User)
        for user in MultiUser.from_streaming_response(stream): ...

    It is called "Multi" and the task's name, as in ``MultiUser`` or ``MultiSearchOrReply``;
    ``name`` replaces the latter. ``description`` is the class's docstring, which the model is told.

    Raises TypeError for what is no type that pydantic takes, and ValueError for an empty name.
    """
    reader_of(task, operator="MultiTask")  # raises TypeError

    for argument, text in (("name", name), ("description", description)):
        if text is not None and not isinstance(text, str):
            raise TypeError(f"{argument} is a text, not {text!r}")

    if name is not None and not name.strip():
        raise ValueError("name replaces the task's name and cannot be empty: leave it out")

    named = name or _name_of(task)
    # Types that are equal, as A | B and B | A are, are not the same to a validator.
    tasks: Any = types.GenericAlias(list, (task,))
    return create_model(
        f"Multi{named}",
        __base__=MultiTasks,
        __doc__=description or f"All the {named} tasks there are, each of them one of the list.",
        tasks=(tasks, ...),
    )


def task_of(type_: Any) -> Any | None:
    """Return the type of the tasks in a class made by MultiTask; None for anything else."""
    if not isinstance(type_, type) or not issubclass(type_, MultiTasks):
        return None

    tasks = type_.model_fields["tasks"].annotation
    # That of a partial may be anything.
    return get_args(tasks)[0] if get_origin(tasks) is list else None


def _name_of(task: Any) -> str:
    origin = get_origin(task)

    if origin is Annotated:
        return _name_of(get_args(task)[0])

    if origin in (Union, types.UnionType):
        return "Or".join(map(_name_of, get_args(task)))

    if task is types.NoneType:
        return "None"

    own = str(getattr(task, "__name__", getattr(origin, "__name__", "Any")))
    return own[:1].upper() + own[1:]
