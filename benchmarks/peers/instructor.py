"""instructor's Partial and Iterable, reading the chunk objects that the openai SDK decodes.

What decodes the bytes to these objects is not timed. instructor's own synchronous
``create_partial`` would collect all of them first, so its generator is asked directly.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

from openai.types.chat import ChatCompletionChunk

from benchmarks.contenders import Contender, Reading, Unfit, last_of
from benchmarks.workloads import Workload

partial: Any = import_module("instructor.dsl.partial")
iterable: Any = import_module("instructor.dsl.iterable")
handlers: Any = import_module("instructor.v2.providers.openai.handlers")


def partials(workload: Workload) -> Reading:
    return _streamed_by(partial.Partial[workload.model])


def items(workload: Workload) -> Reading:
    if workload.item is None:
        raise Unfit("no list")

    return _streamed_by(iterable.IterableModel(workload.item))


def _streamed_by(model: Any) -> Reading:
    extract = handlers.OpenAIJSONHandler().extract_streaming_json

    def read(chunks: Iterable[ChatCompletionChunk]) -> object:
        return last_of(model.from_streaming_response(chunks, extract))

    return Reading(read, lambda texts: [_chunk(text) for text in texts])


@cache
def _chunk(text: str) -> ChatCompletionChunk:
    return ChatCompletionChunk.model_validate(
        {
            "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012",
            "object": "chat.completion.chunk",
            "created": 1735689600,
            "model": "gpt-4o-2024-08-06",
            "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
        }
    )


CONTENDERS = [
    Contender(
        "instructor Partial",
        "models",
        partials,
        "instructor",
        rereads=True,
        line="instructor Partial",
    ),
    Contender(
        "instructor Iterable",
        "items",
        items,
        "instructor",
        line="instructor Iterable, items only",
    ),
]
