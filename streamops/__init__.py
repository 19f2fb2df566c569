"""LLM token streams as Observables, and operators to work with them while they arrive.

A source (``from_openai``, ``from_sse``, ``from_chunks``) emits Deltas; ``streamops.operators`` turn
them into snapshots, partial models, items and progress; a sink (``to_generator``,
``to_async_generator``, ``run``, ``arun``, or ``subscribe``) takes what comes out. ``extract`` makes
the request and the pipeline from the type that is wanted.
"""

from __future__ import annotations

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
from streamops.sinks.values import arun, run
from streamops.snapshot import Snapshot
from streamops.sources.iterables import from_chunks
from streamops.sources.openai import from_openai
from streamops.sources.sse import from_sse
from streamops.states import FieldState
from streamops.streaming import Stream
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
    "IncrementalParser",
    "InexpressibleSchema",
    "Kind",
    "LimitExceeded",
    "MalformedJson",
    "Mode",
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
    "TruncatedJson",
    "UnknownElement",
    "ValidateWhen",
    "arun",
    "extract",
    "from_chunks",
    "from_openai",
    "from_sse",
    "lift",
    "outcome",
    "partial_model",
    "request",
    "run",
    "state_of",
    "to_async_generator",
    "to_generator",
]
