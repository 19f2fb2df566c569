"""LLM token streams as Observables, and operators to work with them while they arrive.

A source (``from_openai``, ``from_sse``, ``from_chunks``) emits Deltas; ``streamops.operators`` turn
them into snapshots, partial models, items and progress; a sink (``to_generator``,
``to_async_generator``, ``run``, ``arun``, or ``subscribe``) takes what comes out. ``extract`` makes
the request and the pipeline from the type that is wanted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamops import operators
    from streamops.delta import Delta, Kind
    from streamops.endings import Ending, Outcome, Timing
    from streamops.errors import (
        ConnectionDropped,
        ContentFiltered,
        Fault,
        LimitExceeded,
        MalformedJson,
        NoJson,
        Refused,
        SchemaMismatch,
        SourceFailed,
        SpentSource,
        StreamopsError,
        TruncatedJson,
        UnknownElement,
    )
    from streamops.extraction import Attempt
    from streamops.lifting import Operator, PassThrough, Step, lift
    from streamops.modes import Mode
    from streamops.moments import History, Moment
    from streamops.multitask import MultiTask
    from streamops.nodes import Path
    from streamops.outcomes import outcome
    from streamops.parser import IncrementalParser
    from streamops.partial import State, partial_model, state_of
    from streamops.partial_type import Partial
    from streamops.patterns import ANY
    from streamops.priors import Prior
    from streamops.progress import Progress
    from streamops.requests import extract, request
    from streamops.schemas import InexpressibleSchema
    from streamops.sinks.generators import to_async_generator, to_generator
    from streamops.sinks.history import ahistory, history
    from streamops.sinks.live import alive, live
    from streamops.sinks.values import arun, run
    from streamops.snapshot import Snapshot
    from streamops.sources.iterables import from_chunks
    from streamops.sources.openai import from_openai
    from streamops.sources.sse import from_sse
    from streamops.states import FieldState
    from streamops.streaming import Stream
    from streamops.tracing.running import atrace, trace
    from streamops.tracing.trace import Trace
    from streamops.validation import ValidateWhen

__version__ = "0.1.0"

__all__ = [
    "ANY",
    "Attempt",
    "ConnectionDropped",
    "ContentFiltered",
    "Delta",
    "Ending",
    "Fault",
    "FieldState",
    "History",
    "IncrementalParser",
    "InexpressibleSchema",
    "Kind",
    "LimitExceeded",
    "MalformedJson",
    "Mode",
    "Moment",
    "MultiTask",
    "NoJson",
    "Operator",
    "Outcome",
    "Partial",
    "PassThrough",
    "Path",
    "Prior",
    "Progress",
    "Refused",
    "SchemaMismatch",
    "Snapshot",
    "SourceFailed",
    "SpentSource",
    "State",
    "Step",
    "Stream",
    "StreamopsError",
    "Timing",
    "Trace",
    "TruncatedJson",
    "UnknownElement",
    "ValidateWhen",
    "ahistory",
    "alive",
    "arun",
    "atrace",
    "extract",
    "from_chunks",
    "from_openai",
    "from_sse",
    "history",
    "lift",
    "live",
    "operators",
    "outcome",
    "partial_model",
    "request",
    "run",
    "state_of",
    "to_async_generator",
    "to_generator",
    "trace",
]

# Importing all of it takes 30 ms, and a pipeline needs half of it, if it is built at all. So each
# name is imported from its module when it is first asked for.
_HOMES = {
    "ANY": "streamops.patterns",
    "Attempt": "streamops.extraction",
    "ConnectionDropped": "streamops.errors",
    "ContentFiltered": "streamops.errors",
    "Delta": "streamops.delta",
    "Ending": "streamops.endings",
    "Fault": "streamops.errors",
    "FieldState": "streamops.states",
    "History": "streamops.moments",
    "IncrementalParser": "streamops.parser",
    "InexpressibleSchema": "streamops.schemas",
    "Kind": "streamops.delta",
    "LimitExceeded": "streamops.errors",
    "MalformedJson": "streamops.errors",
    "Mode": "streamops.modes",
    "Moment": "streamops.moments",
    "MultiTask": "streamops.multitask",
    "NoJson": "streamops.errors",
    "Operator": "streamops.lifting",
    "Outcome": "streamops.endings",
    "Partial": "streamops.partial_type",
    "PassThrough": "streamops.lifting",
    "Path": "streamops.nodes",
    "Prior": "streamops.priors",
    "Progress": "streamops.progress",
    "Refused": "streamops.errors",
    "SchemaMismatch": "streamops.errors",
    "Snapshot": "streamops.snapshot",
    "SourceFailed": "streamops.errors",
    "SpentSource": "streamops.errors",
    "State": "streamops.partial",
    "Step": "streamops.lifting",
    "Stream": "streamops.streaming",
    "StreamopsError": "streamops.errors",
    "Timing": "streamops.endings",
    "Trace": "streamops.tracing.trace",
    "TruncatedJson": "streamops.errors",
    "UnknownElement": "streamops.errors",
    "ValidateWhen": "streamops.validation",
    "ahistory": "streamops.sinks.history",
    "alive": "streamops.sinks.live",
    "arun": "streamops.sinks.values",
    "atrace": "streamops.tracing.running",
    "extract": "streamops.requests",
    "from_chunks": "streamops.sources.iterables",
    "from_openai": "streamops.sources.openai",
    "from_sse": "streamops.sources.sse",
    "history": "streamops.sinks.history",
    "lift": "streamops.lifting",
    "live": "streamops.sinks.live",
    "operators": "streamops.operators",
    "outcome": "streamops.outcomes",
    "partial_model": "streamops.partial",
    "request": "streamops.requests",
    "run": "streamops.sinks.values",
    "state_of": "streamops.partial",
    "to_async_generator": "streamops.sinks.generators",
    "to_generator": "streamops.sinks.generators",
    "trace": "streamops.tracing.running",
}

if not TYPE_CHECKING:  # else any name would be right to a type checker

    def __getattr__(name: str) -> object:
        home = _HOMES.get(name, f"{__name__}.{name}")
        try:
            module = import_module(home)
        except ModuleNotFoundError as error:
            if error.name != home:
                raise
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None

        value = getattr(module, name) if name in _HOMES and name != "operators" else module
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
