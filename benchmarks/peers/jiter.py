"""jiter, parsing the text again with each chunk; and an all-optional model made of that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import jiter

from benchmarks.contenders import Contender, Reading
from benchmarks.workloads import Workload


def parsed(_: Workload) -> Reading:
    return Reading(_each_prefix(_parse))


def parsed_and_modelled(workload: Workload) -> Reading:
    validate = workload.optional.model_validate
    return Reading(_each_prefix(lambda text: validate(_parse(text))))


def _each_prefix(read: Callable[[bytes], object]) -> Callable[[Iterable[str]], object]:
    """Read all bytes so far again: what a careful user writes by hand."""

    def read_all(chunks: Iterable[str]) -> object:
        text = b""
        value: object = None
        for chunk in chunks:
            text += chunk.encode()
            value = read(text)
        return value

    return read_all


def _parse(text: bytes) -> Any:
    return jiter.from_json(text, partial_mode="trailing-strings")


CONTENDERS = [
    Contender("jiter", "JSON", parsed, "jiter", rereads=True),
    Contender(
        "jiter + optional model",
        "models",
        parsed_and_modelled,
        "jiter",
        rereads=True,
        line="jiter + optional model",
    ),
]
