"""What a source raises becomes a SourceFailed."""

from __future__ import annotations

import sys

from streamops.errors import SourceFailed


def failed(error: Exception) -> SourceFailed:
    """Return what a stream ends with when its source raised this; to be raised from it."""
    reason = f"The source raised {type(error).__name__}: {error}"
    return SourceFailed(reason, dropped=isinstance(error, _broken_connections()))


def _broken_connections() -> tuple[type[Exception], ...]:
    # Whoever never imported the HTTP client cannot have got an error from it.
    client = sys.modules.get("httpx2")
    builtin = (ConnectionError, TimeoutError, EOFError)
    return (*builtin, client.TransportError) if client else builtin
