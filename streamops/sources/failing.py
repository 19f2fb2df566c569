"""What a source raises becomes a SourceFailed."""

from __future__ import annotations

import sys

from streamops.errors import SourceFailed

_OTHER_LOOP = ("Event loop is closed", "different event loop", "different loop")


def failed(error: Exception) -> SourceFailed:
    """Return what a stream ends with when its source raised this; to be raised from it."""
    reason = f"The source raised {type(error).__name__}: {error}{advice(error)}"
    return SourceFailed(reason, dropped=isinstance(error, _broken_connections()))


def advice(error: BaseException) -> str:
    """Return what to add to a message so that it names the fix of a likely mistake."""
    reasons = (error, error.__cause__, error.__context__)

    if not any(_is_of_another_loop(reason) for reason in reasons):
        return ""

    return (
        ": the client's pooled connections belong to another event loop, which may have ended. "
        "Make the client inside the function that the source calls, or stay in one event loop: "
        "await what you do with it (arun, alive), or in a notebook nothing of it"
    )


def _is_of_another_loop(error: BaseException | None) -> bool:
    # Of a server that says so in its answer the SDK makes other errors.
    message = str(error) if isinstance(error, RuntimeError) else ""
    return any(said in message for said in _OTHER_LOOP)


def _broken_connections() -> tuple[type[Exception], ...]:
    # Whoever never imported the HTTP client cannot have got an error from it.
    client = sys.modules.get("httpx2")
    builtin = (ConnectionError, TimeoutError, EOFError)
    return (*builtin, client.TransportError) if client else builtin
