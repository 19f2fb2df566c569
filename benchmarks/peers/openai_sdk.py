"""The openai SDK: its streams and nothing else, and its helpers that parse what has arrived."""

from __future__ import annotations

from typing import Any

import openai
from openai import OpenAI

from benchmarks.contenders import Contender, Reading, last_of
from benchmarks.wire import over_chat, over_responses
from benchmarks.workloads import Workload


def chat(workload: Workload) -> Reading:
    def read(client: OpenAI) -> object:
        return last_of(client.chat.completions.create(model="m", messages=[], stream=True))

    return over_chat(workload, read)


def chat_helper(workload: Workload) -> Reading:
    tools = [openai.pydantic_function_tool(workload.model, name="create_purchase_order")]

    def read(client: OpenAI) -> object:
        asked: dict[str, Any] = {"response_format": workload.model, "tools": tools}
        with client.chat.completions.stream(model="m", messages=[], **asked) as stream:
            return last_of(stream)

    return over_chat(workload, read)


def responses(workload: Workload) -> Reading:
    def read(client: OpenAI) -> object:
        return last_of(client.responses.create(model="m", input="", stream=True))

    return over_responses(workload, read)


def responses_helper(workload: Workload) -> Reading:
    def read(client: OpenAI) -> object:
        asked: dict[str, Any] = {"text_format": workload.model}
        with client.responses.stream(model="m", input="", **asked) as stream:
            return last_of(stream)

    return over_responses(workload, read)


CONTENDERS = [
    Contender(
        "openai, create(stream=True)",
        "chat",
        chat,
        "openai",
        line="openai, decoding only",
    ),
    Contender("openai, .stream()", "chat", chat_helper, "openai", rereads=True),
    Contender("openai, create(stream=True)", "responses", responses, "openai"),
    Contender("openai, .stream()", "responses", responses_helper, "openai", rereads=True),
]
