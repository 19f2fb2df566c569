"""What classes made by MultiTask promise, to answers of the real clients."""

from __future__ import annotations

import gc
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, Field

from streamops.errors import (
    MalformedJson,
    NoJson,
    Refused,
    SchemaMismatch,
    SourceFailed,
    TruncatedJson,
    UnknownElement,
)
from streamops.multitask import MultiTask, MultiTasks, task_of
from streamops.partial import partial_model
from streamops.sinks.awaiting import AsyncValues
from tests.answers import (
    answering_with,
    chat_calls,
    chat_content,
    chat_error_midway,
    chat_function_call,
    chat_refusal,
    responses_calls,
    responses_refusal,
    responses_text,
)
from tests.clients import answering, open_async_client, open_client
from tests.traces import no_threads_left, nothing_left


class User(BaseModel):
    """Somebody who was there."""

    name: str
    age: int = Field(ge=0)


class Search(BaseModel):
    query: str


class Reply(BaseModel):
    text: str


class Color(Enum):
    RED = "red"
    BLUE = "blue"


Positive = Annotated[int, Field(ge=1)]

JO, AL = User(name="Jo", age=1), User(name="Al", age=22)
TEXT = '{"tasks": [{"name": "Jo", "age": 1}, {"name": "Al", "age": 22}]}'
MultiUser = MultiTask(User)

CHAT = {
    "a tool call": chat_calls(("MultiUser", TEXT)),
    "a function call": chat_function_call("MultiUser", TEXT),
    "content": chat_content(TEXT),
    "a fenced block": chat_content(f"Here they are:\n```json\n{TEXT}\n```\nThat is all."),
    "a root list": chat_content(TEXT.removeprefix('{"tasks": ').removesuffix("}")),
    "a list of another name": chat_content(TEXT.replace("tasks", "users")),
    "several calls": chat_calls(
        ("MultiUser", '{"tasks": [{"name": "Jo", "age": 1}]}'),
        ("MultiUser", '{"tasks": [{"name": "Al", "age": 22}]}'),
    ),
}
RESPONSES = {
    "a call": responses_calls(("MultiUser", TEXT)),
    "text": responses_text(TEXT),
}

BEGUN = '{"tasks": [{"name": "Jo", "age": 1}, {"name": "Al", "a'
INVALID = TEXT.replace("22", "-22")
BAD: dict[str, tuple[bytes, type[Exception], list[User]]] = {
    "it is cut off": (chat_content(BEGUN, finish="length"), TruncatedJson, [JO]),
    "a task does not fit": (chat_calls(("MultiUser", INVALID)), SchemaMismatch, [JO]),
    "it is no list": (chat_content('{"name": "Jo", "age": 1}'), SchemaMismatch, []),
    "it is not JSON": (chat_content(TEXT.replace(", {", " {")), MalformedJson, [JO]),
    "it is an apology": (chat_content("I am sorry."), NoJson, []),
    "it is a refusal": (chat_refusal("I can't."), Refused, []),
}


def open_stream(client: OpenAI) -> Stream[ChatCompletionChunk]:
    return client.chat.completions.create(model="m", messages=[], stream=True)


def ask(client: OpenAI) -> ChatCompletion:
    return client.chat.completions.create(model="m", messages=[])


def streamed(answer: bytes) -> Stream[ChatCompletionChunk]:
    return open_stream(answering(answer.decode()))


def chunks_of(answer: bytes) -> list[Any]:
    lines = answer.decode().splitlines()
    payloads = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


def test_the_class_has_one_field_that_is_a_list_of_tasks() -> None:
    assert MultiUser.model_validate_json(TEXT).tasks == [JO, AL]
    assert list(MultiUser.model_fields) == ["tasks"]
    assert MultiTask(User) is not MultiUser


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (User, "MultiUser"),
        (Search | Reply, "MultiSearchOrReply"),
        (Reply | Search, "MultiReplyOrSearch"),
        (Union[Search, Reply], "MultiSearchOrReply"),  # noqa: UP007  # both spellings are in use
        (Optional[int], "MultiIntOrNone"),  # noqa: UP045  # both spellings are in use
        (Annotated[User, "somebody"], "MultiUser"),
        (Annotated[Search | Reply, Field(discriminator=None)], "MultiSearchOrReply"),
        (Color, "MultiColor"),
        (str, "MultiStr"),
        (Literal["a", "b"], "MultiLiteral"),
        (list[User], "MultiList"),
        (Any, "MultiAny"),
    ],
)
def test_the_class_is_called_after_its_task(task: Any, name: str) -> None:
    made = MultiTask(task)

    assert made.__name__ == name
    assert made.openai_schema["name"] == name


