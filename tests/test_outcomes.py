"""What outcome promises: a record of every request, whatever is built on its stream."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import reactivex
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAI
from pydantic import BaseModel, Field
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import BehaviorSubject

import streamops as so
from streamops import operators as ops
from tests.answers import (
    RESPONSES_USAGE,
    USAGE,
    answering_with,
    broken,
    chat_calls,
    chat_content,
    chat_error_midway,
    chat_refusal,
    responses_calls,
    responses_refusal,
    responses_text,
)
from tests.clients import open_async_client, open_client
from tests.wire import Exchange, Wire

Mode = so.Mode
extract: Callable[..., Observable[Any]] = so.extract  # the overloads cannot tell what ** holds
ASKED: list[dict[str, str]] = [{"role": "user", "content": "Who was there?"}]
CHAT: dict[str, Any] = {"model": "m", "messages": ASKED}
RESPONSES: dict[str, Any] = {"model": "m", "input": ASKED, "mode": Mode.RESPONSES_TOOLS}


class User(BaseModel):
    name: str
    age: int = Field(ge=0)


class Team(BaseModel):
    size: int


JO = User(name="Jo", age=3)
TEXT, WRONG, CUT = '{"name": "Jo", "age": 3}', '{"name": "Jo", "age": -3}', '{"name": "Jo'
TASKS, WRONG_TASKS, CUT_TASKS = (f'{{"tasks": [{text}' for text in (TEXT + "]}", WRONG + "]}", CUT))
GOOD, BAD = chat_calls(("User", TEXT)), chat_calls(("User", WRONG))
SHORT = chat_calls(("User", CUT), finish="length")
BROKEN = broken(GOOD, 4)

ENDINGS: dict[str, tuple[Callable[[str, str, str], bytes], str, type[Exception] | None]] = {
    "complete": (lambda good, _, __: chat_calls(("User", good)), "complete", None),
    "out of tokens": (
        lambda _, __, cut: chat_calls(("User", cut), finish="length"),
        "truncated",
        so.TruncatedJson,
    ),
    "out of tokens before": (
        lambda _, __, ___: chat_content("Well", finish="length"),
        "truncated",
        so.NoJson,
    ),
    "stopped": (
        lambda _, __, cut: chat_calls(("User", cut), finish=None),
        "truncated",
        so.TruncatedJson,
    ),
    "refused": (lambda _, __, ___: chat_refusal("No."), "refused", so.Refused),
    "filtered": (
        lambda _, __, cut: chat_content(cut, finish="content_filter"),
        "filtered",
        so.ContentFiltered,
    ),
    "invalid": (lambda _, bad, __: chat_calls(("User", bad)), "invalid", so.SchemaMismatch),
    "malformed": (lambda _, __, ___: chat_content('{"name" 3}'), "invalid", so.MalformedJson),
    "no JSON": (lambda _, __, ___: chat_content("Sorry."), "invalid", so.NoJson),
    "reported": (lambda _, __, cut: chat_error_midway(cut, "Over"), "failed", so.SourceFailed),
    "dropped": (
        lambda good, _, __: broken(chat_calls(("User", good)), 5),
        "failed",
        so.SourceFailed,
    ),
}
OF_RESPONSES: dict[str, tuple[Callable[[str, str, str], bytes], str, type[Exception] | None]] = {
    "complete": (lambda good, _, __: responses_calls(("User", good)), "complete", None),
    "out of tokens": (
        lambda _, __, cut: responses_calls(("User", cut), incomplete="max_output_tokens"),
        "truncated",
        so.TruncatedJson,
    ),
    "refused": (lambda _, __, ___: responses_refusal("No."), "refused", so.Refused),
    "filtered": (
        lambda _, __, cut: responses_text(cut, incomplete="content_filter"),
        "filtered",
        so.ContentFiltered,
    ),
    "invalid": (lambda _, bad, __: responses_calls(("User", bad)), "invalid", so.SchemaMismatch),
    "no JSON": (lambda _, __, ___: responses_text("Sorry."), "invalid", so.NoJson),
    "dropped": (
        lambda good, _, __: broken(responses_calls(("User", good)), 6),
        "failed",
        so.SourceFailed,
    ),
}
EITHER = [
    *(("chat", name, *ending) for name, ending in ENDINGS.items()),
    *(("responses", name, *ending) for name, ending in OF_RESPONSES.items()),
]

either = pytest.mark.parametrize(
    ("api", "answer", "status", "kind"),
    [(api, answer, status, kind) for api, _, answer, status, kind in EITHER],
    ids=[f"{name} ({api})" for api, name, *_ in EITHER],
)


class Asking:
    """A client, what it sent, and what it will be asked for."""

    def __init__(self, client: OpenAI, bodies: list[Mapping[str, Any]]) -> None:
        self.client = client
        self.bodies = bodies

    def request(self, **options: Any) -> Observable[so.Delta]:
        question = RESPONSES if options.pop("api", "chat") == "responses" else CHAT
        ask: Callable[..., Observable[so.Delta]] = so.request
        return ask(self.client, **{"response_model": User, **question, **options})

    def users(self) -> Observable[User]:
        return self.request().pipe(ops.accumulate_json(), ops.to_partial(User))

    def extract(self, **options: Any) -> Observable[Any]:
        question = RESPONSES if options.pop("api", "chat") == "responses" else CHAT
        return extract(self.client, **{"response_model": User, **question, **options})


@contextmanager
def asking(*answers: bytes) -> Generator[Asking]:
    bodies: list[Mapping[str, Any]] = []

    with (
        answering_with(*answers, on_request=bodies.append) as base_url,
        open_client(base_url) as client,
    ):
        yield Asking(client, bodies)


Ask = Callable[[bytes], Asking]


@pytest.fixture(scope="module")
def servers() -> Generator[Ask]:
    """What finds the server that gives an answer, as often as it is asked."""
    known: dict[bytes, Asking] = {}

    with ExitStack() as stack:

        def find(answer: bytes) -> Asking:
            if answer not in known:
                known[answer] = stack.enter_context(asking(answer))

            return known[answer]

        yield find


@pytest.fixture
def ask(servers: Ask) -> Ask:
    """What makes a client of a server that has been asked nothing."""

    def ask(answer: bytes) -> Asking:
        asked = servers(answer)
        asked.bodies.clear()
        return asked

    return ask


def run_out(stream: Observable[Any]) -> Exception | None:
    """Return what a stream ends with."""
    try:
        for _ in so.to_generator(stream):
            pass
    except Exception as error:
        return error

    return None


def push_out(stream: Observable[Any]) -> Exception | None:
    """Return what a stream that pushes ends with; the outcome has to be there then."""
    endings: list[tuple[Exception | None, int]] = []
    known = so.outcome(stream)
    stream.subscribe(
        on_error=lambda error: endings.append((error, len(known))),
        on_completed=lambda: endings.append((None, len(known))),
    )
    [(error, records)] = endings
    assert records == len(known)
    assert records > 0
    return error


def statuses(stream: Observable[Any]) -> list[str]:
    return [ending.status for ending in so.outcome(stream)]


ways = pytest.mark.parametrize("read", [run_out, push_out], ids=["pulled", "pushed"])

ASKED_FOR: dict[str, tuple[Any, tuple[str, str, str]]] = {
    "a model": (User, (TEXT, WRONG, CUT)),
    "items": (Iterable[User], (TASKS, WRONG_TASKS, CUT_TASKS)),
    "a choice": (User | Team, (TEXT, WRONG, CUT)),
}


@either
@ways
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("asked_for", ASKED_FOR)
def test_extract_says_how_its_request_ended(
    ask: Ask,
    api: str,
    answer: Callable[[str, str, str], bytes],
    status: str,
    kind: type[Exception] | None,
    read: Callable[[Observable[Any]], Exception | None],
    stream: bool,
    asked_for: str,
) -> None:
    response_model, texts = ASKED_FOR[asked_for]

    asked = ask(answer(*texts))
    values = asked.extract(api=api, response_model=response_model, stream=stream)
    error = read(values)

    if kind is not so.SourceFailed or stream:
        assert kind is None if error is None else kind and isinstance(error, kind)

    [ending] = so.outcome(values)
    assert len(asked.bodies) == 1
    assert (ending.status, ending.error) == (status, error)
    assert so.outcome(values).status == status


def two_pipes(deltas: Observable[so.Delta]) -> Observable[Any]:
    return deltas.pipe(ops.accumulate_json()).pipe(ops.to_partial(User))


PIPELINES: dict[str, Callable[[Observable[so.Delta]], Observable[Any]]] = {
    "one pipe": lambda deltas: deltas.pipe(ops.accumulate_json(), ops.to_partial(User)),
    "two pipes": two_pipes,
    "distinct, progress": lambda deltas: two_pipes(deltas).pipe(
        ops.distinct_snapshots(), ops.track_progress()
    ),
    "reactivex's operators": lambda deltas: two_pipes(deltas).pipe(
        rx.map(lambda user: user), rx.start_with(None), rx.filter(bool), rx.share()
    ),
    "methods": lambda deltas: two_pipes(deltas).map(lambda user: user).filter(bool),
    "retry that has no tries left": lambda deltas: deltas.pipe(
        rx.retry(1), ops.accumulate_json(), ops.to_partial(User)
    ),
    "a late retry": lambda deltas: deltas.pipe(
        ops.accumulate_json(), ops.to_partial(User), rx.retry(1), rx.map(lambda user: user)
    ),
    "catch": lambda deltas: two_pipes(deltas).pipe(
        rx.catch(lambda error, _: reactivex.throw(error))
    ),
}


@either
@ways
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_pipeline_made_by_hand_says_how_its_request_ended(
    ask: Ask,
    api: str,
    answer: Callable[[str, str, str], bytes],
    status: str,
    kind: type[Exception] | None,
    read: Callable[[Observable[Any]], Exception | None],
    pipeline: str,
) -> None:
    asked = ask(answer(TEXT, WRONG, CUT))
    values = PIPELINES[pipeline](asked.request(api=api))
    error = read(values)

    [ending] = so.outcome(values)
    assert isinstance(error, kind) if kind else error is None
    assert len(asked.bodies) == 1
    assert ending.status == status
    # What retry has passed on becomes ConnectionDropped behind it, where the JSON is known.
    assert isinstance(error, type(ending.error))


def divide_by_zero(_: User) -> float:
    return 1 / 0


def ask_anew_at_the_end(asked: Asking) -> Observable[Any]:
    def ask_anew(_: User) -> Observable[User]:
        return asked.users()

    return asked.users().pipe(rx.last(), rx.flat_map(ask_anew))


SEVERAL: dict[str, tuple[list[bytes], Callable[[Asking], Observable[Any]], list[str]]] = {
    "retry": ([BAD, GOOD], lambda asked: asked.users().pipe(rx.retry(3)), ["invalid", "complete"]),
    "retry in the pipe": (
        [SHORT, BAD],
        lambda asked: asked.request().pipe(
            ops.accumulate_json(), ops.to_partial(User), rx.retry(2), rx.map(lambda user: user)
        ),
        ["truncated", "invalid"],
    ),
    "retry before it is read": (
        [BROKEN, SHORT],
        lambda asked: asked.request().pipe(
            rx.retry(2), ops.accumulate_json(), ops.to_partial(User)
        ),
        ["failed", "truncated"],
    ),
    "retry of extract": (
        [BAD, GOOD],
        lambda asked: asked.extract().retry(2),
        ["invalid", "complete"],
    ),
    "catch": (
        [BAD, GOOD],
        lambda asked: asked.users().pipe(rx.catch(lambda _, source: source)),
        ["invalid", "complete"],
    ),
    "repeat": (
        [GOOD, BAD],
        lambda asked: asked.users().pipe(rx.repeat(2)),
        ["complete", "invalid"],
    ),
    "timeout": ([BAD], lambda asked: asked.users().pipe(rx.timeout(60)), ["invalid"]),
    "take": ([BAD], lambda asked: asked.users().pipe(rx.take(1)), ["cancelled"]),
    "a mapper that raises": (
        [GOOD],
        lambda asked: asked.users().pipe(rx.map(divide_by_zero)),
        ["failed"],
    ),
    "nothing was read": ([SHORT], lambda asked: asked.request(), ["truncated"]),
    "a chain of requests": (
        [GOOD, BAD],
        ask_anew_at_the_end,
        ["complete"],
    ),
    "failing fast": ([BAD], lambda asked: asked.extract(fail_fast=True), ["invalid"]),
    "more attempts": (
        [BAD, BROKEN, GOOD],
        lambda asked: asked.extract(max_retries=2),
        ["invalid", "failed", "complete"],
    ),
}


@ways
@pytest.mark.parametrize(("answers", "build", "expected"), SEVERAL.values(), ids=SEVERAL)
def test_every_request_has_one_record_whatever_stands_around_it(
    answers: list[bytes],
    build: Callable[[Asking], Observable[Any]],
    expected: list[str],
    read: Callable[[Observable[Any]], Exception | None],
) -> None:
    with asking(*answers) as asked:
        stream = build(asked)
        read(stream)

        assert statuses(stream) == expected
        assert len(asked.bodies) == len(answers)


TOGETHER: dict[str, Callable[[Observable[Any]], Observable[Any]]] = {
    "merge": lambda users: reactivex.merge(users, users),
    "merge in a pipe": lambda users: users.pipe(rx.merge(users)),
    "concat": lambda users: reactivex.concat(users, users),
    "concat in a pipe": lambda users: users.pipe(rx.concat(users)),
    "flat_map": lambda users: reactivex.of(1, 2).pipe(rx.flat_map(lambda _: users)),
    "combine_latest": lambda users: users.pipe(rx.combine_latest(users)),
}


@pytest.mark.parametrize("put", TOGETHER)
def test_streams_put_together_have_a_record_for_each_request(put: str) -> None:
    with asking(GOOD) as asked:
        users = asked.users()

        assert run_out(TOGETHER[put](users)) is None
        assert statuses(users) == ["complete", "complete"]
        assert len(asked.bodies) == 2


@pytest.mark.parametrize("put", ["merge", "merge in a pipe", "flat_map"])
def test_only_the_request_that_failed_has_failed(put: str) -> None:
    with asking(BAD, GOOD) as asked:
        users = asked.users()

        assert isinstance(run_out(TOGETHER[put](users)), so.SchemaMismatch)
        assert sorted(statuses(users)) == ["cancelled", "invalid"]
        assert len(asked.bodies) == 2


answers_in_turn = st.lists(st.sampled_from([GOOD, BAD, SHORT, BROKEN]), min_size=1, max_size=4)
KNOWN = {GOOD: "complete", BAD: "invalid", SHORT: "truncated", BROKEN: "failed"}


@settings(max_examples=15)
@given(answers_in_turn, st.integers(1, 4))
def test_there_are_as_many_records_as_requests(answers: list[bytes], tries: int) -> None:
    in_turn = [*itertools.islice(itertools.cycle(answers), tries)]
    sent = [*itertools.takewhile(lambda answer: answer != GOOD, in_turn)]
    sent += [GOOD] if len(sent) < tries else []

    with asking(*answers) as asked:
        users = asked.users().pipe(rx.retry(tries))
        run_out(users)

        assert statuses(users) == [KNOWN[answer] for answer in sent]
        assert len(asked.bodies) == len(sent)


@pytest.mark.parametrize("failing_first", [True, False])
def test_a_view_that_fails_does_not_end_what_another_reads_on(failing_first: bool) -> None:
    with asking(BAD) as asked:
        shared = asked.request().pipe(ops.accumulate_json(), ops.share_latest())
        errors: list[Exception] = []
        users = shared.pipe(ops.to_partial(User)).pipe(
            rx.do_action(on_error=errors.append), rx.catch(reactivex.empty())
        )
        views = [users, shared] if failing_first else [shared, users]

        run_out(reactivex.merge(*views))

        assert [type(error) for error in errors] == [so.SchemaMismatch]
        assert statuses(shared) == ["complete"]
        assert statuses(users) == ["complete"]
        assert len(asked.bodies) == 1


@either
def test_shared_snapshots_say_how_their_request_ended(
    ask: Ask,
    api: str,
    answer: Callable[[str, str, str], bytes],
    status: str,
    kind: type[Exception] | None,
) -> None:
    snapshots = ask(answer(TEXT, WRONG, CUT)).request(api=api).pipe(ops.accumulate_json())
    users = snapshots.pipe(ops.share_latest(), ops.to_partial(User))

    error = run_out(users)

    assert isinstance(error, kind) if kind else error is None
    assert statuses(users) == [status]


def test_two_subscribers_have_a_record_each() -> None:
    with asking(GOOD, BAD) as asked:
        users = asked.users()
        run_out(users)
        run_out(users)
        assert statuses(users) == ["complete", "invalid"]


def test_records_come_in_the_order_of_ending() -> None:
    with asking(BAD, GOOD) as asked:
        users = asked.users()
        first, second = so.to_generator(users), so.to_generator(users)
        next(first)
        next(second)

        assert list(second)[-1] == JO
        with pytest.raises(so.SchemaMismatch):
            list(first)

        assert statuses(users) == ["complete", "invalid"]


def leave_by_break(users: Observable[User]) -> None:
    for _ in so.to_generator(users):
        break


def leave_by_close(users: Observable[User]) -> None:
    values = so.to_generator(users)
    next(values)
    values.close()


def raise_in_loop(users: Observable[User]) -> None:
    with suppress(LookupError):
        for _ in so.to_generator(users):
            raise LookupError


def raise_in_subscriber(users: Observable[User]) -> None:
    def refuse(_: User) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        users.subscribe(refuse)


@pytest.mark.parametrize(
    "leave", [leave_by_break, leave_by_close, raise_in_loop, raise_in_subscriber]
)
@pytest.mark.parametrize("build", [Asking.users, Asking.extract])
def test_who_leaves_early_has_cancelled(
    leave: Callable[[Observable[User]], None], build: Callable[[Asking], Observable[User]]
) -> None:
    with asking(GOOD) as asked:
        users = build(asked)
        leave(users)

        assert [(ending.status, ending.error) for ending in so.outcome(users)] == [
            ("cancelled", None)
        ]
        assert len(asked.bodies) == 1


def begin(exchange: Exchange) -> None:
    exchange.send('{"name": "Jo')


@pytest.mark.anyio
async def test_a_request_that_a_timeout_leaves_is_cancelled() -> None:
    with Wire(begin) as wire:
        async with open_async_client(wire.url) as client:
            users = extract(client, response_model=User, mode=Mode.JSON, **CHAT)

            def too_long(_: User | None = None) -> Observable[int]:
                return reactivex.timer(0.01)

            # Time runs from the first value, so that the request was sent.
            in_time = users.pipe(rx.timeout_with_mapper(reactivex.never(), too_long))

            with pytest.raises(Exception, match="Timeout"):
                await so.arun(in_time)

            assert statuses(users) == ["cancelled"]


@pytest.mark.anyio
async def test_a_task_that_is_cancelled_has_cancelled_its_request() -> None:
    with Wire(begin) as wire:
        async with open_async_client(wire.url) as client:
            users = extract(client, response_model=User, mode=Mode.JSON, **CHAT)

            async def read(scope: anyio.CancelScope) -> None:
                with scope:
                    async with so.to_async_generator(users) as values:
                        async for value in values:
                            if value.name == "Jo":
                                scope.cancel()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, anyio.CancelScope())

            assert statuses(users) == ["cancelled"]
            assert wire.exchange().is_closed()


@pytest.mark.anyio
@pytest.mark.parametrize("answer", KNOWN, ids=KNOWN.values())
async def test_asynchronous_requests_have_records_too(answer: bytes) -> None:
    with answering_with(answer) as base_url:
        async with open_async_client(base_url) as client:
            deltas = so.request(client, response_model=User, **CHAT)
            made = deltas.pipe(ops.accumulate_json(), ops.to_partial(User))
            extracted = extract(client, response_model=User, **CHAT)

            for users in (made, extracted):
                with suppress(so.StreamopsError):
                    async with so.to_async_generator(users) as values:
                        assert [value async for value in values][-1] == JO

                assert statuses(users) == [KNOWN[answer]]


def test_usage_adds_up_over_all_requests() -> None:
    with asking(GOOD, SHORT) as asked:
        users = asked.users()
        run_out(users)
        run_out(users)

        assert so.outcome(users).usage == {
            "prompt_tokens": 10,
            "completion_tokens": 4,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_says_who_gave_it_and_what_it_cost(api: str, stream: bool) -> None:
    calls = ("User", TEXT)
    answers = {
        "chat": (chat_calls(calls, model="m-1", id="c-1"), "c-1", USAGE),
        "responses": (responses_calls(calls, model="m-1"), "resp_1", RESPONSES_USAGE),
    }
    answer, identifier, usage = answers[api]

    with asking(answer) as asked:
        users = asked.extract(api=api, stream=stream)
        run_out(users)

    outcome = so.outcome(users)
    assert (outcome.model, outcome.response_id) == ("m-1", identifier)
    assert outcome.finish_reason == "tool_calls"
    assert outcome.usage == usage
    assert [ending.attempt for ending in outcome] == [1]
    assert outcome.attempts == (outcome[0],)


@pytest.mark.parametrize("build", [Asking.users, Asking.extract])
def test_times_are_told_from_the_request(
    build: Callable[[Asking], Observable[User]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(100.0)
    monkeypatch.setattr("streamops.outcomes.time", SimpleNamespace(monotonic=lambda: next(ticks)))

    with asking(GOOD) as asked:
        users = build(asked)
        run_out(users)

    timing = so.outcome(users).timing
    assert timing is not None
    assert timing.first_chunk is not None
    assert timing.first_field is not None
    assert 0 < timing.first_chunk < timing.first_field < timing.last


def test_what_was_not_seen_has_no_time() -> None:
    with asking(chat_refusal("No.")) as asked:
        users = asked.users()
        run_out(users)

    timing = so.outcome(users).timing
    assert timing is not None
    assert timing.first_field is None


def test_nothing_is_told_before_the_end() -> None:
    with asking(GOOD) as asked:
        users = asked.users()
        known = so.outcome(users)
        values = so.to_generator(users)
        next(values)

        assert len(known) == 0
        assert (known.status, known.usage, known.timing, known.model) == (None, None, None, None)
        assert list(values)
        assert known.status == "complete"


@pytest.mark.parametrize(
    "stream",
    [reactivex.of(1), so.from_chunks(["1"]), reactivex.merge(reactivex.of(1)), None, "x"],
    ids=["of", "from_chunks", "merge", "None", "str"],
)
def test_what_no_request_is_behind_has_no_outcome(stream: Any) -> None:
    with pytest.raises(TypeError, match="extract or request"):
        so.outcome(stream)


def test_a_subject_that_an_operator_makes_stays_one() -> None:
    subject: BehaviorSubject[int] = BehaviorSubject(1)
    with open_client("http://127.0.0.1:9") as client:
        stream = extract(client, response_model=User, **CHAT)

    assert stream.pipe(lambda _: subject) is subject


def test_several_streams_put_together_are_asked_each() -> None:
    with asking(GOOD) as asked:
        both = reactivex.merge(asked.users(), asked.users())

        with pytest.raises(TypeError, match="ask the stream itself"):
            so.outcome(both)


def test_what_was_read_is_not_kept() -> None:
    with asking(GOOD) as asked:
        users = asked.users()
        last = weakref.ref(so.run(users))
        gc.collect()

        assert last() is None
        assert statuses(users) == ["complete"]
