"""What from_openai promises, with the real client over loopback."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, AzureOpenAI, OpenAI, OpenAIError
from pydantic import BaseModel
from reactivex import Observable

from streamops.delta import Delta
from streamops.errors import SourceFailed, SpentSource, UnknownElement
from streamops.replay import replay
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sources.openai import from_openai
from tests.clients import TLS, answering, open_async_client, open_client
from tests.traces import nothing_left
from tests.wire import serving

DATA = Path(__file__).parent.parent / "data"
CHAT: dict[str, Any] = {"model": "chat-refusal", "messages": []}
RESPONSE: dict[str, Any] = {"model": "responses-refusal", "input": "hello"}
REFUSAL = ["I can't ", "do that."]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with replay(DATA) as url:
        yield url


@pytest.fixture
def client(base_url: str) -> Iterator[OpenAI]:
    with open_client(base_url) as client:
        yield client


def refused(stream: Observable[Delta]) -> list[str]:
    return [delta.text for delta in to_generator(stream) if delta.kind == "refusal"]


async def refused_async(stream: Observable[Delta]) -> list[str]:
    async with to_async_generator(stream) as deltas:
        return [delta.text async for delta in deltas if delta.kind == "refusal"]


class Colour(BaseModel):
    name: str


# What opens a stream, and how often it can be read.


def test_a_resource_of_the_blocking_client_is_a_source(client: OpenAI) -> None:
    assert refused(from_openai(client.chat.completions, **CHAT)) == REFUSAL
    assert refused(from_openai(client.responses, **RESPONSE)) == REFUSAL


@pytest.mark.anyio
async def test_a_resource_of_the_asynchronous_client_is_a_source(base_url: str) -> None:
    async with open_async_client(base_url) as client, nothing_left():
        assert await refused_async(from_openai(client.chat.completions, **CHAT)) == REFUSAL
        assert await refused_async(from_openai(client.responses, **RESPONSE)) == REFUSAL


@pytest.mark.anyio
async def test_a_blocking_resource_can_be_read_in_an_event_loop(client: OpenAI) -> None:
    async with nothing_left():
        assert await refused_async(from_openai(client.chat.completions, **CHAT)) == REFUSAL


def test_an_asynchronous_resource_can_be_read_without_an_event_loop(base_url: str) -> None:
    # A connection kept for later would outlive the loop it belongs to.
    limits = httpx2.Limits(max_keepalive_connections=0)
    http = httpx2.AsyncClient(trust_env=False, verify=TLS, limits=limits)
    client = AsyncOpenAI(base_url=base_url, api_key="test", max_retries=0, http_client=http)

    assert refused(from_openai(client.chat.completions, **CHAT)) == REFUSAL


def test_a_resource_of_the_azure_client_is_a_source(base_url: str) -> None:
    endpoint = base_url.removesuffix("/v1")

    with AzureOpenAI(
        azure_endpoint=endpoint, api_key="test", api_version="2024-10-21", max_retries=0
    ) as client:
        assert refused(from_openai(client.chat.completions, **CHAT)) == REFUSAL


def blocking_openings(client: OpenAI) -> dict[str, Callable[[], Any]]:
    return {
        "chat": lambda: client.chat.completions.create(**CHAT, stream=True),
        "responses": lambda: client.responses.create(**RESPONSE, stream=True),
        "chat helper": lambda: client.chat.completions.stream(**CHAT),
        "entered chat helper": lambda: client.chat.completions.stream(**CHAT).__enter__(),
        "responses helper": lambda: client.responses.stream(**RESPONSE),
        "entered responses helper": lambda: client.responses.stream(**RESPONSE).__enter__(),
    }


def async_openings(client: AsyncOpenAI) -> dict[str, Callable[[], Any]]:
    async def chat() -> Any:
        return await client.chat.completions.create(**CHAT, stream=True)

    return {
        "coroutine function": chat,
        "chat": lambda: client.chat.completions.create(**CHAT, stream=True),
        "responses": lambda: client.responses.create(**RESPONSE, stream=True),
        "chat helper": lambda: client.chat.completions.stream(**CHAT),
        "entered chat helper": lambda: client.chat.completions.stream(**CHAT).__aenter__(),
        "responses helper": lambda: client.responses.stream(**RESPONSE),
        "entered responses helper": lambda: client.responses.stream(**RESPONSE).__aenter__(),
    }


CLIENT = OpenAI(api_key="test")
BLOCKING = [*blocking_openings(CLIENT)]
ASYNC = [*async_openings(AsyncOpenAI(api_key="test"))]


@pytest.mark.parametrize("way", BLOCKING)
def test_a_function_is_called_anew_for_every_subscriber(client: OpenAI, way: str) -> None:
    stream = from_openai(blocking_openings(client)[way])

    assert refused(stream) == REFUSAL
    assert refused(stream) == REFUSAL


@pytest.mark.parametrize("way", BLOCKING)
def test_an_open_stream_can_be_read_once(client: OpenAI, way: str) -> None:
    stream = from_openai(blocking_openings(client)[way]())

    assert refused(stream) == REFUSAL

    with pytest.raises(SpentSource, match="can be read only once"):
        refused(stream)


@pytest.mark.parametrize("way", ASYNC)
@pytest.mark.anyio
async def test_an_asynchronous_function_is_called_anew_for_every_subscriber(
    base_url: str, way: str
) -> None:
    async with open_async_client(base_url) as client, nothing_left():
        stream = from_openai(async_openings(client)[way])

        assert await refused_async(stream) == REFUSAL
        assert await refused_async(stream) == REFUSAL


@pytest.mark.parametrize("way", ASYNC)
@pytest.mark.anyio
async def test_an_open_asynchronous_stream_can_be_read_once(base_url: str, way: str) -> None:
    async with open_async_client(base_url) as client, nothing_left():
        opened = async_openings(client)[way]()
        stream = from_openai(await opened if inspect.isawaitable(opened) else opened)

        assert await refused_async(stream) == REFUSAL

        with pytest.raises(SpentSource, match="can be read only once"):
            await refused_async(stream)


@pytest.mark.anyio
async def test_a_function_that_opens_a_blocking_stream_can_be_read_in_an_event_loop(
    client: OpenAI,
) -> None:
    async with nothing_left():
        for opening in blocking_openings(client).values():
            assert await refused_async(from_openai(opening)) == REFUSAL


# The request.


def test_every_subscriber_makes_the_request_that_was_given() -> None:
    sent: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(json.loads(request.content))
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text="")

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = OpenAI(base_url="http://test/v1", api_key="test", http_client=http)
    request: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    before = json.dumps(request)
    stream = from_openai(client.chat.completions, **request)

    assert sent == []
    assert [*to_generator(stream), *to_generator(stream)] == []
    assert sent == [{**request, "stream": True}] * 2
    assert json.dumps(request) == before


def test_a_request_that_says_stream_already_is_the_same(client: OpenAI) -> None:
    assert refused(from_openai(client.chat.completions, **CHAT, stream=True)) == REFUSAL


def test_asking_for_no_stream_is_refused_at_once(client: OpenAI) -> None:
    with pytest.raises(ValueError, match="leave out stream=False"):
        from_openai(client.chat.completions, **CHAT, stream=False)


def test_arguments_beside_a_function_are_refused_at_once(client: OpenAI) -> None:
    with pytest.raises(TypeError, match=r"Arguments of a request \(model, messages\) go with"):
        from_openai(lambda: client.chat.completions.create(**CHAT, stream=True), **CHAT)


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        pytest.param(CLIENT, "not OpenAI: one of its resources", id="a client"),
        pytest.param(CLIENT.chat, "not Chat: one of its resources", id="client.chat"),
        pytest.param("text", "not str$", id="a text"),
        pytest.param(None, "not NoneType$", id="nothing"),
        pytest.param(CHAT, "not dict$", id="a request"),
    ],
)
def test_another_source_is_refused_at_once(source: Any, advice: str) -> None:
    with pytest.raises(TypeError, match=f"^from_openai needs .*{advice}"):
        from_openai(source)


def test_a_coroutine_is_refused_with_the_advice_to_await_it() -> None:
    async def opening() -> None:
        """Do nothing."""

    coroutine = opening()

    with pytest.raises(TypeError, match="await it, or pass a function"):
        from_openai(coroutine)

    coroutine.close()


def test_a_function_that_opens_no_stream_is_told_so(client: OpenAI) -> None:
    with pytest.raises(TypeError, match=r"not dict: pass stream=True to create\(\)"):
        refused(from_openai(lambda: CHAT))

    with pytest.raises(TypeError, match="not OpenAI"):
        refused(from_openai(client.with_options))

    assert not client.is_closed()


@pytest.mark.anyio
async def test_an_asynchronous_function_that_opens_no_stream_is_told_so(base_url: str) -> None:
    async with open_async_client(base_url) as client:
        with pytest.raises(TypeError, match="not AsyncOpenAI"):
            await refused_async(from_openai(client.with_options))


def test_an_iterator_of_something_else_is_told_so() -> None:
    with pytest.raises(UnknownElement, match="an event of an OpenAI stream is needed"):
        refused(from_openai(iter(["text"])))


# Errors.


def test_wrong_arguments_stay_the_clients_type_error(client: OpenAI) -> None:
    with pytest.raises(TypeError, match="Missing required arguments"):
        refused(from_openai(client.chat.completions, model="m"))

    with pytest.raises(TypeError, match="unexpected keyword argument 'modell'"):
        refused(from_openai(client.responses, modell="m"))


@pytest.mark.anyio
async def test_wrong_arguments_stay_the_asynchronous_clients_type_error(base_url: str) -> None:
    async with open_async_client(base_url) as client:
        with pytest.raises(TypeError, match="Missing required arguments"):
            await refused_async(from_openai(client.chat.completions, model="m"))


def test_a_provider_that_says_no_is_a_failed_source() -> None:
    client = answering('{"error": {"message": "Incorrect API key"}}', status=401)

    with pytest.raises(SourceFailed, match=r"Error code: 401 .* Incorrect API key") as caught:
        refused(from_openai(client.chat.completions, **CHAT))

    assert isinstance(caught.value.__cause__, openai.AuthenticationError)
    assert caught.value.dropped is False


def test_a_provider_that_cannot_be_reached_is_a_failed_source() -> None:
    with replay(DATA) as url:
        pass

    client = open_client(url)

    with pytest.raises(SourceFailed, match=r"Connection error\. .*refused") as caught:
        refused(from_openai(client.chat.completions, **CHAT))

    assert isinstance(caught.value.__cause__, openai.APIConnectionError)
    assert caught.value.dropped is False


def test_a_connection_that_breaks_is_told_from_a_provider_that_says_no() -> None:
    with serving("a", "b") as wire, open_client(wire.url) as client:
        deltas = to_generator(from_openai(client.chat.completions, **CHAT))
        before = [next(deltas).text, next(deltas).text]
        wire.exchange().drop()

        with pytest.raises(SourceFailed, match=r"Connection error\.") as caught:
            next(deltas)

    assert before == ["a", "b"]
    assert isinstance(caught.value.__cause__, openai.APIConnectionError)
    assert caught.value.dropped is True


@pytest.mark.anyio
async def test_an_asynchronous_connection_that_breaks_is_one_that_dropped() -> None:
    with serving("a") as wire:
        async with (
            open_async_client(wire.url) as client,
            nothing_left(),
            to_async_generator(from_openai(client.chat.completions, **CHAT)) as deltas,
        ):
            assert (await anext(deltas)).text == "a"
            wire.exchange().drop()

            with pytest.raises(SourceFailed, match=r"Connection error\.") as caught:
                await anext(deltas)

    assert caught.value.dropped is True


@pytest.mark.parametrize("name", ["chat-error", "chat-error-in-chunk"])
def test_an_error_in_the_stream_of_chat_keeps_the_clients_as_its_cause(
    client: OpenAI, name: str
) -> None:
    with pytest.raises(SourceFailed, match=r"^The server had an error$") as caught:
        refused(from_openai(client.chat.completions, wire=None, **{**CHAT, "model": name}))

    assert isinstance(caught.value.__cause__, openai.APIError)
    assert caught.value.dropped is False


@pytest.mark.parametrize("name", ["responses-error", "responses-failed"])
def test_an_error_in_the_stream_of_responses_has_the_providers_words(
    client: OpenAI, name: str
) -> None:
    with pytest.raises(SourceFailed, match=r"^The server had an error$"):
        refused(from_openai(client.responses, wire=None, **{**RESPONSE, "model": name}))


@pytest.mark.parametrize("wire", [True, False])
def test_bytes_that_cannot_be_decoded_are_a_failed_source(wire: bool) -> None:
    with pytest.raises(SourceFailed, match="JSON") as caught:
        refused(from_openai(answering("data: {oops\n\n").chat.completions, wire=wire, **CHAT))

    assert isinstance(caught.value.__cause__, json.JSONDecodeError)


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind

    for child in kind.__subclasses__():
        yield from subclasses(child)


ENDS: dict[type[Exception], str] = {
    openai.LengthFinishReasonError: "length",
    openai.ContentFilterFinishReasonError: "content_filter",
}


@pytest.mark.parametrize("kind", dict.fromkeys(subclasses(OpenAIError)))
def test_every_error_of_the_client_becomes_one_of_ours(kind: type[Exception]) -> None:
    # Their constructors want requests and responses, which do not matter here.
    error = kind.__new__(kind)

    def chunks() -> Iterator[Any]:
        yield {"choices": []}
        raise error

    if kind in ENDS:
        [end] = to_generator(from_openai(chunks))
        assert end == Delta(kind="finish", finish_reason=ENDS[kind])
        return

    with pytest.raises(SourceFailed) as caught:
        refused(from_openai(chunks))

    assert caught.value.__cause__ is error
    assert caught.value.dropped is issubclass(kind, openai.APIConnectionError)


def test_a_failure_of_the_users_function_keeps_its_cause() -> None:
    problem = KeyError("model")

    def opening() -> Any:
        raise problem

    with pytest.raises(SourceFailed, match="KeyError: 'model'") as caught:
        refused(from_openai(opening))

    assert caught.value.__cause__ is problem


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_the_helpers_error_for_a_cut_answer_is_the_finish_reason(reason: str) -> None:
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": {"content": '{"na'}},
        {"index": 0, "delta": {}, "finish_reason": reason},
    ]
    body = [{"object": "chat.completion.chunk", "choices": [choice]} for choice in choices]
    client = answering("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in body))
    stream = from_openai(
        lambda: client.chat.completions.stream(model="m", messages=[], response_format=Colour)
    )

    assert [*to_generator(stream)] == [
        Delta('{"na'),
        Delta(kind="finish", finish_reason=reason),
    ]


@pytest.mark.parametrize("wrapper", ["with_raw_response", "with_streaming_response"])
@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_a_resource_that_returns_responses_is_rejected_with_the_fix(
    kind: Callable[..., Any], wrapper: str
) -> None:
    client = kind(api_key="k", http_client=None)

    for resource in (client.chat.completions, client.responses):
        with pytest.raises(TypeError, match="pass the resource itself"):
            from_openai(getattr(resource, wrapper), **CHAT)
