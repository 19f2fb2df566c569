"""pydantic-ai: the validation that its agents do with each token, without agent and event loop.

It validates the model itself, so that only prefixes which are a valid model give a value.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from pydantic import ValidationError

from benchmarks.contenders import Contender, Reading, each_prefix
from benchmarks.workloads import Workload

output: Any = import_module("pydantic_ai._output")


def validated(workload: Workload) -> Reading:
    processor = output.ObjectOutputProcessor(output=workload.model)

    def read(text: str) -> object:
        try:
            return processor.validate(text, allow_partial=True)
        except ValidationError:
            return None

    return Reading(each_prefix(read))


CONTENDERS = [
    Contender(
        "pydantic-ai, partial validation",
        "models",
        validated,
        "pydantic-ai",
        rereads=True,
        line="pydantic-ai",
    )
]
