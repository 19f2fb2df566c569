"""What `show_progress` promises."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import StringIO
from queue import SimpleQueue
from typing import Any, ClassVar

import ipywidgets  # pyright: ignore[reportMissingTypeStubs]
import pytest
import reactivex
import rich.progress
import tqdm.auto
import tqdm.notebook
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Observable, Subject
from reactivex import operators as rx
from rich.console import Console
from rich.text import Text

import streamops as so
from streamops import operators as ops
from streamops.bars import follower_of
from streamops.lifting import are_items
from streamops.testing import chunked
from tests.counting import Counting
from tests.documents import chunk_sizes
from tests.outcomes import outcome
from tests.traces import PATIENCE, no_threads_left, nothing_left

# These packages do not declare all types.
Tqdm: Any = tqdm.tqdm
FloatProgress: Any = ipywidgets.FloatProgress
IntProgress: Any = ipywidgets.IntProgress


def recorded(cls: Any, **usual: Any) -> tuple[Any, list[Any]]:
    """Return a class that keeps its instances in the list."""
    made: list[Any] = []

    def keep(self: Any, *given: Any, **more: Any) -> None:
        cls.__init__(self, *given, **{**usual, **more})
        made.append(self)

    return type("Recorded", (cls,), {"__init__": keep}), made


TEXT = '{"users": [{"name": "Ada"}, {"name": "Grace"}], "note": "done"}'
SHOWN = "users[1].name"
"""Where HALF ends."""
HALF = TEXT[: TEXT.index("ce")]


def progress(text: str = TEXT, size: int = 5) -> Observable[so.Progress[so.Snapshot]]:
    """Return a stream of Progress."""
    return so.from_chunks(lambda: iter(chunked(text, size))).pipe(
        ops.accumulate_json(), ops.track_progress()
    )


class Tqdms:
    """Bars of tqdm that a test can look at."""

    def __init__(self, **arguments: Any) -> None:
        self.file = StringIO()
        bar, self.bars = recorded(Tqdm)
        self.bar = partial(bar, file=self.file, mininterval=0, ascii=True, **arguments)

    @property
    def lines(self) -> list[str]:
        """What was shown, one after the other, without the times."""
        shown = [line.split("|") for line in self.file.getvalue().split("\r")]
        return [
            f"{line[0]}|{line[-1].partition(',')[2].strip()}" for line in shown if len(line) == 3
        ]


def on_screen(**arguments: Any) -> rich.progress.Progress:
    """Return bars of rich on a terminal that is a text."""
    console = Console(file=StringIO(), force_terminal=True, width=100, color_system=None)
    return rich.progress.Progress(console=console, **arguments)


def written(bars: rich.progress.Progress) -> str:
    file: Any = bars.console.file
    text: str = file.getvalue()
    return text


def test_what_comes_is_passed_on() -> None:
    updates = list(so.to_generator(progress()))
    bar = Tqdms().bar

    passed = list(so.to_generator(reactivex.from_iterable(updates).pipe(ops.show_progress(bar))))

    assert list(map(id, passed)) == list(map(id, updates))


def test_a_bar_of_tqdm_shows_the_percentage_and_the_place() -> None:
    tqdms = Tqdms(desc="Meeting")

    so.run(progress().pipe(ops.show_progress(tqdms.bar)))

    assert tqdms.lines[0] == "Meeting:   0%|"
    assert f"Meeting:   3%|{SHOWN}" in tqdms.lines
    assert tqdms.lines[-1] == "Meeting: 100%|"


def test_a_description_stands_before_a_bar_of_tqdm() -> None:
    tqdms = Tqdms()

    so.run(progress().pipe(ops.show_progress(tqdms.bar, description="Notes")))

    assert tqdms.lines[-1].startswith("Notes: 100%|")


def test_a_bar_of_tqdm_is_closed_at_the_end_on_a_line_of_its_own() -> None:
    tqdms = Tqdms()

    so.run(progress().pipe(ops.show_progress(tqdms.bar)))

    assert tqdms.file.getvalue().endswith("\n")
    assert [bar.disable for bar in tqdms.bars] == [True]


def test_when_a_stream_fails_a_bar_of_tqdm_stays_where_it_was_and_names_the_error() -> None:
    tqdms = Tqdms()

    with pytest.raises(so.TruncatedJson):
        so.run(progress(HALF).pipe(ops.show_progress(tqdms.bar)))

    assert tqdms.lines[-1] == f"  3%|{SHOWN}: TruncatedJson"
    assert tqdms.file.getvalue().endswith("\n")


def test_when_a_stream_is_left_a_bar_of_tqdm_stays_where_it_was_and_is_closed() -> None:
    tqdms = Tqdms()

    for update in so.to_generator(progress().pipe(ops.show_progress(tqdms.bar))):
        if update.current == ("users", 1, "name"):
            break

    assert tqdms.lines[-1] == f"  3%|{SHOWN}"
    assert tqdms.file.getvalue().endswith("\n")


def test_every_subscription_has_a_bar_of_its_own() -> None:
    tqdms = Tqdms()
    stream = progress().pipe(ops.show_progress(tqdms.bar))

    so.run(stream)
    so.run(stream)

    assert [bar.n for bar in tqdms.bars] == [100, 100]
    half = len(tqdms.lines) // 2
    assert tqdms.lines[:half] == tqdms.lines[half:]


def test_arguments_of_a_partial_go_before_ours() -> None:
    tqdms = Tqdms(total=4, bar_format="{n:g} of {total:g}")

    so.run(progress().pipe(ops.show_progress(tqdms.bar)))

    assert tqdms.file.getvalue().split("\r")[-1].strip() == "4 of 4"


def test_a_bar_of_tqdm_that_is_open_is_set_and_left_open() -> None:
    file = StringIO()
    with tqdm.tqdm(total=100, file=file, postfix="mine") as bar:
        seen = [
            int(update.percent) == bar.n
            for update in so.to_generator(progress().pipe(ops.show_progress(bar)))
        ]

        assert all(seen)
        assert (bar.n, bar.disable, bar.postfix) == (100, False, "mine")


@pytest.mark.parametrize(("total", "end"), [(None, 100), (4, 4), (1.0, 1.0)])
def test_an_open_bar_of_tqdm_goes_to_its_own_end(total: float | None, end: float) -> None:
    with tqdm.tqdm(total=total, file=StringIO()) as bar:
        so.run(progress().pipe(ops.show_progress(bar)))

        assert (bar.n, bar.total) == (end, end)


def test_an_open_bar_of_tqdm_begins_again_with_the_next_subscription() -> None:
    with tqdm.tqdm(total=100, file=StringIO()) as bar:
        stream = progress().pipe(ops.show_progress(bar))
        so.run(stream)
        with pytest.raises(so.TruncatedJson):
            so.run(progress(HALF).pipe(ops.show_progress(bar)))

        assert bar.n == 3


def test_a_bar_of_tqdm_in_a_notebook_is_green_or_red_at_the_end() -> None:
    bar, bars = recorded(tqdm.notebook.tqdm, display=False)

    so.run(progress().pipe(ops.show_progress(bar)))
    outcome(progress(HALF).pipe(ops.show_progress(bar)))

    shown = [bar.container.children for bar in bars]
    assert [bar.bar_style for _, bar, _ in shown] == ["success", "danger"]
    assert [bar.value for _, bar, _ in shown] == [100, 3]
    assert shown[1][2].value.endswith("users[1].name:\N{FIGURE SPACE}TruncatedJson")


def test_tqdm_may_choose_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    so.run(progress().pipe(ops.show_progress(tqdm.auto.tqdm)))

    assert "\r100%|" in capsys.readouterr().err


def test_bars_of_rich_are_started_for_a_stream_and_stopped_after_it() -> None:
    bars = on_screen()
    live: list[bool] = []

    with no_threads_left():
        for _ in so.to_generator(progress().pipe(ops.show_progress(bars))):
            live += [bars.live.is_started]

    assert all(live)
    assert not bars.live.is_started
    (task,) = bars.tasks
    assert (task.completed, task.finished, task.description) == (100, True, "")
    assert written(bars).endswith(" 100% 0:00:00\n\x1b[?25h")


def test_a_bar_of_rich_is_described_by_the_place_or_by_what_is_given() -> None:
    bars = on_screen(auto_refresh=False)
    seen: list[str] = []

    with bars:
        for _ in so.to_generator(
            reactivex.merge(
                progress().pipe(ops.show_progress(bars)),
                progress().pipe(ops.show_progress(bars, description="Notes")),
            )
        ):
            seen += [" ".join(task.description for task in bars.tasks)]

    assert f"{SHOWN} Notes" in seen
    assert seen[-1] == " Notes"


def test_bars_of_rich_that_are_running_go_on() -> None:
    bars = on_screen()

    with bars:
        so.run(progress().pipe(ops.show_progress(bars)))
        outcome(progress(HALF).pipe(ops.show_progress(bars)))

        assert bars.live.is_started
        assert [task.completed for task in bars.tasks] == [100, 3]


def test_several_streams_share_bars_of_rich_until_the_last_has_ended() -> None:
    bars = on_screen()
    short, long = progress('{"a": 1}'), progress()
    live: list[bool] = []

    with no_threads_left():
        for _ in so.to_generator(
            reactivex.merge(short.pipe(ops.show_progress(bars)), long.pipe(ops.show_progress(bars)))
        ):
            live += [bars.live.is_started]

    assert all(live)
    assert not bars.live.is_started
    assert [task.completed for task in bars.tasks] == [100, 100]


def test_what_bars_of_rich_have_shown_is_not_shown_again() -> None:
    bars = on_screen()
    stream = progress().pipe(ops.show_progress(bars, description="Notes"))
    so.run(stream)
    shown = written(bars)

    so.run(stream)

    assert [task.visible for task in bars.tasks] == [False, True]
    again = written(bars).removeprefix(shown)
    assert "\n" not in again.removesuffix("\n\x1b[?25h")


def test_when_a_stream_fails_a_bar_of_rich_is_red_and_stays_where_it_was() -> None:
    bars = on_screen()

    with no_threads_left():
        outcome(progress(HALF).pipe(ops.show_progress(bars)))

    (task,) = bars.tasks
    assert task.description == f"[red]{SHOWN}: TruncatedJson"
    assert (task.completed, task.finished) == (3, False)
    assert task.stop_time is not None
    assert f"{SHOWN}: TruncatedJson ━" in written(bars)


def test_when_a_stream_is_left_nothing_of_rich_goes_on() -> None:
    bars = on_screen()

    with no_threads_left():
        for _ in so.to_generator(progress().pipe(ops.show_progress(bars))):
            break

    assert not bars.live.is_started
    assert written(bars).endswith("\x1b[?25h")


def test_when_a_stream_cannot_begin_nothing_of_rich_goes_on() -> None:
    bars = on_screen()
    needs_a_loop = so.from_chunks(Counting("{}").awaited).pipe(
        ops.accumulate_json(), ops.track_progress(), ops.show_progress(bars)
    )
    errors: list[Exception] = []

    with no_threads_left():
        try:
            needs_a_loop.subscribe(on_error=errors.append)
        except RuntimeError as error:
            errors.append(error)

    assert len(errors) == 1
    assert not bars.live.is_started


def test_a_class_of_rich_is_made_for_every_subscription() -> None:
    bars, made = recorded(rich.progress.Progress, console=Console(file=StringIO()))
    stream = progress().pipe(ops.show_progress(partial(bars, transient=True)))

    with no_threads_left():
        so.run(stream)
        so.run(stream)

    assert [[task.completed for task in each.tasks] for each in made] == [[100], [100]]


@pytest.mark.parametrize(
    ("widget", "ends"),
    [
        (FloatProgress(min=0, max=1), (0.03, 1.0)),
        (FloatProgress(min=-1, max=1), (-0.94, 1.0)),
        (IntProgress(), (3, 100)),
    ],
    ids=["to 1", "from -1 to 1", "whole"],
)
def test_a_widget_is_set_between_its_ends(widget: Any, ends: tuple[float, float]) -> None:
    outcome(progress(HALF).pipe(ops.show_progress(widget)))
    left = widget.value, widget.bar_style, widget.description
    so.run(progress().pipe(ops.show_progress(widget)))

    assert left == (ends[0], "danger", f"{SHOWN}: TruncatedJson")
    assert (widget.value, widget.bar_style, widget.description) == (ends[1], "success", "")


def test_a_widget_begins_again_and_stays_where_it_was_left() -> None:
    widget = FloatProgress(100, bar_style="danger")
    seen: list[Any] = []

    for update in so.to_generator(progress().pipe(ops.show_progress(widget, description="Notes"))):
        seen.append((widget.value, widget.bar_style, widget.description))
        if update.current == ("users", 1, "name"):
            break

    assert seen[0] == (0, "", "Notes")
    assert seen[-1] == (widget.value, "", "Notes") == (3, "", "Notes")


def test_a_class_of_widgets_is_made_and_displayed(capsys: pytest.CaptureFixture[str]) -> None:
    bar, made = recorded(FloatProgress)

    so.run(progress().pipe(ops.show_progress(partial(bar, max=1))))

    assert [(bar.value, bar.bar_style) for bar in made] == [(1, "success")]
    assert "Recorded(" in capsys.readouterr().out  # as it displays without a notebook


def test_a_source_that_completes_too_early_is_no_success() -> None:
    widget = FloatProgress()

    so.run(progress().pipe(rx.take(3), ops.show_progress(widget)))

    assert widget.bar_style == ""
    assert widget.value < 100


@given(st.text(max_size=200), chunk_sizes)
def test_a_bar_is_full_only_when_all_is_complete_and_never_ahead(
    text: str, sizes: list[int]
) -> None:
    class Bar:
        n: float = 0
        total = 100
        postfix: ClassVar[list[str]] = []

        def update(self, n: float = 1) -> None:
            self.n += n

        def set_postfix_str(self, s: str = "", refresh: bool = True) -> None: ...

        def close(self) -> None: ...

    bar = Bar()
    document = f'{{"text": "{"a" * len(text)}", "numbers": [1, 2]}}'
    stream = so.from_chunks(chunked(document, *sizes)).pipe(
        ops.accumulate_json(), ops.track_progress(), ops.show_progress(bar)
    )

    for update in so.to_generator(stream):
        assert update.percent - 1 < bar.n <= update.percent
        assert (bar.n == 100) == update.value.complete


@pytest.mark.anyio
async def test_bars_follow_asynchronous_streams() -> None:
    bars = on_screen()
    source = Counting(*chunked(TEXT, 5))
    stream = so.from_chunks(source.awaited).pipe(
        ops.accumulate_json(), ops.track_progress(), ops.show_progress(bars)
    )

    async with nothing_left():
        await so.arun(stream)
        async with so.to_async_generator(stream) as updates:
            async for _ in updates:
                break

    assert not bars.live.is_started
    assert [task.completed for task in bars.tasks] == [100, 0]
    assert source.open == 0


def test_items_are_counted_on_a_bar() -> None:
    tqdms = Tqdms()
    users = so.from_chunks(chunked(TEXT, 5)).pipe(
        ops.accumulate_json(),
        ops.split_items(dict[str, str], ("users",)),
        ops.track_progress(expected=2),
        ops.show_progress(tqdms.bar),
    )

    counted = [update.percent for update in so.to_generator(users)]

    assert tqdms.bars[0].n == counted[-1] == 100


def test_it_is_known_of_the_source_whether_its_elements_are_items() -> None:
    bar = ops.show_progress(Tqdms().bar)

    assert are_items(progress().pipe(bar)) is are_items(progress())


@pytest.mark.parametrize("operator", [ops.accumulate_json(), rx.map(str)], ids=["ours", "any"])
def test_what_is_no_progress_ends_the_stream_in_an_error_with_the_fix(operator: Any) -> None:
    tqdms = Tqdms()

    received = outcome(reactivex.of("{}").pipe(operator, ops.show_progress(tqdms.bar)))

    assert isinstance(received.error, TypeError)
    assert str(received.error).endswith("put track_progress() before it")
    assert tqdms.lines[-1] == "  0%|TypeError"


def test_what_a_bar_raises_ends_the_stream() -> None:
    def refuse(_: Any, n: float) -> None:
        if n:
            raise KeyError("no room")

    bar: Any = type("Bar", (Tqdm,), {"update": refuse})
    source = Counting(*chunked(TEXT, 5))
    stream = so.from_chunks(source.blocking).pipe(
        ops.accumulate_json(),
        ops.track_progress(),
        ops.show_progress(partial(bar, file=StringIO())),
    )

    received = outcome(stream)

    assert isinstance(received.error, KeyError)
    assert source.open == 0


def test_a_bar_that_cannot_be_closed_ends_the_stream_in_that_error() -> None:
    def refuse(_: Any) -> None:
        raise ValueError("the file is closed")

    def nothing(_: Any) -> None: ...

    bar: Any = type("Bar", (Tqdm,), {"close": refuse, "__del__": nothing})
    new_bar = partial(bar, file=StringIO())

    completed = outcome(progress().pipe(ops.show_progress(new_bar)))
    failed = outcome(progress(HALF).pipe(ops.show_progress(new_bar)))

    assert isinstance(completed.error, ValueError)
    assert isinstance(failed.error, so.TruncatedJson)


def test_in_a_trace_it_is_one_stage() -> None:
    stages = so.trace(progress().pipe(ops.show_progress(Tqdms().bar))).stages

    assert [stage.name for stage in stages].count("show_progress") == 1


def test_what_a_subscriber_raises_is_his_and_closes_the_bar() -> None:
    bars = on_screen()

    def refuse(_: object) -> None:
        raise KeyError("mine")

    with no_threads_left(), pytest.raises(KeyError, match="mine"):
        progress().pipe(ops.show_progress(bars)).subscribe(refuse)

    assert not bars.live.is_started


class Watched(rich.progress.Progress):
    """Bars that do something when they start, and say which thread stops them."""

    def __init__(self, at_start: Callable[[], object] = lambda: None) -> None:
        super().__init__(console=Console(file=StringIO()), auto_refresh=False)
        self.at_start = at_start
        self.stopped: SimpleQueue[int] = SimpleQueue()

    def start(self) -> None:
        self.at_start()
        super().start()

    def stop(self) -> None:
        super().stop()
        self.stopped.put(threading.get_ident())


def has_ended(action: Callable[[], object]) -> bool:
    """Return whether an action comes to its end, in a thread that nothing waits for."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def leave_undisposed(bars: Any) -> None:
    """Subscribe as who is interrupted while a source pushes, and never disposes."""

    def interrupted() -> Iterator[str]:
        yield TEXT[:20]
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        so.from_chunks(interrupted).pipe(
            ops.accumulate_json(), ops.track_progress(), ops.show_progress(bars)
        ).subscribe()


