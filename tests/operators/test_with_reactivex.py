"""Our operators among those of reactivex."""

from __future__ import annotations

from typing import Any

import reactivex
from reactivex import ConnectableObservable, GroupedObservable, Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import SchemaMismatch, SourceFailed, TruncatedJson
from streamops.lifting import Operator
from streamops.progress import Progress
from streamops.snapshot import Snapshot
from streamops.testing import Stage
from tests.growing import Address, User
from tests.outcomes import outcome, values


def value_of(snapshot: Snapshot) -> Any:
    return snapshot.value


def street_of(address: Address) -> str | None:
    return address.street


def test_map_and_filter_see_partials() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d|", a='{"number": 1', b=', "street": "a', c="b", d='"}')

    streets = chunks.pipe(
        ops.accumulate_json(), ops.to_partial(Address), rx.map(street_of), rx.filter(bool)
    )

    assert stage.run(streets) == stage.expect("---x-y-y|", x="a", y="ab")


def test_a_shared_stream_reads_its_source_once_and_both_subscribers_see_the_same_objects() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-|", a="[[1], ", b="2]")
    snapshots = chunks.pipe(ops.accumulate_json(), rx.share())

    both = snapshots.pipe(rx.map(value_of), rx.zip(snapshots.pipe(rx.map(value_of))))
    messages = stage.run(both.pipe(rx.map(are_same)))

    assert messages == stage.expect("-x-x-|", x=True)
    assert chunks.subscriptions == stage.window("^----!")


def are_same(pair: tuple[Any, Any]) -> bool:
    return pair[0] is pair[1]


def test_replay_shows_a_late_subscriber_what_the_first_one_saw() -> None:
    source = Subject[str]()
    partials = source.pipe(ops.accumulate_json(), ops.to_partial(Address))
    replayed: ConnectableObservable[Address] = partials.pipe(rx.replay(buffer_size=1))
    replayed.connect()

    for chunk in ('{"street": "a', "b", '", "number": 1}'):
        source.on_next(chunk)
    late: list[Address] = []
    replayed.subscribe(late.append)

    assert late == [Address(street="ab", number=1)]


def test_two_requests_merge_without_mixing_their_text() -> None:
    stage = Stage()
    left = stage.cold("-a---b---|", a='["a', b='b"]')
    right = stage.cold("---c---d-|", c="[1,", d=" 2]")

    merged = reactivex.merge(
        left.pipe(ops.accumulate_json()), right.pipe(ops.accumulate_json())
    ).pipe(rx.map(value_of))

    assert stage.run(merged) == stage.expect("-w-x-y-z-|", w=["a"], x=[1], y=["ab"], z=[1, 2])


def test_each_finished_item_may_start_a_request_of_its_own() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-|", a="[1, ", b="2", c="]")

    def answer(number: int) -> Observable[str]:
        return stage.cold("--x|", x=f"answer {number}")

    answers = chunks.pipe(ops.accumulate_json(), ops.split_items(int), rx.flat_map(answer))

    assert stage.run(answers) == stage.expect("---x---y|", x="answer 1", y="answer 2")


def test_a_retry_reads_the_new_attempt_from_the_start() -> None:
    stage = Stage()
    attempts = iter(
        [
            stage.cold("-a-#", a="[1, ", error=SourceFailed("reset", dropped=True)),
            stage.cold("-a-b|", a="[7, ", b="8]"),
        ]
    )
    source = reactivex.defer(lambda _: next(attempts))

    numbers = source.pipe(ops.accumulate_json(), rx.retry(2), rx.map(value_of))

    assert stage.run(numbers) == stage.expect("-x--y-z|", x=[1], y=[7], z=[7, 8])


def test_a_schema_mismatch_can_be_retried() -> None:
    attempts = iter(['{"street": "a"}', '{"street": "b", "number": 1}'])
    source = reactivex.defer(lambda _: reactivex.of(next(attempts)))

    stream = source.pipe(ops.accumulate_json(), ops.to_partial(Address), rx.retry(2))

    assert values(stream) == [Address(street="b", number=1)]


def test_a_timeout_ends_a_stream_that_stalls() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b----------c|", a="[1, ", b="2, ", c="3]")

    in_time: Operator[Snapshot, Snapshot] = rx.timeout(5.0)

    numbers = chunks.pipe(ops.accumulate_json(), in_time, rx.map(value_of))

    assert stage.run(numbers) == stage.expect(
        "-x-y----#", x=[1], y=[1, 2], error=Exception("Timeout")
    )
    assert chunks.subscriptions == stage.window("^-------!")


def test_sampled_snapshots_show_all_that_had_come() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d-e|", a="[1, ", b="2, ", c="3, ", d="4", e="]")

    numbers = chunks.pipe(ops.accumulate_json(), rx.sample(4.0), rx.map(value_of))

    assert stage.run(numbers) == stage.expect(
        "----x---y---(z,|)", x=[1, 2], y=[1, 2, 3], z=[1, 2, 3, 4]
    )


