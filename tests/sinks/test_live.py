"""What `live` and `alive` promise, wherever a stream is shown."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextvars import ContextVar
from typing import Any

import pytest
import reactivex
from anyio import CancelScope, create_task_group
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, SecretStr
from reactivex import operators as rx
from reactivex.internal import SequenceContainsNoElementsError

import streamops as so
from streamops import operators as ops
from streamops.display.blocks import Block, blocks_of
from streamops.display.plain import to_lines
from streamops.errors import SchemaMismatch, SourceFailed, TruncatedJson
from streamops.sinks.live import ashow, show
from streamops.sinks.live_drawing import Pace
from streamops.sources.iterables import from_chunks
from tests.counting import Counting, Stuck
from tests.sinks.surfaces import Remembering
from tests.strategies import Sizes, chunk_sizes, cut, json_texts
from tests.traces import no_threads_left, nothing_left
from tests.wire import PATIENCE

OFTEN = 1e9  # times a second


class User(BaseModel):
    name: str
    tags: list[str] = []


def test_the_last_value_is_returned_and_the_source_closed() -> None:
    source = Counting('{"a": 1', ', "b": 2}')
    snapshots = ops.accumulate_json()

    with no_threads_left():
        blocking = show(from_chunks(source.blocking).pipe(snapshots), Remembering())
        awaited = show(from_chunks(source.awaited).pipe(snapshots), Remembering())

    assert blocking.value == awaited.value == {"a": 1, "b": 2}
    assert source.open == 0


@pytest.mark.anyio
async def test_awaited_the_last_value_is_returned_and_the_source_closed() -> None:
    source = Counting('{"a": 1', ', "b": 2}')
    snapshots = ops.accumulate_json()

    async with nothing_left():
        blocking = await ashow(from_chunks(source.blocking).pipe(snapshots), Remembering())
        awaited = await ashow(from_chunks(source.awaited).pipe(snapshots), Remembering())

    assert blocking.value == awaited.value == {"a": 1, "b": 2}
    assert source.open == 0


@pytest.mark.anyio
async def test_where_a_loop_runs_in_the_thread_asynchronous_sources_are_read_too() -> None:
    source = Counting('{"a": 1', ', "b": 2}')

    shown = show(from_chunks(source.awaited).pipe(ops.accumulate_json()), Remembering())

    assert shown.value == {"a": 1, "b": 2}
    assert source.open == 0


def test_at_the_end_the_last_value_is_shown_with_figures() -> None:
    surface, now = Remembering(), [5.0]

    def source() -> Generator[str]:
        now[0] += 1.5
        yield '{"name": "Jo'
        now[0] += 70
        yield '"}'

    stream = from_chunks(source).pipe(ops.accumulate_json(), ops.to_partial(User))
    show(stream, surface, clock=lambda: now[0])

    assert surface.finished == [
        [
            "✓ name: Jo",
            "✓ tags: no items",
            "2 elements in 1:12 min, the first after 1.5 s",
        ]
    ]
    assert surface.tone == "done"


def test_before_the_first_element_it_says_that_it_waits_and_how_long() -> None:
    surface = Remembering(tick=0.001)

    def source() -> Generator[str]:
        assert surface.has_drawn(lambda _: len(surface.drawn) >= 3)
        yield "{}"

    show(from_chunks(source).pipe(ops.accumulate_json()), surface, per_second=OFTEN)

    assert surface.drawn[2][0].startswith("waiting for the first token, ")


def test_it_is_drawn_while_a_read_waits() -> None:
    surface = Remembering()

    def source() -> Generator[str]:
        yield '{"name": "Jo'
        assert surface.has_drawn(lambda lines: "… name: Jo" in lines)
        yield '"}'

    show(from_chunks(source).pipe(ops.accumulate_json()), surface)


def test_what_comes_while_it_is_drawn_is_drawn_once_afterwards_as_the_last_of_it() -> None:
    is_being_drawn, may_go_on = threading.Event(), threading.Event()

    def hold(lines: list[str]) -> None:
        if "0" in lines:
            is_being_drawn.set()
            assert may_go_on.wait(PATIENCE)

    surface = Remembering(hold)

    def source() -> Generator[str]:
        yield "[0"
        yield ","
        assert is_being_drawn.wait(PATIENCE)
        yield from (f"{number}," for number in range(1, 1000))
        may_go_on.set()
        assert surface.has_drawn(lambda lines: "999" in lines)
        yield "1000]"

    numbers = from_chunks(source).pipe(ops.accumulate_json(), ops.split_items(int))
    show(numbers.pipe(rx.map(str)), surface, per_second=OFTEN, rows=1)

    shown = [lines[0] for lines in surface.drawn if lines[0].isdigit()]
    assert shown[:2] == ["0", "999"]
    assert surface.finished[0][0] == "1000"


def test_it_is_drawn_no_more_often_than_it_may_and_the_last_is_shown_at_the_end() -> None:
    surface = Remembering()

    show(
        from_chunks(["[", *["1,"] * 500, "2]"]).pipe(ops.accumulate_json()),
        surface,
        per_second=0.001,
    )

    assert len(surface.drawn) == 1
    assert surface.finished[0][-2] == "✓ 500: 2"


@given(
    st.floats(0.1, 50),
    st.lists(st.tuples(st.floats(0, 0.5), st.booleans()), min_size=1, max_size=200),
)
def test_two_drawings_are_never_nearer_than_the_pace_and_news_wait_no_longer(
    per_second: float, steps: list[tuple[float, bool]]
) -> None:
    now, drawn, news_since = 0.0, 0.0, None
    pace = Pace(per_second, lambda: now)

    for passed, is_news in steps:
        now += passed
        news_since = news_since if not is_news else now if news_since is None else news_since
        wait = pace.until_due(None if news_since is not None else 1.0)

        if wait <= 0:
            assert now - drawn >= 1 / per_second - 1e-9
            drawn, news_since = now, None
            pace.drawn()
        elif news_since is not None:
            assert now + wait <= news_since + 1 / per_second + 1e-9


def test_values_are_taken_as_they_come_though_drawing_takes_its_time() -> None:
    taken = threading.Event()
    surface = Remembering(lambda lines: taken.wait(PATIENCE) if "… a: x" in lines else None)

    def source() -> Generator[str]:
        yield '{"a": "x'
        assert surface.has_drawn(lambda lines: "… a: x" in lines)
        yield "y"
        yield '"}'
        taken.set()

    show(from_chunks(source).pipe(ops.accumulate_json()), surface, per_second=OFTEN)

    assert taken.is_set()


def test_an_error_is_raised_after_it_was_shown_below_the_last_state() -> None:
    surface = Remembering()

    with no_threads_left(), pytest.raises(TruncatedJson):
        show(
            from_chunks(['{"name": "Jo']).pipe(ops.accumulate_json(), ops.to_partial(User)), surface
        )

    shown = surface.finished[0]
    assert shown[:2] == ["… name: Jo", "- tags: -"]
    assert shown[2].startswith("✗ TruncatedJson: The JSON is incomplete after")
    assert shown[3].startswith("failed: 1 element in")
    assert surface.tone == "failed"


@pytest.mark.anyio
@pytest.mark.parametrize("message", ["Event loop is closed", "bound to a different event loop"])
async def test_whatever_an_error_says_its_source_is_opened_once(message: str) -> None:
    source = Counting(error=RuntimeError(message))

    with pytest.raises(SourceFailed):
        show(from_chunks(source.blocking), Remembering())
    with pytest.raises(SourceFailed):
        await ashow(from_chunks(source.awaited), Remembering())

    assert source.opened == 2


class Login(BaseModel):
    name: int
    password: SecretStr
    token: str = Field(repr=False)


@pytest.mark.parametrize("step", [ops.split_items(Login), ops.to_partial(list[Login])])
def test_of_what_never_was_an_element_only_place_and_fault_are_shown(step: Any) -> None:
    surface = Remembering()
    text = '[{"password": "secret", "token": "secret", "name": "secret"}]'

    with pytest.raises(SchemaMismatch):
        show(from_chunks([text]).pipe(ops.accumulate_json(), step), surface)

    shown = "\n".join(surface.finished[0])
    assert "✗ SchemaMismatch at [0]" in shown
    assert "[0].name: Input should be a valid integer" in shown
    assert "secret" not in shown


class Silent(Exception):
    @property
    def path(self) -> object:
        raise ValueError("no path")


class Unseen:
    def __repr__(self) -> str:
        raise ValueError("no text")

    def __getattr__(self, name: str) -> object:
        raise ValueError(name)


class Unknown:
    @property
    def __class__(self) -> Any:
        raise ValueError("no kind")

    @__class__.setter
    def __class__(self, kind: Any) -> None: ...


def test_an_error_that_cannot_be_shown_is_shown_by_its_kind() -> None:
    surface = Remembering()

    with pytest.raises(Silent):
        show(reactivex.throw(Silent()), surface, clock=lambda: 0.0)

    assert surface.finished[0] == ["✗ Silent: ", "failed: 0 elements in 0.0 s"]


@pytest.mark.parametrize(
    "new", [Unseen, lambda: {"a": Unseen()}, Unknown], ids=["itself", "within", "of no kind"]
)
def test_of_elements_that_cannot_be_shown_there_are_the_figures(
    new: Callable[[], object],
) -> None:
    surface, element = Remembering(), new()

    assert show(reactivex.of(element), surface) is element

    assert surface.finished[0][-1].startswith("1 element in")


def test_an_empty_stream_is_the_error_that_run_raises_and_shown_as_that() -> None:
    surface = Remembering()

    with pytest.raises(SequenceContainsNoElementsError):
        show(reactivex.empty(), surface)

    assert surface.finished[0][0].startswith("✗ SequenceContainsNoElementsError")


def test_interrupted_it_shows_the_last_state_and_closes_the_source_first() -> None:
    source = Counting('{"name": "Jo', '"}')
    open_at_the_end: list[int] = []

    class Surface(Remembering):
        def finish(self, blocks: Sequence[Block]) -> None:
            open_at_the_end.append(source.open)
            super().finish(blocks)

    surface = Surface()

    def interrupted(snapshot: so.Snapshot) -> so.Snapshot:
        if snapshot.complete:
            raise KeyboardInterrupt

        return snapshot

    stream = from_chunks(source.blocking).pipe(ops.accumulate_json())
    with no_threads_left(), pytest.raises(KeyboardInterrupt):
        show(stream.pipe(rx.map(interrupted)), surface)

    assert open_at_the_end == [0]
    assert surface.finished[0][0] == "… name: Jo"
    assert surface.tone == "interrupted"


@pytest.mark.anyio
async def test_cancelled_it_shows_the_last_state_and_closes_the_source() -> None:
    surface, source = Remembering(), Stuck()

    async with nothing_left(), create_task_group() as group:
        group.start_soon(ashow, from_chunks(source.awaited), surface)
        await source.waiting.wait()
        group.cancel_scope.cancel()

    assert source.open == 0
    assert surface.finished[0][:2] == ["content:", "first"]
    assert surface.tone == "interrupted"


def test_a_surface_that_fails_is_logged_once_and_does_not_touch_the_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Remembering):
        def draw(self, blocks: Sequence[Block]) -> None:
            raise ValueError("no screen")

        finish = draw

    with caplog.at_level(logging.ERROR), no_threads_left():
        assert show(from_chunks(["1"]).pipe(ops.accumulate_json()), Broken()).value == 1

    assert [record.message for record in caplog.records] == [
        "A stream could not be shown while it runs"
    ]


def test_the_source_is_read_while_the_first_drawing_is_blocked() -> None:
    is_read, in_time = threading.Event(), list[bool]()
    surface = Remembering(lambda _: in_time.append(is_read.wait(PATIENCE)))

    def source() -> Generator[str]:
        yield "[1"
        yield "]"
        is_read.set()

    show(from_chunks(source).pipe(ops.accumulate_json()), surface)

    assert in_time == [True]
    assert surface.finished[0][0] == "✓ 0: 1"


class Blocked(Remembering):
    """Does not come to the end of its last drawing before it is released."""

    patience = 0.01

    def __init__(self) -> None:
        super().__init__()
        self.is_finishing, self.released = threading.Event(), threading.Event()

    def finish(self, blocks: Sequence[Block]) -> None:
        self.is_finishing.set()
        assert self.released.wait(PATIENCE)
        super().finish(blocks)


STUCK = "The display of a stream is blocked: nobody waits for it any more"


def test_nobody_waits_long_for_a_blocked_display(caplog: pytest.LogCaptureFixture) -> None:
    surface = Blocked()

    with no_threads_left():
        shown = show(from_chunks(["1"]).pipe(ops.accumulate_json()), surface)
        surface.released.set()

    assert shown.value == 1
    assert [record.message for record in caplog.records] == [STUCK]


@pytest.mark.anyio
async def test_awaited_nobody_waits_long_for_a_blocked_display(
    caplog: pytest.LogCaptureFixture,
) -> None:
    surface = Blocked()

    with no_threads_left():
        with CancelScope() as scope:
            scope.cancel()
            await ashow(from_chunks(["1"]), surface)
        surface.released.set()

    assert scope.cancelled_caught
    assert [record.message for record in caplog.records] == [STUCK]


@pytest.mark.anyio
async def test_the_event_loop_runs_on_while_the_last_state_is_drawn() -> None:
    surface = Blocked()
    surface.patience = PATIENCE

    async def release() -> None:
        while not surface.is_finishing.is_set():
            await checkpoint()
        surface.released.set()

    async with nothing_left(), create_task_group() as group:
        group.start_soon(release)
        await ashow(from_chunks(["1"]), surface)

    assert surface.tone == "done"


def test_interrupted_when_its_thread_has_just_begun_it_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = threading.Thread.start
    surface = Closing()

    def interrupted(thread: threading.Thread) -> None:
        begin(thread)
        raise KeyboardInterrupt

    with no_threads_left(), monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(threading.Thread, "start", interrupted)
        show(from_chunks(["1"]), surface)

    assert surface.has_closed.wait(PATIENCE)


def test_interrupted_again_while_the_last_state_is_drawn_the_surface_is_closed() -> None:
    class Interrupting(Closing):
        def finish(self, blocks: Sequence[Block]) -> None:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            super().finish(blocks)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    surface = Interrupting()

    with no_threads_left(), pytest.raises(KeyboardInterrupt):
        show(reactivex.of(1).pipe(rx.do_action(interrupt)), surface)
        threading.Event().wait(PATIENCE)  # for the second one

    assert surface.has_closed.is_set()
    assert surface.tone == "interrupted"


class Closing(Remembering):
    """Remembers that it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.has_closed = threading.Event()

    def close(self) -> None:
        self.has_closed.set()


