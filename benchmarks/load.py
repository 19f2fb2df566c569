"""Many streams at once on one core: chunks a second, added latency, memory.

Every stream is a request of its own through one AsyncOpenAI client, answered in this process, so
that no server's work is counted. The events are made beforehand, and a ticker hands each stream
its next one: so many a second, with all streams out of step, or, unthrottled, whenever it waits.
What has come by the time of a read comes in one piece, as from a socket.

Read in the same run: the bytes of the answers, not decoded; the events of the bare SDK; and
partial models, the newest field of each looked at. A latency is the time from when a chunk was
due to when the consumer has what became of it; a chunk that is late when the time is up counts
with the age that it has then.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import sys
import time
import tracemalloc
from array import array
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import trio
from anyio import create_task_group, run, sleep
from openai import AsyncOpenAI
from pydantic import BaseModel

from benchmarks.wire import chat_chunk
from streamops import from_openai, to_async_generator
from streamops import operators as ops

STREAMS: Final = (1, 10, 100, 1000, 5000)
RATE: Final = 50.0
SECONDS: Final = 4.0
CHARACTERS: Final = 4
"""In a chunk."""

HEADER: Final = "x-stream"
"""Tells the server which stream a request is for."""

UNTHROTTLED: Final = 100_000
"""Chunks, in all streams together, that are to be read as fast as it goes."""

REMEMBERED: Final = 100
"""How many streams, at most, are open when their memory is measured, and how many chunks of each
were read by then."""


class Speaker(BaseModel):
    name: str
    email: str
    talk: str


class Conference(BaseModel):
    title: str
    speakers: list[Speaker]


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be read."""

    streams: int
    chunks: int
    """Of each stream."""
    rate: float | None = None
    """Chunks of each stream a second; None for one whenever it waits."""
    frozen: bool = False
    """Whether what there is when all streams are open is kept from the garbage collector."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a load."""

    seconds: float
    busy: float
    """Seconds of them in which the core worked."""
    received: int
    latencies: Sequence[float]
    """Of the chunks that were due, in order of length."""

    @property
    def rate(self) -> float:
        """Chunks a second, of all streams together."""
        return self.received / self.seconds

    def latency(self, share: float) -> float:
        """Return the latency that this share of the chunks does not exceed."""
        place = math.ceil(share * len(self.latencies)) - 1
        return self.latencies[max(0, place)] if self.latencies else math.nan


Request = dict[str, Any]
"""The arguments of a request, without ``stream``."""

Receive = Callable[[], None]
"""Is called when the consumer has what became of one more chunk."""

Read = Callable[[AsyncOpenAI, Request, Receive], Coroutine[Any, Any, None]]
"""Makes a request, and reads what is answered."""


@dataclass(frozen=True, slots=True)
class Reader:
    name: str
    read: Read


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--streams",
        type=int,
        nargs="+",
        default=STREAMS,
        metavar="N",
        help=f"how many at once (default {' '.join(map(str, STREAMS))})",
    )
    parser.add_argument(
        "--rate", type=float, default=RATE, help=f"chunks a second of each (default {RATE:g})"
    )
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"time of each run (default {SECONDS:g})"
    )
    parser.add_argument(
        "--freeze",
        action="store_true",
        help="call gc.freeze() when all streams are open, so that full collections are short",
    )
    parser.add_argument("--trio", action="store_true", help="on trio instead of asyncio")
    given = parser.parse_args()

    try:
        print_load(
            given.streams,
            rate=given.rate,
            seconds=given.seconds,
            backend="trio" if given.trio else "asyncio",
            frozen=given.freeze,
        )
    except KeyboardInterrupt:
        print("\nInterrupted", file=sys.stderr)
        sys.exit(130)


