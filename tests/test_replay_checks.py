"""What a replay server refuses because OpenAI's rules do, in its words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, get_args

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib._pydantic import to_strict_json_schema
from pydantic import BaseModel, Field

from streamops.modes import Mode
from streamops.recording import Api
from streamops.replay_checks import check_request
from streamops.replay_fields import Refusal
from tests.answers import answering_with, chat_content, responses_text
from tests.clients import http_client, open_client
from tests.test_replay_modes import (
    FUNCTION,
    OTHER,
    RESPONSES_TOOL,
    SCHEMA,
    TOOL,
    USER,
    Body,
    post,
    refusal,
)


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with http_client() as client:
        yield client


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with answering_with(chat_content("Rome fell."), responses_text("Rome fell.")) as base_url:
        yield base_url


CALL: Body = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING: Body = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD: Body = {"role": "tool", "tool_call_id": "c1", "content": "1"}
OUTPUT: Body = {"type": "function_call_output", "call_id": "c1", "output": "1"}
CALLED: Body = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
TWO_CALLS: Body = {**CALLING, "tool_calls": [CALL, {**CALL, "id": "c2"}]}
LOOSE: Body = {**SCHEMA, "additionalProperties": True}
CHOSEN: Body = {"type": "function", "function": {"name": "answer"}}

ACCEPTED: list[Body] = [
    {"messages": []},
    {"messages": None},
    {},
    {"messages": [USER], "tools": None, "tool_choice": None, "response_format": None},
    {"messages": [USER, CALLING, TOLD, USER]},
    {"messages": [TWO_CALLS, {**TOLD, "tool_call_id": "c2"}, TOLD]},
    {"messages": [CALLING, TOLD, CALLING, TOLD]},
    {"messages": [{"role": "function", "name": "f", "content": "1"}]},
    {"messages": [], "tools": [{"type": "function", "function": {"name": "f"}}]},
    {"messages": [], "tools": [{"type": "function", "function": {"name": "f" * 64}}]},
    {
        "messages": [],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": LOOSE}}],
    },
    {
        "messages": [],
        "tools": [{"type": "custom", "custom": {"name": "f"}}],
        "tool_choice": {"type": "custom", "custom": {"name": "f"}},
    },
    {"messages": [], "stream": True, "stream_options": {}},
    {"input": "Hello"},
    {"input": [USER, CALLED, {"type": "reasoning", "summary": []}, OUTPUT]},
    {"input": [OUTPUT], "previous_response_id": "resp_1"},
    {"input": [OUTPUT], "conversation": "conv_1"},
    {"input": "Hello", "tool_choice": "auto"},
    {"input": "", "tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
    {"input": "", "tools": [{"type": "function", "name": "f", "parameters": LOOSE}]},
    {"input": "", "text": {"verbosity": "low"}},
    {"input": "", "text": {"format": {"type": "text"}}},
]

REFUSED: list[tuple[Body, str, str]] = [
    ({"messages": "Hello"}, "messages", "expected an array of objects, but got 'Hello'"),
    ({"messages": ["Hello"]}, "messages[0]", "expected an object"),
    ({"messages": [{"content": "Hello"}]}, "messages[0].role", "Invalid value: None"),
    ({"messages": [{"role": "bot"}]}, "messages[0].role", "Supported values are: 'system'"),
    ({"messages": [TOLD]}, "messages[0].tool_call_id", "a preceeding message with 'tool_calls'"),
    ({"messages": [CALLING, TOLD, TOLD]}, "messages[2].tool_call_id", "waits for one"),
    (
        {"messages": [CALLING, {"role": "tool", "content": "1"}]},
        "messages[1].tool_call_id",
        "None is no call",
    ),
    ({"messages": [CALLING, USER, TOLD]}, "messages[1]", "did not have response messages: c1"),
    ({"messages": [CALLING]}, "messages", "did not have response messages: c1"),
    ({"messages": [TWO_CALLS, TOLD]}, "messages", "did not have response messages: c2"),
    ({"messages": [CALLING, CALLING, TOLD]}, "messages[1]", "c1"),
    (
        {"messages": [{"role": "function", "content": "1"}]},
        "messages[0].name",
        "Missing required parameter: 'messages[0].name'",
    ),
    ({"messages": [], "stream_options": {}}, "stream_options", "only allowed when 'stream'"),
    (
        {"messages": [], "stream": False, "stream_options": {"include_usage": True}},
        "stream_options",
        "only allowed when 'stream'",
    ),
    ({"messages": [], "tools": {}}, "tools", "expected an array of objects"),
    ({"messages": [], "tools": [{}]}, "tools[0].type", "Missing required parameter"),
    (
        {"messages": [], "tools": [RESPONSES_TOOL]},
        "tools[0].function",
        "Missing required parameter: 'tools[0].function'.",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {}}]},
        "tools[0].function.name",
        "Missing required parameter: 'tools[0].function.name'.",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {"name": "Page[User]"}}]},
        "tools[0].function.name",
        "does not match pattern",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {"name": "f\n"}}]},
        "tools[0].function.name",
        "does not match pattern",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {"name": "é"}}]},
        "tools[0].function.name",
        "does not match pattern",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {"name": "f" * 65}}]},
        "tools[0].function.name",
        "maximum length 64, but got a string with length 65",
    ),
    (
        {"messages": [], "tools": [{"type": "function", "function": {"name": ""}}]},
        "tools[0].function.name",
        "does not match pattern",
    ),
    (
        {
            "messages": [],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": 1}}],
        },
        "tools[0].function.parameters",
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"'",
    ),
    (
        {
            "messages": [],
            "tools": [
                {"type": "function", "function": {**FUNCTION, "parameters": LOOSE, "strict": True}}
            ],
        },
        "tools[0].function.parameters",
        "Invalid schema for function 'answer': In context=(), 'additionalProperties' is required",
    ),
    ({"messages": [], "tool_choice": "auto"}, "tool_choice", "only allowed when 'tools'"),
    (
        {"messages": [], "tools": [TOOL], "tool_choice": "always"},
        "tool_choice",
        "Invalid value: 'always'. Supported values are: 'none', 'auto', 'required'.",
    ),
    (
        {"messages": [], "tools": [OTHER], "tool_choice": CHOSEN},
        "tool_choice",
        "Tool choice 'answer' not found in 'tools' parameter.",
    ),
    ({"messages": [], "functions": [{"name": "a b"}]}, "functions[0].name", "does not match"),
    ({"messages": [], "function_call": "auto"}, "function_call", "only allowed when 'functions'"),
    (
        {"messages": [], "functions": [FUNCTION], "function_call": {"name": "other"}},
        "function_call",
        "'other' not found in 'functions'",
    ),
    (
        {"messages": [USER], "response_format": {"type": "json_object"}},
        "messages",
        "must contain the word 'json'",
    ),
    (
        {
            "messages": [],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": LOOSE, "strict": True},
            },
        },
        "response_format.json_schema.schema",
        "Invalid schema for response_format 'answer': In context=()",
    ),
    (
        {"messages": [], "response_format": {"type": "json_schema"}},
        "response_format.json_schema",
        "expected an object",
    ),
    (
        {
            "messages": [],
            "response_format": {"type": "json_schema", "json_schema": {"name": "a.b"}},
        },
        "response_format.json_schema.name",
        "does not match pattern",
    ),
    ({"input": "", "tools": [TOOL]}, "tools[0].name", "Missing required parameter"),
    (
        {"input": "", "tools": [RESPONSES_TOOL], "tool_choice": {"type": "function", "name": "b"}},
        "tool_choice",
        "Tool choice 'b' not found",
    ),
    (
        {"input": "", "tools": [{**RESPONSES_TOOL, "parameters": LOOSE}]},
        "tools[0].parameters",
        "'additionalProperties' is required",
    ),
    (
        {
            "input": "",
            "text": {
                "format": {"type": "json_schema", "name": "a", "schema": LOOSE, "strict": True}
            },
        },
        "text.format.schema",
        "Invalid schema for response_format 'a'",
    ),
    ({"input": [OUTPUT]}, "input[0].call_id", "No tool call found for function call output"),
    ({"input": [OUTPUT, CALLED]}, "input[0].call_id", "with call_id c1."),
    ({"input": [CALLED, USER]}, "input", "No tool output found for function call c1."),
    (
        {"input": [{**CALLED, "call_id": None}, {**OUTPUT, "call_id": None}]},
        "input[0].call_id",
        "Missing required parameter: 'input[0].call_id'.",
    ),
    (
        {"input": [{"type": "function_call_output"}], "previous_response_id": "resp_1"},
        "input[0].call_id",
        "Missing required parameter: 'input[0].call_id'.",
    ),
]


@pytest.mark.parametrize("body", ACCEPTED)
def test_what_openai_takes_is_answered(http: httpx2.Client, base_url: str, body: Body) -> None:
    assert post(http, base_url, body).status_code == 200


@pytest.mark.parametrize(("body", "field", "reason"), REFUSED)
def test_what_openai_refuses_is_refused(
    http: httpx2.Client, base_url: str, body: Body, field: str, reason: str
) -> None:
    message, parameter = refusal(post(http, base_url, body))

    assert reason in message
    assert parameter == field


def strict_tool(schema: str) -> bytes:
    function = f'{{"name": "f", "strict": true, "parameters": {schema}}}'
    return f'{{"tools": [{{"type": "function", "function": {function}}}]}}'.encode()


def strict_field(field: Body) -> bytes:
    return strict_tool(json.dumps({**SCHEMA, "properties": {"a": field}}))


def chain_of_references(length: int) -> bytes:
    names = [f"a{number}" for number in range(length)]
    steps: dict[str, Body] = {
        name: {"anyOf": [{"$ref": f"#/$defs/{after}"}, {"type": "null"}]}
        for name, after in pairwise(names)
    }
    schema = {**SCHEMA, "properties": {"a": {"$ref": "#/$defs/a0"}}}
    return strict_tool(json.dumps({**schema, "$defs": {**steps, names[-1]: {"type": "null"}}}))


EXTREME = [
    pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, id="deep"),
    pytest.param(b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", id="deep inside"),
    pytest.param(b'{"messages": ' + b"[" * 300 + b"]" * 300 + b"}", id="deep, and quoted"),
    pytest.param(b'{"messages": "' + b"x" * 3_000_000 + b'"}', id="a long text"),
    pytest.param(b'{"messages": [{"role": "' + b"x" * 3_000_000 + b'"}]}', id="a long role"),
    pytest.param(
        b'{"messages": [{"role": "assistant", "tool_calls": [{"id": "' + b"x" * 3_000_000 + b'"}]}'
        b', {"role": "user"}]}',
        id="a long id",
    ),
    pytest.param(b'{"tools": [{"type": "' + b"x" * 3_000_000 + b'"}]}', id="a long field"),
    pytest.param(rb'{"messages": [{"role": "\ud83d"}]}', id="half a character"),
    pytest.param(rb'{"tools": [{"type": "\ud83d"}]}', id="half a character in a field"),
    pytest.param(b'{"messages": ' + b"9" * 5000 + b"}", id="a long number"),
    pytest.param(strict_field({"type": "string", "pattern": "a{" + "9" * 14 + "}"}), id="often"),
    pytest.param(
        strict_field({"type": "string", "pattern": "a{" + "9" * 5000 + "}"}), id="very often"
    ),
    pytest.param(
        strict_field({"type": "string", "pattern": "(" * 5000 + ")" * 5000}), id="a deep pattern"
    ),
    pytest.param(
        strict_tool('{"type": "object", "properties": {"a":' * 200 + "1" + "}}" * 200),
        id="a deep schema",
    ),
    pytest.param(chain_of_references(600), id="a chain of references"),
]


@pytest.mark.parametrize("content", EXTREME)
def test_what_is_too_large_or_too_deep_is_refused_in_few_words(
    http: httpx2.Client, base_url: str, content: bytes
) -> None:
    message, parameter = refusal(http.post(f"{base_url}/chat/completions", content=content))

    assert message
    assert len(message) + len(parameter or "") < 5000


def test_a_model_may_be_anything(http: httpx2.Client, base_url: str) -> None:
    names: list[Any] = [None, 5, ["m"], buried(1, "a", 200)]

    for name in names:
        assert post(http, base_url, {"model": name, "messages": []}).status_code == 200


def test_what_on_request_raises_is_the_answer() -> None:
    def on_request(_body: Mapping[str, Any]) -> None:
        raise KeyError("no such thing")

    with (
        answering_with(chat_content("x"), on_request=on_request) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        client.chat.completions.create(model="m", messages=[])

    assert caught.value.type == "server_error"
    assert "on_request raised KeyError: 'no such thing'" in caught.value.message


class Inner(BaseModel):
    """What a user may well write."""

    name: str = Field(min_length=1)
    note: str = ""


class Outer(BaseModel):
    """A model in a model."""

    inner: Inner
    children: list[Outer] = []


def test_the_real_client_is_told_what_its_own_schemas_lack() -> None:
    with (
        answering_with(chat_content("{}")) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.BadRequestError) as caught,
    ):
        client.chat.completions.create(
            model="m",
            messages=[],
            response_format={
                "type": "json_schema",
                "json_schema": {
                    "name": "Outer",
                    "schema": to_strict_json_schema(Outer),
                    "strict": True,
                },
            },
        )

    assert caught.value.param == "response_format.json_schema.schema"
    assert "Invalid schema for response_format 'Outer': In context=(" in caught.value.message


# Names that the checks look for, so that a random request leads deep into them.
NAMES = (
    *("messages", "input", "tools", "functions", "tool_choice", "function_call", "text", "format"),
    *("response_format", "json_schema", "schema", "name", "type", "function", "parameters"),
    *("strict", "role", "content", "tool_calls", "tool_call_id", "call_id", "stream"),
    *("stream_options", "properties", "required", "additionalProperties", "items", "anyOf"),
    *("$ref", "$defs", "enum", "const", "pattern", "format", "description"),
)
WORDS = (
    *("function", "custom", "json_schema", "json_object", "object", "array", "string", "assistant"),
    *("tool", "system", "function_call", "function_call_output", "required", "auto", "#", "f"),
    *("#/$defs/f", "date"),
)
scalars = st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS)
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=30,
)


def buried(value: Any, name: str, depth: int) -> Any:
    """Return a value that many objects stand around."""
    for _ in range(depth):
        value = {"type": "object", name: value if name in ("properties", "items") else [value]}

    return value


LONG = "x" * 100_000
huge: list[Any] = [
    LONG,
    [LONG] * 3,
    {LONG: LONG},
    [1] * 10_000,
    dict.fromkeys(map(str, range(999))),
]
deep_documents = st.builds(
    buried,
    documents | st.sampled_from(huge),
    st.sampled_from([*NAMES, LONG]),
    st.sampled_from([0, 0, 1, 50, 5_000]),
)


@given(
    body=st.dictionaries(st.sampled_from(NAMES), deep_documents),
    schema=deep_documents,
    api=st.sampled_from(get_args(Api)),
    mode=st.none() | st.sampled_from(Mode),
)
def test_whatever_is_asked_is_either_answered_or_refused(
    body: Body, schema: Any, api: Api, mode: Mode | None
) -> None:
    function = {"name": "f", "strict": True, "parameters": {"type": "object", "$defs": schema}}
    described = {"name": "f", "strict": True, "schema": schema}
    bodies = (
        body,
        {"tools": [{"type": "function", **function, "function": function}], **body},
        {"response_format": {"type": "json_schema", "json_schema": described}, **body},
    )

    for asked in bodies:
        try:
            check_request(asked, api, mode)
        except Refusal as refused:
            assert 0 < len(str(refused)) < 5000
