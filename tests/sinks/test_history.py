"""What `history` and `ahistory` promise."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import reactivex
from anyio import CancelScope, create_task_group
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel
from reactivex import Observable
from reactivex import operators as rx

import streamops as so
from streamops import operators as ops
from streamops.testing import chunked
from tests.counting import Counting, Stuck
from tests.documents import MODELS, chunk_sizes, documents, json_values
from tests.outcomes import outcome, shown
from tests.traces import no_threads_left, nothing_left


class User(BaseModel):
    name: str
    age: int = 0
    link: Annotated[str, so.Stream.done] = "none"


class Team(BaseModel):
    title: str
    users: list[User]


TEAM = '{"title": "Crew", "users": [{"name": "Ada", "age": 36}, {"name": "Bo", "age": 7}]}'


def ticking(step: float = 1.0) -> Callable[[], float]:
    """Return a clock on which time passes whenever somebody looks."""
    return itertools.count(100, step).__next__


def snapshots(text: str, size: int = 1) -> Observable[so.Snapshot]:
    return so.from_chunks(lambda: iter(chunked(text, size))).pipe(ops.accumulate_json())


def team(text: str = TEAM) -> so.History[Team]:
    return so.history(snapshots(text).pipe(ops.to_partial(Team)))


def test_what_a_stream_shows_is_kept_with_the_time_at_which_it_came() -> None:
    history = so.history(snapshots('[1, "ab"]'), clock=ticking(0.5))

    assert [(m.index, m.seconds, m.value.value) for m in history] == [
        (0, 0.5, []),
        (1, 1.0, [1]),
        (2, 1.5, [1, ""]),
        (3, 2.0, [1, "a"]),
        (4, 2.5, [1, "ab"]),
        (5, 3.0, [1, "ab"]),
    ]
    assert history.seconds == 3.5
    assert history.error is None


@given(documents(MODELS), chunk_sizes, st.integers(0))
def test_exactly_what_distinct_snapshots_leaves_is_kept_and_how_it_ends(
    document: tuple[Any, str], sizes: list[int], cut: int
) -> None:
    model, text = document
    text = text[: cut % (len(text) + 1)] if cut % 2 else text
    stream = so.from_chunks(lambda: iter(chunked(text, *sizes))).pipe(
        ops.accumulate_json(), ops.to_partial(model)
    )

    history = so.history(stream)

    expected = outcome(stream.pipe(ops.distinct_snapshots()))
    assert [shown(moment.value) for moment in history] == list(map(shown, expected.values))
    assert type(history.error) is type(expected.error)


def text_of(delta: so.Delta) -> str:
    return delta.text


EQUAL = '{"t": "aabb", "users": [{"name": "x"}, {"name": "x"}, {"name": "x"}]}'
NO_STATES: dict[str, tuple[Any, ...]] = {
    "Deltas": (),
    "texts of Deltas": (rx.map(text_of),),
    "texts": (ops.accumulate_json(), ops.text_deltas(("t",))),
    "events": (ops.accumulate_json(), ops.field_events()),
    "items": (ops.accumulate_json(), ops.split_items(User, "users")),
    "items of several lists": (ops.accumulate_json(), ops.split_items({"users": User})),
    "what is made of items": (
        ops.accumulate_json(),
        ops.split_items(User, "users"),
        rx.map(User.model_dump),
    ),
    "Progress of items": (
        ops.accumulate_json(),
        ops.split_items(User, "users"),
        ops.track_progress(expected=1),
    ),
    "what closed": (ops.accumulate_json(), ops.when_complete(("users", so.ANY))),
    "None": (rx.map(lambda _: None),),
}


@pytest.mark.parametrize("operators", NO_STATES.values(), ids=NO_STATES)
def test_what_is_no_state_is_kept_though_it_equals_its_predecessor(
    operators: tuple[Any, ...],
) -> None:
    stream: Any = so.from_chunks(lambda: iter(EQUAL)).pipe(*operators)
    everything = outcome(stream).values

    kept = [moment.value for moment in so.history(stream)]

    assert len(kept) == len(everything) > 2
    if not isinstance(kept[0], so.Progress):  # that holds its time
        assert kept == everything


def test_a_state_of_a_document_that_shows_the_same_is_left_out() -> None:
    chunks = so.from_chunks(['{"title": "ab', '"', " ", ', "users"', ":", " [", "]", "}"])
    states: Any = chunks.pipe(ops.accumulate_json())

    for stream in (states, states.pipe(ops.to_partial(Team))):
        assert [moment.index for moment in so.history(stream)] == [0, 1, 2]

    tracked = so.history(states.pipe(ops.track_progress()))
    assert [round(moment.value.percent) for moment in tracked] == [0, 17, 17, 29, 100]


class Array:
    """Has no one answer to whether it equals another."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_values_that_cannot_be_compared_are_kept() -> None:
    arrays = [Array(), Array()]

    history = so.history(reactivex.from_iterable(arrays))

    assert [id(moment.value) for moment in history] == list(map(id, arrays))
    assert history.error is None