def print_load(
    streams: Sequence[int] = STREAMS,
    *,
    rate: float = RATE,
    seconds: float = SECONDS,
    backend: str = "asyncio",
    frozen: bool = False,
) -> None:
    """Print a line for each number of streams and each reader, as soon as it is measured."""
    print(f"\nStreams of {rate:g} chunks a second each, for {seconds:g} s, on {backend}")
    print(
        "core: its share that was busy; us/chunk: processor's time; unthrottled: chunks a second\n"
    )
    print(
        f"{'streams':>7}  {'':26}{'due/s':>9}{'read/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'core':>7}"
        f"{'us/chunk':>10}{'unthrottled/s':>15}{'KB/stream':>11}"
    )

    for count in streams:
        for reader in READERS:
            _tell(f"{count} streams, {reader.name} ...")
            paced_load = Load(count, math.ceil(rate * seconds), rate, frozen)
            free_load = Load(count, max(REMEMBERED, UNTHROTTLED // count), None, frozen)
            paced = measure(paced_load, reader, seconds, backend)
            free = measure(free_load, reader, seconds, backend)
            held = memory(min(count, REMEMBERED), reader, backend)
            cost = paced.busy / max(1, paced.received) * 1e6
            _tell("")
            print(
                f"{count:7}  {reader.name:26}{count * rate:9.0f}{paced.rate:9.0f}"
                f"{paced.latency(0.5) * 1e3:9.2f}{paced.latency(0.99) * 1e3:9.2f}"
                f"{paced.busy / paced.seconds:7.0%}{cost:10.1f}{free.rate:15.0f}{held / 1e3:11.1f}",
                flush=True,
            )

        print()


def measure(load: Load, reader: Reader, seconds: float, backend: str = "asyncio") -> Result:
    """Read until everything is read or the time is up; it begins when all streams are open."""
    return run(_measure, load, reader, seconds, backend=backend)


def memory(streams: int, reader: Reader, backend: str = "asyncio") -> float:
    """Return the bytes of Python's objects (tracemalloc) that each of so many streams takes."""
    return run(_memory, streams, reader, backend=backend)


async def _measure(load: Load, reader: Reader, seconds: float) -> Result:
    times = [array("d") for _ in range(load.streams)]

    def receiver(stream: int) -> Receive:
        append, now = times[stream].append, time.perf_counter
        return lambda: append(now())

    async with _reading(load, reader, receiver) as server:
        gc.collect()

        if load.frozen:
            gc.freeze()

        busy = time.process_time()
        began = time.perf_counter()
        await server.serve(began + seconds)
        ended = time.perf_counter()
        busy = time.process_time() - busy
        received = [list(each) for each in times]
        gc.unfreeze()

    latencies = _latencies(load, received, began, ended) if load.rate else ()
    return Result(ended - began, busy, sum(map(len, received)), latencies)


def _latencies(
    load: Load, received: Sequence[Sequence[float]], began: float, ended: float
) -> list[float]:
    assert load.rate is not None
    between = 1 / load.rate / load.streams
    latencies: list[float] = []

    for number in range(load.streams * load.chunks):
        chunk, stream = divmod(number, load.streams)
        due = began + number * between
        times = received[stream]

        if due <= ended:
            latencies.append((times[chunk] if chunk < len(times) else ended) - due)

    return sorted(latencies)


async def _memory(streams: int, reader: Reader) -> float:
    load = Load(streams, REMEMBERED)
    gc.collect()
    tracemalloc.start()

    try:
        async with _reading(load, reader, lambda _: _ignore) as server:
            await server.serve(math.inf)
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    return held / streams


@asynccontextmanager
async def _reading(
    load: Load, reader: Reader, receiver: Callable[[int], Receive]
) -> AsyncGenerator[_Server, None]:
    """Open all streams, and leave them whenever that is enough."""
    server = _Server(load)
    http = httpx2.AsyncClient(transport=server)

    async with (
        AsyncOpenAI(api_key="none", max_retries=0, http_client=http) as client,
        create_task_group() as group,
    ):
        for stream in range(load.streams):
            headers = {HEADER: str(stream)}
            request: Request = {"model": "m", "messages": [], "extra_headers": headers}
            group.start_soon(reader.read, client, request, receiver(stream))

        await server.wait_until_drained()
        yield server
        group.cancel_scope.cancel()


class _Server(httpx2.AsyncBaseTransport):
    """Answers every request with the same chunks, each when it is due."""

    def __init__(self, load: Load) -> None:
        pieces = _pieces(load.chunks)
        self._load = load
        self._answers = [_Answer(pieces) for _ in range(load.streams)]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = self._answers[int(request.headers[HEADER])]
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=answer)

    async def serve(self, until: float) -> None:
        """Hand out the chunks until all of them were read or the time is up."""
        await _follow(self._on_time() if self._load.rate else self._at_once(), until)
        await _follow(self._drained(), until)

    async def wait_until_drained(self) -> None:
        """Wait until every stream is open and waits for more."""
        await _follow(self._drained(), math.inf)

    def _drained(self) -> Iterator[float]:
        for answer in self._answers:
            while not answer.is_waited_for:
                yield 0

    def _on_time(self) -> Iterator[float]:
        assert self._load.rate is not None
        between = 1 / self._load.rate / len(self._answers)
        due = time.perf_counter()

        for _ in range(self._load.chunks):
            for answer in self._answers:
                if (early := due - time.perf_counter()) > 0:
                    yield early

                answer.hand_out()
                due += between

    def _at_once(self) -> Iterator[float]:
        for _ in range(self._load.chunks):
            for answer in self._answers:
                while not answer.is_waited_for:
                    yield 0

                answer.hand_out()


async def _follow(turns: Iterator[float], until: float) -> None:
    for seconds in turns:
        if time.perf_counter() >= until:
            return

        await sleep(seconds)


class _Answer(httpx2.AsyncByteStream):
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.is_waited_for = False
        self._pieces = pieces
        self._read = 0
        self._due = 0
        self._news: asyncio.Event | trio.Event | None = None

    def hand_out(self) -> None:
        """Make one more chunk available."""
        self._due += 1

        if self._news is not None:
            self.is_waited_for = False
            self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        new_event = trio.Event if trio.lowlevel.in_trio_run() else asyncio.Event

        while True:
            if self._read == self._due:
                self._news = new_event()
                self.is_waited_for = True
                await self._news.wait()
                self._news = None

            first, self._read = self._read, self._due
            yield b"".join(self._pieces[first : self._due])


async def _read_bytes(client: AsyncOpenAI, request: Request, receive: Receive) -> None:
    create = client.chat.completions.with_streaming_response.create

    async with create(**request, stream=True) as response:
        async for piece in response.iter_bytes():
            for _ in range(piece.count(b"\n\n")):
                receive()


async def _read_events(client: AsyncOpenAI, request: Request, receive: Receive) -> None:
    async with await client.chat.completions.create(**request, stream=True) as stream:
        async for _ in stream:
            receive()


async def _read_partials(client: AsyncOpenAI, request: Request, receive: Receive) -> None:
    stream = from_openai(client.chat.completions, **request).pipe(
        ops.accumulate_json(), ops.to_partial(Conference)
    )

    async with to_async_generator(stream) as conferences:
        async for conference in conferences:
            _look(conference)
            receive()


READERS: Final = (
    Reader("bytes, not decoded", _read_bytes),
    Reader("openai SDK, events", _read_events),
    Reader("streamops, partial models", _read_partials),
)


def _look(conference: Conference) -> object:
    """Look at the newest field, as whoever shows it does."""
    return conference.speakers[-1].talk if conference.speakers else conference.title


def _pieces(count: int) -> list[bytes]:
    """Write the events of so many chunks of a document that is never completed."""
    entry = json.dumps(
        {
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "talk": "On the Analytical Engine, and what it cannot do",
        }
    )
    entries = count * CHARACTERS // len(entry) + 1
    text = '{"title": "Machines", "speakers": [' + ", ".join([entry] * entries)
    return [
        chat_chunk({"content": text[CHARACTERS * place :][:CHARACTERS]}) for place in range(count)
    ]


def _ignore() -> None: ...


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
    elif what:
        print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
