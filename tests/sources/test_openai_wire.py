"""What reading the bytes of an answer promises: all that reading the SDK's stream does."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import APIConnectionError, APIError, AsyncOpenAI, OpenAI
from openai._base_client import SyncAPIClient
from openai.resources.chat.completions import Completions

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.openai import from_openai
from tests.answers import answering_with, chat_calls, responses_calls
from tests.clients import open_client
from tests.wire import serving

RECORDINGS = sorted((Path(__file__).parent.parent / "data").glob("*.sse"))
CHAT: dict[str, Any] = {"model": "m", "messages": []}
RESPONSE: dict[str, Any] = {"model": "m", "input": "?"}


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that arrives cut, and knows whether it was closed."""

    def __init__(self, body: bytes, cuts: list[int]) -> None:
        edges = [0, *sorted(place % (len(body) + 1) for place in cuts), len(body)]
        self._pieces = [body[start:end] for start, end in pairwise(edges)]
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def transport(pieces: Pieces) -> httpx2.MockTransport:
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=pieces))


def blocking(pieces: Pieces) -> OpenAI:
    http = httpx2.Client(transport=transport(pieces))
    return OpenAI(base_url="http://test/v1", api_key="test", max_retries=0, http_client=http)


def asynchronous(pieces: Pieces) -> AsyncOpenAI:
    http = httpx2.AsyncClient(transport=transport(pieces))
    return AsyncOpenAI(base_url="http://test/v1", api_key="test", max_retries=0, http_client=http)


def asked(client: OpenAI | AsyncOpenAI, path: Path) -> tuple[Any, dict[str, Any]]:
    is_chat = path.stem.startswith("chat")
    return (client.chat.completions, CHAT) if is_chat else (client.responses, RESPONSE)


def body_of(path: Path, cuts: list[int]) -> Pieces:
    return Pieces(path.read_bytes(), cuts)


def read(path: Path, cuts: list[int], *, wire: bool) -> tuple[list[Delta], str | None]:
    deltas: list[Delta] = []
    pieces = body_of(path, cuts)

    with blocking(pieces) as client:
        resource, request = asked(client, path)

        try:
            deltas.extend(to_generator(from_openai(resource, wire=wire, **request)))
        except SourceFailed as error:
            return deltas, str(error)

    assert pieces.closed
    return deltas, None


@given(st.sampled_from(RECORDINGS), st.lists(st.integers(0), max_size=20))
def test_the_deltas_are_those_of_the_sdk_however_the_bytes_are_cut(
    path: Path, cuts: list[int]
) -> None:
    assert read(path, cuts, wire=True) == read(path, [], wire=False)


@pytest.mark.anyio
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
async def test_the_asynchronous_client_gives_the_same(path: Path) -> None:
    expected, failure = read(path, [], wire=False)
    deltas: list[Delta] = []
    pieces = body_of(path, [10, 200, 300])

    async with asynchronous(pieces) as client:
        resource, request = asked(client, path)

        try:
            async with to_async_generator(from_openai(resource, wire=True, **request)) as values:
                async for delta in values:
                    deltas.append(delta)  # noqa: PERF401  # those before an error count
        except SourceFailed as error:
            assert str(error) == failure

    assert deltas == expected
    assert pieces.closed


@pytest.mark.parametrize("wire", [True, False])
def test_what_the_sdk_refuses_before_the_answer_is_its_error(wire: bool) -> None:
    failing = httpx2.MockTransport(
        lambda _: httpx2.Response(404, json={"error": {"message": "No such model"}})
    )
    http = httpx2.Client(transport=failing)

    with OpenAI(base_url="http://test/v1", api_key="x", http_client=http) as client:
        stream = from_openai(client.chat.completions, wire=wire, **CHAT)

        with pytest.raises(SourceFailed, match="No such model") as caught:
            list(to_generator(stream))

    assert isinstance(caught.value.__cause__, APIError)
    assert not caught.value.begun


@pytest.mark.parametrize("wire", [True, False])
def test_a_connection_that_breaks_has_the_cause_that_the_sdk_gives_it(wire: bool) -> None:
    with serving("Tea") as server, open_client(server.url) as client:
        values = to_generator(from_openai(client.chat.completions, wire=wire, **CHAT))
        assert next(values).text == "Tea"
        server.exchange().drop()

        with pytest.raises(SourceFailed) as caught:
            next(values)

    assert isinstance(caught.value.__cause__, APIConnectionError)
    assert caught.value.dropped
    assert caught.value.begun


def test_an_empty_body_is_an_empty_stream() -> None:
    with blocking(Pieces(b"", [])) as client:
        assert list(to_generator(from_openai(client.chat.completions, wire=True, **CHAT))) == []


def test_a_page_instead_of_a_stream_is_a_failed_source() -> None:
    with blocking(Pieces(b"<html>Sign in</html>", [])) as client:
        stream = from_openai(client.chat.completions, wire=True, **CHAT)

        with pytest.raises(SourceFailed, match="Sign in"):
            list(to_generator(stream))


@pytest.mark.parametrize("source", [list, iter([])])
def test_only_a_resource_has_a_wire(source: Any) -> None:
    with pytest.raises(TypeError, match=r"client\.chat\.completions .* from_sse"):
        from_openai(source, wire=True)


class Watched:
    """Counts the events of an answer for which the SDK made objects."""

    hook = "_process_response_data"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.chunks = 0
        original: Any = getattr(OpenAI, self.hook)

        @functools.wraps(original)
        def process(*arguments: Any, **options: Any) -> object:
            self.chunks += 1
            return original(*arguments, **options)

        monkeypatch.setattr(OpenAI, self.hook, process)


def test_by_default_the_sdk_makes_no_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(monkeypatch)

    answers = answering_with(chat_calls(("a", "{}")), responses_calls(("a", "{}")))

    with answers as base_url, open_client(base_url) as client:
        assert list(to_generator(from_openai(client.chat.completions, **CHAT)))
        assert list(to_generator(from_openai(client.responses, **RESPONSE)))

    assert watched.chunks == 0


def traced(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*arguments: Any, **options: Any) -> Any:
        return original(*arguments, **options)

    return call


def places(client: OpenAI) -> dict[str, tuple[Any, str]]:
    """Where a tracer may have put itself."""
    return {
        "class": (Completions, "create"),
        "resource": (client.chat.completions, "create"),
        "client": (client, "request"),
        "post of the client": (client, "post"),
        "post of the resource": (client.chat.completions, "_post"),
        "class of the client": (SyncAPIClient, "request"),
    }


@pytest.mark.parametrize(
    "place",
    [
        "class",
        "resource",
        "client",
        "post of the client",
        "post of the resource",
        "class of the client",
    ],
)
def test_what_wraps_the_client_sees_its_streams(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(monkeypatch)
    answers = answering_with(chat_calls(("a", "{}")))

    with answers as base_url, open_client(base_url) as client:
        owner, name = places(client)[place]
        monkeypatch.setattr(owner, name, traced(getattr(owner, name)))
        assert list(to_generator(from_openai(client.chat.completions, **CHAT)))

    assert watched.chunks > 0
