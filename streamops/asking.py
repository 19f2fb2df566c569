"""What each mode sends: the arguments of a request for what has a schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias, cast

from streamops.modes import Mode
from streamops.schemas import InexpressibleSchema, Schema

Arguments: TypeAlias = Mapping[str, Any]
"""Arguments of a request, as the SDK's ``create`` takes them."""

_IN_PROMPT = (
    "Answer with one JSON object that fits the following JSON schema, and with nothing else.\n\n"
)
_IN_FENCE = (
    "Answer with one block of JSON, fenced by ```json and ```, that holds one object that fits the "
    "following JSON schema.\n\n"
)


def arguments_for(mode: Mode, schemas: Sequence[Schema], request: Arguments) -> dict[str, Any]:
    """Return a request's arguments with those that ask for one of the schemas in that mode.

    What was given stays as it is. Raises TypeError where it would have to be overwritten, and
    InexpressibleSchema for a schema that the mode cannot express.
    """
    for name in _OWN[mode]:
        if name in request:
            raise TypeError(
                f"{name}= is what Mode.{mode.name} sends itself: leave it out, or choose another "
                "mode"
            )

    return {**request, **_SENDS[mode](schemas, request)}


def _tools(schemas: Sequence[Schema], _: Arguments) -> dict[str, Any]:
    tools = [{"type": "function", "function": _function(schema)} for schema in schemas]
    forced = {"type": "function", "function": {"name": schemas[0].name}}
    return {"tools": tools, "tool_choice": "required" if schemas[1:] else forced}


def _functions(schemas: Sequence[Schema], _: Arguments) -> dict[str, Any]:
    functions = [{**_described(schema), "parameters": _loose(schema)} for schema in schemas]
    forced = {"name": schemas[0].name}
    return {"functions": functions, "function_call": "auto" if schemas[1:] else forced}


def _json_schema(schemas: Sequence[Schema], _: Arguments) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": _strict(schemas[0])}}


def _json(schemas: Sequence[Schema], request: Arguments) -> dict[str, Any]:
    messages = _told(_IN_PROMPT, schemas[0], request)
    return {"messages": messages, "response_format": {"type": "json_object"}}


def _md_json(schemas: Sequence[Schema], request: Arguments) -> dict[str, Any]:
    return {"messages": _told(_IN_FENCE, schemas[0], request)}


def _responses_tools(schemas: Sequence[Schema], _: Arguments) -> dict[str, Any]:
    # Where "strict" is left out, Responses takes it to be true.
    tools = [{"type": "function", "strict": False, **_function(schema)} for schema in schemas]
    forced = {"type": "function", "name": schemas[0].name}
    return {"tools": tools, "tool_choice": "required" if schemas[1:] else forced}


def _responses_json_schema(schemas: Sequence[Schema], request: Arguments) -> dict[str, Any]:
    text: dict[str, Any] = {**(request.get("text") or {})}

    if "format" in text:
        raise TypeError(
            "text={'format': ...} is what Mode.RESPONSES_JSON_SCHEMA sends itself: leave it out"
        )

    return {"text": {**text, "format": {"type": "json_schema", **_strict(schemas[0])}}}


_SENDS: dict[Mode, Callable[[Sequence[Schema], Arguments], dict[str, Any]]] = {
    Mode.TOOLS: _tools,
    Mode.JSON_SCHEMA: _json_schema,
    Mode.JSON: _json,
    Mode.MD_JSON: _md_json,
    Mode.FUNCTIONS: _functions,
    Mode.RESPONSES_TOOLS: _responses_tools,
    Mode.RESPONSES_JSON_SCHEMA: _responses_json_schema,
}
_OWN: dict[Mode, tuple[str, ...]] = {
    Mode.TOOLS: ("tools", "tool_choice", "functions", "function_call"),
    Mode.JSON_SCHEMA: ("response_format",),
    Mode.JSON: ("response_format",),
    Mode.MD_JSON: ("response_format",),
    Mode.FUNCTIONS: ("functions", "function_call", "tools", "tool_choice"),
    Mode.RESPONSES_TOOLS: ("tools", "tool_choice"),
    Mode.RESPONSES_JSON_SCHEMA: (),
}


def _function(schema: Schema) -> dict[str, Any]:
    try:
        strict = {"parameters": schema.strict(), "strict": True}
    except InexpressibleSchema:
        strict = {"parameters": _loose(schema)}

    return {**_described(schema), **strict}


def _loose(schema: Schema) -> dict[str, Any]:
    # Whoever sees the request may change it.
    return deepcopy(schema.parameters)


def _strict(schema: Schema) -> dict[str, Any]:
    return {**_described(schema), "schema": schema.strict(), "strict": True}


def _described(schema: Schema) -> dict[str, Any]:
    described = {"name": schema.name, "description": schema.description}
    return described if schema.description else {"name": schema.name}


def _told(prompt: str, schema: Schema, request: Arguments) -> list[Any]:
    """Return the messages with a prompt for the schema in the first one, which models heed most."""
    text = prompt + json.dumps(schema.parameters, ensure_ascii=False)
    messages: list[Any] = [*request.get("messages", ())]

    if not messages or not isinstance(messages[0], Mapping):
        return [{"role": "system", "content": text}, *messages]

    first, *others = cast("list[Mapping[str, Any]]", messages)

    if first.get("role") not in ("system", "developer"):
        return [{"role": "system", "content": text}, *messages]

    given = first.get("content") or ""
    is_text = isinstance(given, str)
    content = f"{given}\n\n{text}" if is_text else [*given, {"type": "text", "text": text}]
    return [{**first, "content": content}, *others]
