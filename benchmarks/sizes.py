"""Flat documents of all sizes: time per chunk, and how much memory a stream takes."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from reactivex import operators as rx

from benchmarks.measuring import (
    Contender,
    chunked,
    median_of_each,
    parsed_again,
    partial_dicts,
    pipeline,
)
from streamops import operators as ops


class User(BaseModel):
    name: str
    email: str
    twitter: str


class Meeting(BaseModel):
    users: list[User]
    date: str
    location: str
    budget: int
    deadline: str


class OptionalUser(BaseModel):
    name: str | None = None
    email: str | None = None
    twitter: str | None = None


class OptionalMeeting(BaseModel):
    users: list[OptionalUser] | None = None
    date: str | None = None
    location: str | None = None
    budget: int | None = None
    deadline: str | None = None


def last_name(partial: Meeting) -> object:
    """Look at a partial as a user interface would, which makes it fill itself."""
    return partial.users[-1].name if partial.users else None


def optional_model(text: bytes) -> object:
    return OptionalMeeting.model_validate(partial_dicts(text))


def once(chunks: list[str]) -> int:
    Meeting.model_validate_json("".join(chunks))
    return len(chunks)


CONTENDERS = [
    Contender("floor: model_validate_json, once", once),
    Contender("jiter re-parse", parsed_again(partial_dicts)),
    Contender("jiter re-parse + optional model", parsed_again(optional_model)),
    Contender("accumulate_json", pipeline(lambda s: s.pipe(ops.accumulate_json()))),
    Contender(
        "accumulate_json | to_partial",
        pipeline(lambda s: s.pipe(ops.accumulate_json(), ops.to_partial(Meeting))),
    ),
    Contender(
        "accumulate_json | to_partial, looked at",
        pipeline(
            lambda s: s.pipe(ops.accumulate_json(), ops.to_partial(Meeting), rx.map(last_name))
        ),
    ),
    Contender(
        "accumulate_json | split_items",
        pipeline(lambda s: s.pipe(ops.accumulate_json(), ops.split_items(User))),
    ),
    Contender(
        "... | to_partial | distinct | progress",
        pipeline(
            lambda s: s.pipe(
                ops.accumulate_json(),
                ops.to_partial(Meeting),
                ops.distinct_snapshots(),
                ops.track_progress(),
            )
        ),
    ),
]


def document(users: int) -> str:
    return json.dumps(
        {
            "users": [
                {"name": f"User {i}", "email": f"user{i}@example.com", "twitter": f"@user{i}"}
                for i in range(users)
            ],
            "date": "2024-03-15",
            "location": "Grand Tech Arena located at 4521 Innovation Drive",
            "budget": 50000,
            "deadline": "2024-02-20",
        }
    )


def print_times(largest: int, size: int, rounds: int) -> None:
    texts = [document(users) for users in (3, 20, 100, 1050, 10500)]
    columns = [chunked(text, size) for text in texts if len(text) <= largest * 1.1]
    heads = "".join(f"{_bytes(sum(map(len, chunks))):>10}" for chunks in columns)
    print(f"\nMicroseconds per {size}-character chunk\n\n{'':40}{heads}")

    medians = [median_of_each(CONTENDERS, chunks, rounds) for chunks in columns]
    for contender, row in zip(CONTENDERS, zip(*medians, strict=True), strict=True):
        print(f"{contender.name:40}" + "".join(f"{figure:10.2f}" for figure in row))


def print_memory(size: int) -> None:
    text = document(13_500)
    print(f"\nPeak memory while {_bytes(len(text))} stream and nothing is kept\n")
    for contender in CONTENDERS[3:]:
        chunks = (text[i : i + size] for i in range(0, len(text), size))
        gc.collect()
        tracemalloc.start()
        contender.run(_Lazy(chunks))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{contender.name:40}{peak / len(text):9.1f}x the text")


class _Lazy(list[str]):
    """Chunks that are cut when they are asked for, so that they do not count as memory."""

    def __init__(self, chunks: Iterable[str]) -> None:
        super().__init__()
        self._chunks = chunks

    def __iter__(self) -> Any:
        return iter(self._chunks)


def _bytes(count: int) -> str:
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} KB"
