"""What type checkers infer of MultiTask and Partial. Checked by them, and never run."""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, assert_type

from openai import AsyncStream, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, Field

from streamops.multitask import MultiTask, MultiTasks, task_of
from streamops.partial_type import Partial, partial_of
from streamops.sinks.awaiting import AsyncValues

T = TypeVar("T")


class User(BaseModel):
    name: str


class Admin(BaseModel):
    rights: list[str]


class Color(Enum):
    RED = "red"


def test_the_types_in_this_file_are_checked() -> None:
    assert TYPE_CHECKING is False  # by a type checker; there is nothing to run


def tasks_asked_for(_: type[MultiTasks[T]]) -> T:
    raise LookupError


def partial_asked_for(_: type[Partial[T]]) -> T:
    raise LookupError


def multitask_makes_a_class_of_its_task() -> None:
    assert_type(MultiTask(User), type[MultiTasks[User]])
    assert_type(MultiTask(User, name="Guest", description="Who came."), type[MultiTasks[User]])
    assert_type(MultiTask(int), type[MultiTasks[int]])
    assert_type(MultiTask(Color), type[MultiTasks[Color]])
    assert_type(MultiTask(list[User]), type[MultiTasks[list[User]]])


def tasks_that_are_no_classes_are_any() -> None:
    assert_type(MultiTask(User | Admin), type[MultiTasks[Any]])
    assert_type(MultiTask(Literal["a", "b"]), type[MultiTasks[Any]])
    assert_type(MultiTask(Annotated[int, Field(ge=1)]), type[MultiTasks[Any]])


def tasks_have_the_type_of_the_task(
    completion: ChatCompletion,
    response: Response,
    chunks: Stream[ChatCompletionChunk],
    events: Stream[ResponseStreamEvent],
    some: list[ChatCompletionChunk],
) -> None:
    users = MultiTask(User)
    assert_type(users.from_response(completion), MultiTasks[User])
    assert_type(users.from_response(response).tasks, list[User])
    assert_type(users.from_streaming_response(chunks), Generator[User, None, None])
    assert_type(users.from_streaming_response(events), Generator[User, None, None])
    assert_type(users.from_streaming_response(some), Generator[User, None, None])
    assert_type(users.openai_schema, dict[str, Any])

    for user in MultiTask(User).from_streaming_response(chunks):
        assert_type(user, User)


async def tasks_of_an_async_stream_have_it_too(
    chunks: AsyncStream[ChatCompletionChunk], events: AsyncStream[ResponseStreamEvent]
) -> None:
    assert_type(MultiTask(User).from_streaming_response(chunks), AsyncValues[User])
    assert_type(MultiTask(User).from_streaming_response(events), AsyncValues[User])

    async for user in MultiTask(User).from_streaming_response(chunks):
        assert_type(user, User)


def partials_have_the_type_that_they_are_of(
    completion: ChatCompletion,
    response: Response,
    chunks: Stream[ChatCompletionChunk],
    events: Stream[ResponseStreamEvent],
    some: list[ChatCompletionChunk],
) -> None:
    assert_type(Partial[User].from_response(completion), User)
    assert_type(Partial[User].from_response(response), User)
    assert_type(Partial[User].from_streaming_response(chunks), Generator[User, None, None])
    assert_type(Partial[User].from_streaming_response(events), Generator[User, None, None])
    assert_type(Partial[User].from_streaming_response(some), Generator[User, None, None])
    assert_type(Partial[list[User]].from_response(completion), list[User])
    assert_type(Partial[User | None].from_response(completion), User | None)

    for user in Partial[User].from_streaming_response(chunks):
        assert_type(user, User)


async def partials_of_an_async_stream_have_it_too(
    chunks: AsyncStream[ChatCompletionChunk], events: AsyncStream[ResponseStreamEvent]
) -> None:
    assert_type(Partial[User].from_streaming_response(chunks), AsyncValues[User])
    assert_type(Partial[User].from_streaming_response(events), AsyncValues[User])

    async for user in Partial[User].from_streaming_response(chunks):
        assert_type(user, User)


def the_fields_of_a_partial_that_was_made_are_any() -> None:
    assert_type(Partial[User](name="Jo").name, Any)


def what_asks_for_them_knows_the_type() -> None:
    assert_type(tasks_asked_for(MultiTask(User)), User)
    assert_type(partial_asked_for(Partial[User]), User)
    assert_type(partial_asked_for(Partial[list[User]]), list[User])


def what_tells_them_apart_knows_nothing(type_: Any) -> None:
    assert_type(task_of(type_), Any | None)
    assert_type(partial_of(type_), Any | None)
