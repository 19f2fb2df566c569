"""What streams and operators are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pytest
import reactivex
from openai import OpenAI
from pydantic import BaseModel
from reactivex import ConnectableObservable, Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import (
    Progress,
    extract,
    from_chunks,
    from_openai,
    from_sse,
    lift,
    request,
    run,
    to_generator,
)
from streamops import operators as ops
from streamops.delta import Delta
from streamops.lifting import Lifted, Operator, Step, Stream

T = TypeVar("T")


class User(BaseModel):
    name: str


class Doubled(Step[Any, Any]):
    def feed(self, item: Any) -> Iterable[Any]:
        return (item, item)


def plain(source: Observable[T]) -> Observable[T]:
    return Observable(lambda observer, _: source.subscribe(observer))


def basis(progress: Progress[Any]) -> str:
    return progress.basis


def sum_of(total: int, number: int) -> int:
    return total + number


class Halved:
    """An operator that is an object."""

    def __call__(self, source: Observable[int]) -> Observable[int]:
        return plain(source)


def only_even(source: Observable[int]) -> Observable[int]:
    return plain(source)


def only_odd() -> Operator[int, int]:
    def operator(source: Observable[int]) -> Observable[int]:
        return plain(source)

    return operator


def source() -> Observable[Delta]:
    return from_chunks(['{"name": ', '"Jo"}'])


def stages(stream: object) -> str:
    return repr(stream).removeprefix("<Stream: ").removesuffix(">")


def after(*operators: Callable[[Any], Any]) -> str:
    piped: Any = source().pipe  # more than the overloads of reactivex allow
    return stages(piped(*operators)).removeprefix("from_chunks | ")


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (from_chunks([]), "from_chunks"),
        (from_sse([b""]), "from_sse"),
        (from_openai(list), "from_openai"),
        (from_chunks(iter(["a"])), "from_chunks"),
    ],
)
def test_a_source_goes_by_its_name(stream: Stream[Delta], name: str) -> None:
    assert repr(stream) == f"<Stream: {name}>"
    assert stream.name == name


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ([ops.accumulate_json()], "accumulate_json"),
        ([ops.accumulate_json(), ops.to_partial(User)], "accumulate_json | to_partial(User)"),
        ([ops.to_partial(list[User])], "to_partial(list[User])"),
        ([ops.split_items(User)], "split_items(User)"),
        ([ops.split_items(User, "users")], "split_items(User, 'users')"),
        ([ops.split_items({"users": User, "x": int})], "split_items('users', 'x')"),
        ([ops.select(("users", 0))], "select(('users', 0))"),
        ([ops.when_complete(("a",))], "when_complete(('a',))"),
        ([ops.text_deltas(("a",))], "text_deltas(('a',))"),
        ([ops.select_channel("reasoning")], "select_channel('reasoning')"),
        ([ops.split_tool_calls()], "split_tool_calls"),
        ([ops.field_events()], "field_events"),
        ([ops.distinct_snapshots()], "distinct_snapshots"),
        ([ops.track_progress()], "track_progress"),
        ([ops.share_latest(), ops.throttle_latest(0.1)], "share_latest | throttle_latest(0.1)"),
    ],
)
def test_an_operator_of_ours_goes_by_its_name_and_what_it_was_given(
    operators: list[Callable[[Any], Any]], names: str
) -> None:
    assert after(*operators) == names


def test_a_long_argument_is_shortened() -> None:
    assert len(after(ops.select(tuple(f"field number {n}" for n in range(20))))) < 60


BY_REACTIVEX: list[tuple[Operator[Any, Any], str]] = [
    (rx.map(str), "map"),
    (rx.flat_map(lambda _: reactivex.empty()), "flat_map"),
    (rx.scan(lambda a, _: a), "scan"),
    (rx.share(), "share"),
    (rx.distinct_until_changed(), "distinct_until_changed"),
    (rx.retry(2), "retry"),
    (rx.take_until(reactivex.never()), "take_until"),
    (rx.merge(reactivex.empty()), "merge"),
    (rx.publish(lambda shared: shared), "publish"),
    (reactivex.compose(rx.map(str), rx.filter(bool)), "map | filter"),
    (
        reactivex.compose(reactivex.compose(rx.map(str), rx.filter(bool)), rx.share()),
        "map | filter | share",
    ),
]


@pytest.mark.parametrize(("operator", "name"), BY_REACTIVEX)
def test_an_operator_of_reactivex_goes_by_its_name(
    operator: Callable[[Any], Any], name: str
) -> None:
    assert after(operator) == name
    assert after(operator, ops.accumulate_json()) == f"{name} | accumulate_json"


BY_USERS: list[tuple[Operator[Any, Any], str]] = [
    (only_even, "only_even"),
    (only_odd(), "only_odd"),
    (lambda source: plain(source), "lambda"),
    (Halved(), "Halved"),
    (lift(Doubled), "Doubled"),
    (lift(lambda: Doubled()), "lambda"),
    (lift(Doubled, name="twice"), "twice"),
]


@pytest.mark.parametrize(("operator", "name"), BY_USERS)
def test_an_operator_that_a_user_wrote_goes_by_what_it_was_called(
    operator: Callable[[Any], Any], name: str
) -> None:
    assert after(operator) == name


def test_an_extraction_goes_by_what_is_asked_for_and_pipelines_go_on_from_there() -> None:
    client = OpenAI(api_key="none")
    asked: dict[str, Any] = {"model": "gpt", "messages": [{"role": "user", "content": "Who?"}]}
    ask: Any = extract
    user = ask(client, response_model=User, **asked)
    users = ask(client, response_model=Iterable[User], **asked)

    assert stages(user) == "extract(User)"
    assert stages(users.pipe(rx.map(str), ops.track_progress())) == (
        "extract(Iterable[User]) | map | track_progress"
    )
    assert stages(request(client, response_model=User, **asked)) == "request(User)"


def test_what_is_composed_of_what_is_composed_reads_the_same_as_its_parts() -> None:
    text = '[{"name": "a", "age": 1}, {"name": "b", "age": 2}]'
    users = from_chunks(lambda: [text]).pipe(ops.accumulate_json(), ops.split_items(User))
    tail: Any = reactivex.compose(ops.track_progress(), rx.map(basis))
    whole: Any = reactivex.compose(tail, rx.filter(bool))

    assert list(to_generator(users.pipe(whole))) == ["items", "items", "items"]


def test_a_handler_of_errors_is_given_the_stream_itself() -> None:
    stream = from_chunks(["x"]).pipe(ops.accumulate_json())
    given: list[object] = []

    def handle(_: Exception, source: Observable[Any]) -> Observable[Any]:
        given.append(source)
        return reactivex.empty()

    list(to_generator(stream.pipe(rx.catch(handle))))

    assert given == [stream]


def test_the_stages_behind_a_tool_call_are_known() -> None:
    call = run(from_chunks([Delta("{}", "tool_call")]).pipe(ops.split_tool_calls()))

    assert stages(call.pipe(ops.accumulate_json(), rx.map(str))) == (
        "ToolCall | accumulate_json | map"
    )


def test_methods_of_a_stream_are_stages_too() -> None:
    assert stages(source().map(str).filter(bool)) == "from_chunks | map | filter"


OF_REACTIVEX: list[tuple[Observable[Any], str]] = [
    (reactivex.of("a"), "from_iterable"),
    (reactivex.never(), "never"),
    (Subject(), "Subject"),
]


@pytest.mark.parametrize(("stream", "name"), OF_REACTIVEX)
def test_a_source_of_reactivex_goes_by_what_made_it(stream: Observable[Any], name: str) -> None:
    assert stages(stream.pipe(ops.accumulate_json())) == f"{name} | accumulate_json"


def test_what_only_passes_a_stream_on_has_no_name_of_its_own() -> None:
    passed: Lifted[Delta] = Lifted(source=source())

    assert passed.name == "from_chunks"
    assert stages(passed) == "from_chunks"


def test_a_stream_that_nobody_made_goes_by_its_class() -> None:
    assert repr(Stream[int]()) == "<Stream: Stream>"


def test_a_connectable_stream_stays_one_and_the_stages_around_it_are_known() -> None:
    connectable = source().pipe(rx.map(str), rx.publish())

    assert isinstance(connectable, ConnectableObservable)
    assert after(rx.map(str), rx.publish(), rx.ref_count()) == "map | ref_count"


def test_what_an_operator_returns_as_it_was_stays_as_it_was() -> None:
    stream = source()

    assert stream.pipe(lambda given: given) is stream
    assert stream.pipe(lambda _: 7) == 7


def test_a_shared_function_can_be_piped_through_many_times() -> None:
    shared = plain(reactivex.of(1, 2))
    first, second = (source().pipe(lambda _: shared) for _ in range(2))

    assert repr(shared).startswith("<reactivex")
    assert [run(first), run(second), run(shared)] == [2, 2, 2]


def test_reactivex_gives_its_operators_a_stream_of_ours_that_works() -> None:
    numbers = source().pipe(
        rx.map_indexed(lambda _, index: index),
        rx.flat_map(lambda n: reactivex.of(n, n)),
        rx.scan(sum_of, 0),
        rx.to_list(),
    )

    assert run(numbers) == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("delta", "shown"),
    [
        (Delta("He"), "Delta('He')"),
        (Delta(), "Delta()"),
        (
            Delta('{"a', "tool_call", name="f", id="x"),
            "Delta('{\"a', kind='tool_call', name='f', id='x')",
        ),
        (
            Delta(kind="finish", choice=1, index=2, finish_reason="stop"),
            "Delta(kind='finish', choice=1, index=2, finish_reason='stop')",
        ),
        (Delta("\x1b[2J"), "Delta('\\x1b[2J')"),
    ],
)
def test_a_delta_shows_what_is_unlike_other_deltas(delta: Delta, shown: str) -> None:
    assert repr(delta) == shown


def test_a_long_delta_is_shortened_in_the_middle() -> None:
    shown = repr(Delta("a" * 1000 + "z"))

    assert len(shown) < 80
    assert shown.startswith("Delta('aaa")
    assert shown.endswith("aaz')")


def test_progress_of_something_long_is_short() -> None:
    class Long(BaseModel):
        text: str

    answer = ['{"text": "', "a" * 10_000, '"}']
    tracked = from_chunks(answer).pipe(
        ops.accumulate_json(), ops.to_partial(Long), ops.track_progress()
    )
    last = run(tracked)

    assert len(repr(last)) < 200
    assert repr(last).startswith("Progress(100.0% by schema, Long(text='aaa")
