"""What from_sse promises on every recorded stream: ours, and real ones where there are any.

``STREAMOPS_RECORDINGS`` names a folder of recordings with their ``INDEX.jsonl``.
"""

from __future__ import annotations

import json
import os
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reactivex import Observable

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_generator
from streamops.sinks.values import run
from streamops.sources.openai import from_openai
from streamops.sources.sse import from_sse
from tests.clients import answering

OURS = Path(__file__).parent.parent / "data"
THEIRS = Path(os.environ.get("STREAMOPS_RECORDINGS", "nowhere"))
INDEX = THEIRS / "INDEX.jsonl"

FILES = [
    *sorted(OURS.glob("*.sse")),
    *sorted(THEIRS.glob("chat/*.sse")),
    *sorted(THEIRS.glob("responses/*.sse")),
]
MESSAGES: list[Any] = [
    entry
    for entry in map(json.loads, INDEX.read_text().splitlines() if INDEX.exists() else [])
    if entry["api"] == "anthropic"
]

needs_recordings = pytest.mark.skipif(
    not MESSAGES, reason="STREAMOPS_RECORDINGS names no folder with an INDEX.jsonl"
)


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def cut(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(body) + 1) for place in cuts), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


def bytewise(body: bytes) -> list[bytes]:
    return [body[place : place + 1] for place in range(len(body))]


def read(stream: Observable[Delta]) -> tuple[list[Delta], str | None]:
    deltas: list[Delta] = []

    try:
        deltas.extend(to_generator(stream))
    except SourceFailed as error:
        assert error.begun
        return deltas, str(error)

    return deltas, None


def through_the_sdk(body: bytes) -> tuple[list[Delta], str | None]:
    with answering(body.decode()) as client:
        if b'"response.' in body or b'"object":"response"' in body:
            return read(from_openai(client.responses, wire=False, model="m", input=""))

        return read(from_openai(client.chat.completions, wire=False, model="m", messages=[]))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_deltas_are_those_that_the_sdk_leads_to(path: Path) -> None:
    body = path.read_bytes()
    expected = through_the_sdk(body)

    assert read(from_sse([body])) == expected
    assert read(from_sse(body.splitlines(keepends=True))) == expected
    assert read(from_sse([body.decode()])) == expected


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_byte_may_come_alone(path: Path) -> None:
    body = path.read_bytes()[:100_000]

    assert read(from_sse(bytewise(body))) == read(from_sse([body]))


@settings(max_examples=200)
@given(st.data())
def test_a_body_may_be_cut_anywhere(data: st.DataObject) -> None:
    files = [*FILES, *(THEIRS / entry["file"] for entry in MESSAGES)]
    body = data.draw(st.sampled_from(files)).read_bytes()
    pieces = cut(body, data.draw(st.lists(st.integers(0, 2**20), max_size=30)))

    assert read(from_sse(pieces)) == read(from_sse([body]))


def calls_in(deltas: list[Delta]) -> list[tuple[str | None, str | None, str]]:
    pieces = [delta for delta in deltas if delta.kind == "tool_call"]
    pieces.sort(key=lambda delta: delta.index)
    calls = [[*call] for _, call in groupby(pieces, key=lambda delta: delta.index)]
    return [(call[-1].id, call[-1].name, "".join(piece.text for piece in call)) for call in calls]


def texts_in(deltas: list[Delta]) -> str:
    return "".join(delta.text for delta in deltas if delta.kind in ("content", "reasoning"))


def events_in(body: bytes) -> list[dict[str, Any]]:
    lines = [line for line in body.decode().splitlines() if line.startswith("data:")]
    return [json.loads(line.removeprefix("data:")) for line in lines]


def inputs_in(body: bytes) -> list[Any]:
    """Return what each call of a message is called with."""
    inputs: list[Any] = []

    for event in events_in(body):
        block, delta = event.get("content_block", {}), event.get("delta", {})

        if block.get("type") in ("tool_use", "server_tool_use"):
            inputs.append(("", block["input"]))
        elif "partial_json" in delta:
            text, begun = inputs.pop()
            inputs.append((text + delta["partial_json"], begun))

    return [json.loads(text) if text else begun for text, begun in inputs]


def written_in(body: bytes) -> str:
    deltas = [event.get("delta", {}) for event in events_in(body)]
    return "".join(delta.get("text", "") + delta.get("thinking", "") for delta in deltas)


REASONS = {"end_turn": "stop", "tool_use": "tool_calls"}


@needs_recordings
@pytest.mark.parametrize("entry", MESSAGES, ids=lambda entry: entry["file"])
def test_messages_are_put_together_as_the_index_says(entry: dict[str, Any]) -> None:
    body = (THEIRS / entry["file"]).read_bytes()
    deltas, error = read(from_sse(bytewise(body)))

    called = entry.get("tool_calls", [])
    calls = calls_in(deltas)

    assert [call[:2] for call in calls] == [(call["id"], call["name"]) for call in called]
    # The index knows only what came in pieces.
    assert [text for (*_, text), call in zip(calls, called, strict=True) if call["arguments"]] == [
        call["arguments"] for call in called if call["arguments"]
    ]
    assert [json.loads(text) for *_, text in calls] == inputs_in(body)
    assert texts_in(deltas) == written_in(body)
    assert error == ("Overloaded" if entry["kind"] == "error" else None)
    # Some hold several messages, one after the other.
    finished = [delta.finish_reason for delta in deltas if delta.kind == "finish"]
    assert finished[-1:] == [REASONS[reason] for reason in entry["finish"] if reason]


@needs_recordings
@pytest.mark.parametrize(
    "entry",
    [entry for entry in MESSAGES if entry.get("json_text")],
    ids=lambda entry: entry["file"],
)
def test_the_json_of_a_message_is_read_from_its_bytes(entry: dict[str, Any]) -> None:
    body = (THEIRS / entry["file"]).read_bytes()
    snapshot = run(from_sse([body]).pipe(ops.accumulate_json()))

    assert snapshot.text == entry["json_text"]
    assert snapshot.value == json.loads(entry["json_text"])