def test_an_interrupt_while_a_source_pushes_leaves_nothing_of_rich() -> None:
    bars = Watched()
    leave_undisposed(bars)

    gc.collect()

    bars.stopped.get(timeout=PATIENCE)
    assert not bars.live.is_started


def test_the_garbage_collector_waits_for_no_bar() -> None:
    bars = Watched()
    leave_undisposed(bars)

    gc.collect()

    assert bars.stopped.get(timeout=PATIENCE) != threading.get_ident()


def test_a_stream_may_be_collected_while_another_begins() -> None:
    source: Subject[str] = Subject()
    held, left = [source], Watched()
    source.pipe(ops.accumulate_json(), ops.track_progress(), ops.show_progress(left)).subscribe()
    del source

    def forget() -> None:
        held.clear()
        gc.collect()

    bars = Watched(at_start=forget)

    assert has_ended(lambda: so.run(progress().pipe(ops.show_progress(bars))))
    left.stopped.get(timeout=PATIENCE)
    assert [task.completed for task in bars.tasks] == [100]


def test_bars_of_rich_do_not_wait_for_others() -> None:
    others = Watched()
    ended: list[bool] = []

    def run_another() -> None:
        ended.append(has_ended(lambda: so.run(progress().pipe(ops.show_progress(others)))))

    so.run(progress().pipe(ops.show_progress(Watched(at_start=run_another))))

    assert ended == [True]


