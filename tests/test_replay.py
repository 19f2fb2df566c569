"""What replay promises, with the real client and real sockets."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from streamops.replay import record, replay
from tests.clients import http_client, open_async_client, open_client
from tests.traces import no_threads_left

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


def message(response: httpx2.Response) -> str:
    text: str = response.json()["error"]["message"]
    return text


def timed(*events: tuple[float, str]) -> bytes:
    return "".join(f": streamops {time:.4f}\ndata: {text}\n\n" for time, text in events).encode()


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_a_recording_is_served_byte_for_byte(http: httpx2.Client, prefix: str) -> None:
    with replay(TEXT, MESSAGES) as base_url:
        host = base_url.removesuffix("/v1")
        chat = post(http, f"{host}{prefix}")
        responses = post(http, f"{host}{prefix}", "/responses", input="x")

    assert base_url.endswith("/v1")
    assert chat.content == TEXT.read_bytes()
    assert chat.headers["content-type"] == "text/event-stream"
    assert responses.content == MESSAGES.read_bytes()


def test_the_blocking_client_reads_it() -> None:
    with replay(TEXT) as base_url, open_client(base_url) as client:
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert text == "Rome fell."


@pytest.mark.anyio
async def test_the_asynchronous_client_reads_it() -> None:
    with replay(TEXT) as base_url:
        async with open_async_client(base_url) as client:
            stream = await client.chat.completions.create(model="m", messages=[], stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert text == "Rome fell."


def test_the_model_chooses_the_recording_and_the_others_take_turns(http: httpx2.Client) -> None:
    with replay(TEXT, CALLS, MESSAGES) as base_url:
        named = [post(http, base_url, model=CALLS.stem).content for _ in range(2)]
        in_turn = [post(http, base_url).content for _ in range(3)]

    assert named == [CALLS.read_bytes()] * 2
    assert in_turn == [TEXT.read_bytes(), CALLS.read_bytes(), TEXT.read_bytes()]


def test_a_folder_stands_for_its_recordings(http: httpx2.Client) -> None:
    with replay(DATA) as base_url, open_client(base_url) as client:
        listed = [model.id for model in client.models.list()]
        served = post(http, base_url, model=CALLS.stem).content

    assert listed == sorted(path.stem for path in DATA.glob("*.sse"))
    assert served == CALLS.read_bytes()


def test_recordings_of_one_name_are_told_apart_by_their_api(
    http: httpx2.Client, tmp_path: Path
) -> None:
    for path in (CALLS, MESSAGES):
        folder = tmp_path / path.stem
        folder.mkdir()
        shutil.copy(path, folder / "same.sse")

    with replay(tmp_path) as base_url:
        chat = post(http, base_url, model="same").content
        responses = post(http, base_url, "/responses", model="same").content

    assert chat == CALLS.read_bytes()
    assert responses == MESSAGES.read_bytes()


def test_a_recorded_error_answers_either_api(http: httpx2.Client, tmp_path: Path) -> None:
    path = tmp_path / "error.sse"
    path.write_text('data: {"error": {"message": "Overloaded"}}\n\n')

    with replay(path) as base_url:
        bodies = {post(http, base_url, api).content for api in ("/chat/completions", "/responses")}

    assert bodies == {path.read_bytes()}


def test_a_request_that_nothing_answers_is_told_what_there_is(http: httpx2.Client) -> None:
    with replay(TEXT) as base_url:
        other_api = post(http, base_url, "/responses")
        other_path = post(http, base_url, "/embeddings")

    assert (other_api.status_code, other_path.status_code) == (404, 404)
    assert "recordings of chat-usage-in-every-chunk" in message(other_api)
    assert "Nothing is served at /v1/embeddings" in message(other_path)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"stream"', b"\xff"])
def test_a_request_that_makes_no_sense_is_told_so(http: httpx2.Client, body: bytes) -> None:
    with replay(TEXT) as base_url:
        response = http.post(f"{base_url}/chat/completions", content=body)

    assert response.status_code == 400
    assert message(response)


def test_an_incomplete_recording_breaks_the_connection_off(
    http: httpx2.Client, tmp_path: Path
) -> None:
    path = tmp_path / "broken.sse"
    path.write_bytes(timed((0.0, "a")) + b"\n: streamops incomplete: the upstream broke off\n")

    with (
        replay(path) as base_url,
        http.stream("POST", f"{base_url}/chat/completions", json={"stream": True}) as response,
    ):
        pieces = response.iter_raw()

        assert next(pieces) == b"data: a\n\n"

        with pytest.raises(httpx2.RemoteProtocolError):
            next(pieces)


@pytest.mark.parametrize("pace", ["recorded", 0.001])
def test_leaving_the_context_breaks_off_what_is_on_its_way(
    http: httpx2.Client, tmp_path: Path, pace: Any
) -> None:
    path = tmp_path / "slow.sse"
    path.write_bytes(timed((0.0, "a"), (3600.0, "b")))
    server = replay(path, pace=pace)
    request = {"stream": True}

    with http.stream("POST", f"{server.__enter__()}/chat/completions", json=request) as response:
        pieces = response.iter_raw()
        first = next(pieces)
        server.__exit__(None, None, None)

        with pytest.raises(httpx2.RemoteProtocolError):
            next(pieces)

    assert first == b"data: a\n\n"


def test_a_client_that_leaves_early_does_not_keep_the_server(
    http: httpx2.Client, tmp_path: Path
) -> None:
    path = tmp_path / "slow.sse"
    path.write_bytes(timed((0.0, "a"), (3600.0, "b")))

    with (
        replay(path, pace="recorded") as base_url,
        http.stream("POST", f"{base_url}/chat/completions", json={"stream": True}) as response,
    ):
        assert next(response.iter_raw()) == b"data: a\n\n"


@pytest.mark.parametrize(
    ("wrong", "error", "reason"),
    [
        pytest.param(lambda: replay(), ValueError, "at least one", id="no recording"),
        pytest.param(lambda: replay("/none.sse"), FileNotFoundError, "none", id="no such file"),
        pytest.param(lambda: replay(TEXT, pace=0), ValueError, "positive", id="no pace"),
        pytest.param(lambda: replay(TEXT, pace=-1), ValueError, "positive", id="backwards"),
        pytest.param(
            lambda: replay(TEXT, pace="fast"),  # type: ignore[arg-type]  # the mistake tested  # pyright: ignore[reportArgumentType]
            ValueError,
            "must be 'recorded'",
            id="another word",
        ),
        pytest.param(lambda: record(TEXT), FileExistsError, "overwrite=True", id="a file"),
        pytest.param(lambda: record("/none/x.sse"), FileNotFoundError, "folder", id="no folder"),
    ],
)
def test_mistakes_are_told_before_anything_is_served(
    wrong: Callable[[], object], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        wrong()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("streamops.replay_server", "streamops.replay_recorder"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    monkeypatch.setitem(sys.modules, "uvicorn", None)

    with pytest.raises(ImportError, match=r"pip install 'streamops\[server\]'"):
        replay(TEXT)

    with pytest.raises(ImportError, match=r"pip install 'streamops\[server\]'"):
        record(tmp_path / "x.sse")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"port": -1}, ValueError),
        ({"port": 65536}, ValueError),
        ({"port": "x"}, TypeError),
        ({"pace": True}, TypeError),
    ],
)
def test_a_port_or_a_pace_that_cannot_be_is_refused_at_once(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error, match=next(iter(arguments))):
        replay(TEXT, **arguments)


def test_a_file_without_a_single_event_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("# A title\n\nSome data: none.\n")

    with pytest.raises(ValueError, match=r"README\.md is no recorded stream"):
        replay(file)


@pytest.mark.parametrize("upstream", ["foo", "ftp://foo/v1"])
def test_an_upstream_that_is_no_http_address_is_refused_at_once(
    tmp_path: Path, upstream: str
) -> None:
    with pytest.raises(ValueError, match=f"must begin with http://.*{upstream}"):
        record(tmp_path / "a.sse", upstream)


def test_a_script_may_end_inside_of_the_context() -> None:
    script = """
import sys
from streamops.replay import replay

context = replay(sys.argv[1])
context.__enter__()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script, str(TEXT)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert ended.stderr == ""
