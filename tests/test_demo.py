"""What the demo promises, below the command line."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from typing import get_args

import httpx2
import openai
import pytest
import reactivex as rx
from pydantic import ValidationError
from reactivex import operators as rx_ops
from rich.console import Console
from rich.style import Style

from streamops.delta import Delta
from streamops.demo import RECORDED, Figures, MeetingInfo, User, ask, extract, real_client
from streamops.demo_display import MeetingDisplay, show_live
from streamops.demo_failures import explain
from streamops.errors import (
    ConnectionDropped,
    ContentFiltered,
    LimitExceeded,
    MalformedJson,
    NoJson,
    Refused,
    SchemaMismatch,
    SourceFailed,
    SpentSource,
    StreamopsError,
    TruncatedJson,
    UnknownElement,
)
from streamops.progress import Progress
from streamops.recording import Api, read_recording
from streamops.replay import replay
from streamops.sinks.generators import to_generator
from streamops.sinks.values import run
from streamops.sources.iterables import from_chunks
from tests.clients import answering

APIS: tuple[Api, ...] = get_args(Api)

ANSWER = {
    "users": [
        {"name": "John Doe", "email": "johndoe@email.com", "twitter": "@TechGuru44"},
        {"name": "Jane Smith", "email": "janesmith@email.com", "twitter": "@DigitalDiva88"},
        {"name": "Alex Johnson", "email": "alexj@email.com", "twitter": "@CodeMaster2023"},
    ],
    "date": "2024-03-15",
    "location": "Grand Tech Arena located at 4521 Innovation Drive",
    "budget": 50000,
    "deadline": "2024-02-20",
}


@pytest.mark.parametrize("api", APIS)
def test_each_recording_ends_in_the_right_answer(api: Api) -> None:
    client = answering(RECORDED[api].read_text())

    last = run(extract(ask(client, api=api, model="any"), Figures()))

    assert isinstance(last, Progress)
    assert last.percent == 100.0
    assert type(last.value) is MeetingInfo
    assert last.value.model_dump() == ANSWER


@pytest.mark.parametrize("api", APIS)
def test_each_recording_comes_in_small_pieces_at_a_pace_to_watch(api: Api) -> None:
    recording = read_recording(RECORDED[api].read_bytes())
    client = answering(RECORDED[api].read_text())
    pieces = [delta.text for delta in to_generator(ask(client, api=api, model="any")) if delta.text]

    assert recording.apis == {api}
    assert recording.complete
    assert recording.times is not None
    assert 4 < recording.times[-1] < 6
    assert list(recording.times) == sorted(recording.times)
    assert 90 <= len(pieces) <= 130
    assert max(map(len, pieces)) <= 12


def test_the_recording_of_chat_completions_is_framed_like_a_real_one() -> None:
    lines = RECORDED["chat"].read_text().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    first, *_, finish, usage = map(json.loads, data[:-1])

    assert data[-1] == "[DONE]"
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] > 90


@pytest.mark.parametrize("api", APIS)
def test_the_model_is_asked_for_the_schema_strictly(api: Api) -> None:
    bodies: list[dict[str, object]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        return httpx2.Response(200, text=RECORDED[api].read_text())

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        client = openai.OpenAI(base_url="http://test/v1", api_key="test", http_client=http)
        run(ask(client, api=api, model="some-model"))

    [body] = bodies
    written = json.dumps(body)
    assert body["model"] == "some-model"
    assert body["stream"] is True
    assert '"type": "json_schema"' in written
    assert '"strict": true' in written
    assert '"additionalProperties": false' in written


def test_a_user_comes_out_as_soon_as_it_is_finished() -> None:
    text = json.dumps(ANSWER)
    first_user = text.index("}") + 1
    pulled: list[str] = []

    def chunks() -> Iterator[str]:
        for chunk in (text[:first_user], text[first_user:]):
            pulled.append(chunk)
            yield chunk

    first = next(to_generator(extract(from_chunks(chunks), Figures())))

    assert first == User(name="John Doe", email="johndoe@email.com", twitter="@TechGuru44")
    assert pulled == [text[:first_user]]


def test_users_and_meeting_are_read_from_one_request() -> None:
    opened: list[str] = []

    def open_chunks() -> list[str]:
        opened.append("once")
        return [json.dumps(ANSWER)]

    updates = list(to_generator(extract(from_chunks(open_chunks), Figures())))

    assert [type(update) for update in updates] == [User, User, User, Progress]
    assert opened == ["once"]


def test_the_figures_count_chunks_snapshots_and_what_is_distinct() -> None:
    figures = Figures()
    deltas = [Delta('{"users": [{'), Delta(" "), Delta('"name": "Jo"'), Delta(kind="usage")]

    for _ in to_generator(extract(rx.from_iterable(deltas), figures).pipe(rx_ops.take(2))):
        pass

    assert (figures.chunks, figures.snapshots, figures.distinct) == (3, 3, 2)
    assert figures.first_field is not None
    assert figures.first_item is None


def test_finished_users_stand_firm_and_the_open_one_is_faint() -> None:
    display = MeetingDisplay("Title", Figures())
    text = '{"users": [{"name": "A", "email": "a@x", "twitter": "@a"}, {"name": "Bob", "ema'

    show_all(display, text)

    assert styles(display)["A"].dim is not True
    assert styles(display)["Bob"].dim is True


def test_a_finished_field_gets_a_tick_and_an_open_one_does_not() -> None:
    display = MeetingDisplay("Title", Figures())

    show_all(display, '{"users": [], "date": "2024-03-15", "budget": 50000, "location": "Gra')

    lines = screen(display).splitlines()
    assert [line for line in lines if "Date" in line] == [" ✓ Date     2024-03-15"]
    assert [line for line in lines if "Budget" in line] == [" ✓ Budget   $50,000"]
    assert [line for line in lines if "Location" in line] == ["   Location Gra"]
    assert "location" in lines[-1]


def test_markup_in_an_answer_is_shown_as_it_was_written() -> None:
    display = MeetingDisplay("Title", Figures())

    show_all(display, '{"users": [{"name": "[bold]x[/nope]"')

    assert "[bold]x[/nope]" in screen(display)


@pytest.mark.parametrize("width", [10, 40, 80, 120])
def test_the_display_leaves_room_at_the_edge_of_the_terminal(width: int) -> None:
    display = MeetingDisplay("A title that is longer than the terminal is wide" * 3, Figures())

    show_all(display, json.dumps(ANSWER))

    lines = screen(display, width).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width - 3


@pytest.mark.parametrize("width", [60, 80])
def test_the_figures_are_whole_on_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    figures = Figures()
    show_live(
        to_generator(extract(from_chunks(['{"users": []']), figures).pipe(rx_ops.take(1))),
        figures,
        title="",
    )
    shown = capsys.readouterr().out

    assert all(name in shown for name in ("chunks", "snapshots", "distinct", "field", "item"))
    assert re.search(r"- +0\.\d\d s *$", shown)


@pytest.mark.parametrize(
    ("key", "base_url", "named"),
    [
        ("sk-\nsecret", "http://127.0.0.1/v1", "OPENAI_API_KEY"),
        ("ключ", "http://127.0.0.1/v1", "OPENAI_API_KEY"),
        ("sk-secret", "http://127.0.0.1:port/v1", "OPENAI_BASE_URL"),
        ("sk-secret", "localhost:8000/v1", "OPENAI_BASE_URL must begin with http"),
    ],
)
def test_unusable_settings_are_named_without_showing_the_key(
    monkeypatch: pytest.MonkeyPatch, key: str, base_url: str, named: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", base_url)

    with pytest.raises(ValueError, match=named) as caught:
        real_client(key)

    assert key not in str(caught.value)


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    with replay(RECORDED["chat"]) as base_url:
        monkeypatch.setenv("OPENAI_BASE_URL", base_url)

        with real_client("key") as client:
            assert run(ask(client, api="chat", model="m"))


ENDINGS: list[StreamopsError] = [
    MalformedJson(offset=1, found="x", expected="a value", line='{"', column=1),
    TruncatedJson(snapshot=None, text="{", finish_reason="length"),
    TruncatedJson(snapshot=None, text="{"),
    ConnectionDropped(snapshot=None, text="{"),
    NoJson(text="Sorry,\nno."),
    SchemaMismatch(
        validation_error=ValidationError.from_exception_data(
            "MeetingInfo", [{"type": "int_parsing", "loc": ("budget",), "input": "much"}]
        )
    ),
    Refused(text="No."),
    ContentFiltered(text="{"),
    SourceFailed("it broke"),
    UnknownElement(3, expected="text was expected"),
    SpentSource("It"),
    LimitExceeded("max_depth", 3, offset=9),
]


def test_every_ending_is_explained() -> None:
    def family(kind: type[StreamopsError]) -> set[type[StreamopsError]]:
        return {kind}.union(*(family(child) for child in kind.__subclasses__()))

    assert {type(error) for error in ENDINGS} == family(StreamopsError) - {StreamopsError}


@pytest.mark.parametrize("error", ENDINGS, ids=lambda error: type(error).__name__)
def test_an_explanation_ends_with_what_to_do(error: StreamopsError) -> None:
    assert re.search(r"[:.] [Tt]ry [^:.]+\.$", explain(error))


def test_a_mismatch_is_explained_by_its_place() -> None:
    mismatch = next(error for error in ENDINGS if isinstance(error, SchemaMismatch))

    assert "(budget: Input should be a valid integer" in explain(mismatch)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "set OPENAI_API_KEY to a valid one"),
        (403, "use another OPENAI_API_KEY"),
        (404, "check --model and OPENAI_BASE_URL"),
        (429, "check your account"),
        (500, "Try again"),
    ],
)
def test_a_provider_that_says_no_is_explained_by_its_status(status: int, advice: str) -> None:
    client = answering('{"error": {"message": "no"}}', status=status)

    with pytest.raises(SourceFailed) as caught:
        run(extract(ask(client, api="chat", model="any"), Figures()))

    assert isinstance(caught.value.__cause__, openai.APIStatusError)
    assert advice in explain(caught.value)


def show_all(display: MeetingDisplay, text: str) -> None:
    """Show what comes out before the stream ends, however that is."""
    try:
        for update in to_generator(extract(from_chunks(lambda: iter(text)), Figures())):
            display.show(update)
    except TruncatedJson:
        return


def screen(display: MeetingDisplay, width: int = 80) -> str:
    """Return what a terminal shows, without its styles."""
    console = Console(file=io.StringIO(), width=width, legacy_windows=False)
    console.print(display)
    written = console.file
    assert isinstance(written, io.StringIO)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def styles(display: MeetingDisplay) -> dict[str, Style]:
    """Return the style of each piece of text on the screen."""
    segments = Console(width=80).render(display)
    return {segment.text.strip(): segment.style or Style() for segment in segments}