NO_BARS: dict[str, Any] = {
    "nothing": None,
    "a number": 3,
    "a name": "tqdm",
    "a module": tqdm,
    "a function": print,
    "a function that makes a bar": lambda: Tqdm(),
    "a function with arguments": partial(print),
    "a method": Tqdm.write,
    "another class": dict,
    "an object": object(),
    "a function of tqdm with arguments": partial(tqdm.trange),
}


@pytest.mark.parametrize("bar", NO_BARS.values(), ids=NO_BARS)
def test_what_is_no_bar_raises_when_the_operator_is_built(bar: Any) -> None:
    with pytest.raises(TypeError, match=r"show_progress takes a bar of tqdm.*; for anything else"):
        ops.show_progress(bar)


def test_a_description_that_is_no_text_raises_when_the_operator_is_built() -> None:
    wrong: Any = 3

    with pytest.raises(TypeError, match="description is a text, not 3"):
        ops.show_progress(Tqdm, description=wrong)


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[red]x[/red]",
    "\x1b[2J",
    "\ud800",
    "\x00",
    "\u202eabc",
    "\\",
    "x" * 1000,
)


def keyed(key: str) -> Observable[so.Progress[dict[str, Any]]]:
    """Return Progress in a document with this key, as if a model had written it."""
    return so.from_chunks(['{"\\u0061": ', "1}"]).pipe(
        ops.accumulate_json(), ops.track_progress(), rx.map(partial(_Elsewhere, key))
    )


