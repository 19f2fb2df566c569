"""LLM token streams as Observables, and operators to work with them while they arrive.

A source (``from_openai``, ``from_chunks``) emits Deltas; ``streamops.operators`` turn them into
snapshots, partial models, items and progress; a sink (``to_generator``, ``to_async_generator``,
``run``, ``arun``, or ``subscribe``) takes what comes out.
"""

from __future__ import annotations

# Elements
from streamops.delta import Delta, Kind

# Endings
from streamops.errors import (
    ConnectionDropped,
    ContentFiltered,
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

# Operators of one's own
from streamops.lifting import Operator, PassThrough, Step, lift
from streamops.nodes import Path
from streamops.parser import IncrementalParser
from streamops.partial import State, partial_model, state_of

# Places in a document, and how far it is
from streamops.patterns import ANY
from streamops.priors import Prior
from streamops.progress import Progress

# Sinks
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun, run
from streamops.snapshot import Snapshot

# Sources
from streamops.sources.iterables import from_chunks
from streamops.sources.openai import from_openai

# How fields of a model stream, and when they are validated
from streamops.states import FieldState
from streamops.streaming import Stream
from streamops.validation import ValidateWhen

__version__ = "0.1.0"

__all__ = [
    "ANY",
    "ConnectionDropped",
    "ContentFiltered",
    "Delta",
    "FieldState",
    "IncrementalParser",
    "Kind",
    "LimitExceeded",
    "MalformedJson",
    "NoJson",
    "Operator",
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
    "TruncatedJson",
    "UnknownElement",
    "ValidateWhen",
    "arun",
    "from_chunks",
    "from_openai",
    "lift",
    "partial_model",
    "run",
    "state_of",
    "to_async_generator",
    "to_generator",
]
