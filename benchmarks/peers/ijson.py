"""ijson, pushed: the items of a list as dicts, and as models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from benchmarks.contenders import Contender, Reading, Unfit
from benchmarks.workloads import Workload

ijson: Any = import_module("ijson")


def dicts(workload: Workload) -> Reading:
    return _pushed(workload, lambda item: item)


def models(workload: Workload) -> Reading:
    return _pushed(workload, workload.item.model_validate if workload.item else lambda item: item)


def _pushed(workload: Workload, make: Callable[[Any], object]) -> Reading:
    if workload.item is None:
        raise Unfit("no list")

    def read(chunks: Iterable[str]) -> object:
        last: object = None
        events: list[Any] = ijson.sendable_list()
        parser = ijson.items_coro(events, f"{workload.items}.item", use_float=True)
        for chunk in chunks:
            parser.send(chunk.encode())
            for item in events:
                last = make(item)
            events.clear()

        parser.close()
        return last

    return Reading(read)


CONTENDERS = [
    Contender("ijson", "items", dicts, "ijson"),
    Contender("ijson + model_validate", "items", models, "ijson", line="ijson, items only"),
]
