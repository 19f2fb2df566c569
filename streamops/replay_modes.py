"""What each mode sends, for a replay server that insists on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamops.modes import Mode
from streamops.replay_fields import Fields, Refusal, object_in, objects_in, quoted, text_of


def check_mode(body: Fields, mode: Mode) -> None:
    """Raise Refusal for a request that is not what the mode sends."""
    _SENDS[mode](body)

    if mode.api == "chat" and body.get("stream"):
        _expect_usage(body, mode)


def _expect_tools(body: Fields) -> None:
    _expect_none(body, Mode.TOOLS, "response_format", "functions", "function_call")
    tools = objects_in(body, "tools")

    for number, tool in enumerate(tools):
        place = f"tools[{number}]"
        _expect_type(tool, Mode.TOOLS, place, "function")
        _expect_fields(tool, Mode.TOOLS, place, ("type", "function"))
        _expect_function(tool["function"], Mode.TOOLS, f"{place}.function")

    names = [tool["function"]["name"] for tool in tools]
    forced = [{"type": "function", "function": {"name": name}} for name in names]
    _expect_choice(body, Mode.TOOLS, "tools", "tool_choice", forced, "required")


def _expect_functions(body: Fields) -> None:
    _expect_none(body, Mode.FUNCTIONS, "response_format", "tools", "tool_choice")
    functions = objects_in(body, "functions")

    for number, function in enumerate(functions):
        _expect_function(function, Mode.FUNCTIONS, f"functions[{number}]")

    forced = [{"name": function["name"]} for function in functions]
    _expect_choice(body, Mode.FUNCTIONS, "functions", "function_call", forced, "auto")


def _expect_responses_tools(body: Fields) -> None:
    tools = objects_in(body, "tools")

    for number, tool in enumerate(tools):
        _expect_type(tool, Mode.RESPONSES_TOOLS, f"tools[{number}]", "function")
        _expect_function(tool, Mode.RESPONSES_TOOLS, f"tools[{number}]")

    forced = [{"type": "function", "name": tool["name"]} for tool in tools]
    _expect_choice(body, Mode.RESPONSES_TOOLS, "tools", "tool_choice", forced, "required")


def _expect_json_schema(body: Fields) -> None:
    mode = Mode.JSON_SCHEMA
    _expect_unforced(body, mode)
    sent = object_in(body, "response_format")
    _expect_type(sent, mode, "response_format", "json_schema")
    _expect_fields(sent, mode, "response_format", ("type", "json_schema"))
    _expect_strict(sent["json_schema"], mode, "response_format.json_schema", ("name", "schema"))


def _expect_responses_json_schema(body: Fields) -> None:
    mode = Mode.RESPONSES_JSON_SCHEMA
    _expect_unforced(body, mode)
    sent = object_in(object_in(body, "text"), "format", "text.format")
    _expect_type(sent, mode, "text.format", "json_schema")
    _expect_strict(sent, mode, "text.format", ("type", "name", "schema"))


def _expect_json(body: Fields) -> None:
    sent = object_in(body, "response_format")
    _expect_type(sent, Mode.JSON, "response_format", "json_object")
    _expect_fields(sent, Mode.JSON, "response_format", ("type",))
    _expect_in_prompt(body, Mode.JSON, '"type": "object"', "a JSON schema")


def _expect_md_json(body: Fields) -> None:
    _expect_none(body, Mode.MD_JSON, "response_format", "tools", "functions")
    _expect_in_prompt(body, Mode.MD_JSON, '"type": "object"', "a JSON schema")
    _expect_in_prompt(body, Mode.MD_JSON, "```json", "the wish for a ```json fence")


_SENDS: dict[Mode, Callable[[Fields], None]] = {
    Mode.TOOLS: _expect_tools,
    Mode.JSON_SCHEMA: _expect_json_schema,
    Mode.JSON: _expect_json,
    Mode.MD_JSON: _expect_md_json,
    Mode.FUNCTIONS: _expect_functions,
    Mode.RESPONSES_TOOLS: _expect_responses_tools,
    Mode.RESPONSES_JSON_SCHEMA: _expect_responses_json_schema,
}


def _expect_usage(body: Fields, mode: Mode) -> None:
    if "include_usage" not in object_in(body, "stream_options"):
        raise Refusal(
            f"{_name(mode)} asks for the usage of a stream, or says in 'stream_options' that it "
            "does not want to know",
            "stream_options",
        )


_FUNCTION_FIELDS: dict[Mode, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Mode.TOOLS: (("name", "parameters"), ("description", "strict")),
    Mode.FUNCTIONS: (("name", "parameters"), ("description",)),
    # Responses takes a function to be strict that does not say whether it is.
    Mode.RESPONSES_TOOLS: (("type", "name", "parameters", "strict"), ("description",)),
}


def _expect_function(function: Fields, mode: Mode, place: str) -> None:
    _expect_fields(function, mode, place, *_FUNCTION_FIELDS[mode])

    if not isinstance(function.get("strict", False), bool):
        raise Refusal(f"{_name(mode)} sends '{place}.strict' as a boolean", f"{place}.strict")


def _expect_choice(
    body: Fields, mode: Mode, offers: str, field: str, forced: Sequence[Fields], open_choice: str
) -> None:
    if not forced:
        raise Refusal(f"{_name(mode)} sends {offers!r}, and there are none", offers)

    if body.get(field) in forced or (body.get(field) == open_choice and len(forced) > 1):
        return

    allowed = f"one of {offers!r}, or {open_choice!r} where there are several"
    raise Refusal(f"{_name(mode)} chooses {allowed}, not {quoted(body.get(field))}", field)


def _expect_unforced(body: Fields, mode: Mode) -> None:
    for field in ("tool_choice", "function_call"):
        if body.get(field) not in (None, "auto", "none"):
            raise Refusal(f"{_name(mode)} forces no tool, as {field!r} does here", field)


def _expect_strict(described: Fields, mode: Mode, place: str, needed: tuple[str, ...]) -> None:
    _expect_fields(described, mode, place, (*needed, "strict"), ("description",))

    if described["strict"] is not True:
        raise Refusal(f"{_name(mode)} sends '{place}.strict' as true", f"{place}.strict")


def _expect_in_prompt(body: Fields, mode: Mode, wanted: str, meaning: str) -> None:
    instructions = [
        message
        for message in objects_in(body, "messages")
        if message.get("role") in ("system", "developer")
    ]

    if wanted not in text_of(instructions[:1]):
        raise Refusal(
            f"{_name(mode)} puts {meaning} into the first system or developer message: there is "
            f"no {wanted} in it",
            "messages",
        )


def _expect_none(body: Fields, mode: Mode, *fields: str) -> None:
    for field in fields:
        if body.get(field) is not None:
            raise Refusal(f"{_name(mode)} does not send {field!r}", field)


def _expect_type(described: Fields, mode: Mode, place: str, kind: str) -> None:
    if described.get("type") != kind:
        sent = quoted(described.get("type"))
        raise Refusal(f"{_name(mode)} sends {place!r} of type {kind!r}, not {sent}", place)


def _expect_fields(
    described: Fields,
    mode: Mode,
    place: str,
    needed: tuple[str, ...],
    may_have: tuple[str, ...] = (),
) -> None:
    for field in needed:
        if described.get(field) is None:
            raise Refusal(f"{_name(mode)} sends '{place}.{field}'", f"{place}.{field}")

    for field in described:
        if field not in needed and field not in may_have:
            raise Refusal(f"{_name(mode)} does not send '{place}.{field}'", f"{place}.{field}")


def _name(mode: Mode) -> str:
    return f"Mode.{mode.name}"
