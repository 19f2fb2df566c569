"""LangChain's output parsers, transforming the chunks."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from benchmarks.contenders import Contender, Reading, last_of
from benchmarks.workloads import Workload

output_parsers: Any = import_module("langchain_core.output_parsers")


def json_output(_: Workload) -> Reading:
    return _transformed_by(output_parsers.JsonOutputParser())


def pydantic_output(workload: Workload) -> Reading:
    return _transformed_by(output_parsers.PydanticOutputParser(pydantic_object=workload.model))


def _transformed_by(parser: Any) -> Reading:
    def read(chunks: Iterable[str]) -> object:
        return last_of(parser.transform(iter(chunks)))

    return Reading(read)


CONTENDERS = [
    Contender(
        "LangChain JsonOutputParser",
        "JSON",
        json_output,
        "langchain-core",
        rereads=True,
        line="LangChain JsonOutputParser",
    ),
    Contender(
        "LangChain PydanticOutputParser",
        "models",
        pydantic_output,
        "langchain-core",
        rereads=True,
    ),
]
