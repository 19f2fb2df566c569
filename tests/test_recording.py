"""What the format of recorded files and record promise, with the real client and real sockets."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from streamops.recording import RecordingWriter, read_recording
from streamops.replay import record, replay
from streamops.replay_server import serve
from tests.clients import http_client, open_async_client, open_client
from tests.traces import no_threads_left
from tests.wire import Wire, serving

DATA = Path(__file__).parent / "data"
TEXT = DATA / "chat-usage-in-every-chunk.sse"
CALLS = DATA / "chat-parallel-calls.sse"
MESSAGES = DATA / "responses-two-messages.sse"


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    with http_client() as client:
        yield client


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    with no_threads_left():
        yield


def post(
    http: httpx2.Client, base_url: str, path: str = "/chat/completions", **request: Any
) -> httpx2.Response:
    return http.post(f"{base_url}{path}", json={"model": "m", "stream": True, **request})


def timed(*events: tuple[float, str]) -> bytes:
    return "".join(f": streamops {time:.4f}\ndata: {text}\n\n" for time, text in events).encode()


def times_in(path: Path) -> list[float]:
    stamps = re.findall(r"^: streamops ([\d.]+)$", path.read_text(), re.MULTILINE)
    return [float(stamp) for stamp in stamps]


# The file format.


def test_a_recorded_file_is_read_event_by_event() -> None:
    recording = read_recording(timed((0.1, "a"), (0.25, "b")))

    assert recording.events == (b"data: a\n\n", b"data: b\n\n")
    assert recording.times == (0.1, 0.25)
    assert recording.complete


def test_a_file_without_times_is_a_recording_too() -> None:
    recording = read_recording(b": hello\n\ndata: a\r\n\r\ndata: b")

    assert recording.events == (b": hello\n\n", b"data: a\r\n\r\n", b"data: b")
    assert recording.times is None


def test_an_empty_file_is_an_empty_recording() -> None:
    assert read_recording(b"").events == ()


@given(
    pieces=st.lists(
        st.text(alphabet="d: a\r\né", max_size=6).map(str.encode).filter(bool), max_size=20
    ),
    whole=st.booleans(),
)
def test_any_bytes_come_back_as_they_were_written(pieces: list[bytes], *, whole: bool) -> None:
    writer = RecordingWriter()
    content = b"".join(writer.feed(piece, number / 8) for number, piece in enumerate(pieces))
    content += writer.close(len(pieces) / 8, incomplete="" if whole else "the client left")

    recording = read_recording(content)

    assert b"".join(recording.events) == b"".join(pieces)
    assert recording.complete is whole
    assert list(recording.times or ()) == sorted(recording.times or ())


def test_a_stream_that_said_it_is_done_is_complete_whoever_leaves_then() -> None:
    writer = RecordingWriter()
    content = writer.feed(b"data: a\n\ndata: [DONE]\n\n", 0.5)
    content += writer.close(0.6, incomplete="the client left")

    assert read_recording(content).complete


# Record.


@pytest.mark.parametrize("path", [TEXT, CALLS, MESSAGES], ids=lambda path: path.stem)
def test_what_was_recorded_replays_byte_for_byte(
    http: httpx2.Client, tmp_path: Path, path: Path
) -> None:
    api = "/responses" if path is MESSAGES else "/chat/completions"
    copy = tmp_path / "copy.sse"

    with replay(path) as upstream, record(copy, upstream) as base_url:
        passed_on = post(http, base_url, api).content

    with replay(copy) as base_url:
        replayed = post(http, base_url, api).content

    assert passed_on == replayed == path.read_bytes()
    assert [*tmp_path.iterdir()] == [copy]


def test_a_proxy_does_not_come_between_a_recorder_and_a_server_on_this_machine(
    http: httpx2.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with replay(TEXT) as upstream, record(tmp_path / "copy.sse", upstream) as base_url:
        assert post(http, base_url).content == TEXT.read_bytes()


@pytest.mark.anyio
async def test_the_asynchronous_client_can_be_recorded(tmp_path: Path) -> None:
    copy = tmp_path / "copy.sse"

    with replay(TEXT) as upstream, record(copy, upstream) as base_url:
        async with open_async_client(base_url) as client:
            stream = await client.chat.completions.create(model="m", messages=[], stream=True)
            chunks = [chunk async for chunk in stream]

    assert len(chunks) == 4
    assert b"".join(read_recording(copy.read_bytes()).events) == TEXT.read_bytes()


def test_the_client_may_leave_at_the_done_that_ends_the_stream(tmp_path: Path) -> None:
    copy = tmp_path / "copy.sse"

    with (
        replay(CALLS) as upstream,
        record(copy, upstream) as base_url,
        open_client(base_url) as client,
    ):
        for _ in client.chat.completions.create(model="m", messages=[], stream=True):
            continue

    assert b"incomplete" not in copy.read_bytes()


def test_the_recorded_times_are_kept_when_replayed(http: httpx2.Client, tmp_path: Path) -> None:
    first, second = tmp_path / "first.sse", tmp_path / "second.sse"
    first.write_bytes(timed((0.02, '{"choices": []}'), (0.05, "b"), (0.05, "c"), (0.09, "d")))

    with replay(first, pace="recorded") as upstream, record(second, upstream) as base_url:
        post(http, base_url)

    assert len(times_in(second)) == 4
    assert all(after >= due for after, due in zip(times_in(second), times_in(first), strict=True))


def test_a_pace_spaces_the_events_evenly(http: httpx2.Client, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sse"

    with replay(TEXT, pace=100) as upstream, record(copy, upstream) as base_url:
        post(http, base_url)

    times = times_in(copy)
    assert all(time >= number / 100 for number, time in enumerate(times))


def test_further_streams_are_saved_beside_the_first(http: httpx2.Client, tmp_path: Path) -> None:
    (tmp_path / "meeting-2.sse").write_text("mine")

    with replay(TEXT) as upstream, record(tmp_path / "meeting.sse", upstream) as base_url:
        for _ in range(3):
            post(http, base_url)

    saved = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(saved) == ["meeting-2.sse", "meeting-3.sse", "meeting-4.sse", "meeting.sse"]
    assert saved["meeting-2.sse"] == b"mine"


def test_an_existing_file_is_replaced_only_when_asked(http: httpx2.Client, tmp_path: Path) -> None:
    path = tmp_path / "meeting.sse"
    path.write_text("old")

    with replay(TEXT) as upstream, record(path, upstream, overwrite=True) as base_url:
        assert path.read_text() == "old"
        post(http, base_url)

    assert b"".join(read_recording(path.read_bytes()).events) == TEXT.read_bytes()


def test_a_client_that_leaves_early_keeps_what_had_arrived(
    http: httpx2.Client, tmp_path: Path
) -> None:
    path = tmp_path / "left.sse"

    with serving("a", "b") as wire, record(path, wire.url) as base_url:
        with http.stream("POST", f"{base_url}/chat/completions", json={}) as response:
            events = iter(response.iter_lines())
            assert "a" in next(events)

        assert wire.exchange().is_closed()

    recording = read_recording(path.read_bytes())
    assert path.read_text().endswith(": streamops incomplete: the client left\n")
    assert b'"a"' in recording.events[0]
    assert not recording.complete


def test_an_upstream_that_breaks_off_does_so_for_the_client_too(
    http: httpx2.Client, tmp_path: Path
) -> None:
    path = tmp_path / "broken.sse"

    with (
        serving("a") as wire,
        record(path, wire.url) as base_url,
        http.stream("POST", f"{base_url}/chat/completions", json={}) as response,
    ):
        pieces = response.iter_raw()
        first = next(pieces)
        wire.exchange().drop()

        with pytest.raises(httpx2.RemoteProtocolError):
            next(pieces)

    assert b'"a"' in first
    assert path.read_text().endswith(": streamops incomplete: the upstream broke off\n")
    assert b"".join(read_recording(path.read_bytes()).events) == first


def test_an_event_that_was_cut_is_kept_up_to_the_cut(http: httpx2.Client, tmp_path: Path) -> None:
    path = tmp_path / "cut.sse"

    with (
        Wire(lambda exchange: exchange.send_bytes(b'data: {"a')) as wire,
        record(path, wire.url) as base_url,
        http.stream("POST", f"{base_url}/chat/completions", json={}) as response,
    ):
        assert next(response.iter_raw()) == b'data: {"a'
        wire.exchange().drop()

    recording = read_recording(path.read_bytes())
    assert recording.events == (b'data: {"a',)
    assert not recording.complete


def echo(request: Request) -> JSONResponse:
    headers = {
        "x-echo": request.headers.get("authorization", ""),
        "x-cookie": request.headers.get("cookie", ""),
        "set-cookie": "session=s3cret",
    }
    told = {"method": request.method, "path": request.url.path, "query": request.url.query}
    return JSONResponse(told, 200 if request.method == "GET" else 401, headers)


async def echo_body(request: Request) -> JSONResponse:
    return JSONResponse({"body": (await request.body()).decode()}, 429, {"retry-after": "7"})


ECHO = Starlette(
    routes=[
        Route("/v1/body", echo_body, methods=["POST"]),
        Route("/{path:path}", echo, methods=["GET", "POST"]),
    ]
)


def test_whatever_is_no_stream_passes_unchanged_in_both_directions(
    http: httpx2.Client, tmp_path: Path
) -> None:
    with serve(ECHO, 0) as upstream, record(tmp_path / "x.sse", upstream) as base_url:
        listed = http.get(f"{base_url}/models?after=a%20b", headers={"authorization": "Bearer k"})
        refused = post(http, base_url)
        limited = http.post(f"{base_url}/body", content=b'{"caf\xc3\xa9": 1}')

    assert listed.json() == {"method": "GET", "path": "/v1/models", "query": "after=a%20b"}
    assert listed.headers["x-echo"] == "Bearer k"
    assert refused.status_code == 401
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")
    assert limited.json() == {"body": '{"café": 1}'}
    assert [*tmp_path.iterdir()] == []


def test_a_cookie_that_one_client_got_is_not_sent_for_another(tmp_path: Path) -> None:
    with serve(ECHO, 0) as upstream, record(tmp_path / "x.sse", upstream) as base_url:
        with http_client() as first:
            assert first.get(f"{base_url}/models").cookies

        with http_client() as second:
            assert second.get(f"{base_url}/models").headers["x-cookie"] == ""


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.sse"

    with (
        replay(TEXT) as upstream,
        record(path, upstream) as base_url,
        OpenAI(base_url=base_url, api_key="s3cret") as client,
    ):
        create = client.chat.completions.create
        query = {"key": "s3cret"}
        [*_] = create(model="s3cret", messages=[], stream=True, extra_query=query)

    assert "s3cret" not in path.read_text()


def test_an_upstream_that_cannot_be_reached_is_a_bad_gateway(tmp_path: Path) -> None:
    with replay(TEXT) as gone:
        pass

    with (
        record(tmp_path / "x.sse", gone) as base_url,
        open_client(base_url) as client,
        pytest.raises(openai.InternalServerError, match="cannot be reached") as caught,
    ):
        client.chat.completions.create(model="m", messages=[], stream=True)

    assert caught.value.status_code == 502


def test_two_clients_are_recorded_at_once(http: httpx2.Client, tmp_path: Path) -> None:
    with serving("a") as wire, record(tmp_path / "both.sse", wire.url) as base_url:
        answers: list[bytes] = []
        url = f"{base_url}/chat/completions"
        ask = threading.Thread(target=lambda: answers.append(http.post(url, json={}).content))
        ask.start()
        first = wire.exchange()

        with http.stream("POST", url, json={}) as response:
            second = wire.exchange()
            first.finish()
            ask.join()
            second.finish()
            answers.append(response.read())

    assert answers[0] == answers[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["both-2.sse", "both.sse"]