def test_a_name_replaces_that_of_the_task() -> None:
    assert MultiTask(User, name="Guest").__name__ == "MultiGuest"


def test_the_docstring_says_what_is_listed() -> None:
    assert "User" in (MultiUser.__doc__ or "")
    assert MultiTask(User, description="Who came.").__doc__ == "Who came."


@pytest.mark.parametrize("task", [5, "User", JO, [User], print])
def test_what_is_no_type_is_a_type_error_at_once(task: Any) -> None:
    with pytest.raises(TypeError, match="MultiTask needs a type that pydantic can validate"):
        MultiTask(task)


def test_a_missing_task_is_a_type_error_at_once() -> None:
    make: Any = MultiTask

    with pytest.raises(TypeError, match="task"):
        make()


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_a_value_error_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="leave it out"):
        MultiTask(User, name=name)


@pytest.mark.parametrize("argument", ["name", "description"])
def test_a_name_or_description_that_is_no_text_is_a_type_error(argument: str) -> None:
    arguments: dict[str, Any] = {argument: 5}

    with pytest.raises(TypeError, match=f"{argument} is a text, not 5"):
        MultiTask(User, **arguments)


def test_the_schema_is_a_function_definition() -> None:
    schema = MultiTask(User, description="Who came.").openai_schema

    assert schema["name"] == "MultiUser"
    assert schema["description"] == "Who came."
    assert schema["parameters"]["required"] == ["tasks"]
    assert schema["parameters"]["$defs"]["User"]["properties"]["age"]["minimum"] == 0


def test_a_schema_belongs_to_whoever_read_it() -> None:
    MultiUser.openai_schema["parameters"].clear()

    assert MultiUser.openai_schema["parameters"]["type"] == "object"


def test_a_field_without_a_schema_is_named() -> None:
    class Event(BaseModel):
        callback: Callable[[], None]

    with pytest.raises(TypeError, match=r"callback: pydantic has no JSON schema"):
        _ = MultiTask(Event).openai_schema


def test_the_schema_is_what_the_api_takes_as_a_function() -> None:
    requests: list[Mapping[str, Any]] = []
    answer = chat_function_call("MultiUser", TEXT)

    with (
        answering_with(answer, mode="functions", on_request=requests.append) as base_url,
        open_client(base_url) as client,
    ):
        definition: Any = MultiUser.openai_schema
        stream = client.chat.completions.create(
            model="m",
            messages=[],
            functions=[definition],
            function_call={"name": definition["name"]},
            stream=True,
            stream_options={"include_usage": True},
        )
        users = [*MultiUser.from_streaming_response(stream)]

    assert users == [JO, AL]
    assert requests[0]["functions"] == [definition]


@pytest.mark.parametrize(
    ("type_", "task"),
    [
        (MultiUser, User),
        (MultiTasks[User], User),
        (MultiTask(Reply | Search), Reply | Search),
        (MultiTask(Positive), Positive),
        (partial_model(MultiUser), None),
        (User, None),
        (list[User], None),
        (JO, None),
        (None, None),
    ],
)
def test_the_task_of_a_class_can_be_asked_for(type_: Any, task: Any) -> None:
    found = task_of(type_)

    assert found == task
    assert repr(found) == repr(task)


def test_tasks_that_are_equal_and_read_otherwise_are_told_apart() -> None:
    first, second = MultiTask(Search | Reply), MultiTask(Reply | Search)

    assert repr(task_of(first)) != repr(task_of(second))


@pytest.mark.parametrize("form", CHAT)
def test_tasks_are_read_from_an_open_stream(form: str) -> None:
    with answering_with(CHAT[form]) as base_url, open_client(base_url) as client:
        users = [*MultiUser.from_streaming_response(open_stream(client))]

    assert users == [JO, AL]


@pytest.mark.parametrize("form", CHAT)
def test_tasks_are_read_from_a_whole_completion(form: str) -> None:
    with answering_with(CHAT[form]) as base_url, open_client(base_url) as client:
        users = MultiUser.from_response(ask(client))

    assert type(users) is MultiUser
    assert users.tasks == [JO, AL]
    assert users == MultiUser.model_validate_json(TEXT)


