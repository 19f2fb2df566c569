"""streamops: what it only emits, and what somebody looks at, since it builds what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from openai import OpenAI
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from benchmarks.contenders import Contender, Gives, Reading, Unfit, plain
from benchmarks.wire import (
    chat_pieces,
    check_length,
    messages_pieces,
    over_chat,
    over_responses,
    responses_pieces,
)
from benchmarks.workloads import Workload
from streamops import Progress, Snapshot, from_chunks, from_openai, from_sse
from streamops import operators as ops

Stream = Observable[Any]
Pipeline = Callable[[Workload, Stream], Stream]

LIBRARY = "streamops"

REFERENCES: dict[Gives, str] = {
    "JSON": "accumulate_json, looked at",
    "models": "accumulate_json | to_partial, looked at",
    "items": "accumulate_json | split_items",
    "chat": "from_openai | ... | track_progress, looked at",
    "responses": "from_openai | ... | track_progress, looked at",
}
"""The contender of ours that all others are compared with."""


def snapshots(_: Workload, stream: Stream) -> Stream:
    return stream.pipe(ops.accumulate_json())


def snapshots_looked_at(_: Workload, stream: Stream) -> Stream:
    return stream.pipe(ops.accumulate_json(), _looked_at(look_at_snapshot))


def partials(workload: Workload, stream: Stream) -> Stream:
    return stream.pipe(ops.accumulate_json(), ops.to_partial(workload.model))


def partials_looked_at(workload: Workload, stream: Stream) -> Stream:
    return partials(workload, stream).pipe(_looked_at(workload.look))


def progress(workload: Workload, stream: Stream) -> Stream:
    return stream.pipe(
        ops.accumulate_json(),
        ops.to_partial(workload.model),
        ops.distinct_snapshots(),
        ops.track_progress(),
    )


def progress_looked_at(workload: Workload, stream: Stream) -> Stream:
    def look(progress: Progress[Any]) -> None:
        workload.look(progress.value)
        _ = progress.percent

    return progress(workload, stream).pipe(_looked_at(look))


def items(workload: Workload, stream: Stream) -> Stream:
    if workload.item is None:
        raise Unfit("no list")

    return stream.pipe(ops.accumulate_json(), ops.split_items(workload.item, (workload.items,)))


def deltas(_: Workload, stream: Stream) -> Stream:
    return stream


def look_at_snapshot(snapshot: Snapshot) -> object:
    """Follow the path to what was written last."""
    value: Any = snapshot.value
    for step in snapshot.path:
        value = value[step]
    return value


def _looked_at(look: Callable[[Any], object]) -> Callable[[Stream], Stream]:
    def looked_at(value: Any) -> Any:
        look(value)
        return value

    return rx.map(looked_at)


def of_chunks(pipeline: Pipeline) -> Callable[[Workload], Reading]:
    def at(workload: Workload) -> Reading:
        pipeline(workload, Subject[Any]())

        def read(chunks: Iterable[str]) -> object:
            return last(pipeline(workload, from_chunks(chunks)))

        return Reading(read, says=said)

    return at


def of_operators_alone(pipeline: Pipeline) -> Callable[[Workload], Reading]:
    """Push the chunks into the operators, without a source that makes Deltas of them."""

    def at(workload: Workload) -> Reading:
        def read(chunks: Iterable[str]) -> object:
            source = Subject[Any]()
            kept = _Last()
            pipeline(workload, source).subscribe(kept.keep, _raise)
            for chunk in chunks:
                source.on_next(chunk)

            source.on_completed()
            return kept.value

        return Reading(read, says=said)

    return at


def of_chat(pipeline: Pipeline, **options: Any) -> Callable[[Workload], Reading]:
    def at(workload: Workload) -> Reading:
        def read(client: OpenAI) -> object:
            request: dict[str, Any] = {"model": "m", "messages": [], **options}
            return last(pipeline(workload, from_openai(client.chat.completions, **request)))

        return over_chat(workload, read, None if pipeline is deltas else said)

    return at


def of_responses(pipeline: Pipeline, **options: Any) -> Callable[[Workload], Reading]:
    def at(workload: Workload) -> Reading:
        def read(client: OpenAI) -> object:
            request: dict[str, Any] = {"model": "m", "input": "", **options}
            return last(pipeline(workload, from_openai(client.responses, **request)))

        return over_responses(workload, read, None if pipeline is deltas else said)

    return at


def of_bytes(
    pipeline: Pipeline, pieces: Callable[[list[str]], Any]
) -> Callable[[Workload], Reading]:
    def at(workload: Workload) -> Reading:
        check_length(workload)

        def read(given: Iterable[bytes]) -> object:
            return last(pipeline(workload, from_sse(given)))

        return Reading(read, pieces, None if pipeline is deltas else said)

    return at


def last(stream: Stream) -> object:
    kept = _Last()
    stream.subscribe(kept.keep, _raise)
    return kept.value


def said(value: Any) -> Any:
    """Return as plain JSON what a snapshot, a partial, an item or progress on one shows."""
    if isinstance(value, Progress):
        progress = cast("Progress[Any]", value)
        return said(progress.value)

    return value.value if isinstance(value, Snapshot) else plain(value)


class _Last:
    def __init__(self) -> None:
        self.value: object = None

    def keep(self, value: object) -> None:
        self.value = value


def _raise(error: Exception) -> None:
    raise error


def _ours(name: str, gives: Gives, at: Callable[[Workload], Reading], line: str = "") -> Contender:
    return Contender(name, gives, at, LIBRARY, line=line)


CONTENDERS = [
    _ours("accumulate_json", "JSON", of_chunks(snapshots)),
    _ours("accumulate_json, looked at", "JSON", of_chunks(snapshots_looked_at)),
    _ours(
        "accumulate_json | to_partial", "models", of_chunks(partials), "streamops, not looked at"
    ),
    _ours(
        "accumulate_json | to_partial, looked at",
        "models",
        of_chunks(partials_looked_at),
        "streamops",
    ),
    _ours("the same, operators alone", "models", of_operators_alone(partials)),
    _ours("... | distinct | track_progress", "models", of_chunks(progress)),
    _ours("accumulate_json | split_items", "items", of_chunks(items), "streamops, items only"),
    _ours("from_openai, Deltas", "chat", of_chat(deltas)),
    _ours("from_openai, Deltas, wire=False", "chat", of_chat(deltas, wire=False)),
    _ours("from_openai | ... | track_progress", "chat", of_chat(progress)),
    _ours("from_openai | ... | track_progress, looked at", "chat", of_chat(progress_looked_at)),
    _ours("from_openai, Deltas", "responses", of_responses(deltas)),
    _ours("from_openai, Deltas, wire=False", "responses", of_responses(deltas, wire=False)),
    _ours("from_openai | ... | track_progress", "responses", of_responses(progress)),
    _ours(
        "from_openai | ... | track_progress, looked at",
        "responses",
        of_responses(progress_looked_at),
    ),
    _ours("from_sse, Chat Completions", "bytes", of_bytes(deltas, chat_pieces)),
    _ours("from_sse, Responses", "bytes", of_bytes(deltas, responses_pieces)),
    _ours("from_sse, Messages", "bytes", of_bytes(deltas, messages_pieces)),
    _ours("from_sse, Chat | accumulate_json", "bytes", of_bytes(snapshots, chat_pieces)),
    _ours("from_sse, Chat | ... | to_partial", "bytes", of_bytes(partials, chat_pieces)),
]
