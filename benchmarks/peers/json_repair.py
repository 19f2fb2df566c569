"""json_repair, repairing the text again with each chunk, the way it recommends for streams."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from benchmarks.contenders import Contender, Reading, each_prefix
from benchmarks.workloads import Workload

json_repair: Any = import_module("json_repair")


def repaired(_: Workload) -> Reading:
    return Reading(each_prefix(lambda text: json_repair.loads(text, stream_stable=True)))


CONTENDERS = [
    Contender("json_repair", "JSON", repaired, "json_repair", rereads=True, line="json_repair")
]