def test_a_value_that_is_changed_in_place_is_kept_each_time_as_it_is_at_the_end() -> None:
    def added(numbers: list[int], number: int) -> list[int]:
        numbers.append(number)
        return numbers

    begun: list[int] = []
    history = so.history(reactivex.range(3).pipe(rx.scan(added, begun)))

    assert [moment.value for moment in history] == [[0, 1, 2]] * 3


def test_an_error_is_kept_with_what_came_before_it() -> None:
    history = so.history(snapshots('["ab"'))

    assert isinstance(history.error, so.TruncatedJson)
    assert history.value.value == ["ab"]


def test_an_empty_history_has_no_value() -> None:
    error = ValueError("broken")
    broken = so.history(so.from_chunks(Counting(error=error).blocking))

    assert len(broken) == len(so.history(reactivex.empty())) == 0
    for look in (lambda: broken.value, lambda: broken.at(0), broken.slider):
        with pytest.raises(LookupError, match="the stream emitted nothing") as caught:
            look()
        assert caught.value.__cause__ is broken.error is not None


def test_the_value_is_the_last_one() -> None:
    assert team().value == Team.model_validate_json(TEAM)


@pytest.mark.parametrize(
    ("count", "fraction", "index"),
    [(1, 0, 0), (1, 1, 0), (2, 0.0, 0), (2, 1.0, 1), (3, 0.5, 1), (11, 0.24, 2), (11, 0.99, 10)],
)
def test_at_finds_a_moment_by_its_fraction(count: int, fraction: float, index: int) -> None:
    history = so.history(reactivex.range(count))

    assert history.at(fraction) is history[index]


@pytest.mark.parametrize("fraction", [-0.1, 1.1, 50, float("nan")])
def test_at_rejects_what_is_no_fraction(fraction: float) -> None:
    history = so.history(reactivex.range(3))

    with pytest.raises(ValueError, match=r"at takes a fraction from 0\.0 to 1\.0, not"):
        history.at(fraction)


def test_a_history_is_a_sequence() -> None:
    history = so.history(reactivex.range(4), clock=ticking())

    assert [moment.value for moment in history[1:3]] == [1, 2]
    assert history[-1] == so.Moment(3, 4, 3)
    assert history.index(history[2]) == 2
    assert history[1] in history
    with pytest.raises(IndexError):
        history[4]


PLACES: dict[str, tuple[so.Path, Any, Any]] = {
    "the root": ((), {}, {"a": 75001, "b": ["xy", {}]}),
    "a number, when it is whole": (("a",), {"a": 75001}, {"a": 75001}),
    "a list": (("b",), {"a": 75001, "b": []}, {"a": 75001, "b": ["xy", {}]}),
    "an object": (("b", 1), {"a": 75001, "b": ["xy", {}]}, {"a": 75001, "b": ["xy", {}]}),
}


