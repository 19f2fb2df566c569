"""What the openai SDK and its HTTP client raise becomes a SourceFailed."""

from __future__ import annotations

from streamops.delta import Delta
from streamops.errors import SourceFailed, StreamopsError
from streamops.sources.failing import advice


def ended(error: Exception) -> tuple[Delta, ...]:
    """Raise what a stream ends with that was being read, or return the end it stands for."""
    from openai import ContentFilterFinishReasonError, LengthFinishReasonError

    # The SDK's helper raises these in place of the chunk that has the finish reason.
    if isinstance(error, LengthFinishReasonError):
        return (Delta(kind="finish", finish_reason="length"),)

    if isinstance(error, ContentFilterFinishReasonError):
        return (Delta(kind="finish", finish_reason="content_filter"),)

    if isinstance(error, SourceFailed):
        error.begun = True

    if isinstance(error, StreamopsError):
        raise error

    raise failed_request(error, begun=True) from error


def failed_request(error: Exception, *, begun: bool) -> SourceFailed:
    """Return the error for one of the SDK, of its HTTP client or of a user's function."""
    import httpx2
    from openai import APIConnectionError, APIError

    broken = isinstance(
        error, (APIConnectionError, httpx2.TransportError, ConnectionError, TimeoutError)
    )
    message = str(error) if isinstance(error, APIError) else f"{type(error).__name__}: {error}"

    if broken and error.__cause__ is not None:
        message = f"{message} {error.__cause__}"

    failed = SourceFailed(f"{message}{advice(error)}", dropped=broken and begun)
    failed.begun = begun
    return failed
