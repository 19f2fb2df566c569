"""What a replay server refuses that insists on a mode."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any, TypeAlias

import httpx2
import openai
import pytest

from streamops.modes import Mode
from streamops.replay import replay
from tests.answers import answering_with, chat_content, responses_text
from tests.clients import http_client, open_client

Body: TypeAlias = dict[str, Any]

SCHEMA: Body = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
PROMPT = {"role": "system", "content": f"Answer in JSON, as {json.dumps(SCHEMA)} says."}
FENCE = {"role": "system", "content": f"Write a ```json block, as {json.dumps(SCHEMA)} says."}
USER = {"role": "user", "content": "Hello"}
FUNCTION: Body = {"name": "answer", "description": "An answer.", "parameters": SCHEMA}
TOOL: Body = {"type": "function", "function": {**FUNCTION, "strict": True}}
OTHER: Body = {"type": "function", "function": {"name": "other", "parameters": SCHEMA}}
RESPONSES_TOOL: Body = {"type": "function", **FUNCTION, "strict": True}
OTHER_RESPONSES_TOOL: Body = {**RESPONSES_TOOL, "name": "other", "strict": False}
STREAM: Body = {"stream": True, "stream_options": {"include_usage": True}}

RIGHT: dict[Mode, Body] = {
    Mode.TOOLS: {
        "messages": [USER],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "answer"}},
    },
    Mode.JSON_SCHEMA: {
        "messages": [USER],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
        },
    },
    Mode.JSON: {"messages": [PROMPT, USER], "response_format": {"type": "json_object"}},
    Mode.MD_JSON: {"messages": [FENCE, USER]},
    Mode.FUNCTIONS: {
        "messages": [USER],
        "functions": [FUNCTION],
        "function_call": {"name": "answer"},
    },
    Mode.RESPONSES_TOOLS: {
        "input": "Hello",
        "tools": [RESPONSES_TOOL],
        "tool_choice": {"type": "function", "name": "answer"},
    },
    Mode.RESPONSES_JSON_SCHEMA: {
        "input": "Hello",
        "text": {
            "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}
        },
    },
}
ALSO_RIGHT: list[tuple[Mode, Body]] = [
    (Mode.TOOLS, {"tools": [TOOL, OTHER], "tool_choice": "required"}),
    (Mode.TOOLS, {"tools": [TOOL, OTHER]}),
    (Mode.FUNCTIONS, {"functions": [FUNCTION, {**FUNCTION, "name": "b"}], "function_call": "auto"}),
    (
        Mode.RESPONSES_TOOLS,
        {"tools": [RESPONSES_TOOL, OTHER_RESPONSES_TOOL], "tool_choice": "required"},
    ),
    (Mode.JSON, {"messages": [USER, {**PROMPT, "role": "developer"}]}),
    (
        Mode.MD_JSON,
        {"messages": [{**FENCE, "content": [{"type": "text", "text": FENCE["content"]}]}]},
    ),
    (Mode.JSON_SCHEMA, {"tools": [TOOL], "tool_choice": "auto"}),
    (Mode.TOOLS, {"stream": True, "stream_options": {"include_usage": False}}),
]

# What is changed about a right request, the field that is to blame, and a part of the reason.
WRONG: list[tuple[Mode, Body, str, str]] = [
    (Mode.TOOLS, {"tools": None, "tool_choice": None}, "tools", "there are none"),
    (Mode.TOOLS, {"tools": [], "tool_choice": None}, "tools", "there are none"),
    (Mode.TOOLS, {"tool_choice": "auto"}, "tool_choice", "not 'auto'"),
    (Mode.TOOLS, {"tool_choice": "required"}, "tool_choice", "where there are several"),
    (Mode.TOOLS, {"tool_choice": None}, "tool_choice", "not None"),
    (Mode.TOOLS, {"functions": [FUNCTION]}, "functions", "does not send 'functions'"),
    (
        Mode.TOOLS,
        {"functions": [FUNCTION], "function_call": "auto"},
        "functions",
        "does not send 'functions'",
    ),
    (
        Mode.TOOLS,
        {"response_format": {"type": "text"}},
        "response_format",
        "does not send 'response_format'",
    ),
    (
        Mode.TOOLS,
        {"tools": [{"type": "function", "function": {"name": "answer"}}]},
        "tools[0].function.parameters",
        "sends 'tools[0].function.parameters'",
    ),
    (
        Mode.TOOLS,
        {"tools": [{"type": "function", "function": {**FUNCTION, "title": "A"}}]},
        "tools[0].function.title",
        "does not send 'tools[0].function.title'",
    ),
    (Mode.TOOLS, {"tools": [{**TOOL, "strict": True}]}, "tools[0].strict", "does not send"),
    (
        Mode.TOOLS,
        {"tools": [{"type": "function", "function": {**FUNCTION, "strict": "yes"}}]},
        "tools[0].function.strict",
        "as a boolean",
    ),
    (
        Mode.TOOLS,
        {"tools": [{"type": "custom", "custom": {"name": "answer"}}], "tool_choice": "auto"},
        "tools[0]",
        "of type 'function', not 'custom'",
    ),
    (Mode.TOOLS, {"stream": True}, "stream_options", "asks for the usage"),
    (Mode.MD_JSON, {"stream": True, "stream_options": {}}, "stream_options", "asks for the usage"),
    (Mode.JSON_SCHEMA, {"response_format": None}, "response_format", "of type 'json_schema'"),
    (
        Mode.JSON_SCHEMA,
        {"response_format": {"type": "json_object"}, "messages": [PROMPT]},
        "response_format",
        "not 'json_object'",
    ),
    (
        Mode.JSON_SCHEMA,
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": False},
            }
        },
        "response_format.json_schema.strict",
        "as true",
    ),
    (
        Mode.JSON_SCHEMA,
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True}}},
        "response_format.json_schema.schema",
        "sends 'response_format.json_schema.schema'",
    ),
    (Mode.JSON_SCHEMA, {"tools": [TOOL], "tool_choice": "required"}, "tool_choice", "forces no"),
    (
        Mode.JSON_SCHEMA,
        {"functions": [FUNCTION], "function_call": {"name": "answer"}},
        "function_call",
        "forces no",
    ),
    (Mode.JSON, {"response_format": None}, "response_format", "of type 'json_object'"),
    (
        Mode.JSON,
        {"messages": [{"role": "system", "content": "JSON."}]},
        "messages",
        "a JSON schema",
    ),
    (
        Mode.JSON,
        {"messages": [{"role": "system", "content": "Be nice."}, PROMPT]},
        "messages",
        "first system or developer message",
    ),
    (
        Mode.JSON,
        {"messages": [{**PROMPT, "role": "user"}]},
        "messages",
        "first system or developer message",
    ),
    (Mode.MD_JSON, {"messages": [PROMPT]}, "messages", "```json"),
    (Mode.MD_JSON, {"messages": [USER]}, "messages", "a JSON schema"),
    (Mode.MD_JSON, {"tools": [TOOL]}, "tools", "does not send 'tools'"),
    (Mode.MD_JSON, {"functions": [FUNCTION]}, "functions", "does not send 'functions'"),
    (
        Mode.MD_JSON,
        {"response_format": {"type": "json_object"}},
        "response_format",
        "does not send 'response_format'",
    ),
    (Mode.FUNCTIONS, {"functions": [], "function_call": None}, "functions", "there are none"),
    (Mode.FUNCTIONS, {"function_call": "auto"}, "function_call", "where there are several"),
    (Mode.FUNCTIONS, {"function_call": None}, "function_call", "not None"),
    (Mode.FUNCTIONS, {"tools": [TOOL]}, "tools", "does not send 'tools'"),
    (
        Mode.FUNCTIONS,
        {"functions": [{**FUNCTION, "strict": True}]},
        "functions[0].strict",
        "does not send 'functions[0].strict'",
    ),
    (Mode.RESPONSES_TOOLS, {"tools": [], "tool_choice": None}, "tools", "there are none"),
    (Mode.RESPONSES_TOOLS, {"tool_choice": "auto"}, "tool_choice", "not 'auto'"),
    (
        Mode.RESPONSES_TOOLS,
        {"tools": [{"type": "function", **FUNCTION}]},
        "tools[0].strict",
        "sends 'tools[0].strict'",
    ),
    (
        Mode.RESPONSES_TOOLS,
        {"tools": [{"type": "web_search"}], "tool_choice": "required"},
        "tools[0]",
        "not 'web_search'",
    ),
    (Mode.RESPONSES_JSON_SCHEMA, {"text": None}, "text.format", "of type 'json_schema'"),
    (
        Mode.RESPONSES_JSON_SCHEMA,
        {"text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA}}},
        "text.format.strict",
        "sends 'text.format.strict'",
    ),
    (
        Mode.RESPONSES_JSON_SCHEMA,
        {"tools": [RESPONSES_TOOL], "tool_choice": "required"},
        "tool_choice",
        "forces no",
    ),
]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with http_client() as client:
        yield client


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[Mode | None, str]]:
    """Serve for every mode, and for none."""
    answers = (chat_content("Rome fell."), responses_text("Rome fell."))

    with ExitStack() as stack:
        yield {
            mode: stack.enter_context(answering_with(*answers, mode=mode)) for mode in (None, *Mode)
        }


def post(http: httpx2.Client, base_url: str, body: Mapping[str, Any]) -> httpx2.Response:
    path = "/responses" if "input" in body else "/chat/completions"
    return http.post(f"{base_url}{path}", json={"model": "m", **body})


def refusal(response: httpx2.Response) -> tuple[str, str | None]:
    """Return the reason of a refusal, and the field that is to blame."""
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    return error["message"], error["param"]


@pytest.mark.parametrize(
    ("mode", "changed"),
    [*((mode, {}) for mode in Mode), *((mode, STREAM) for mode in Mode), *ALSO_RIGHT],
)
def test_what_a_mode_sends_is_answered(
    http: httpx2.Client, servers: dict[Mode | None, str], mode: Mode, changed: Body
) -> None:
    options = {} if mode.api == "responses" and changed is STREAM else changed
    response = post(http, servers[mode], {**RIGHT[mode], **options})

    assert response.status_code == 200, response.text
    assert "Rome" in response.text


@pytest.mark.parametrize(("mode", "changed", "field", "reason"), WRONG)
def test_what_a_mode_does_not_send_is_refused(
    http: httpx2.Client,
    servers: dict[Mode | None, str],
    mode: Mode,
    changed: Body,
    field: str,
    reason: str,
) -> None:
    message, parameter = refusal(post(http, servers[mode], {**RIGHT[mode], **changed}))

    assert reason in message
    assert f"Mode.{mode.name}" in message
    assert parameter == field


@pytest.mark.parametrize(("mode", "changed"), [(mode, changed) for mode, changed, *_ in WRONG])
def test_without_a_mode_it_is_answered(
    http: httpx2.Client, servers: dict[Mode | None, str], mode: Mode, changed: Body
) -> None:
    assert post(http, servers[None], {**RIGHT[mode], **changed}).status_code == 200


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("sent", Mode)
def test_what_another_mode_sends_is_refused(
    http: httpx2.Client, servers: dict[Mode | None, str], mode: Mode, sent: Mode
) -> None:
    answered = post(http, servers[mode], RIGHT[sent]).status_code

    assert answered == (200 if mode is sent else 400)


def test_a_mode_has_one_api(http: httpx2.Client, servers: dict[Mode | None, str]) -> None:
    message, parameter = refusal(post(http, servers[Mode.TOOLS], {"input": "Hello"}))

    assert message == "Mode.TOOLS asks the API 'chat', and this is 'responses'"
    assert parameter is None


def test_a_mode_may_be_its_name() -> None:
    with answering_with(chat_content("x"), mode="md_json") as base_url, http_client() as http:
        message, _ = refusal(post(http, base_url, {"messages": [USER]}))

    assert "Mode.MD_JSON" in message


@pytest.mark.parametrize("mode", ["tool", "", 1, ["tools"]])
def test_a_mode_that_is_none_is_refused_at_once(mode: Any) -> None:
    with pytest.raises(ValueError, match="tools, json_schema, json, md_json, functions"):
        replay("none.sse", mode=mode)


def test_requests_are_seen_also_where_they_are_refused() -> None:
    seen: list[Mapping[str, Any]] = []

    with (
        answering_with(chat_content("x"), mode=Mode.MD_JSON, on_request=seen.append) as base_url,
        open_client(base_url) as client,
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="m", messages=[])

        client.chat.completions.create(
            model="m", messages=[{"role": "system", "content": FENCE["content"]}]
        )

    assert caught.value.param == "messages"
    assert seen == [{"model": "m", "messages": []}, {"model": "m", "messages": [FENCE]}]


def test_a_refused_request_takes_nobodys_turn(http: httpx2.Client) -> None:
    answers = (chat_content("one"), chat_content("two"))

    with answering_with(*answers, mode=Mode.MD_JSON) as base_url:
        post(http, base_url, {"messages": [USER]})
        answered = post(http, base_url, RIGHT[Mode.MD_JSON])

    assert answered.json()["choices"][0]["message"]["content"] == "one"
