"""What a replay server refuses: what OpenAI's published rules do, and what no mode sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from streamops.modes import Mode
from streamops.recording import Api
from streamops.replay_fields import (
    Fields,
    Refusal,
    as_object,
    expect_one_of,
    needed_in,
    object_in,
    objects_in,
    quoted,
    text_of,
)
from streamops.replay_modes import check_mode
from streamops.replay_schemas import fault_in


def check_request(body: Fields, api: Api, mode: Mode | None) -> None:
    """Raise Refusal for what OpenAI's published rules refuse, or what is not what the mode sends.

    Of these rules those are checked that a client library can break: names, schemas, the choice
    of a tool, ``stream_options``, and which message answers which. Fields that are missing are
    only missed where a mode sends them. A request that is nested too deep to be read is refused.
    """
    if mode is not None and mode.api != api:
        raise Refusal(f"Mode.{mode.name} asks the API {mode.api!r}, and this is {api!r}", None)

    try:
        _CHECKS[api](body)

        if mode is not None:
            check_mode(body, mode)
    except RecursionError:
        raise Refusal("The request is nested too deep to be read.", None) from None


def _check_chat(body: Fields) -> None:
    _check_stream_options(body)
    names = _check_tools(body, "chat")
    _check_chosen_tool(body, names)

    if body.get("tool_choice") is not None and not names:
        raise Refusal("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")

    _check_chosen_function(body)
    _check_messages(body)
    response_format = object_in(body, "response_format")
    kind = response_format.get("type")

    if kind == "json_schema":
        _check_format(response_format.get("json_schema"), "response_format.json_schema")

    if kind == "json_object" and "json" not in text_of(objects_in(body, "messages")).lower():
        raise Refusal(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.",
            "messages",
        )


def _check_responses(body: Fields) -> None:
    _check_stream_options(body)
    _check_chosen_tool(body, _check_tools(body, "responses"))
    _check_items(body)
    text_format = object_in(object_in(body, "text"), "format", "text.format")

    if text_format.get("type") == "json_schema":
        _check_format(text_format, "text.format")


_CHECKS: dict[Api, Callable[[Fields], None]] = {
    "chat": _check_chat,
    "responses": _check_responses,
}


def _check_stream_options(body: Fields) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Refusal(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )


def _check_tools(body: Fields, api: Api) -> list[str]:
    """Check the tools, and return their names."""
    names: list[str] = []

    for number, tool in enumerate(objects_in(body, "tools")):
        place = f"tools[{number}]"
        kind = str(needed_in(tool, "type", place))

        # Chat Completions has a function's fields inside of the tool, Responses beside its type.
        if api == "chat":
            described = as_object(needed_in(tool, kind, place), f"{place}.{kind}")
            place = f"{place}.{kind}"
        else:
            described = tool

        if kind == "function":
            _check_function(described, place)

        if "name" in described:
            names.append(described["name"])

    return names


def _check_function(function: Fields, place: str) -> None:
    name = _checked_name(function, place)

    if function.get("parameters") is not None:
        subject = f"function {name!r}"
        strict = function.get("strict") is True
        _check_schema(function["parameters"], subject, f"{place}.parameters", strict=strict)


def _check_format(description: Any, place: str) -> None:
    """Check what a format of type json_schema says of its schema."""
    described = as_object(description, place)
    name = _checked_name(described, place)

    if described.get("schema") is not None:
        subject = f"response_format {name!r}"
        strict = described.get("strict") is True
        _check_schema(described["schema"], subject, f"{place}.schema", strict=strict)


def _checked_name(described: Fields, place: str) -> str:
    name = needed_in(described, "name", place)

    if not isinstance(name, str) or not re.fullmatch("[a-zA-Z0-9_-]+", name):
        raise Refusal(
            f"Invalid '{place}.name': string does not match pattern. Expected a string that "
            "matches the pattern '^[a-zA-Z0-9_-]+$'.",
            f"{place}.name",
        )

    if len(name) > 64:
        raise Refusal(
            f"Invalid '{place}.name': string too long. Expected a string with maximum length 64, "
            f"but got a string with length {len(name)} instead.",
            f"{place}.name",
        )

    return name


def _check_schema(schema: Any, subject: str, place: str, *, strict: bool) -> None:
    if fault := fault_in(schema, strict=strict):
        raise Refusal(f"Invalid schema for {subject}: {fault}", place)


def _check_chosen_tool(body: Fields, names: Sequence[str]) -> None:
    choice = body.get("tool_choice")

    if isinstance(choice, str):
        return expect_one_of(choice, ("none", "auto", "required"), "tool_choice")

    chosen = object_in(body, "tool_choice")
    kind = chosen.get("type")

    # The tools that OpenAI runs itself have no names.
    if kind in ("function", "custom"):
        described = object_in(chosen, kind, f"tool_choice.{kind}") if kind in chosen else chosen
        name = described.get("name")

        if name not in names:
            raise Refusal(
                f"Tool choice {quoted(name)} not found in 'tools' parameter.", "tool_choice"
            )

    return None


def _check_chosen_function(body: Fields) -> None:
    functions = objects_in(body, "functions")

    for number, function in enumerate(functions):
        _check_function(function, f"functions[{number}]")

    choice = body.get("function_call")

    if choice is not None and not functions:
        raise Refusal(
            "'function_call' is only allowed when 'functions' are specified.", "function_call"
        )

    if isinstance(choice, str):
        return expect_one_of(choice, ("none", "auto"), "function_call")

    name = object_in(body, "function_call").get("name")

    if choice is not None and name not in [function["name"] for function in functions]:
        raise Refusal(
            f"Function call {quoted(name)} not found in 'functions' parameter.", "function_call"
        )

    return None


_ROLES = ("system", "assistant", "user", "function", "tool", "developer")


def _check_messages(body: Fields) -> None:
    """Check that each call of a tool is answered, before anything else is said, and once."""
    unanswered: list[str] = []

    for number, message in enumerate(objects_in(body, "messages")):
        place = f"messages[{number}]"
        role = message.get("role")
        expect_one_of(role, _ROLES, f"{place}.role")

        if role == "tool":
            call_id = message.get("tool_call_id")

            if call_id not in unanswered:
                raise Refusal(
                    "Invalid parameter: messages with role 'tool' must be a response to a "
                    f"preceeding message with 'tool_calls': {quoted(call_id)} is no call that "
                    "waits for one.",
                    f"{place}.tool_call_id",
                )

            unanswered.remove(call_id)
            continue

        _expect_answered(unanswered, place)

        if role == "function":
            _checked_name(message, place)

        calls = objects_in(message, "tool_calls", f"{place}.tool_calls")
        unanswered = [str(call.get("id")) for call in calls if role == "assistant"]

    _expect_answered(unanswered, "messages")


def _expect_answered(unanswered: Sequence[str], place: str) -> None:
    if unanswered:
        raise Refusal(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            f"{', '.join(unanswered)}",
            place,
        )


def _check_items(body: Fields) -> None:
    """Check that calls and their outputs come in pairs, the call first."""
    if not isinstance(body.get("input"), list):
        return

    called: set[str] = set()
    answered: set[str] = set()
    # What came before is known to OpenAI, and not to a replay server.
    is_whole = body.get("previous_response_id") is None and body.get("conversation") is None

    for number, item in enumerate(objects_in(body, "input")):
        place = f"input[{number}]"

        if item.get("type") == "function_call":
            _checked_name(item, place)
            called.add(str(needed_in(item, "call_id", place)))

        if item.get("type") == "function_call_output":
            call_id = str(needed_in(item, "call_id", place))

            if is_whole and call_id not in called:
                raise Refusal(
                    f"No tool call found for function call output with call_id {call_id}.",
                    f"{place}.call_id",
                )

            answered.add(call_id)

    for call_id in sorted(called - answered):
        raise Refusal(f"No tool output found for function call {call_id}.", "input")