@pytest.mark.parametrize("form", RESPONSES)
def test_tasks_are_read_from_the_responses_api(form: str) -> None:
    with answering_with(*[RESPONSES[form]] * 2) as base_url, open_client(base_url) as client:
        stream = client.responses.create(model="m", input="Who?", stream=True)
        users = [*MultiUser.from_streaming_response(stream)]
        whole = MultiUser.from_response(client.responses.create(model="m", input="Who?"))

    assert users == [JO, AL]
    assert whole.tasks == [JO, AL]


@pytest.mark.anyio
@pytest.mark.parametrize("form", CHAT)
async def test_an_async_stream_is_read_with_async_for(form: str) -> None:
    with answering_with(CHAT[form]) as base_url:
        async with open_async_client(base_url) as client:
            stream: AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
                model="m", messages=[], stream=True
            )
            users = MultiUser.from_streaming_response(stream)

            assert isinstance(users, AsyncValues)
            assert [user async for user in users] == [JO, AL]


@pytest.mark.anyio
async def test_a_whole_completion_can_be_read_in_an_event_loop() -> None:
    with answering_with(CHAT["a tool call"]) as base_url:
        async with open_async_client(base_url) as client:
            whole = await client.chat.completions.create(model="m", messages=[])

    assert MultiUser.from_response(whole).tasks == [JO, AL]


@pytest.mark.anyio
async def test_an_async_stream_of_responses_is_read_too() -> None:
    with answering_with(RESPONSES["a call"]) as base_url:
        async with open_async_client(base_url) as client:
            stream: AsyncStream[ResponseStreamEvent] = await client.responses.create(
                model="m", input="Who?", stream=True
            )

            assert [user async for user in MultiUser.from_streaming_response(stream)] == [JO, AL]


def test_chunks_are_read_from_any_iterable_and_as_dicts() -> None:
    answer = CHAT["a tool call"]
    objects = [ChatCompletionChunk.model_validate(chunk) for chunk in chunks_of(answer)]

    for chunks in (objects, chunks_of(answer), tuple(objects), (chunk for chunk in objects)):
        assert [*MultiUser.from_streaming_response(chunks)] == [JO, AL]


@pytest.mark.anyio
async def test_chunks_are_read_from_any_asynchronous_iterable() -> None:
    async def chunks() -> AsyncGenerator[Any]:
        for chunk in chunks_of(CHAT["content"]):
            yield chunk

    assert [user async for user in MultiUser.from_streaming_response(chunks())] == [JO, AL]


def test_a_task_comes_as_soon_as_it_closes() -> None:
    chunks = chunks_of(chat_content(TEXT, size=1))
    before = 1 + TEXT.index("}") + 1  # the chunk that has the role only comes first
    left = iter(chunks)

    users = MultiUser.from_streaming_response(left)

    assert next(users) == JO
    assert len([*left]) == len(chunks) - before


items = st.lists(
    st.builds(Search, query=st.text(max_size=5)) | st.builds(Reply, text=st.text(max_size=5)),
    max_size=4,
)


@given(tasks=items, size=st.integers(1, 9), indent=st.sampled_from([None, 1]))
def test_tasks_do_not_depend_on_how_the_text_is_cut(
    tasks: list[Search | Reply], size: int, indent: int | None
) -> None:
    Multi = MultiTask(Search | Reply)  # noqa: N806  # it is a class
    plain = [task.model_dump() for task in tasks]
    text = json.dumps({"tasks": plain}, indent=indent)

    read = [
        *Multi.from_streaming_response(chunks_of(chat_calls((Multi.__name__, text), size=size)))
    ]

    assert read == tasks
    assert [type(task) for task in read] == [type(task) for task in tasks]


