"""How streams end that come over HTTP, through the real client: one row for each ending."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai import APIConnectionError, APIError, AuthenticationError
from pydantic import BaseModel, ValidationError
from reactivex import Observable

import streamops as so
from streamops import operators as ops
from streamops.replay import replay
from tests.clients import answering, open_async_client, open_client
from tests.traces import nothing_left

REQUEST: dict[str, Any] = {"model": "ending", "messages": []}


class Meeting(BaseModel):
    title: str
    budget: int


def event(delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "m",
        "choices": [choice],
    }
    return f"data: {json.dumps(chunk)}\n\n"


def answer(*texts: str, finish_reason: str | None = "stop") -> str:
    body = "".join(event({"content": text}) for text in texts)
    return body + event({}, finish_reason) + "data: [DONE]\n\n"


def refused() -> str:
    words = "".join(event({"refusal": text}) for text in ("I can't ", "do that."))
    return words + event({}, "stop") + "data: [DONE]\n\n"


BROKEN = ": streamops incomplete: the cable\n"
ERROR = 'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'


@dataclass(frozen=True)
class Ending:
    body: str
    error: type[so.StreamopsError]
    shown: Any
    carries: Callable[[Any], object]


ENDINGS = {
    "out of tokens": Ending(
        answer('{"title": "Te', "ch", finish_reason="length"),
        so.TruncatedJson,
        {"title": "Tech"},
        lambda e: (e.finish_reason, e.text) == ("length", '{"title": "Tech'),
    ),
    "just stopped, though the provider says that all is well": Ending(
        answer('{"title": "Tech", "budget": 75'),
        so.TruncatedJson,
        {"title": "Tech"},
        lambda e: e.finish_reason == "stop",
    ),
    "stopped by the content filter": Ending(
        answer('{"title": "Te', finish_reason="content_filter"),
        so.ContentFiltered,
        {"title": "Te"},
        lambda e: e.text == '{"title": "Te',
    ),
    "refused": Ending(refused(), so.Refused, None, lambda e: e.text == "I can't do that."),
    "connection broken": Ending(
        event({"content": '{"title": "Te'}) + "\n" + BROKEN,
        so.ConnectionDropped,
        {"title": "Te"},
        lambda e: (
            isinstance(e, so.TruncatedJson)
            and isinstance(e, so.SourceFailed)
            and isinstance(e.__cause__, so.SourceFailed)
            and isinstance(e.__cause__.__cause__, APIConnectionError)
            and e.text == '{"title": "Te'
        ),
    ),
    "error event of the provider": Ending(
        event({"content": '{"title": "Te'}) + ERROR,
        so.SourceFailed,
        {"title": "Te"},
        lambda e: isinstance(e.__cause__, APIError) and "overloaded" in str(e),
    ),
    "no JSON": Ending(answer("I'm ", "sorry."), so.NoJson, None, lambda e: e.text == "I'm sorry."),
    "empty answer": Ending(answer(), so.NoJson, None, lambda e: e.text == ""),
    "malformed": Ending(
        answer('{"title": "Tech" ', '"budget": 1}'),
        so.MalformedJson,
        {"title": "Tech"},
        lambda e: (e.offset, e.found, e.expected) == (17, '"', "',' or '}'"),
    ),
    "not what the model wants": Ending(
        answer('{"title": "Tech", "budget": "much"}'),
        so.SchemaMismatch,
        {"title": "Tech", "budget": "much"},
        lambda e: isinstance(e.__cause__, ValidationError) and e.path == (),
    ),
    "too deep": Ending(
        answer("[" * 20), so.LimitExceeded, None, lambda e: (e.limit, e.value) == ("max_depth", 9)
    ),
    "too long": Ending(
        answer('{"title": "' + "x" * 200),
        so.LimitExceeded,
        None,
        lambda e: (e.limit, e.value) == ("max_chars", 100),
    ),
}


@pytest.fixture(params=list(ENDINGS.values()), ids=list(ENDINGS))
def ending(request: pytest.FixtureRequest) -> Ending:
    found: Ending = request.param
    return found


@contextmanager
def served(body: str, folder: Path) -> Generator[str]:
    file = folder / "ending.sse"
    file.write_text(body)
    with replay(file) as base_url:
        yield base_url


def pipeline(deltas: Observable[so.Delta]) -> Observable[Meeting]:
    return deltas.pipe(ops.accumulate_json(max_depth=9, max_chars=100), ops.to_partial(Meeting))


def check(error: so.StreamopsError, ending: Ending) -> None:
    assert type(error) is ending.error
    assert ending.carries(error)
    if ending.shown is not None:
        assert error.snapshot is not None
        assert error.snapshot.value == ending.shown


def test_every_ending_but_success_is_an_error_with_what_had_arrived(
    ending: Ending, tmp_path: Path
) -> None:
    with served(ending.body, tmp_path) as base_url, open_client(base_url) as client:
        meeting = pipeline(so.from_openai(client.chat.completions, **REQUEST))
        values: list[Meeting] = []

        with pytest.raises(so.StreamopsError) as raised:
            values.extend(so.to_generator(meeting))

    check(raised.value, ending)
    assert all(type(value) is not Meeting for value in values)


@pytest.mark.anyio
async def test_every_ending_is_the_same_when_awaited(ending: Ending, tmp_path: Path) -> None:
    with served(ending.body, tmp_path) as base_url:
        async with nothing_left(), open_async_client(base_url) as client:
            meeting = pipeline(so.from_openai(client.chat.completions, **REQUEST))

            with pytest.raises(so.StreamopsError) as raised:
                await so.arun(meeting)

            check(raised.value, ending)


def test_the_values_before_an_ending_come_before_its_error(tmp_path: Path) -> None:
    body = answer('{"title": "Te', 'ch", "budget"', finish_reason="length")
    seen: list[str] = []

    with served(body, tmp_path) as base_url, open_client(base_url) as client:
        meeting = pipeline(so.from_openai(client.chat.completions, **REQUEST))
        with pytest.raises(so.TruncatedJson):
            seen.extend(partial.title for partial in so.to_generator(meeting))

    assert seen == ["Te", "Tech"]


def test_a_broken_connection_after_the_json_is_no_loss(tmp_path: Path) -> None:
    body = event({"content": '{"title": "Tech", "budget": 1}'}) + "\n" + BROKEN

    with served(body, tmp_path) as base_url, open_client(base_url) as client:
        meeting = so.run(pipeline(so.from_openai(client.chat.completions, **REQUEST)))

    assert meeting == Meeting(title="Tech", budget=1)


def test_a_filter_that_strikes_after_the_json_is_no_loss(tmp_path: Path) -> None:
    body = answer('{"title": "Tech", "budget": 1}', finish_reason="content_filter")

    with served(body, tmp_path) as base_url, open_client(base_url) as client:
        meeting = so.run(pipeline(so.from_openai(client.chat.completions, **REQUEST)))

    assert meeting == Meeting(title="Tech", budget=1)


def test_a_wrong_key_is_a_failed_source_with_the_sdk_error_as_cause() -> None:
    client = answering('{"error": {"message": "Incorrect API key"}}', status=401)

    with pytest.raises(so.SourceFailed, match="Incorrect API key") as raised:
        so.run(pipeline(so.from_openai(client.chat.completions, **REQUEST)))

    assert isinstance(raised.value.__cause__, AuthenticationError)
