"""What Partial[Model] promises, as a type and to answers of the real clients."""

from __future__ import annotations

import copy
import gc
import json
import pickle
from collections.abc import AsyncGenerator, Callable, Iterable
from itertools import pairwise
from typing import Annotated, Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncStream, OpenAI, Stream
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, ConfigDict, Field, RootModel

from streamops.errors import NoJson, Refused, SchemaMismatch, TruncatedJson, UnknownElement
from streamops.multitask import MultiTask
from streamops.partial import partial_model, state_of
from streamops.partial_type import Partial, partial_of
from streamops.sinks.awaiting import AsyncValues
from tests.answers import (
    answering_with,
    chat_calls,
    chat_content,
    chat_function_call,
    chat_refusal,
    responses_calls,
    responses_text,
)
from tests.clients import answering, open_async_client, open_client
from tests.traces import no_threads_left, nothing_left

T = TypeVar("T")


class User(BaseModel):
    """Somebody who was there."""

    name: str
    age: int = Field(ge=0)

    @property
    def greeting(self) -> str:
        return f"Hello {self.name}"


class Admin(User):
    rights: list[str] = []


class Page(BaseModel, Generic[T]):
    items: list[T]


class Names(RootModel[list[str]]):
    """The names of all."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str


class Shadowing(BaseModel):
    from_response: str


MultiUser: Any = MultiTask(User)
MODELS = [User, Admin, Page[User], Names, Frozen, Shadowing, MultiUser]

JO = User(name="Jo Do", age=33)
TEXT = '{"name": "Jo Do", "age": 33}'

CHAT = {
    "a tool call": chat_calls(("User", TEXT)),
    "a function call": chat_function_call("User", TEXT),
    "content": chat_content(TEXT),
    "a fenced block": chat_content(f"Here it is:\n```json\n{TEXT}\n```\nThat is all."),
}
RESPONSES = {
    "a call": responses_calls(("User", TEXT)),
    "text": responses_text(TEXT),
}
BAD: dict[str, tuple[bytes, type[Exception]]] = {
    "it is cut off": (chat_content(TEXT[:12], finish="length"), TruncatedJson),
    "it does not fit": (chat_calls(("User", TEXT.replace("33", "-33"))), SchemaMismatch),
    "it is an apology": (chat_content("I am sorry."), NoJson),
    "it is a refusal": (chat_refusal("I can't."), Refused),
}


def open_stream(client: OpenAI) -> Stream[ChatCompletionChunk]:
    return client.chat.completions.create(model="m", messages=[], stream=True)


def ask(client: OpenAI) -> ChatCompletion:
    return client.chat.completions.create(model="m", messages=[])


def chunks_of(answer: bytes) -> list[Any]:
    lines = answer.decode().splitlines()
    payloads = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


@pytest.mark.parametrize("model", MODELS)
def test_the_partial_of_a_model_is_a_subclass_of_it_and_of_its_twin(model: Any) -> None:
    partial: Any = Partial[model]

    assert issubclass(partial, model)
    assert issubclass(partial, partial_model(model))
    assert issubclass(partial, Partial)
    assert partial is Partial[model]
    assert partial.__name__ == f"Partial[{model.__name__}]"
    assert partial.__module__ == model.__module__


def test_a_subclass_has_a_partial_of_its_own() -> None:
    assert Partial[User] is not Partial[Admin]
    assert partial_of(Partial[Admin]) is Admin
    assert partial_of(Admin) is None


def test_the_partial_of_a_partial_is_the_same() -> None:
    partial: Any = Partial[User]

    assert Partial[partial] is partial


def test_any_subset_of_the_fields_makes_an_instance() -> None:
    user: Any = Partial[User](name="Jo")

    assert isinstance(user, User)
    assert user.greeting == "Hello Jo"
    assert user.age is None
    assert user.model_fields_set == {"name"}
    assert user.model_dump() == {"name": "Jo", "age": None}
    assert repr(user) == "Partial[User](name='Jo', age=None)"
    assert repr(Partial[User]()) == "Partial[User](name=None, age=None)"


def pickled(user: Any) -> Any:
    return pickle.loads(pickle.dumps(user))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, pickled])
def test_an_instance_can_be_copied_and_pickled(again: Callable[[Any], Any]) -> None:
    user: Any = Partial[User](name="Jo")

    assert again(user) == user
    assert type(again(user)) is Partial[User]
    assert again(user).model_fields_set == {"name"}


@pytest.mark.parametrize(
    ("type_", "of"),
    [
        (Partial[User], User),
        (Partial[list[User]], list[User]),
        (Partial[User | None], User | None),
        (Partial[int], int),
        (Partial, None),
        (User, None),
        (partial_model(User), None),
        (JO, None),
        (None, None),
    ],
)
def test_the_type_of_a_partial_can_be_asked_for(type_: Any, of: Any) -> None:
    assert partial_of(type_) == of


def test_types_that_are_equal_and_read_otherwise_are_told_apart() -> None:
    assert repr(partial_of(Partial[User | Admin])) != repr(partial_of(Partial[Admin | User]))


def test_what_stands_in_a_type_need_not_be_hashable() -> None:
    partial: Any = Partial[Annotated[list[int], {"unit": "m"}]]

    assert partial.from_response(whole("[1, 2]")) == [1, 2]


def test_a_variable_makes_an_annotation() -> None:
    partial: Any = Partial

    assert partial_of(partial[T]) is None
    assert partial[T].__args__ == (T,)


@pytest.mark.parametrize("type_", [5, "User", JO, [User], (User, Admin), ()])
def test_what_is_no_type_is_a_type_error_at_once(type_: Any) -> None:
    with pytest.raises(TypeError, match="Partial needs a type that pydantic can validate"):
        Partial[type_]


@pytest.mark.parametrize("method", ["__call__", "from_response", "from_streaming_response"])
def test_a_partial_of_nothing_says_what_to_write(method: str) -> None:
    use: Callable[[Any], object] = getattr(Partial, method)

    with pytest.raises(TypeError, match=r"write Partial\[Model\]"):
        use(chunks_of(CHAT["content"]))


def test_only_partials_of_models_have_instances() -> None:
    with pytest.raises(TypeError, match="those of models have"):
        Partial[list[User]]()


@pytest.mark.parametrize("form", CHAT)
def test_partials_are_read_from_an_open_stream(form: str) -> None:
    with answering_with(CHAT[form]) as base_url, open_client(base_url) as client:
        *growing, last = Partial[User].from_streaming_response(open_stream(client))

    assert [user.name for user in growing] == [None, "Jo", "Jo Do"]
    assert all(isinstance(user, User) and type(user) is not User for user in growing)
    assert type(last) is User
    assert last == JO


@pytest.mark.parametrize("form", CHAT)
def test_a_whole_completion_is_validated(form: str) -> None:
    with answering_with(CHAT[form]) as base_url, open_client(base_url) as client:
        user = Partial[User].from_response(ask(client))

    assert type(user) is User
    assert user == JO


@pytest.mark.parametrize("form", RESPONSES)
def test_both_are_read_from_the_responses_api(form: str) -> None:
    with answering_with(*[RESPONSES[form]] * 2) as base_url, open_client(base_url) as client:
        stream = client.responses.create(model="m", input="Who?", stream=True)
        users = [*Partial[User].from_streaming_response(stream)]
        user = Partial[User].from_response(client.responses.create(model="m", input="Who?"))

    assert len(users) > 2
    assert users[-1] == user == JO


@pytest.mark.anyio
@pytest.mark.parametrize("form", CHAT)
async def test_an_async_stream_is_read_with_async_for(form: str) -> None:
    with answering_with(CHAT[form]) as base_url:
        async with open_async_client(base_url) as client:
            stream: AsyncStream[ChatCompletionChunk] = await client.chat.completions.create(
                model="m", messages=[], stream=True
            )
            users = Partial[User].from_streaming_response(stream)

            assert isinstance(users, AsyncValues)
            assert [user.name async for user in users] == [None, "Jo", "Jo Do", "Jo Do"]


@pytest.mark.anyio
async def test_chunks_are_read_from_any_asynchronous_iterable() -> None:
    async def chunks() -> AsyncGenerator[Any]:
        for chunk in chunks_of(CHAT["content"]):
            yield chunk

    users = [user async for user in Partial[User].from_streaming_response(chunks())]

    assert users[-1] == JO


@given(name=st.text(max_size=9), age=st.integers(0, 10**6), size=st.integers(1, 9))
def test_every_partial_differs_and_the_last_is_the_truth(name: str, age: int, size: int) -> None:
    text = json.dumps({"name": name, "age": age})

    *growing, last = Partial[User].from_streaming_response(chunks_of(chat_content(text, size=size)))

    shown = [user.model_dump() for user in growing]
    assert all(a != b for a, b in pairwise(shown))
    assert all(name.startswith(user.name or "") for user in growing)
    assert all(user.age in (None, age) for user in growing)
    assert last == User.model_validate_json(text)


def test_a_model_may_have_methods_of_the_same_names() -> None:
    partial: Any = Partial[MultiUser]
    chunks = chunks_of(chat_content(f'{{"tasks": [{TEXT}]}}'))

    *growing, last = partial.from_streaming_response(chunks)

    assert all(isinstance(t, MultiUser) and type(t) is not MultiUser for t in growing)
    assert last == MultiUser(tasks=[JO])


def test_what_is_finished_of_a_partial_can_be_asked() -> None:
    _, growing, *_ = Partial[User].from_streaming_response(chunks_of(CHAT["content"]))

    assert growing.name == "Jo"
    assert state_of(growing).at(("name",)) == "growing"


def test_a_partial_list_grows() -> None:
    text = f"[{TEXT}, {TEXT}]"
    lengths = [
        len(users)
        for users in Partial[list[User]].from_streaming_response(chunks_of(chat_content(text)))
    ]

    assert lengths == sorted(lengths)
    assert set(lengths) >= {1, 2}


def whole(text: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (list[User], f"[{TEXT}]", [JO]),
        (User | None, TEXT, JO),
        (int, "75001", 75001),
        (Names, '["Jo"]', Names(["Jo"])),
        (Page[User], f'{{"items": [{TEXT}]}}', Page[User](items=[JO])),
        (Frozen, '{"name": "Jo"}', Frozen(name="Jo")),
    ],
)
def test_whatever_to_partial_takes_can_be_read(type_: Any, text: str, value: Any) -> None:
    partial: Any = Partial[type_]

    assert partial.from_response(whole(text)) == value
    assert [*partial.from_streaming_response(chunks_of(chat_content(text)))][-1] == value


@pytest.mark.parametrize("reason", BAD)
def test_a_bad_answer_ends_in_the_same_error_streamed_or_whole(reason: str) -> None:
    answer, error = BAD[reason]
    stream = open_stream(answering(answer.decode()))

    with pytest.raises(error):
        list(Partial[User].from_streaming_response(stream))

    with (
        answering_with(answer) as base_url,
        open_client(base_url) as client,
        pytest.raises(error),
    ):
        Partial[User].from_response(ask(client))


def test_partials_come_before_the_error() -> None:
    answer, error = BAD["it is cut off"]
    names: list[str | None] = []

    with pytest.raises(error):
        names.extend(user.name for user in Partial[User].from_streaming_response(chunks_of(answer)))

    assert names == [None, "Jo"]


def test_a_whole_completion_is_no_stream_and_the_other_way_round() -> None:
    with pytest.raises(TypeError, match="a whole answer is read by from_response"):
        Partial[User].from_streaming_response(whole(TEXT))

    with pytest.raises(UnknownElement):
        Partial[User].from_response(iter(chunks_of(CHAT["content"])))


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

        leave(Partial[User].from_streaming_response(stream))
        gc.collect()

        assert stream.response.is_closed


@pytest.mark.anyio
async def test_leaving_async_with_closes_the_response() -> None:
    with answering_with(CHAT["content"]) as base_url:
        async with nothing_left(), open_async_client(base_url) as client:
            stream = await client.chat.completions.create(model="m", messages=[], stream=True)

            async with Partial[User].from_streaming_response(stream) as users:
                async for _ in users:
                    break

            assert stream.response.is_closed
