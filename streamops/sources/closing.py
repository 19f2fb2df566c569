"""How an iterator is closed, or a read of it ended, so that nothing below it stays open."""

from __future__ import annotations

import inspect
import socket
from contextlib import suppress

from anyio import CancelScope


async def close_stream(stream: object) -> None:
    """Close an asynchronous iterator, with the generators that an SDK's stream reads from.

    Nothing is done for an iterator that cannot be closed. A cancelled task closes it just as well.
    """
    with CancelScope(shield=True):
        try:
            close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
            await _unwind(stream)
            closing = close() if close is not None else None

            if inspect.isawaitable(closing):
                await closing
        finally:
            await _unwind(getattr(stream, "_iterator", None))


async def _unwind(generator: object) -> None:
    # These libraries iterate over generators without closing them, and leave them suspended for
    # the event loop to complain about. Asked for more in a cancelled scope, the innermost one is
    # cancelled, and all of them end in order. Other generators may do something between two
    # awaits that nobody wants done any more.
    if not inspect.isasyncgen(generator) or generator.ag_frame is None:
        return

    module: str = generator.ag_frame.f_globals["__name__"]

    if module.partition(".")[0] not in ("httpx2", "openai"):
        return

    with CancelScope() as cancelled:
        cancelled.cancel()

        while True:
            try:
                await anext(generator)
            except Exception:
                # It has ended; how does not matter to somebody who wanted nothing more of it.
                return


def interrupt_stream(stream: object) -> None:
    """End a read of an SDK's synchronous stream that blocks in another thread."""
    response = getattr(stream, "response", None) or getattr(stream, "_response", None)
    network = getattr(response, "extensions", {}).get("network_stream")
    connected = network and network.get_extra_info("socket")

    if isinstance(connected, socket.socket):
        # The read may have ended, and the socket with it. A TLS socket's own shutdown would drop
        # its state, which the read is using.
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)