def test_it_is_drawn_in_the_context_of_whoever_runs_it() -> None:
    cell: ContextVar[str] = ContextVar("cell")
    seen: list[str] = []
    surface = Remembering(lambda _: seen.append(cell.get("none")), tick=0.001)
    cell.set("this one")

    def source() -> Generator[str]:
        assert surface.has_drawn(lambda _: len(surface.drawn) >= 2)
        yield "1"

    show(from_chunks(source), surface, per_second=OFTEN)

    assert set(seen) == {"this one"}


@given(json_texts(), chunk_sizes())
def test_drawn_as_often_as_can_be_it_is_what_run_returns(text: str, sizes: Sizes) -> None:
    stream = from_chunks(lambda: cut(text, sizes)).pipe(ops.accumulate_json())
    surface = Remembering(tick=0)

    shown = show(stream, surface, per_second=OFTEN)

    assert repr(shown) == repr(so.run(stream))


@settings(max_examples=40)
@given(st.lists(st.text(max_size=20), max_size=30), chunk_sizes())
def test_whatever_is_drawn_of_partials_that_grow_is_one_of_them(
    names: list[str], sizes: Sizes
) -> None:
    users = Users(users=[User(name=name, tags=[name, name]) for name in names])
    text = users.model_dump_json()
    partials = from_chunks(lambda: cut(text, sizes)).pipe(
        ops.accumulate_json(), ops.to_partial(Users)
    )
    surface = Remembering(tick=0)
    expected = {tuple(to_lines(blocks_of(value, limit=40))) for value in so.to_generator(partials)}

    shown = show(partials, surface, per_second=OFTEN)

    assert shown == users
    drawn = {tuple(lines[:-1]) for lines in surface.drawn if len(lines) > 1}
    assert drawn <= expected


class Users(BaseModel):
    users: list[User]


@pytest.mark.parametrize("shower", [so.live, so.alive])
def test_what_cannot_be_shown_is_refused(shower: Callable[..., Any]) -> None:
    def call(*arguments: Any, **options: Any) -> None:
        result = shower(*arguments, **options)
        if shower is so.alive:
            result.send(None)

    stream = from_chunks(["1"])
    with pytest.raises(TypeError, match="takes a stream"):
        call([1])
    with pytest.raises(ValueError, match="per_second must be positive, not 0"):
        call(stream, per_second=0)
    with pytest.raises(ValueError, match="rows must be positive, not -1"):
        call(stream, rows=-1)
