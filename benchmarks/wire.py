"""From the bytes of an answer to what it says: from_sse, and the openai SDK on the same bytes."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from openai import OpenAI
from reactivex import Observable

from benchmarks.measuring import chunked, microseconds
from benchmarks.sizes import Meeting, document
from streamops import operators as ops
from streamops.sources.openai import from_openai
from streamops.sources.sse import from_sse

USERS = 100

Pieces = Sequence[bytes]
Asked = Callable[[OpenAI], Iterable[object]]


@dataclass(frozen=True)
class Reader:
    name: str
    read: Callable[[Pieces], object]


@dataclass(frozen=True)
class Api:
    name: str
    pieces: Callable[[list[str]], list[bytes]]
    """Writes an answer of these texts, an event a piece."""
    by_the_client: Sequence[Reader]
    """Those that use the SDK's client, if it knows the API; the first does nothing else."""


def print_wire(size: int, rounds: int) -> None:
    """Print what an event costs, and how often that goes into what the SDK needs for it."""
    texts = chunked(document(USERS), size)

    for api in APIS:
        pieces = api.pieces(texts)
        length = sum(map(len, pieces)) / len(pieces)
        print(f"\n{api.name}: microseconds per event ({len(pieces)} of {length:.0f} bytes)\n")

        readers = [*api.by_the_client, *AT_HAND]
        medians = medians_of(readers, pieces, rounds)
        for reader, median in zip(readers, medians, strict=True):
            ratio = f"{medians[0] / median:8.1f}x" if api.by_the_client else ""
            print(f"{reader.name:58}{median:8.2f}{ratio}")


def medians_of(readers: Sequence[Reader], pieces: Pieces, rounds: int) -> list[float]:
    """Return the median of interleaved rounds for each reader."""

    def time(reader: Reader) -> float:
        def work() -> int:
            reader.read(pieces)
            return len(pieces)

        return microseconds(work)

    times = [[time(reader) for reader in readers] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


class _Answering(httpx2.SyncByteStream):
    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def client_of(pieces: Pieces) -> OpenAI:
    """Make a client that gets this answer, without a network, from whatever it asks."""
    headers = {"content-type": "text/event-stream"}

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers=headers, stream=_Answering(pieces))

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return OpenAI(base_url="http://test/v1", api_key="test", max_retries=0, http_client=http)


def chat_stream(client: OpenAI) -> Iterable[object]:
    return client.chat.completions.create(model="m", messages=[], stream=True)


def responses_stream(client: OpenAI) -> Iterable[object]:
    return client.responses.create(model="m", input="", stream=True)


def chat_bytes(client: OpenAI) -> Iterator[bytes]:
    create = client.chat.completions.with_streaming_response.create
    with create(model="m", messages=[], stream=True) as response:
        yield from response.iter_bytes()


def responses_bytes(client: OpenAI) -> Iterator[bytes]:
    create = client.responses.with_streaming_response.create
    with create(model="m", input="", stream=True) as response:
        yield from response.iter_bytes()


def by_the_sdk(stream: Asked) -> Callable[[Pieces], object]:
    def read(pieces: Pieces) -> None:
        for _ in stream(client_of(pieces)):
            pass

    return read


def by_from_openai(stream: Asked) -> Callable[[Pieces], object]:
    return lambda pieces: consume(from_openai(lambda: stream(client_of(pieces))))


def by_from_sse(bytes_: Callable[[OpenAI], Iterator[bytes]]) -> Callable[[Pieces], object]:
    return lambda pieces: consume(from_sse(lambda: bytes_(client_of(pieces))))


def deltas(pieces: Pieces) -> None:
    consume(from_sse(pieces))


def snapshots(pieces: Pieces) -> None:
    consume(from_sse(pieces).pipe(ops.accumulate_json()))


def models(pieces: Pieces) -> None:
    consume(from_sse(pieces).pipe(ops.accumulate_json(), ops.to_partial(Meeting)))


def consume(stream: Observable[Any]) -> None:
    stream.subscribe(_drop, _raise)


def event(data: dict[str, Any]) -> bytes:
    name = f"event: {data['type']}\n" if "type" in data else ""
    return f"{name}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def chat_pieces(texts: list[str]) -> list[bytes]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return event(
            {
                "id": "chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz012",
                "object": "chat.completion.chunk",
                "created": 1735689600,
                "model": "gpt-4o-2024-08-06",
                "service_tier": "default",
                "system_fingerprint": "fp_0123456789",
                "choices": [choice],
                "usage": None,
                "obfuscation": "AbCdEfGh",
            }
        )

    return [*(chunk({"content": text}) for text in texts), chunk({}, "stop"), b"data: [DONE]\n\n"]


def responses_pieces(texts: list[str]) -> list[bytes]:
    written: list[dict[str, Any]] = [
        {
            "type": "response.output_text.delta",
            "sequence_number": number,
            "item_id": "msg_0123456789abcdef0123456789abcdef0123456789abcdef",
            "output_index": 0,
            "content_index": 0,
            "delta": text,
            "logprobs": [],
            "obfuscation": "AbCdEfGh",
        }
        for number, text in enumerate(texts)
    ]
    response: dict[str, Any] = {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [],
    }
    return [*map(event, written), event({"type": "response.completed", "response": response})]


def messages_pieces(texts: list[str]) -> list[bytes]:
    written = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in texts
    ]
    block = {"type": "text", "text": ""}
    begun = event({"type": "content_block_start", "index": 0, "content_block": block})
    ended = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    return [begun, *map(event, written), ended]


AT_HAND = [
    Reader("from_sse, bytes at hand", deltas),
    Reader("from_sse | accumulate_json, bytes at hand", snapshots),
    Reader("from_sse | accumulate_json | to_partial, bytes at hand", models),
]
APIS = [
    Api(
        "Chat Completions",
        chat_pieces,
        [
            Reader("openai SDK, its stream and nothing else", by_the_sdk(chat_stream)),
            Reader("from_openai, what a function opens", by_from_openai(chat_stream)),
            Reader("from_sse, bytes of the SDK's client", by_from_sse(chat_bytes)),
        ],
    ),
    Api(
        "Responses",
        responses_pieces,
        [
            Reader("openai SDK, its stream and nothing else", by_the_sdk(responses_stream)),
            Reader("from_openai, what a function opens", by_from_openai(responses_stream)),
            Reader("from_sse, bytes of the SDK's client", by_from_sse(responses_bytes)),
        ],
    ),
    Api("Messages", messages_pieces, []),
]


def _drop(_: object) -> None: ...


def _raise(error: Exception) -> None:
    raise error
