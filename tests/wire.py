"""An HTTP server that streams what a test tells it to, and watches its clients' sockets."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from queue import Queue
from types import TracebackType
from typing import Self

PATIENCE = 10.0
"""Seconds after which a test is broken, and not just slow."""

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Exchange:
    """One request, and the answer that a test sends to it."""

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self._closed = threading.Event()

    def send(self, *texts: str) -> None:
        """Send a chunk of Chat Completions for each text."""
        for text in texts:
            self.send_event(
                {
                    "id": "1",
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": "m",
                    "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}],
                }
            )

    def send_event(self, event: object) -> None:
        """Send one event."""
        self.send_bytes(f"data: {json.dumps(event)}\n\n".encode())

    def send_bytes(self, data: bytes) -> None:
        """Send a piece of the body, cut where the test wants it."""
        self._client.sendall(b"%x\r\n%b\r\n" % (len(data), data))

    def finish(self) -> None:
        """End the answer as a provider does."""
        self.send_bytes(b"data: [DONE]\n\n")
        self._client.sendall(b"0\r\n\r\n")

    def drop(self) -> None:
        """Break the connection."""
        self._client.shutdown(socket.SHUT_RDWR)

    def is_closed(self) -> bool:
        """Wait until the client has closed its socket; False if it does not."""
        return self._closed.wait(PATIENCE)

    @property
    def is_open(self) -> bool:
        """Whether the client's socket has not been seen closed so far."""
        return not self._closed.is_set()

    def watch(self) -> None:
        """Return when the client has closed its socket."""
        with suppress(OSError):
            while self._client.recv(4096):
                continue

        self._closed.set()
        self._client.close()


class Wire:
    """The server; every request is answered by ``begin``, then by whatever the test sends.

    ``asked`` is set when a request has come. No answer begins before ``headers_held`` is set.
    """

    def __init__(
        self, begin: Callable[[Exchange], None], *, headers_held: threading.Event | None = None
    ) -> None:
        self._begin = begin
        self._headers_held = headers_held
        self.asked = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._exchanges: Queue[Exchange] = Queue()
        self._threads = [threading.Thread(target=self._accept, name="wire")]

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}/v1"

    def exchange(self) -> Exchange:
        """Return the next request, in the order of their coming."""
        return self._exchanges.get(timeout=PATIENCE)

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a client left its socket open"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(client,), name="wire")
                self._threads.append(thread)
                thread.start()

    def _answer(self, client: socket.socket) -> None:
        _read_request(client)
        self.asked.set()

        if self._headers_held is not None:
            self._headers_held.wait(PATIENCE)

        client.sendall(HEAD)
        exchange = Exchange(client)

        # The client may have left before it read anything.
        with suppress(ConnectionError):
            self._begin(exchange)

        self._exchanges.put(exchange)
        exchange.watch()


def _read_request(client: socket.socket) -> None:
    received = b""

    while b"\r\n\r\n" not in received:
        piece = client.recv(65536)
        if not piece:
            return  # the client has left

        received += piece

    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    missing = sum(lengths) - len(body)

    while missing > 0:
        missing -= len(client.recv(65536))


@contextmanager
def serving(*texts: str, finished: bool = False) -> Generator[Wire]:
    """Serve an answer that begins with these texts, and ends there if it is finished."""

    def begin(exchange: Exchange) -> None:
        exchange.send(*texts)

        if finished:
            exchange.finish()

    with Wire(begin) as wire:
        yield wire