@pytest.mark.parametrize(("path", "shown", "done"), PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("tracked", [False, True], ids=["Snapshot", "Progress"])
def test_when_finds_what_is_first_shown_and_what_is_finished(
    path: so.Path, shown: Any, done: Any, tracked: bool
) -> None:
    stream: Observable[Any] = snapshots('{"a": 75001, "b": ["xy", {}]}')
    history = so.history(stream.pipe(ops.track_progress()) if tracked else stream)

    def value(moment: so.Moment[Any] | None) -> Any:
        assert moment is not None
        return moment.value.value.value if tracked else moment.value.value

    assert value(history.when(path)) == shown
    assert value(history.when(path, "done")) == done


def test_when_finds_that_a_string_is_finished_once_that_shows() -> None:
    stream = snapshots('["xy", 1]')
    plain, tracked = so.history(stream), so.history(stream.pipe(ops.track_progress()))

    grown, closed = plain.when((0,), "done"), tracked.when((0,), "done")

    assert grown is not None
    assert closed is not None
    assert grown.value.value == ["xy", 1]
    assert closed.value.value.value == ["xy"]  # the percentage rises when it is closed


@given(json_values.map(json.dumps), chunk_sizes)
def test_when_agrees_with_a_look_at_every_value(text: str, sizes: list[int]) -> None:
    history = so.history(so.from_chunks(chunked(text, *sizes)).pipe(ops.accumulate_json()))

    for path in history.value.finished_paths():
        for state, has in (("shown", is_in), ("done", is_finished_in)):
            first = next(moment for moment in history if has(moment.value, path))
            assert history.when(path, state) is first  # type: ignore[arg-type]


def is_in(snapshot: so.Snapshot, path: so.Path) -> bool:
    value = snapshot.value
    if not snapshot.started:
        return False

    for key in path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return False
    return True


def is_finished_in(snapshot: so.Snapshot, path: so.Path) -> bool:
    return path in snapshot.finished_paths()


def test_when_takes_the_names_of_fields_in_partials() -> None:
    history = team()

    def users(moment: so.Moment[Team] | None) -> Any:
        assert moment is not None
        return [user.model_dump(exclude_unset=True) for user in moment.value.users]

    ada = {"name": "Ada", "age": 36}
    assert users(history.when(("users",))) == []
    assert users(history.when(("users", 0, "name"))) == [{"name": ""}]
    assert users(history.when(("users", 0, "name"), "done")) == [ada]
    assert users(history.when(("users", 1, "age"))) == [ada, {"name": "Bo", "age": 7}]
    assert users(history.when(("users", 0), "done")) == [ada]
    assert history.when((), "done") is history[-1]


@dataclass
class Named:
    name: str
    link: Annotated[str, so.Stream.done] = "none"


@pytest.mark.parametrize("model", [User, Named])
def test_what_is_held_back_is_not_shown_yet(model: Any) -> None:
    chunks = ['{"name": "a', 'b", "link": "x', 'y"}']
    history = so.history(so.from_chunks(chunks).pipe(ops.accumulate_json(), ops.to_partial(model)))
    assert so.state_of(history[1].value).at(("link",)) == "growing"

    first = history.when(("link",))

    assert first is history.when(("link",), "done") is history[2]


class Draft(BaseModel):
    text: str = ""
    size: int = 0


@dataclass
class Drafted:
    text: str = ""
    size: int = 0


@pytest.mark.parametrize("model", [Draft, Drafted])
def test_what_is_shown_may_look_like_the_default(model: Any) -> None:
    chunks = ['{"text": ', '"', 'a", "size": ', "0, "]
    history = so.history(so.from_chunks(chunks).pipe(ops.accumulate_json(), ops.to_partial(model)))

    text, size = history.when(("text",)), history.when(("size",))

    assert text is history[1]
    assert size is history[3]


class Users(RootModel[list[User]]):
    pass


@pytest.mark.parametrize("model", [list[User], Users, tuple[User, ...]])
def test_when_looks_into_lists_of_models(model: Any) -> None:
    history = so.history(snapshots('[{"name": "Ada"}, {"name": "Bo"}]').pipe(ops.to_partial(model)))

    first = history.when((1, "name"))

    assert first is not None
    items = first.value.root if isinstance(first.value, Users) else first.value
    assert items[1].name == ""
    assert history.when((2,)) is None


@pytest.mark.parametrize(
    ("operators", "index"),
    [
        ((ops.split_items(User, "users", on_invalid="result"),), 1),
        ((ops.split_items({"users": User}, on_invalid="skip"),), 0),
        ((ops.split_items(User, "users", on_invalid="result"), ops.track_progress()), 1),
    ],
    ids=["ItemResult", "Tagged", "Progress"],
)
def test_when_looks_into_items_that_are_wrapped(operators: Any, index: int) -> None:
    users: Any = snapshots('{"users": [{"age": 1}, {"name": "Ada"}, {"name": "Bo"}]}', 1000)

    history = so.history(users.pipe(*operators))

    assert history.when(("name",)) is history.when((), "done") is history[index]
    assert history.when(("nobody",)) is None


@pytest.mark.parametrize("path", [("nobody",), ("users", 5), ("users", "x"), ("title", 0), (None,)])
def test_when_finds_nothing_where_nothing_came(path: Any) -> None:
    assert team().when(path) is None
    assert so.history(snapshots(TEAM)).when(path) is None
    assert so.history(reactivex.of("x", 3, None)).when(path) is None


def test_when_rejects_what_is_no_path_and_no_state() -> None:
    wrong: Any = "users"

    with pytest.raises(TypeError, match="a path is a tuple of keys and indexes, not 'users'"):
        team().when(wrong)
    with pytest.raises(ValueError, match='when takes "shown" or "done", not \'users\''):
        team().when((), wrong)


def test_the_repr_is_short() -> None:
    history = so.history(snapshots('["ab"'), clock=ticking(0.125))

    assert repr(history) == "<History: 5 moments, 750 ms, TruncatedJson>"
    assert repr(so.history(reactivex.of(1), clock=ticking())) == "<History: 1 moment, 2.00 s>"


def test_a_source_that_is_asynchronous_is_run_too() -> None:
    source = Counting("[1", "]")

    with no_threads_left():
        history = so.history(so.from_chunks(source.awaited).pipe(ops.accumulate_json()))

    assert history.value.value == [1]
    assert source.open == 0


def test_an_interrupt_is_raised_and_closes_the_source() -> None:
    opened: list[str] = []

    def interrupted() -> Iterator[str]:
        opened.append("open")
        try:
            yield "[1, "
            raise KeyboardInterrupt
        finally:
            opened.remove("open")

    with pytest.raises(KeyboardInterrupt):
        so.history(so.from_chunks(interrupted).pipe(ops.accumulate_json()))

    assert opened == []


def test_an_interrupt_between_two_values_closes_the_source() -> None:
    source = Counting("[1, ", "2, ", "3]")
    looks = iter([0.0, 1.0])

    def interrupting() -> float:
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    with pytest.raises(KeyboardInterrupt) as caught:
        so.history(so.from_chunks(source.blocking).pipe(ops.accumulate_json()), clock=interrupting)

    # Closed while the traceback still holds all that was there.
    assert caught.tb is not None
    assert source.open == 0
    assert source.pulled == 2


@pytest.mark.anyio
async def test_ahistory_keeps_the_same() -> None:
    for text in ('{"a": [1, "b"]}', '{"a": [1, "b"', "", "[1 2]"):
        source = Counting(*chunked(text, 1))

        async with nothing_left():
            awaited = await so.ahistory(
                so.from_chunks(source.awaited).pipe(ops.accumulate_json()), clock=ticking()
            )

        blocking = so.history(snapshots(text), clock=ticking())
        assert [(m.index, m.seconds, m.value.value) for m in awaited] == [
            (m.index, m.seconds, m.value.value) for m in blocking
        ]
        assert (type(awaited.error), awaited.seconds) == (type(blocking.error), blocking.seconds)
        assert source.open == 0


@pytest.mark.anyio
async def test_cancelling_ahistory_closes_the_source() -> None:
    source = Stuck()
    scope = CancelScope()
    ended: list[so.History[so.Delta]] = []

    async def run() -> None:
        with scope:
            ended.append(await so.ahistory(so.from_chunks(source.awaited)))

    async with nothing_left():
        async with create_task_group() as group:
            group.start_soon(run)
            await source.waiting.wait()
            scope.cancel()

        assert scope.cancelled_caught

    assert ended == []
    assert source.open == 0


def test_what_is_no_stream_is_rejected_with_the_fix() -> None:
    wrong: Any = [1]

    with pytest.raises(TypeError, match=r"history takes a stream .*from_chunks"):
        so.history(wrong)


@pytest.mark.anyio
async def test_what_is_no_stream_is_rejected_with_the_fix_when_it_is_awaited() -> None:
    wrong: Any = [1]

    with pytest.raises(TypeError, match=r"ahistory takes a stream .*from_chunks"):
        await so.ahistory(wrong)


def test_finished_parts_are_shared_by_the_moments() -> None:
    history = team()

    first = history.when(("users", 0), "done")

    assert first is not None
    assert all(m.value.users[0] is first.value.users[0] for m in history[first.index : -1])