class _Elsewhere(so.Progress[Any]):
    """Progress at some other path."""

    def __init__(self, key: str, update: so.Progress[Any]) -> None:
        self._update = update
        self._key = key

    @property
    def percent(self) -> float:
        return min(self._update.percent, 50.0)

    @property
    def current(self) -> so.Path:
        return (self._key, 0)


@pytest.mark.parametrize("key", HOSTILE, ids=ascii)
def test_keys_that_a_model_wrote_are_shown_as_they_are_and_do_nothing(key: str) -> None:
    tqdms, bars = Tqdms(), on_screen()
    widget = FloatProgress()

    so.run(keyed(key).pipe(*map(ops.show_progress, (tqdms.bar, bars, widget))))

    place: str = widget.description
    assert place.isprintable()
    assert len(place) <= 40
    assert place.endswith("[0]")
    assert tqdms.lines[-1] == f" 50%|{place}"
    assert f"\x1b[2K{place} ━" in written(bars)


class Labelled:
    """Takes the description that rich gets."""

    live: Any
    description = ""

    def __init__(self) -> None:
        self.live = self
        self.is_started = True

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def stop_task(self, task_id: Any, /) -> None: ...

    def add_task(self, description: str, /) -> int:
        self.description = description
        return 0

    def update(self, task_id: Any, /, **changes: Any) -> None:
        self.description = changes["description"]


MARKUP = st.text(st.sampled_from("[]/ared #@0"), max_size=12)


@given(MARKUP)
def test_rich_shows_a_description_as_it_is_written(text: str) -> None:
    bars = Labelled()
    follower = follower_of(bars, text)()

    assert Text.from_markup(f"[bold]{bars.description}").plain == text

    follower.fail("KeyError")

    expected = f"{text}: KeyError" if text else "KeyError"
    assert Text.from_markup(bars.description).plain == expected


@given(st.text(st.sampled_from("[]/\\ared"), max_size=12))
def test_no_description_is_taken_for_markup(text: str) -> None:
    bars = Labelled()
    follower_of(bars, text)()

    assert Text.from_markup(bars.description).spans == []
