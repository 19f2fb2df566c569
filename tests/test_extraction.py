"""What extract does when an answer is no good: retries, attempts, failing fast."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import OpenAI
from pydantic import BaseModel, Field
from reactivex import Observable

import streamops as so
from tests.answers import (
    answering_with,
    broken,
    chat_calls,
    chat_content,
    chat_error_midway,
    chat_function_call,
    chat_refusal,
    responses_calls,
    responses_text,
)
from tests.clients import answering, open_async_client, open_client
from tests.wire import Exchange, Wire

Mode = so.Mode
extract: Callable[..., Observable[Any]] = so.extract  # the overloads cannot tell what ** holds
ASKED = [{"role": "user", "content": "Who was there?"}]
ASKING: dict[str, Any] = {"model": "m", "messages": ASKED}


class User(BaseModel):
    name: str
    age: int = Field(ge=0)


JO, AL, CY = User(name="Jo", age=3), User(name="Al", age=4), User(name="Cy", age=5)
GOOD, BAD = '{"name": "Jo", "age": 3}', '{"name": "Jo", "age": -3}'
GOOD_CALL, BAD_CALL = chat_calls(("User", GOOD)), chat_calls(("User", BAD))


def tasks(*users: tuple[str, int]) -> str:
    return json.dumps({"tasks": [{"name": name, "age": age} for name, age in users]})


class Asked:
    """What an extraction emitted, how it ended, and what it sent."""

    def __init__(self, response_model: Any, *answers: bytes, **options: Any) -> None:
        self.values: list[Any] = []
        self.bodies: list[Mapping[str, Any]] = []
        self.error: Exception | None = None
        mode = so.Mode(options.get("mode", Mode.TOOLS))
        asking = ASKING if mode.api == "chat" else {"model": "m", "input": "Who was there?"}

        with (
            answering_with(*answers, mode=mode, on_request=self.bodies.append) as base_url,
            open_client(base_url) as client,
        ):
            stream = extract(client, response_model=response_model, **{**asking, **options})
            self.outcome = so.outcome(stream)

            try:
                self.values.extend(so.to_generator(stream))
            except so.StreamopsError as error:
                self.error = error

    @property
    def statuses(self) -> list[str]:
        return [ending.status for ending in self.outcome]


def test_an_answer_that_does_not_fit_is_asked_for_again_with_its_faults() -> None:
    asked = Asked(User, BAD_CALL, GOOD_CALL, max_retries=1)

    assert asked.values[-1] == JO
    assert asked.error is None
    made, answered = asked.bodies[1]["messages"][1:]
    assert asked.bodies[1]["messages"][:1] == ASKED
    assert json.loads(made["tool_calls"][0]["function"]["arguments"]) == json.loads(BAD)
    assert answered["tool_call_id"] == made["tool_calls"][0]["id"]
    assert "age: Input should be greater than or equal to 0 (it is -3)" in answered["content"]


QUOTED: list[tuple[so.Mode, Callable[[str], bytes], str, str]] = [
    (Mode.FUNCTIONS, lambda text: chat_function_call("User", text), "messages", "function"),
    (Mode.JSON_SCHEMA, chat_content, "messages", "user"),
    (Mode.JSON, chat_content, "messages", "user"),
    (Mode.MD_JSON, chat_content, "messages", "user"),
    (Mode.RESPONSES_JSON_SCHEMA, responses_text, "input", "user"),
]


@pytest.mark.parametrize(("mode", "answer", "field", "role"), QUOTED)
def test_every_mode_quotes_the_answer_and_says_what_is_wrong(
    mode: so.Mode, answer: Callable[[str], bytes], field: str, role: str
) -> None:
    asked = Asked(User, answer(BAD), answer(GOOD), mode=mode, max_retries=1)

    said, corrected = asked.bodies[1][field][-2:]
    assert asked.values[-1] == JO
    assert said["role"] == "assistant"
    assert "-3" in json.dumps(said)
    assert corrected["role"] == role
    assert "greater than or equal to 0" in corrected["content"]


def test_responses_are_told_in_the_output_of_the_call() -> None:
    answers = responses_calls(("User", BAD)), responses_calls(("User", GOOD))
    asked = Asked(User, *answers, mode=Mode.RESPONSES_TOOLS, max_retries=1)

    user, call, output = asked.bodies[1]["input"]
    assert asked.values[-1] == JO
    assert user == {"role": "user", "content": "Who was there?"}
    assert call["arguments"] == BAD
    assert output["call_id"] == call["call_id"]
    assert "greater than or equal to 0" in output["output"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"name": "Jo" "age": 3}', "Expected"),
        ("I cannot do that.", "no JSON"),
        ('{"name": "Jo"', "incomplete"),
    ],
    ids=["malformed", "no JSON", "not closed"],
)
def test_what_is_no_json_is_asked_for_again(answer: str, words: str) -> None:
    asked = Asked(User, chat_content(answer), chat_content(GOOD), mode=Mode.JSON, max_retries=1)

    assert asked.values[-1] == JO
    assert asked.bodies[1]["messages"][-2]["content"] == answer
    assert words in asked.bodies[1]["messages"][-1]["content"]


def test_it_asks_no_more_often_than_was_said() -> None:
    asked = Asked(User, BAD_CALL, max_retries=2)

    assert isinstance(asked.error, so.SchemaMismatch)
    assert len(asked.bodies) == 3
    assert asked.statuses == ["invalid"] * 3
    assert len(asked.bodies[2]["messages"]) == 5


def test_it_does_not_ask_again_by_itself() -> None:
    asked = Asked(User, BAD_CALL, GOOD_CALL)
    assert isinstance(asked.error, so.SchemaMismatch)
    assert len(asked.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (chat_refusal("No."), so.Refused),
        (chat_content('{"name": "J', finish="length"), so.TruncatedJson),
        (chat_content('{"name": "J', finish="content_filter"), so.ContentFiltered),
    ],
    ids=["refused", "out of tokens", "filtered"],
)
def test_it_does_not_ask_again_where_that_is_no_use(
    answer: bytes, kind: type[so.StreamopsError]
) -> None:
    asked = Asked(User, answer, GOOD_CALL, max_retries=3)
    assert isinstance(asked.error, kind)
    assert len(asked.bodies) == 1


@pytest.mark.parametrize(
    "answer",
    [broken(GOOD_CALL, 4), broken(GOOD_CALL, 1), chat_error_midway('{"name": "J', "Overloaded")],
    ids=["broken off in the JSON", "broken off before it", "an error of the provider"],
)
def test_an_answer_that_breaks_off_is_asked_for_again_as_it_was(answer: bytes) -> None:
    asked = Asked(User, answer, GOOD_CALL, max_retries=1)

    assert asked.values[-1] == JO
    assert asked.statuses == ["failed", "complete"]
    assert asked.bodies[0] == asked.bodies[1]


def test_a_provider_that_says_no_is_not_asked_again() -> None:
    client = answering('{"error": {"message": "No such model"}}', status=404)
    stream = extract(client, response_model=User, max_retries=3, **ASKING)

    with pytest.raises(so.SourceFailed, match="No such model"):
        so.run(stream)

    assert [ending.status for ending in so.outcome(stream)] == ["failed"]


def test_items_that_were_emitted_are_not_emitted_again() -> None:
    first = chat_calls(("MultiUser", tasks(("Jo", 3), ("Al", -4), ("Cy", 5))))
    second = chat_calls(("MultiUser", tasks(("Al", 4), ("Jo", 3), ("Cy", 5))))

    asked = Asked(Iterable[User], first, second, max_retries=1)

    assert asked.values == [JO, CY, AL]


def test_items_are_told_apart_by_what_was_sent() -> None:
    class Mutable(BaseModel):
        name: str
        size: float

    first = chat_calls(("MultiMutable", '{"tasks": [{"name": "a", "size": NaN}, {"name": 1}]}'))
    second = chat_calls(
        ("MultiMutable", '{"tasks": [{"size": NaN, "name": "a"}, {"name": "b", "size": 1}]}')
    )
    emitted: list[str] = []

    with answering(first, second) as client:
        stream = extract(client, response_model=list[Mutable], max_retries=1, **ASKING)

        for item in so.to_generator(stream):
            emitted.append(item.name)
            item.name = item.name.upper()

    assert emitted == ["a", "b"]


def test_an_invalid_item_does_not_end_the_list() -> None:
    answer = chat_calls(("MultiUser", tasks(("Jo", -3), ("Al", 4), ("Cy", -5))))
    asked = Asked(Iterable[User], answer)

    assert asked.values == [AL]
    assert isinstance(asked.error, so.SchemaMismatch)
    assert [fault.path for fault in asked.error.faults] == [
        ("tasks", 0, "age"),
        ("tasks", 2, "age"),
    ]


def test_all_invalid_items_are_told_at_once() -> None:
    first = chat_calls(("MultiUser", tasks(("Jo", -3), ("Al", 4), ("Cy", -5))))
    second = chat_calls(("MultiUser", tasks(("Jo", 3), ("Al", 4), ("Cy", 5))))
    asked = Asked(Iterable[User], first, second, max_retries=1)

    told = asked.bodies[1]["messages"][-1]["content"]
    assert asked.values == [AL, JO, CY]
    assert "- tasks.0.age: " in told
    assert "- tasks.2.age: " in told


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ('{"name": "Jo", "age": 3}', "- tasks: Field required"),
        ('{"tasks": {"name": "Jo", "age": 3}}', "- tasks: Input should be a valid array"),
    ],
)
def test_an_answer_without_the_list_is_told_what_its_schema_asks_for(
    answer: str, fault: str
) -> None:
    good = chat_content(tasks(("Jo", 3)))
    asked = Asked(Iterable[User], chat_content(answer), good, mode=Mode.JSON, max_retries=1)

    assert asked.values == [JO]
    assert fault in asked.bodies[1]["messages"][-1]["content"]


def test_it_may_ask_very_often() -> None:
    with answering(BAD_CALL) as client:
        stream = extract(client, response_model=User, max_retries=300, **ASKING)

        with pytest.raises(so.SchemaMismatch):
            so.run(stream)

    assert len(so.outcome(stream)) == 301


def test_a_conversation_is_not_told_what_it_holds() -> None:
    answers = responses_calls(("User", BAD)), responses_calls(("User", GOOD))
    asked = Asked(User, *answers, mode=Mode.RESPONSES_TOOLS, max_retries=1, conversation="conv_1")
    assert [item["type"] for item in asked.bodies[1]["input"]] == ["function_call_output"]


def test_a_refusal_that_nobody_reads_is_one_all_the_same() -> None:
    with answering(chat_refusal("I cannot")) as client:
        stream = so.request(client, response_model=User, **ASKING)
        so.run(stream)

    assert so.outcome(stream).status == "refused"


people = st.lists(st.tuples(st.sampled_from(["Jo", "Al"]), st.integers(0, 1)), max_size=5)


@given(people, people)
def test_over_all_attempts_equal_items_come_as_often_as_in_one_answer(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    bodies = [tasks(*first, ("Cy", -1)), tasks(*second)]

    with answering(*(chat_calls(("MultiUser", body)) for body in bodies)) as client:
        stream = extract(client, response_model=Iterable[User], max_retries=1, **ASKING)
        emitted = Counter((user.name, user.age) for user in so.to_generator(stream))

    assert emitted == Counter(first) | Counter(second)


def test_each_attempt_is_told_before_its_request() -> None:
    told: list[so.Attempt] = []
    asked = Asked(User, BAD_CALL, GOOD_CALL, max_retries=1, on_attempt=told.append)

    assert [attempt.number for attempt in told] == [1, 2]
    assert told[0].error is None
    assert isinstance(told[1].error, so.SchemaMismatch)
    assert not any(isinstance(value, so.Attempt) for value in asked.values)


def test_attempts_are_emitted_to_those_who_ask_for_them() -> None:
    asked = Asked(User, BAD_CALL, GOOD_CALL, max_retries=1, attempts=True)

    places = [at for at, value in enumerate(asked.values) if isinstance(value, so.Attempt)]
    assert len(places) == 2
    assert places[0] == 0
    assert asked.values[places[1] + 1].name is None
    assert asked.values[-1] == JO


def test_what_on_attempt_raises_ends_the_stream() -> None:
    def refuse(_: so.Attempt) -> None:
        raise RuntimeError("not now")

    with pytest.raises(RuntimeError, match="not now"):
        Asked(User, GOOD_CALL, on_attempt=refuse)


def test_an_answer_that_did_not_stream_is_asked_for_again_too() -> None:
    asked = Asked(User, BAD_CALL, GOOD_CALL, stream=False, max_retries=1)
    assert asked.values == [JO]
    assert asked.statuses == ["invalid", "complete"]


def test_a_list_that_did_not_stream_is_that_of_the_last_attempt() -> None:
    first = chat_calls(("MultiUser", tasks(("Jo", 3), ("Al", -4))))
    second = chat_calls(("MultiUser", tasks(("Al", 4), ("Cy", 5))))
    asked = Asked(list[User], first, second, stream=False, max_retries=1)
    assert asked.values == [[AL, CY]]


def test_usage_adds_up_over_attempts() -> None:
    asked = Asked(User, BAD_CALL, GOOD_CALL, max_retries=1)

    first, second = asked.outcome
    assert first.usage
    assert second.usage
    total = first.usage["total_tokens"] + second.usage["total_tokens"]
    assert asked.outcome.usage
    assert asked.outcome.usage["total_tokens"] == total
    assert asked.outcome.usage["completion_tokens_details"]["reasoning_tokens"] == 0


@pytest.mark.anyio
async def test_an_asynchronous_client_asks_again() -> None:
    with answering_with(BAD_CALL, GOOD_CALL, mode=Mode.TOOLS) as base_url:
        async with open_async_client(base_url) as client:
            stream = extract(client, response_model=User, max_retries=1, **ASKING)
            assert await so.arun(stream) == JO

    assert [ending.status for ending in so.outcome(stream)] == ["invalid", "complete"]


CALL_BEGINS = {"index": 0, "id": "c", "type": "function", "function": {"name": "Team"}}


class Team(BaseModel):
    size: int = Field(ge=0)
    users: list[User] = []


def send_arguments(exchange: Exchange, text: str, **call: Any) -> None:
    call = {"index": 0, **call, "function": {**call.get("function", {}), "arguments": text}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}
    exchange.send_event({"id": "1", "object": "chat.completion.chunk", "choices": [choice]})


@pytest.mark.parametrize(
    ("response_model", "text"),
    [
        (Team, '{"size": -1, "users": ['),
        (Iterable[User], '{"tasks": [{"name": "Jo", "age": 3}, {"age": -4, "name": "A'),
        (User | Team, '{"size": -1, "users": ['),
        (User | None, '{"value": {"age": -1, "name": "A'),
    ],
    ids=["model", "items", "choice", "optional"],
)
def test_failing_fast_closes_the_connection_at_the_first_invalid_field(
    response_model: Any, text: str
) -> None:
    sending = Wire(lambda exchange: send_arguments(exchange, text, **CALL_BEGINS))

    with sending as wire, open_client(wire.url) as client:
        stream = extract(client, response_model=response_model, fail_fast=True, **ASKING)

        with pytest.raises(so.SchemaMismatch, match="greater than or equal to 0"):
            so.run(stream)

        assert wire.exchange().is_closed()


@pytest.mark.anyio
async def test_failing_fast_closes_an_asynchronous_connection_too() -> None:
    text = '{"size": -1, "users": ['
    with Wire(lambda exchange: send_arguments(exchange, text, **CALL_BEGINS)) as wire:
        async with open_async_client(wire.url) as client:
            stream = extract(client, response_model=Team, fail_fast=True, **ASKING)
            with pytest.raises(so.SchemaMismatch, match="greater than or equal to 0"):
                await so.arun(stream)

            assert wire.exchange().is_closed()


def test_items_before_the_invalid_field_are_emitted_first() -> None:
    answer = chat_calls(("MultiUser", tasks(("Jo", 3), ("Al", -4))), size=1000)
    asked = Asked(Iterable[User], answer, fail_fast=True)

    assert asked.values == [JO]
    assert isinstance(asked.error, so.SchemaMismatch)


@pytest.mark.parametrize(
    "answer",
    [
        '[{"name": "Jo", "age": 3}]',
        '{"count": 1, "users": [{"name": "Jo", "age": 3}], "more": false}',
        tasks(("Jo", 3)),
    ],
)
def test_failing_fast_lets_good_items_pass(answer: str) -> None:
    asked = Asked(Iterable[User], chat_content(answer), mode=Mode.JSON, fail_fast=True)
    assert asked.values == [JO]
    assert asked.error is None


def test_failing_fast_asks_again_with_what_had_arrived() -> None:
    first = chat_calls(("Team", json.dumps({"size": -1, "users": [JO.model_dump()] * 3})))
    second = chat_calls(("Team", '{"size": 1}'))

    asked = Asked(Team, first, second, fail_fast=True, max_retries=1)

    said, advice = asked.bodies[1]["messages"][1:]
    assert asked.values[-1] == Team(size=1)
    assert said["content"].startswith('{"size": -1')
    assert "Jo" not in said["content"]
    assert "- size: " in advice["content"]


class Nested(BaseModel):
    team: Team


@pytest.mark.parametrize("fail_fast", [True, False])
@pytest.mark.parametrize("size", [4, 1000])
def test_what_is_wrong_is_told_with_its_place(fail_fast: bool, size: int) -> None:
    bad, good = '{"team": {"size": -1}}', '{"team": {"size": 1}}'
    answers = chat_calls(("Nested", bad), size=size), chat_calls(("Nested", good))

    asked = Asked(Nested, *answers, fail_fast=fail_fast, max_retries=1)

    told = json.dumps(asked.bodies[1]["messages"][-1])
    assert "- team.size: Input should be greater than or equal to 0 (it is -1)" in told
    assert isinstance(asked.outcome[0].error, so.SchemaMismatch)
    assert [fault.path for fault in asked.outcome[0].error.faults] == [("team", "size")]


BROKEN_LIST = '{"tasks": [{"name": "Jo", "age": 3}, {"name": "Al", "age": -4}, {"na'


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (chat_content(BROKEN_LIST, finish="length"), so.TruncatedJson, "truncated"),
        (chat_content(BROKEN_LIST, finish="content_filter"), so.ContentFiltered, "filtered"),
        (chat_error_midway(BROKEN_LIST, "Overloaded"), so.SourceFailed, "failed"),
    ],
    ids=["out of tokens", "filtered", "failed"],
)
def test_how_an_answer_broke_off_says_more_than_that_an_item_is_invalid(
    answer: bytes, kind: type[Exception], status: str
) -> None:
    asked = Asked(Iterable[User], answer, mode=Mode.JSON)

    assert asked.values == [JO]
    assert isinstance(asked.error, kind)
    assert asked.statuses == [status]


class Search(BaseModel):
    query: str


class Reply(BaseModel):
    text: str


TWO_CALLS = chat_calls(("Search", '{"query": "a"}'), ("Reply", '{"text": "b"}'))


def test_a_call_that_was_announced_and_never_came_is_asked_for_again() -> None:
    events = TWO_CALLS.split(b"\n\n")
    announced = next(at for at, event in enumerate(events) if b"Reply" in event) + 1

    asked = Asked(Search | Reply, broken(TWO_CALLS, announced), TWO_CALLS, max_retries=1)

    assert asked.statuses == ["failed", "complete"]
    assert asked.values[-1] == Reply(text="b")


def test_one_bad_call_does_not_end_the_others() -> None:
    answer = chat_calls(("Search", '{"query": 5}'), ("Reply", '{"text": "b"}'))
    asked = Asked(Search | Reply, answer)

    assert asked.values[-1] == Reply(text="b")
    assert isinstance(asked.error, so.SchemaMismatch)
    assert asked.error.path == ()


def test_bad_items_of_several_calls_are_told_at_once() -> None:
    one, two = tasks(("Jo", -3), ("Al", 4)), tasks(("Cy", -5))
    asked = Asked(Iterable[User], chat_calls(("MultiUser", one), ("MultiUser", two)))

    assert asked.values == [AL]
    assert isinstance(asked.error, so.SchemaMismatch)
    assert [fault.input for fault in asked.error.faults] == [-3, -5]
    assert "one of 2 places" in str(asked.error)


@pytest.mark.parametrize("notes", ["[]", '["q"]', "[1, 2]"])
def test_another_list_before_the_one_that_was_asked_for_is_passed_over(notes: str) -> None:
    answer = f'{{"notes": {notes}, "tasks": [{{"name": "Jo", "age": 3}}]}}'
    asked = Asked(Iterable[User], chat_content(answer), mode=Mode.JSON)

    assert asked.values == [JO]
    assert asked.error is None


@pytest.mark.parametrize("arguments", ['{"name": "Jo", "age": oops}', BAD, '{"name": "Jo"'])
def test_without_streaming_nothing_comes_of_an_answer_that_is_no_good(arguments: str) -> None:
    asked = Asked(User, chat_calls(("User", arguments)), GOOD_CALL, stream=False, max_retries=1)
    assert asked.values == [JO]
    assert asked.statuses == ["invalid" if "}" in arguments else "truncated", "complete"]


def test_without_streaming_no_call_of_a_bad_answer_comes() -> None:
    bad = chat_calls(("Search", '{"query": "a"}'), ("Reply", '{"text": 1}'))
    asked = Asked(Search | Reply, bad, TWO_CALLS, stream=False, max_retries=1)
    assert asked.values == [Search(query="a"), Reply(text="b")]


def test_a_response_that_failed_is_asked_for_again() -> None:
    failed = {
        "id": "r",
        "object": "response",
        "status": "failed",
        "error": {"message": "Overloaded"},
    }
    call = {"type": "function_call", "name": "User", "call_id": "c", "id": "f", "arguments": GOOD}
    good = {"id": "s", "object": "response", "status": "completed", "output": [call]}
    bodies = iter([failed, good])
    http = httpx2.Client(
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=next(bodies)))
    )

    with OpenAI(base_url="http://test/v1", api_key="x", http_client=http) as client:
        stream = extract(
            client,
            response_model=User,
            mode=Mode.RESPONSES_TOOLS,
            stream=False,
            max_retries=1,
            model="m",
            input="?",
        )
        assert so.run(stream) == JO
