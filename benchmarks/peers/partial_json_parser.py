"""partial-json-parser, parsing the text again with each chunk."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.contenders import Contender, Reading, each_prefix
from benchmarks.workloads import Workload

partial_json_parser: Any = import_module("partial_json_parser")


def parsed(_: Workload) -> Reading:
    return Reading(each_prefix(partial_json_parser.loads))


CONTENDERS = [
    Contender(
        "partial-json-parser",
        "JSON",
        parsed,
        "partial-json-parser",
        rereads=True,
        line="partial-json-parser",
    )
]
