"""The conference extraction: a meeting's notes become a validated object while it arrives."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import openai
import reactivex as rx
from openai.lib import type_to_response_format_param
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx_ops

import streamops as so
from streamops import operators as ops
from streamops.recording import Api
from streamops.replay import LOOPBACK, replay

NOTES = """\
In our recent online meeting, participants from various backgrounds joined to discuss the \
upcoming tech conference. The names and contact details of the participants were as follows:

- Name: John Doe, Email: johndoe@email.com, Twitter: @TechGuru44
- Name: Jane Smith, Email: janesmith@email.com, Twitter: @DigitalDiva88
- Name: Alex Johnson, Email: alexj@email.com, Twitter: @CodeMaster2023

During the meeting, we agreed on several key points. The conference will be held on March 15th, \
2024, at the Grand Tech Arena located at 4521 Innovation Drive. Dr. Emily Johnson, a renowned AI \
researcher, will be our keynote speaker.

The budget for the event is set at $50,000, covering venue costs, speaker fees, and promotional \
activities. Each participant is expected to contribute an article to the conference blog by \
February 20th.

A follow-up meeting is scheduled for January 25th at 3 PM GMT to finalize the agenda and confirm \
the list of speakers.
"""

PARTICIPANTS = NOTES.count("- Name:")
"""How many users to expect: what makes the percentage a good one."""

_TASK = (
    "Extract the meeting's participants and the conference's date, location, budget in dollars and "
    "the deadline for the articles. Quote the location in the words of the notes, without the "
    "preposition before it. Write dates as YYYY-MM-DD."
)
_MESSAGES = [{"role": "system", "content": _TASK}, {"role": "user", "content": NOTES}]

_RECORDINGS = Path(__file__).with_name("recordings")
RECORDED: dict[Api, Path] = {
    "chat": _RECORDINGS / "conference.sse",
    "responses": _RECORDINGS / "conference-responses.sse",
}
"""The answer that the embedded server plays, for each API."""


class User(BaseModel):
    """A participant of the meeting."""

    name: str
    email: str
    twitter: str


class MeetingInfo(BaseModel):
    """What the notes say about the conference."""

    users: list[User]
    date: str
    location: str
    budget: int
    deadline: str


Update: TypeAlias = User | so.Progress[MeetingInfo]


class Figures:
    """Counts what passes through the pipeline, and when the first of it came."""

    def __init__(self) -> None:
        self.chunks = 0
        self.snapshots = 0
        self.distinct = 0
        self.first_field: float | None = None
        self.first_item: float | None = None
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since the request."""
        return time.monotonic() - self._began

    def count_chunk(self, _chunk: so.Delta) -> None:
        """Count a piece of what the model sent."""
        self.chunks += 1

    def count_snapshot(self, _snapshot: so.Snapshot) -> None:
        """Count a snapshot of the JSON so far."""
        self.snapshots += 1

    def count_update(self, update: Update) -> None:
        """Count what comes out, and note the time of the first field and of the first item."""
        if isinstance(update, User):
            self.first_item = self.first_item or self.elapsed
            return

        self.distinct += 1
        if self.first_field is None and update.value.model_fields_set:
            self.first_field = self.elapsed


def extract(source: Observable[so.Delta], figures: Figures) -> Observable[Update]:
    """Emit each user when it is finished, and the meeting whenever more of it is known."""
    # Shared, so that the list and the meeting are read from the same answer to one request.
    snapshots = source.pipe(
        rx_ops.do_action(figures.count_chunk),
        ops.accumulate_json(),
        rx_ops.do_action(figures.count_snapshot),
        rx_ops.share(),
    )
    users = snapshots.pipe(ops.split_items(User, path=("users",)))
    meeting = snapshots.pipe(
        ops.to_partial(MeetingInfo),
        ops.distinct_snapshots(),
        ops.track_progress(expected={"users": PARTICIPANTS}),
    )
    updates: list[Observable[Any]] = [users, meeting]
    return rx.merge(*updates).pipe(rx_ops.do_action(figures.count_update))


def ask(client: openai.OpenAI, *, api: Api, model: str) -> Observable[so.Delta]:
    """Ask a model for a MeetingInfo as JSON; every subscriber sends a request of its own."""
    # Not Omit, which the SDK's signature allows for: a model was given.
    response_format: Any = type_to_response_format_param(MeetingInfo)

    if api == "chat":
        return so.from_openai(
            client.chat.completions,
            model=model,
            messages=_MESSAGES,
            response_format=response_format,
        )

    schema = {"type": "json_schema", **response_format["json_schema"]}
    return so.from_openai(client.responses, model=model, input=_MESSAGES, text={"format": schema})


@contextmanager
def recorded_client(api: Api, *, fast: bool) -> Generator[openai.OpenAI]:
    """Give a client of the embedded server, which plays the recorded answer."""
    with (
        replay(RECORDED[api], pace=None if fast else "recorded") as base_url,
        # A proxy of the environment cannot reach this machine's loopback.
        openai.DefaultHttpxClient(trust_env=False) as http_client,
    ):
        yield openai.OpenAI(api_key="recorded", base_url=base_url, http_client=http_client)


def real_client(api_key: str) -> openai.OpenAI:
    """Return a client of ``OPENAI_BASE_URL``, by default OpenAI's own API.

    Raises ValueError if that is no URL, or the key cannot be one.
    """
    base_url = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"

    # Sent as a header it would fail, with a message that shows the key.
    if not (api_key.isascii() and api_key.isprintable()):
        raise ValueError("OPENAI_API_KEY holds characters that no key has: set it again.")

    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ValueError(f"OPENAI_BASE_URL is no URL: {base_url}. Set it again.") from error

    if url.scheme not in ("http", "https"):
        raise ValueError(f"OPENAI_BASE_URL must begin with http:// or https://, not {base_url!r}.")

    # A proxy of the environment cannot reach this machine's loopback.
    http_client = openai.DefaultHttpxClient(trust_env=url.host not in LOOPBACK)
    return openai.OpenAI(api_key=api_key, base_url=base_url, http_client=http_client)
