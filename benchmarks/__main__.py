"""Time per chunk of streamops and of re-parsing, on the same chunks in the same run.

Prints medians of interleaved rounds, in microseconds a chunk, and how much memory a stream takes.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jiter
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

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


Run = Callable[[list[str]], int]
"""Reads chunks; returns how many of them it really processed."""


@dataclass(frozen=True)
class Contender:
    name: str
    run: Run


def last_name(partial: Meeting) -> object:
    """Look at a partial as a user interface would, which makes it fill itself."""
    return partial.users[-1].name if partial.users else None


def pipeline(build: Callable[[Observable[str]], Observable[Any]]) -> Run:
    def run(chunks: list[str]) -> int:
        source: Subject[str] = Subject()
        build(source).subscribe(lambda _: None, _raise)
        for chunk in chunks:
            source.on_next(chunk)
        source.on_completed()
        return len(chunks)

    return run


def _raise(error: Exception) -> None:
    raise error


def reparse(read: Callable[[bytes], object]) -> Run:
    """Parse everything so far with each chunk; of many chunks, only a sample of 200."""

    def run(chunks: list[str]) -> int:
        step = max(1, len(chunks) // 200)
        text = "".join(chunks).encode()
        ends = range(len(chunks[0]), len(text) + 1, len(chunks[0]))[::step]
        for end in ends:
            read(text[:end])
        return len(ends)

    return run


def partial_dicts(text: bytes) -> object:
    return jiter.from_json(text, partial_mode="trailing-strings")


def optional_model(text: bytes) -> object:
    return OptionalMeeting.model_validate(partial_dicts(text))


def once(chunks: list[str]) -> int:
    Meeting.model_validate_json("".join(chunks))
    return len(chunks)


CONTENDERS = [
    Contender("floor: model_validate_json, once", once),
    Contender("jiter re-parse", reparse(partial_dicts)),
    Contender("jiter re-parse + optional model", reparse(optional_model)),
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


def chunked(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def microseconds(contender: Contender, chunks: list[str]) -> float:
    gc.collect()
    began = time.perf_counter()
    processed = contender.run(chunks)
    return (time.perf_counter() - began) / processed * 1e6


def table(texts: Iterable[str], size: int, rounds: int) -> None:
    columns = [chunked(text, size) for text in texts]
    heads = "".join(f"{_bytes(sum(map(len, chunks))):>10}" for chunks in columns)
    print(f"\nMicroseconds per {size}-character chunk\n\n{'':40}{heads}")

    medians: dict[str, list[float]] = {contender.name: [] for contender in CONTENDERS}
    for chunks in columns:
        times: dict[str, list[float]] = {contender.name: [] for contender in CONTENDERS}
        for _ in range(rounds):
            for contender in CONTENDERS:
                times[contender.name].append(microseconds(contender, chunks))
        for name, measured in times.items():
            medians[name].append(statistics.median(measured))

    for name, row in medians.items():
        print(f"{name:40}" + "".join(f"{figure:10.2f}" for figure in row))


def memory(text: str, size: int) -> None:
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default 5)")
    parser.add_argument("--chunk", type=int, default=4, help="characters per chunk (default 4)")
    parser.add_argument("--largest", type=int, default=800_000, help="leave out larger documents")
    arguments = parser.parse_args()

    texts = [document(users) for users in (3, 20, 100, 1050, 10500)]
    texts = [text for text in texts if len(text) <= arguments.largest * 1.1]
    table(texts, arguments.chunk, arguments.rounds)
    memory(document(13_500), arguments.chunk)


if __name__ == "__main__":
    main()
