"""What reading the whole text once costs, when it has all arrived: nobody can be faster."""

from __future__ import annotations

import json
from collections.abc import Iterable

from benchmarks.contenders import Contender, Reading
from benchmarks.workloads import Workload


def json_loads(_: Workload) -> Reading:
    def read(chunks: Iterable[str]) -> object:
        return json.loads("".join(chunks))

    return Reading(read)


def model_validate_json(workload: Workload) -> Reading:
    validate = workload.model.model_validate_json

    def read(chunks: Iterable[str]) -> object:
        return validate("".join(chunks))

    return Reading(read)


CONTENDERS = [
    Contender("json.loads, once", "nothing before the end", json_loads, "floor"),
    Contender("model_validate_json, once", "nothing before the end", model_validate_json, "floor"),
]