def test_partials_of_sampled_snapshots_are_whole() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d|", a='{"street"', b=': "a', c='b", "number"', d=": 1}")

    dumped = chunks.pipe(
        ops.accumulate_json(), rx.sample(6.0), ops.to_partial(Address), rx.map(dump)
    )

    assert stage.run(dumped) == stage.expect(
        "------x-----(y,|)",
        x={"street": "ab", "number": None},
        y={"street": "ab", "number": 1},
    )


def dump(address: Address) -> dict[str, Any]:
    return address.model_dump()


def test_take_until_the_first_complete_field_ends_the_request() -> None:
    stage = Stage()
    chunks = stage.cold("-a-b-c-d|", a='{"name": "J', b='o"', c=', "age": 3', d="}")

    names = chunks.pipe(
        ops.accumulate_json(),
        rx.take_while(lacks_name, inclusive=True),
        ops.distinct_snapshots(),
        rx.map(value_of),
    )

    assert stage.run(names) == stage.expect("-x-(y,|)", x={"name": "J"}, y={"name": "Jo"})
    assert chunks.subscriptions == stage.window("^--!")


def lacks_name(snapshot: Snapshot) -> bool:
    return not snapshot.is_complete(("name",))


def test_take_leaves_without_an_error_though_the_json_is_open() -> None:
    received = outcome(
        reactivex.of("[1, ", "2, ").pipe(ops.accumulate_json(), rx.take(1), rx.map(value_of))
    )

    assert received.values == [[1]]
    assert received.completed


def test_grouped_choices_are_read_apart() -> None:
    deltas = reactivex.of(Delta("[1", choice=0), Delta("[2", choice=1), Delta("]", choice=0))
    by_choice: Operator[Delta, GroupedObservable[int, Delta]] = rx.group_by(choice_of)

    received = outcome(deltas.pipe(by_choice, rx.flat_map(read_as_text)))

    assert received.values == [[], [], [1]]
    assert isinstance(received.error, TruncatedJson)


def choice_of(delta: Delta) -> int:
    return delta.choice


def text_of(delta: Delta) -> str:
    return delta.text


def read_as_text(deltas: Observable[Delta]) -> Observable[Any]:
    return deltas.pipe(rx.map(text_of), ops.accumulate_json(), rx.map(value_of))


def test_catch_may_go_on_with_another_model() -> None:
    cheap = reactivex.of("[1, ")
    good = reactivex.of("[1, 2]")

    def another(error: Exception, _: Observable[Snapshot]) -> Observable[Snapshot]:
        assert isinstance(error, TruncatedJson)
        return good.pipe(ops.accumulate_json())

    stream = cheap.pipe(ops.accumulate_json(), rx.catch(another), rx.map(value_of))

    assert values(stream) == [[1], [1, 2]]


def test_one_request_may_follow_another() -> None:
    stream = reactivex.concat(reactivex.of("[1", "]"), reactivex.of("[2]"))
    each = reactivex.concat(
        reactivex.of("[1", "]").pipe(ops.accumulate_json()),
        reactivex.of("[2]").pipe(ops.accumulate_json()),
    )

    assert [s.value for s in values(each)] == [[], [1], [2]]
    assert [s.value for s in values(stream.pipe(ops.accumulate_json()))] == [[], [1]]


def test_a_stream_is_followed_from_deltas_to_progress_in_one_pipe() -> None:
    deltas = reactivex.of(
        Delta('{"name": "J'), Delta('o", "age": '), Delta("41}"), Delta(kind="finish")
    )
    seen: list[tuple[int, str | None]] = []

    def look(progress: Progress[User]) -> None:
        seen.append((round(progress.percent), progress.value.name))

    deltas.pipe(
        ops.accumulate_json(),
        ops.to_partial(User),
        ops.distinct_snapshots(),
        ops.track_progress(),
        rx.do_action(look),
    ).subscribe()

    assert [name for _, name in seen] == ["J", "Jo", "Jo"]
    assert seen[-1][0] == 100


def test_an_error_of_one_merged_stream_ends_all_of_them() -> None:
    stage = Stage()
    left = stage.cold("-a-b", a='{"street": "a", ', b='"number": "x"}')
    right = stage.cold("-----a", a=" ")

    merged = reactivex.merge(
        left.pipe(ops.accumulate_json(), ops.to_partial(Address), rx.map(street_of)),
        right.pipe(ops.accumulate_json(), rx.map(value_of)),
    ).pipe(rx.catch(name_of_error))

    assert stage.run(merged) == stage.expect("-a-(e,|)", e=SchemaMismatch.__name__)
    assert right.subscriptions == stage.window("^--!")


def name_of_error(error: Exception, _: Observable[Any]) -> Observable[str]:
    return reactivex.of(type(error).__name__)


def test_lists_of_merged_streams_are_split_each_once() -> None:
    first: Subject[str] = Subject()
    second: Subject[str] = Subject()
    merged = reactivex.merge(first.pipe(ops.accumulate_json()), second.pipe(ops.accumulate_json()))
    items: list[str] = []
    merged.pipe(ops.split_items(str)).subscribe(items.append)

    for a, b in zip(('["a", ', '"b", ', '"c"]'), ('["x", ', '"y", ', '"z"]'), strict=True):
        first.on_next(a)
        second.on_next(b)

    assert items == ["a", "x", "b", "y", "c", "z"]
