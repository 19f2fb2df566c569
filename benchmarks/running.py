"""A whole run: all contenders at all documents in all chunks, and what is kept of it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata

from benchmarks import floor, ours, peers
from benchmarks.contenders import Contender
from benchmarks.figures import Results
from benchmarks.measuring import Measuring
from benchmarks.workloads import RECORDED, SIZES, WHOLE, Workload, all_workloads

CHUNKS = (*map(str, SIZES), RECORDED, WHOLE)

QUICK_WORKLOADS = ("conference", "tool call", "20 users", "100 users")
QUICK_CHUNKS = ("4", WHOLE)


def run(
    measuring: Measuring,
    workloads: Sequence[Workload],
    chunks: Sequence[str] = CHUNKS,
    wanted: Sequence[str] | None = None,
) -> Results:
    """Measure everything; what Ctrl-C interrupts returns what there is."""
    contenders, left_out = peers.contenders(wanted)
    contenders = [*floor.CONTENDERS, *ours.CONTENDERS, *contenders]
    for peer, why in left_out.items():
        measuring.tell(f"left out: {peer} ({why})")

    results = Results(_about(measuring, contenders), left_out)
    try:
        for chunk in chunks:
            for workload in workloads:
                results.figures.extend(measuring.figures(contenders, workload, chunk))
    except KeyboardInterrupt:
        results.about["interrupted"] = "yes"

    return results


def workloads_of(names: Sequence[str] | None) -> list[Workload]:
    """Return the documents of these names, or all; a name may be the beginning of one."""
    every = all_workloads()
    if names is None:
        return list(every)

    for name in names:
        if not any(workload.name.startswith(name) for workload in every):
            known = ", ".join(repr(workload.name) for workload in every)
            raise ValueError(f"There is no document {name!r}; there are {known}")

    return [workload for workload in every if workload.name.startswith(tuple(names))]


def _about(measuring: Measuring, contenders: Sequence[Contender]) -> dict[str, str]:
    libraries = dict.fromkeys(contender.library for contender in contenders)
    versions = {library: _version(library) for library in (*libraries, "pydantic", "reactivex")}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "Python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {sys.platform}",
        "rounds": str(measuring.rounds),
        "budget": f"{measuring.budget:g} s",
        **{library: version for library, version in versions.items() if version},
    }


def _version(library: str) -> str:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(library)

    return ""