@pytest.mark.parametrize(
    ("task", "text", "values"),
    [
        (int, "[1, 75001]", [1, 75001]),
        (str, '["a", "b\\"c"]', ["a", 'b"c']),
        (Color, '["red", "blue"]', [Color.RED, Color.BLUE]),
        (Literal["a", "b"], '["b", "a"]', ["b", "a"]),
        (Positive, "[1, 2]", [1, 2]),
        (int | None, "[1, null]", [1, None]),
        (list[int], "[[1], [2, 3]]", [[1], [2, 3]]),
    ],
)
def test_a_task_can_be_of_any_type(task: Any, text: str, values: list[Any]) -> None:
    chunks = chunks_of(chat_content(f'{{"tasks": {text}}}', size=1))

    assert [*MultiTask(task).from_streaming_response(chunks)] == values


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_stream_ends_in_its_error_after_the_tasks_before_it(reason: str) -> None:
    answer, error, before = BAD[reason]
    users: list[User] = []

    with pytest.raises(error):
        users.extend(MultiUser.from_streaming_response(streamed(answer)))

    assert users == before


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_answer_raises_the_same_error_as_its_stream(reason: str) -> None:
    answer, error, _ = BAD[reason]

    with (
        answering_with(answer) as base_url,
        open_client(base_url) as client,
        pytest.raises(error),
    ):
        MultiUser.from_response(ask(client))


def test_a_refusal_through_the_responses_api_is_refused() -> None:
    with answering_with(responses_refusal("No.")) as base_url, open_client(base_url) as client:
        whole = client.responses.create(model="m", input="Who?")

    with pytest.raises(Refused):
        MultiUser.from_response(whole)


def test_a_provider_that_fails_midway_is_told_after_the_tasks_before_it() -> None:
    users: list[User] = []

    with pytest.raises(SourceFailed, match="Overloaded"):
        users.extend(
            MultiUser.from_streaming_response(streamed(chat_error_midway(BEGUN, "Overloaded")))
        )

    assert users == [JO]


def test_the_error_of_a_task_says_where_it_stands() -> None:
    with pytest.raises(SchemaMismatch) as caught:
        list(MultiUser.from_streaming_response(chunks_of(chat_content(INVALID))))

    assert caught.value.path == ("tasks", 1)


@pytest.mark.parametrize("whole", ["text", b"bytes", {"choices": []}])
def test_what_is_no_stream_is_a_type_error_now(whole: Any) -> None:
    with pytest.raises(TypeError, match="a whole answer is read by from_response"):
        MultiUser.from_streaming_response(whole)


def test_a_whole_completion_is_no_stream() -> None:
    with answering_with(CHAT["content"]) as base_url, open_client(base_url) as client:
        whole = ask(client)

    with pytest.raises(TypeError, match="ChatCompletion: a whole answer is read by from_response"):
        MultiUser.from_streaming_response(whole)


def test_a_stream_is_no_whole_completion() -> None:
    with streamed(CHAT["content"]) as stream, pytest.raises(UnknownElement):
        MultiUser.from_response(stream)


def leave_by_break(users: Iterable[User]) -> None:
    for _ in users:
        break


def leave_by_an_exception(users: Iterable[User]) -> None:
    with pytest.raises(LookupError):
        for _ in users:
            raise LookupError


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_an_exception])
def test_leaving_the_loop_closes_the_response(leave: Callable[[Iterable[User]], None]) -> None:
    with (
        no_threads_left(),
        answering_with(CHAT["content"]) as base_url,
        open_client(base_url) as client,
    ):
        stream = open_stream(client)

        leave(MultiUser.from_streaming_response(stream))
        gc.collect()

        assert stream.response.is_closed


def test_a_stream_of_which_nothing_was_read_is_closed_with_its_generator() -> None:
    with answering_with(CHAT["content"]) as base_url, open_client(base_url) as client:
        stream = open_stream(client)
        MultiUser.from_streaming_response(stream).close()

        assert stream.response.is_closed


def test_a_stream_whose_generator_nobody_keeps_is_closed() -> None:
    with answering_with(CHAT["content"]) as base_url, open_client(base_url) as client:
        stream = open_stream(client)
        MultiUser.from_streaming_response(stream)
        gc.collect()

        assert stream.response.is_closed


def test_what_cannot_be_closed_need_not_be() -> None:
    users = MultiUser.from_streaming_response(chunks_of(CHAT["content"]))
    users.close()

    assert [*users] == []


@pytest.mark.anyio
async def test_leaving_async_with_closes_the_response() -> None:
    with answering_with(CHAT["content"]) as base_url:
        async with nothing_left(), open_async_client(base_url) as client:
            stream = await client.chat.completions.create(model="m", messages=[], stream=True)

            async with MultiUser.from_streaming_response(stream) as users:
                async for _ in users:
                    break

            assert stream.response.is_closed
