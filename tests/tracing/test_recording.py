"""What a trace sees of pipelines, and that they do the same as without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, cast

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from reactivex import Observable, abc
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import from_chunks, lift, trace
from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import StreamopsError
from streamops.lifting import Operator, Step
from streamops.progress import Progress
from streamops.sinks.generators import to_generator
from streamops.snapshot import Snapshot
from streamops.testing import chunked
from streamops.tracing.stages import Stage
from streamops.tracing.trace import Trace

TEXT = '{"title": "x", "users": [{"name": "Jo"}, {"name": "Al"}]}'

Pipe: TypeAlias = Operator[Any, Any]


class User(BaseModel):
    name: str


class Team(BaseModel):
    title: str
    users: list[User]


def plain(value: Any) -> Any:
    """Return what can be compared of an element."""
    match value:
        case Progress():
            progress = cast("Progress[Any]", value)
            return "progress", progress.percent, plain(progress.value)
        case Snapshot():
            return "snapshot", value.value, value.complete
        case BaseModel():
            return type(value).__name__, value.model_dump()
        case list():
            return [plain(item) for item in cast("list[Any]", value)]
        case _:
            return value


def outcome_of(stream: Observable[Any]) -> tuple[list[Any], str]:
    values: list[Any] = []

    try:
        values += (plain(value) for value in to_generator(stream))
    except Exception as error:
        return values, repr(error)

    return values, "None"


def traced_outcome_of(stream: Observable[Any]) -> tuple[list[Any], str]:
    traced = trace(stream)
    return [plain(value) for value in traced.stages[-1].values], repr(traced.error)


def text_of(delta: Delta) -> str:
    return delta.text


def value_of(snapshot: Snapshot) -> Any:
    return snapshot.value


def broken(_: Any) -> Any:
    raise LookupError("broken")


def _indexed(read: Callable[[int], Observable[Any]]) -> Callable[[Any, int], Observable[Any]]:
    return lambda _, index: read(index)


class Twice(Step[Any, Any]):
    """Each element twice, the second one when the next comes or the end."""

    def __init__(self) -> None:
        self._held: list[Any] = []

    def feed(self, item: Any) -> Iterable[Any]:
        held, self._held = self._held, [item]
        return (*held, item)

    def close(self) -> Iterable[Any]:
        return self._held

    def fail(self, error: Exception) -> Iterator[Any]:
        yield from self._held
        raise error


def still() -> float:
    return 0.0


def views(snapshots: Observable[Snapshot]) -> Observable[Any]:
    shared = snapshots.pipe(ops.share_latest())
    return reactivex.merge(
        shared.pipe(ops.to_partial(Team)),
        shared.pipe(ops.split_items(User)),
        shared.pipe(ops.track_progress(Team, clock=still)),
    )


def shared_by_reactivex(snapshots: Observable[Snapshot]) -> Observable[Any]:
    shared = snapshots.pipe(rx.share())
    return reactivex.merge(
        shared.pipe(ops.when_complete(("title",))), shared.pipe(ops.select(("users", 0)))
    )


def letters(user: User) -> Observable[str]:
    return from_chunks(list(user.name)).pipe(rx.map(text_of), rx.map(str.upper))


def failing_once(stream: Observable[Any]) -> Observable[Any]:
    """Fail at the second element of the first subscription, and begin again."""

    def subscribe(
        observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        seen: list[Any] = []

        def fail(value: Any) -> None:
            seen.append(value)
            if len(seen) == 2:
                raise LookupError("once")

        return stream.pipe(rx.do_action(fail), rx.retry(2)).subscribe(observer, scheduler=scheduler)

    return Observable(subscribe)


def beside_another(stream: Observable[Any]) -> Observable[Any]:
    other = from_chunks(["[1", ", 2]"])
    return stream.pipe(rx.merge(other.pipe(ops.accumulate_json(), rx.map(value_of))))


def same(value: Any) -> Any:
    return value


ZEROS = from_chunks(["x", "y"]).pipe(rx.map(lambda _: 0))


def zeros(_: Any) -> Observable[int]:
    made = (from_chunks(["x"]).pipe(rx.map(lambda _: 0), rx.take_last(1)) for _ in range(2))
    return reactivex.merge(ZEROS, *made)


SHARING: list[Pipe] = [
    rx.share(),
    rx.publish(lambda shared: shared),
    ops.share_latest(),
]
UNSHARED: list[Pipe] = [
    rx.map(lambda value: value),
    rx.filter(lambda _: True),
    rx.take(3),
    rx.skip(1),
    rx.scan(lambda _, value: value),
    rx.distinct_until_changed(),
    rx.start_with(),
    rx.flat_map(lambda value: reactivex.of(value, value)),
    rx.flat_map(zeros),
    rx.concat(reactivex.empty()),
    rx.merge(reactivex.empty()),
    rx.merge(ZEROS, ZEROS),
    rx.do_action(lambda _: None),
    rx.take_until(reactivex.never()),
    rx.retry(1),
    rx.catch(reactivex.empty()),
    ops.distinct_snapshots(),
    lift(Twice),
    reactivex.compose(rx.map(same), ops.distinct_snapshots()),
    reactivex.compose(reactivex.compose(rx.map(same), ops.distinct_snapshots()), rx.map(same)),
    failing_once,
    rx.repeat(2),
    rx.do_action(on_completed=lambda: broken(None)),
    reactivex.compose(rx.map(broken), rx.retry(2)),
    rx.catch(lambda _, source: source.pipe(rx.take(2))),
    rx.on_error_resume_next(reactivex.of("after")),
]
ANYWHERE = [*UNSHARED, *SHARING]
VIEWS: list[Pipe] = [views, shared_by_reactivex]
SNAPSHOTS: list[Pipe] = [
    ops.to_partial(Team),
    ops.split_items(User),
    ops.select(("users",)),
    ops.when_complete(("title",)),
    ops.text_deltas(("title",)),
    ops.field_events(),
    ops.track_progress(Team, clock=still),
    reactivex.compose(ops.split_items(User), rx.flat_map(letters)),
    reactivex.compose(ops.to_partial(Team), ops.track_progress(clock=still)),
    reactivex.compose(ops.split_items(User), ops.track_progress(clock=still)),
    beside_another,
    lambda stream: reactivex.zip(stream, stream.pipe(ops.field_events())),
    lambda stream: reactivex.concat(stream, stream.pipe(rx.map(value_of))),
    rx.map(broken),
]


@st.composite
def pipelines(draw: st.DrawFn, *, shared: bool = True) -> tuple[list[str], list[Pipe]]:
    text = TEXT[: draw(st.sampled_from([len(TEXT), len(TEXT), 40, 0]))]
    sizes = draw(st.lists(st.integers(1, 20), min_size=1, max_size=4))
    anywhere = st.lists(st.sampled_from(ANYWHERE if shared else UNSHARED), max_size=2)
    reading = [*SNAPSHOTS, *VIEWS] if shared else SNAPSHOTS
    operators = [*draw(anywhere), ops.accumulate_json(), *draw(anywhere)]
    operators += [draw(st.sampled_from(reading)), *draw(anywhere)]
    return chunked(text, *sizes), operators


def piped(chunks: list[str], operators: list[Pipe]) -> Observable[Any]:
    source: Any = from_chunks(chunks)
    stream: Observable[Any] = source.pipe(*operators)
    return stream


@given(pipelines())
def test_a_traced_pipeline_emits_what_it_emits_untraced(
    drawn: tuple[list[str], list[Pipe]],
) -> None:
    expected = outcome_of(piped(*drawn))

    assert traced_outcome_of(piped(*drawn)) == expected


@given(pipelines(shared=False))
def test_where_nothing_is_shared_every_element_is_received_once(
    drawn: tuple[list[str], list[Pipe]],
) -> None:
    stages = trace(piped(*drawn)).stages

    assert sum(stage.received for stage in stages) == sum(stage.emitted for stage in stages[:-1])


@given(pipelines())
def test_times_of_stages_add_up_to_no_more_than_the_whole(
    drawn: tuple[list[str], list[Pipe]],
) -> None:
    traced = trace(piped(*drawn))

    assert all(0 <= stage.seconds <= traced.seconds for stage in traced.stages)
    assert sum(stage.seconds for stage in traced.stages if stage.sources) <= traced.seconds


LINEAR: list[Pipe] = [
    ops.accumulate_json(),
    rx.filter(lambda snapshot: snapshot.started),
    ops.to_partial(Team),
    ops.distinct_snapshots(),
    ops.track_progress(clock=still),
    rx.map(lambda progress: progress.percent),
]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_each_stage_emits_what_the_pipeline_up_to_it_emits(sizes: list[int]) -> None:
    chunks = chunked(TEXT, *sizes)
    traced = trace(piped(chunks, LINEAR))

    assert len(traced.stages) == len(LINEAR) + 1

    for count, stage in enumerate(traced.stages):
        expected, _ = outcome_of(piped(chunks, LINEAR[:count]))
        assert [plain(value) for value in stage.values] == expected
        assert stage.sources == ((count - 1,) if count else ())
        assert stage.received == (traced.stages[count - 1].emitted if count else 0)


def shape(traced: Trace) -> list[tuple[str, list[str]]]:
    """Return the stages with the names of what they read."""
    return [
        (stage.name, [traced.stages[source].name for source in stage.sources])
        for stage in traced.stages
    ]


def marks(stage: Stage) -> str:
    signs = {"subscribed": "^", "next": "o", "error": "#", "completed": "|"}
    return "".join(signs[event.kind] for event in stage.events)


def stage_named(traced: Trace, name: str) -> Stage:
    (found,) = (stage for stage in traced.stages if stage.name == name)
    return found


CHUNKS = ['{"title": "x", "us', 'ers": [{"name": "Jo"}, ', '{"name": "Al"}]}']


@pytest.mark.parametrize("share", [ops.share_latest(), rx.share()])
def test_what_is_shared_is_one_stage_whose_elements_are_there_once(share: Pipe) -> None:
    shared = piped(CHUNKS, [ops.accumulate_json(), share])
    merged = reactivex.merge(
        shared.pipe(ops.to_partial(Team)),
        shared.pipe(ops.split_items(User)),
        shared.pipe(ops.field_events()),
    )
    traced = trace(merged)
    name = traced.stages[2].name

    assert shape(traced) == [
        ("from_chunks", []),
        ("accumulate_json", ["from_chunks"]),
        (name, ["accumulate_json"]),
        ("to_partial(Team)", [name]),
        ("split_items(User)", [name]),
        ("field_events", [name]),
        ("merge", ["to_partial(Team)", "split_items(User)", "field_events"]),
    ]
    assert marks(traced.stages[1]) == "^ooo|"
    assert marks(traced.stages[2]) == "^^^ooo|"
    assert [stage.received for stage in traced.stages[3:6]] == [3, 3, 3]


def test_streams_that_are_made_of_each_element_share_their_rows() -> None:
    items = piped(CHUNKS, [ops.accumulate_json(), ops.split_items(User)])
    traced = trace(items.pipe(rx.flat_map(letters), rx.to_list()))

    assert shape(traced)[2:] == [
        ("split_items(User)", ["accumulate_json"]),
        ("from_chunks", []),
        ("map", ["from_chunks"]),
        ("map", ["map"]),
        ("flat_map", ["split_items(User)", "map"]),
        ("to_iterable", ["flat_map"]),
    ]
    assert traced.stages[5].values == ["J", "O", "A", "L"]
    assert traced.stages[5].subscriptions == 2
    assert traced.value == ["J", "O", "A", "L"]


def test_streams_that_differ_only_in_what_was_asked_for_share_their_rows() -> None:
    def read(number: int) -> Observable[Any]:
        return from_chunks(["[1, 2, 3]"]).pipe(ops.accumulate_json(), ops.select((number,)))

    traced = trace(
        from_chunks(list("012")).pipe(rx.map(text_of), rx.flat_map_indexed(_indexed(read)))
    )

    assert shape(traced)[2:] == [
        ("from_chunks", []),
        ("accumulate_json", ["from_chunks"]),
        ("select(…) \N{MULTIPLICATION SIGN}3", ["accumulate_json"]),
        ("flat_map_indexed", ["map", "select(…) \N{MULTIPLICATION SIGN}3"]),
    ]
    assert traced.stages[4].subscriptions == 3


def test_streams_that_were_built_beforehand_are_stages_of_their_own() -> None:
    def model(answer: str) -> Observable[Any]:
        return from_chunks([answer]).pipe(ops.accumulate_json(), rx.map(value_of))

    merged = trace(reactivex.merge(model("[1]"), model("[2]")))
    following = trace(reactivex.concat(model("[1]"), model("[2]"), model("[3]")))
    zipped = trace(model("[1]").pipe(rx.zip(model("[2]"))))

    assert [stage.emitted for stage in merged.stages] == [1, 1, 1, 1, 1, 1, 2]
    assert [stage.values for stage in following.stages[2::3]] == [[[1]], [[2]], [[3]]]
    assert shape(zipped)[-1] == ("zip", ["map", "map"])


def test_equal_elements_of_streams_that_share_nothing_are_all_there() -> None:
    def three(_: Delta) -> Observable[int]:
        return reactivex.merge(
            *(from_chunks(["x"]).pipe(rx.map(lambda _: 0), rx.take_last(1)) for _ in range(3))
        )

    inner = from_chunks(["x"]).pipe(rx.map(lambda _: 0))
    made = trace(from_chunks(["a"]).pipe(rx.flat_map(three)))
    again = trace(from_chunks(["a", "b", "c"]).pipe(rx.flat_map(lambda _: inner)))

    assert [(stage.name, stage.received, stage.emitted) for stage in made.stages] == [
        ("from_chunks", 0, 1),
        ("from_chunks", 0, 3),
        ("map", 3, 3),
        ("take_last", 3, 3),
        ("flat_map", 4, 3),
    ]
    assert [(stage.received, stage.emitted) for stage in again.stages[2:]] == [(3, 3), (6, 3)]


def test_tool_calls_lead_from_where_they_are_split_to_what_reads_them() -> None:
    def read(call: Observable[Delta]) -> Observable[Any]:
        return call.pipe(ops.accumulate_json(), rx.map(value_of))

    calls = [Delta('{"a":', "tool_call", index=0), Delta(" 1}", "tool_call", index=0)]
    calls += [Delta("[2]", "tool_call", index=1)]
    traced = trace(from_chunks(calls).pipe(ops.split_tool_calls(), rx.flat_map(read)))

    assert shape(traced) == [
        ("from_chunks", []),
        ("split_tool_calls", ["from_chunks"]),
        ("ToolCall", ["split_tool_calls"]),
        ("accumulate_json", ["ToolCall"]),
        ("map", ["accumulate_json"]),
        ("flat_map", ["split_tool_calls", "map"]),
    ]
    assert traced.stages[3].received == 3


def test_what_is_tried_again_goes_on_in_its_row() -> None:
    failures = iter([LookupError("gone")])

    def fail_once(delta: Delta) -> Delta:
        if delta.text == "b":
            for failure in failures:
                raise failure
        return delta

    traced = trace(from_chunks(["a", "b"]).pipe(rx.map(fail_once), rx.retry(2)))

    assert [marks(stage) for stage in traced.stages] == ["^oo^oo|", "^o#^oo|", "^ooo|"]
    assert len(traced.stages[1].beginnings) == 1
    assert traced.error is None


def test_an_error_is_in_the_trace_and_where_it_began() -> None:
    traced = trace(from_chunks(["a", "b"]).pipe(rx.map(broken), rx.to_list()))

    assert isinstance(traced.error, LookupError)
    assert [marks(stage) for stage in traced.stages] == ["^o", "^#", "^#"]
    with pytest.raises(LookupError, match="emitted no value and ended with LookupError"):
        _ = traced.value


def test_a_truncated_document_keeps_its_last_value() -> None:
    traced = trace(from_chunks(['{"a": [1, ']).pipe(ops.accumulate_json()))

    assert isinstance(traced.error, StreamopsError)
    assert traced.value.value == {"a": [1]}


def test_a_pipeline_without_values_has_none() -> None:
    with pytest.raises(LookupError, match="emitted no value"):
        _ = trace(from_chunks([])).value


def test_timers_belong_to_the_stage_that_set_them() -> None:
    late = from_chunks(["a", "b"]).pipe(rx.delay(0.001), ops.throttle_latest(0.001))
    traced = trace(late.pipe(rx.map(text_of), rx.concat(reactivex.timer(0.001))))

    assert shape(traced) == [
        ("from_chunks", []),
        ("delay", ["from_chunks"]),
        ("throttle_latest(0.001)", ["delay"]),
        ("map", ["throttle_latest(0.001)"]),
        ("concat", ["map"]),
    ]
    assert marks(traced.stages[1]) == "^oo|"


def test_a_stage_that_is_left_early_has_no_end() -> None:
    traced = trace(from_chunks(["a", "b", "c"]).pipe(rx.take(1)))

    assert [marks(stage) for stage in traced.stages] == ["^o", "^o|"]


def test_a_second_source_is_a_stage_of_its_own() -> None:
    other = from_chunks(["x"]).pipe(rx.map(text_of))
    traced = trace(from_chunks(["a"]).pipe(rx.map(str), rx.merge(other)))

    assert shape(traced) == [
        ("from_chunks", []),
        ("map", ["from_chunks"]),
        ("from_chunks", []),
        ("map", ["from_chunks"]),
        ("merge", ["map", "map"]),
    ]


def test_sources_of_reactivex_and_the_whole_are_stages() -> None:
    traced = trace(reactivex.of("[1,", "2]").pipe(ops.accumulate_json()))
    alone = trace(reactivex.of(1, 2).pipe(rx.map(str)))

    assert shape(traced) == [("from_iterable", []), ("accumulate_json", ["from_iterable"])]
    assert shape(alone) == [("map", [])]
    assert alone.stages[0].values == ["1", "2"]


def test_a_subject_leads_from_the_stage_that_pushes_it() -> None:
    subject: Subject[str] = Subject()
    pushed = from_chunks(["[1", "]"]).pipe(rx.map(text_of), rx.do_action(subject.on_next))
    traced = trace(pushed.pipe(rx.merge(subject.pipe(ops.accumulate_json()).pipe(rx.take(1)))))

    assert shape(traced) == [
        ("from_chunks", []),
        ("map", ["from_chunks"]),
        ("do_action", ["map"]),
        ("accumulate_json", ["do_action"]),
        ("take", ["accumulate_json"]),
        ("merge", ["do_action", "take"]),
    ]


def test_a_subject_that_a_thread_pushes_is_a_source() -> None:
    subject: Subject[str] = Subject()

    def push(_: Delta) -> None:
        thread = threading.Thread(target=subject.on_next, args=("[]",))
        thread.start()
        thread.join(10)

    pushed = from_chunks(["x"]).pipe(rx.do_action(push))
    traced = trace(pushed.pipe(rx.merge(subject.pipe(ops.accumulate_json()).pipe(rx.take(1)))))

    assert ("Subject", []) in shape(traced)
    assert stage_named(traced, "accumulate_json").received == 1


def test_a_stage_of_ours_runs_by_itself_only_while_it_is_traced() -> None:
    runs: list[str] = []

    class Noted(Step[Any, Any]):
        def feed(self, item: Any) -> Iterable[Any]:
            runs.append("fed")
            return (item,)

    stream = from_chunks(["a"]).pipe(lift(Noted), lift(Noted, name="second"))

    assert shape(trace(stream)) == [
        ("from_chunks", []),
        ("Noted", ["from_chunks"]),
        ("second", ["Noted"]),
    ]
    assert runs == ["fed", "fed"]


def test_what_is_not_a_stream_is_refused() -> None:
    wrong: Callable[..., Any] = trace
    with pytest.raises(TypeError, match="trace takes a stream"):
        wrong("text")
