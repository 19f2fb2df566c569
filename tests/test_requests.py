"""What request and extract promise, to real clients, by a server that checks what they send."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import openai
import pytest
from openai import AzureOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessage
from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator
from reactivex import Observable
from typing_extensions import TypedDict

import streamops as so
from streamops import operators as ops
from streamops.schemas import InexpressibleSchema
from tests.answers import (
    answering_with,
    chat_calls,
    chat_content,
    chat_function_call,
    responses_calls,
    responses_text,
)
from tests.clients import http_client, open_async_client, open_client

Mode = so.Mode
extract: Callable[..., Observable[Any]] = so.extract  # the overloads cannot tell what ** holds
ASKED: list[dict[str, str]] = [{"role": "user", "content": "Who was there?"}]
TOOLS = [Mode.TOOLS, Mode.FUNCTIONS, Mode.RESPONSES_TOOLS]


class User(BaseModel):
    """Somebody who was there."""

    name: str
    age: int = Field(ge=0)


class Search(BaseModel):
    """Look something up."""

    query: str


class Reply(BaseModel):
    """Say something."""

    text: str


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Movie(TypedDict):
    title: str


USER = '{"name": "Jo Do", "age": 3}'
JO, AL = User(name="Jo Do", age=3), User(name="Al", age=4)
TASKS = '{"tasks": [{"name": "Jo Do", "age": 3}, {"name": "Al", "age": 4}]}'


def answer(mode: so.Mode, text: str, tool: str) -> bytes:
    """Return what a model answers when it was asked in a mode."""
    match mode:
        case Mode.TOOLS:
            return chat_calls((tool, text))
        case Mode.FUNCTIONS:
            return chat_function_call(tool, text)
        case Mode.RESPONSES_TOOLS:
            return responses_calls((tool, text))
        case Mode.RESPONSES_JSON_SCHEMA:
            return responses_text(text)
        case Mode.MD_JSON:
            return chat_content(f"Here it is:\n```json\n{text}\n```\nAnything else?")
        case _:
            return chat_content(text)


def question(mode: so.Mode) -> dict[str, Any]:
    """Return the arguments that say what is asked."""
    return {"model": "m", "messages" if mode.api == "chat" else "input": ASKED}


def extracted(mode: so.Mode, response_model: Any, *answers: bytes, **options: Any) -> list[Any]:
    """Return all that is emitted, of a server that insists on the mode."""
    with answering_with(*answers, mode=mode) as base_url, open_client(base_url) as client:
        stream = extract(
            client, response_model=response_model, mode=mode, **question(mode), **options
        )
        return list(so.to_generator(stream))


@pytest.mark.parametrize("mode", Mode)
def test_a_model_comes_as_partials_and_at_last_validated(mode: so.Mode) -> None:
    values = extracted(mode, User, answer(mode, USER, "User"))

    assert values[-1] == JO
    assert type(values[-1]) is User
    assert all(isinstance(value, User) for value in values)
    assert [value.name for value in values][-2:] == ["Jo Do", "Jo Do"]
    assert len(values) > 3


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("asked_for", [Iterable[User], list[User], so.MultiTask(User)], ids=str)
def test_items_come_one_by_one(mode: so.Mode, asked_for: Any) -> None:
    assert extracted(mode, asked_for, answer(mode, TASKS, "MultiUser")) == [JO, AL]


@pytest.mark.parametrize("mode", Mode)
def test_an_answer_that_did_not_stream_is_one_value(mode: so.Mode) -> None:
    user, users = answer(mode, USER, "User"), answer(mode, TASKS, "MultiUser")
    tasks: Any = so.MultiTask(User)

    assert extracted(mode, User, user, stream=False) == [JO]
    assert extracted(mode, Iterable[User], users, stream=False) == [[JO, AL]]
    assert extracted(mode, list[User], users, stream=False) == [[JO, AL]]
    assert extracted(mode, tasks, users, stream=False) == [tasks(tasks=[JO, AL])]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("asked_for", "json_value", "value"),
    [
        (User | None, None, None),
        (User | None, {"name": "Jo Do", "age": 3}, JO),
        (int, 75001, 75001),
        (str, "some text", "some text"),
        (Color, "red", Color.RED),
        (Literal["a", "b"], "b", "b"),
        (int | str, "x", "x"),
    ],
)
def test_what_is_no_object_is_the_field_of_one(
    mode: so.Mode, asked_for: Any, json_value: Any, value: Any
) -> None:
    text = json.dumps({"value": json_value})

    values = extracted(mode, asked_for, answer(mode, text, "Answer"))

    assert values[-1] == value
    assert type(values[-1]) is type(value)
    assert None not in values[:-1]


def test_half_read_numbers_are_not_shown() -> None:
    text = '{"value": 75001}'
    assert extracted(Mode.TOOLS, int, chat_calls(("Answer", text), size=1)) == [75001]


@pytest.mark.parametrize("asked_for", [so.Partial[User], User])
def test_a_partial_type_asks_for_its_model(asked_for: Any) -> None:
    values = extracted(Mode.TOOLS, asked_for, answer(Mode.TOOLS, USER, "User"))

    assert values[-1] == JO
    assert len(values) > 3


def test_a_partial_list_grows() -> None:
    text = json.dumps({"value": [{"name": "Jo Do", "age": 3}, {"name": "Al", "age": 4}]})
    values = extracted(Mode.TOOLS, so.Partial[list[User]], chat_calls(("Answer", text)))

    assert values[-1] == [JO, AL]
    assert {len(value) for value in values} >= {1, 2}


@pytest.mark.parametrize("mode", Mode)
def test_a_typed_dict_can_be_asked_for(mode: so.Mode) -> None:
    values = extracted(mode, Movie, answer(mode, '{"title": "Up"}', "Movie"))
    assert values[-1] == {"title": "Up"}


@pytest.mark.parametrize("mode", TOOLS)
def test_each_of_several_models_is_a_tool_of_its_own(mode: so.Mode) -> None:
    values = extracted(mode, Search | Reply, answer(mode, '{"text": "Hello you"}', "Reply"))

    assert values[-1] == Reply(text="Hello you")
    assert all(isinstance(value, Reply) for value in values)


@pytest.mark.parametrize("calls", [chat_calls, responses_calls])
@pytest.mark.parametrize("stream", [True, False])
def test_several_calls_are_several_values(calls: Callable[..., bytes], stream: bool) -> None:
    mode = Mode.TOOLS if calls is chat_calls else Mode.RESPONSES_TOOLS
    made = calls(
        ("Search", '{"query": "a"}'), ("Reply", '{"text": "b"}'), ("Search", '{"query": "c"}')
    )

    values = extracted(mode, Search | Reply, made, stream=stream)

    finished = [value for value in values if type(value) in (Search, Reply)]
    assert finished == [Search(query="a"), Reply(text="b"), Search(query="c")]
    assert stream or values == finished


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode not in TOOLS])
def test_one_of_several_models_is_asked_for_without_tools(mode: so.Mode) -> None:
    values = extracted(mode, Search | Reply, answer(mode, '{"value": {"text": "Hello"}}', ""))
    assert values[-1] == Reply(text="Hello")


def test_items_of_several_calls_are_all_emitted() -> None:
    one, two = '{"tasks": [{"name": "Jo Do", "age": 3}]}', '{"tasks": [{"name": "Al", "age": 4}]}'
    made = chat_calls(("MultiUser", one), ("MultiUser", two))

    assert extracted(Mode.TOOLS, Iterable[User], made) == [JO, AL]
    assert extracted(Mode.TOOLS, Iterable[User], made, stream=False) == [[JO, AL]]


@pytest.mark.parametrize(
    "text", ['[{"name": "Al", "age": 4}]', '{"users": [{"name": "Al", "age": 4}]}']
)
def test_items_may_come_in_another_list_than_was_asked_for(text: str) -> None:
    assert extracted(Mode.JSON, Iterable[User], chat_content(text)) == [AL]


@pytest.mark.parametrize(
    ("item", "tasks", "items"),
    [
        (int, [1, 20], [1, 20]),
        (Color, ["blue", "red"], [Color.BLUE, Color.RED]),
        (Search | Reply, [{"text": "b"}, {"query": "a"}], [Reply(text="b"), Search(query="a")]),
    ],
)
def test_items_may_be_of_any_type(item: Any, tasks: Any, items: Any) -> None:
    text = json.dumps({"tasks": tasks})
    # The tool's name does not matter where there is one tool.
    assert extracted(Mode.TOOLS, Iterable[item], chat_calls(("Any", text))) == items


@pytest.mark.parametrize("mode", TOOLS)
def test_a_provider_that_answers_with_content_is_read_too(mode: so.Mode) -> None:
    content = responses_text(USER) if mode.api == "responses" else chat_content(USER)
    assert extracted(mode, User, content)[-1] == JO


@pytest.mark.anyio
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_asynchronous_client_asks_for_the_same(mode: so.Mode, stream: bool) -> None:
    made = answer(mode, USER, "User"), answer(mode, TASKS, "MultiUser")
    with answering_with(*made, mode=mode) as base_url:
        async with open_async_client(base_url) as client:
            asking: dict[str, Any] = {"mode": mode, "stream": stream, **question(mode)}
            user = extract(client, response_model=User, **asking)
            users = extract(client, response_model=Iterable[User], **asking)

            assert await so.arun(user) == JO
            async with so.to_async_generator(users) as values:
                items = [value async for value in values]

    assert items == ([JO, AL] if stream else [[JO, AL]])


def test_the_azure_client_is_a_client() -> None:
    with answering_with(chat_calls(("User", USER)), mode=Mode.TOOLS) as base_url:
        client = AzureOpenAI(
            azure_endpoint=base_url, api_key="x", api_version="1", http_client=http_client()
        )
        with client:
            asked = extract(client, response_model=User, model="m", messages=ASKED)
            assert so.run(asked) == JO


def test_request_emits_what_operators_read() -> None:
    asked: dict[str, Any] = {"response_model": Iterable[User], "model": "m", "messages": ASKED}
    answers = answering_with(chat_calls(("MultiUser", TASKS)), mode=Mode.TOOLS)

    with answers as base_url, open_client(base_url) as client:
        for deltas in (so.request(client, **asked), so.request(client, **asked, stream=False)):
            users = deltas.pipe(ops.accumulate_json(), ops.split_items(User))
            assert list(so.to_generator(users)) == [JO, AL]


@pytest.fixture
def asked() -> Iterator[tuple[OpenAI, list[Mapping[str, Any]]]]:
    """A client, and the bodies of its requests."""
    bodies: list[Mapping[str, Any]] = []
    answers = answering_with(chat_calls(("User", USER)), on_request=bodies.append)
    with answers as base_url, open_client(base_url) as client:
        yield client, bodies


def test_every_subscriber_sends_a_request(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    stream = extract(client, response_model=User, model="m", messages=ASKED)

    assert bodies == []
    assert [so.run(stream), so.run(stream)] == [JO, JO]
    assert len(bodies) == 2


def test_other_arguments_are_passed_on_and_nothing_given_is_changed(
    asked: tuple[OpenAI, list[Any]],
) -> None:
    client, bodies = asked
    given: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, *ASKED],
        "temperature": 0.5,
        "seed": 7,
        "extra_body": {"top_k": 3},
        "stream_options": {"include_obfuscation": False},
    }
    before = copy.deepcopy(given)

    for mode in (Mode.TOOLS, Mode.JSON, Mode.MD_JSON):
        so.run(extract(client, response_model=User, mode=mode, **given))
        assert given == before

    for body in bodies:
        assert (body["temperature"], body["seed"], body["top_k"]) == (0.5, 7, 3)
        assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}

    assert bodies[0]["messages"] == before["messages"]
    assert bodies[1]["messages"][0]["content"].startswith("Be brief.\n\n")
    assert bodies[1]["messages"][1:] == ASKED


def test_usage_is_not_asked_for_where_the_caller_says_so(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    given: Any = {"include_usage": False}
    so.run(extract(client, response_model=User, model="m", messages=ASKED, stream_options=given))
    assert bodies[0]["stream_options"] == {"include_usage": False}


def test_messages_that_can_be_iterated_over_once_are_sent_every_time(
    asked: tuple[OpenAI, list[Any]],
) -> None:
    client, bodies = asked
    stream = extract(client, response_model=User, model="m", messages=iter(ASKED))
    so.run(stream)
    so.run(stream)
    assert [body["messages"] for body in bodies] == [ASKED, ASKED]


@pytest.mark.parametrize(
    "content", ["Be brief.", [{"type": "text", "text": "Be brief."}], None], ids=repr
)
@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_prompt_joins_the_first_message(
    asked: tuple[OpenAI, list[Any]], role: str, content: Any
) -> None:
    client, bodies = asked
    messages = [{"role": role, "content": content}, *ASKED]
    so.run(extract(client, response_model=User, mode="json", model="m", messages=messages))

    first, *others = bodies[0]["messages"]
    assert first["role"] == role
    assert '"properties"' in json.dumps(first["content"]).replace("\\", "")
    assert others == ASKED


def test_a_type_that_no_strict_schema_can_express_is_sent_as_it_is_with_tools(
    asked: tuple[OpenAI, list[Any]],
) -> None:
    class Page(BaseModel):
        notes: dict[str, str]

    client, bodies = asked
    stream = extract(client, response_model=Page, model="m", messages=ASKED)

    with pytest.raises(so.SchemaMismatch):
        so.run(stream)

    function = bodies[0]["tools"][0]["function"]
    assert "strict" not in function
    assert function["parameters"]["properties"]["notes"]["additionalProperties"]


class Known(BaseModel):
    name: str
    age: float

    @field_validator("name")
    @classmethod
    def look_up(cls, name: str, info: ValidationInfo) -> str:
        assert info.context
        return str(info.context[name])


def test_context_reaches_pydantic(asked: tuple[OpenAI, list[Any]]) -> None:
    client, _ = asked
    names = {"Jo Do": "Joanna"}
    stream = extract(client, response_model=Known, model="m", messages=ASKED, context=names)
    assert so.run(stream) == Known.model_validate({"name": "Jo Do", "age": 3}, context=names)


@pytest.mark.parametrize("strict", [True, False])
def test_strict_reaches_pydantic(strict: bool) -> None:
    made = chat_calls(("User", '{"name": "Jo Do", "age": "3"}'))

    if strict:
        with pytest.raises(so.SchemaMismatch, match="age"):
            extracted(Mode.TOOLS, User, made, strict=True)
    else:
        assert extracted(Mode.TOOLS, User, made)[-1] == JO


NO_CLIENTS: list[tuple[Any, str]] = [
    (None, "openai.OpenAI"),
    (openai, "not module"),
    (OpenAI, r"make an instance, OpenAI\(\)"),
    (OpenAI(api_key="x").chat.completions, "pass the client itself"),
]


@pytest.mark.parametrize(("client", "advice"), NO_CLIENTS)
@pytest.mark.parametrize("ask", [so.extract, so.request])
def test_what_is_no_client_is_refused_at_once(
    ask: Callable[..., Any], client: Any, advice: str
) -> None:
    with pytest.raises(TypeError, match=advice):
        ask(client, response_model=User, model="m", messages=ASKED)


def has_callback() -> type[BaseModel]:
    class Holder(BaseModel):
        callback: Callable[[], int]

    return Holder


def has_dict() -> type[BaseModel]:
    class Meeting(BaseModel):
        extra: dict[str, int]

    return Meeting


class Twin:
    class User(BaseModel):
        other: str


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"mode": "xml"}, ValueError, r"Mode.TOOLS \('tools'\), .* not 'xml'"),
    ({"response_model": Iterable}, TypeError, r"Iterable\[User\]"),
    ({"response_model": list}, TypeError, r"list\[User\]"),
    ({"response_model": so.Partial}, TypeError, r"Partial\[User\]"),
    ({"response_model": JO}, TypeError, "is a type, such as a class, not User"),
    ({"response_model": "User"}, TypeError, "is a type, such as a class, not 'User'"),
    ({"response_model": has_callback()}, TypeError, "Holder.callback"),
    (
        {"response_model": has_dict(), "mode": Mode.JSON_SCHEMA},
        InexpressibleSchema,
        "Meeting.extra",
    ),
    ({"response_model": User | Twin.User}, ValueError, "User, User"),
    ({"tools": []}, TypeError, "tools="),
    ({"mode": Mode.JSON, "response_format": {}}, TypeError, "response_format="),
    ({"temprature": 1}, TypeError, "temprature"),
    ({"input": "x"}, TypeError, "Mode.TOOLS takes messages="),
    ({"messages": None}, TypeError, "takes a list of messages"),
    ({"messages": "Hi"}, TypeError, "takes a list of messages"),
    ({"messages": openai.NOT_GIVEN}, TypeError, "messages"),
    ({"response_model": None}, TypeError, "from_openai"),
    ({"response_model": BaseModel}, TypeError, "no fields"),
    ({"response_model": {"a": int}}, TypeError, "is a type"),
    ({"response_model": so.MultiTask}, TypeError, r"MultiTask\(User\)"),
    ({"response_model": Iterable[Iterable[User]]}, TypeError, "write list"),
    ({"response_model": so.Partial[Iterable[User]]}, TypeError, "write list"),
    ({"response_model": so.Partial[User] | None}, TypeError, "write its model"),
    ({"response_model": so.MultiTask(Iterable[int])}, TypeError, "write list"),
    ({"stream_options": 5}, TypeError, "stream_options= is a dict"),
    ({"stream": "yes"}, TypeError, "stream is True or False"),
    ({"fail_fast": "no"}, TypeError, "fail_fast is True or False"),
    ({"attempts": 3}, TypeError, "attempts is True or False"),
    ({"validation_context": {}}, TypeError, "it is called context= here"),
    ({"max_retries": -1}, ValueError, "max_retries"),
    ({"max_retries": "2"}, TypeError, "max_retries"),
    ({"on_attempt": 3}, TypeError, "on_attempt"),
]


@pytest.mark.parametrize(("wrong", "kind", "advice"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_asked_for_is_refused_at_once(
    wrong: dict[str, Any], kind: type[Exception], advice: str
) -> None:
    arguments: dict[str, Any] = {"response_model": User, "model": "m", "messages": ASKED, **wrong}
    client = OpenAI(api_key="x", http_client=http_client())

    with client, pytest.raises(kind, match=advice):
        extract(client, **arguments)


def test_messages_are_for_the_other_api() -> None:
    client = OpenAI(api_key="x", http_client=http_client())
    wrong: dict[str, Any] = {"mode": Mode.RESPONSES_TOOLS, "model": "m", "messages": ASKED}

    with client, pytest.raises(TypeError, match=r"Mode\.RESPONSES_TOOLS takes input="):
        extract(client, response_model=User, **wrong)


def test_messages_may_be_objects_of_the_sdk(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    earlier = ChatCompletionMessage(role="assistant", content="Hello!")

    for mode in (Mode.TOOLS, Mode.JSON):
        so.run(
            extract(client, response_model=User, mode=mode, model="m", messages=[earlier, *ASKED])
        )

    assert bodies[0]["messages"] == [{"role": "assistant", "content": "Hello!"}, *ASKED]
    assert bodies[1]["messages"][0]["role"] == "system"
    assert bodies[1]["messages"][1:] == bodies[0]["messages"]


def test_messages_that_are_added_later_are_not_sent(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    messages = [*ASKED]
    stream = extract(client, response_model=User, model="m", messages=messages)
    messages.append({"role": "user", "content": "And when?"})
    so.run(stream)
    assert bodies[0]["messages"] == ASKED


def test_arguments_that_are_not_given_are_left_out(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    left_out: dict[str, Any] = {"tools": openai.NOT_GIVEN, "temperature": openai.omit}
    so.run(extract(client, response_model=User, model="m", messages=ASKED, **left_out))
    assert bodies[0]["tools"][0]["function"]["name"] == "User"
    assert "temperature" not in bodies[0]


LOOK = {"name": "look", "parameters": {"type": "object"}}


@pytest.mark.parametrize("mode", [Mode.JSON_SCHEMA, Mode.JSON, Mode.MD_JSON])
@pytest.mark.parametrize(
    ("given", "call"),
    [
        ({"tools": [{"type": "function", "function": LOOK}]}, chat_calls(("look", USER))),
        ({"functions": [LOOK]}, chat_function_call("look", USER)),
    ],
    ids=["tools", "functions"],
)
def test_calls_of_tools_that_the_caller_has_given_are_none_of_the_answer(
    mode: so.Mode, given: dict[str, Any], call: bytes
) -> None:

    with answering_with(call) as base_url, open_client(base_url) as client:
        stream = extract(client, response_model=User, mode=mode, model="m", messages=ASKED, **given)
        with pytest.raises(so.NoJson):
            so.run(stream)


def test_progress_counts_the_items() -> None:
    answers = answering_with(chat_calls(("MultiUser", TASKS)))

    with answers as base_url, open_client(base_url) as client:
        users = so.extract(client, response_model=list[User], model="m", messages=ASKED)
        progress = users.pipe(ops.track_progress(expected=2))
        percents = [update.percent for update in so.to_generator(progress)]

    assert percents == [50, 99.9, 100]


def test_every_call_of_a_class_of_tasks_counts_also_without_streaming() -> None:
    tasks: Any = so.MultiTask(User)
    one, two = '{"tasks": [{"name": "Jo Do", "age": 3}]}', '{"users": [{"name": "Al", "age": 4}]}'
    made = chat_calls(("MultiUser", one), ("MultiUser", two))

    assert extracted(Mode.TOOLS, tasks, made) == [JO, AL]
    assert extracted(Mode.TOOLS, tasks, made, stream=False) == [tasks(tasks=[JO, AL])]


def test_a_list_with_constraints_grows_and_is_judged_as_a_whole() -> None:
    asked_for = Annotated[list[User], Field(min_length=3)]
    text = json.dumps({"value": json.loads(TASKS)["tasks"]})

    with pytest.raises(so.SchemaMismatch, match="at least 3 items"):
        extracted(Mode.TOOLS, asked_for, chat_calls(("Answer", text)))


def test_a_tagged_union_has_a_tool_for_each_of_its_models() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    asked_for = Annotated[Cat | Dog, Field(discriminator="kind")]
    assert extracted(Mode.TOOLS, asked_for, chat_calls(("Dog", '{"kind": "dog"}')))[-1] == Dog(
        kind="dog"
    )


def test_iterating_over_a_stream_says_which_sink_to_use(asked: tuple[OpenAI, list[Any]]) -> None:
    client, bodies = asked
    stream = extract(client, response_model=list[User], model="m", messages=ASKED)
    built: list[Any] = [stream, stream.pipe(ops.distinct_snapshots())]

    for made in built:
        with pytest.raises(TypeError, match=r"to_generator\(stream\)"):
            iter(made)

        with pytest.raises(TypeError, match=r"to_async_generator\(stream\)"):
            aiter(made)

    assert bodies == []


def test_a_validator_around_a_union_is_asked() -> None:
    def refuse(_: Any) -> Any:
        raise ValueError("not this one")

    asked_for = Annotated[Search | Reply, AfterValidator(refuse)]
    text = '{"value": {"query": "a"}}'

    with pytest.raises(so.SchemaMismatch, match="not this one"):
        extracted(Mode.TOOLS, asked_for, chat_calls(("Answer", text)))


def test_a_class_of_tasks_with_more_fields_is_a_model_like_any_other() -> None:
    users: Any = so.MultiTask(User)

    class Report(users):  # type: ignore[misc]  # made at run time
        summary: str

    text = json.dumps({**json.loads(TASKS), "summary": "Two of them."})
    last = extracted(Mode.TOOLS, Report, chat_calls(("Report", text)))[-1]

    assert last == Report(tasks=[JO, AL], summary="Two of them.")
