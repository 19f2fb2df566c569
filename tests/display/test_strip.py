"""What a history looks like: as HTML, as lines, and with a slider."""

from __future__ import annotations

import itertools
import re
import sys
from typing import Any

import pytest
import reactivex
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx

import streamops as so
from notebooks.run import run_cells
from streamops import operators as ops
from streamops.display.times import time_in_words
from streamops.testing import chunked
from tests.display.hostile import HOSTILE, UNSEEN


class Note(BaseModel):
    title: str
    pages: int


class User(BaseModel):
    name: str


TEXT = '{"title": "On maps", "pages": 12}'


def history(text: str = TEXT, *, size: int = 3, tracked: bool = False) -> so.History[Any]:
    """Run a stream, of which each moment comes a quarter of a second after the one before."""
    notes: Any = so.from_chunks(chunked(text, size)).pipe(
        ops.accumulate_json(), ops.to_partial(Note)
    )
    if tracked:
        notes = notes.pipe(ops.track_progress())
    return so.history(notes, clock=itertools.count(0, 0.25).__next__)


def users(*operators: Any) -> Observable[Any]:
    """Return what operators make of two users, of which one is invalid."""
    read: Observable[Any] = so.from_chunks(lambda: iter(USERS)).pipe(ops.accumulate_json())
    return read.pipe(*operators)


def html_of(shown: so.History[Any]) -> str:
    html: str = bundle_of(shown)["text/html"]
    return html


def bundle_of(shown: Any) -> dict[str, Any]:
    """Return all that a notebook gets to display."""
    bundle: dict[str, Any] = shown._repr_mimebundle_()
    return bundle


def texts_in(html: str) -> list[str]:
    """List the texts that remain where all tags are stripped."""
    return [text for text in re.split(r"<[^>]*>", html) if text.strip(" \xa0&nbsp;")]


def test_lines_show_moments_with_their_times() -> None:
    assert str(history(tracked=True)).splitlines() == [
        "6 moments in 1.75 s",
        "250 ms · 0%    title=, pages=",
        "500 ms · 0%    title: O",
        "750 ms · 0%    title: On m",
        "1.00 s · 1%    title: On maps",
        "1.25 s · 50%   title=On maps, pages=",
        "1.50 s · 100%  title=On maps, pages=12",
    ]


def test_html_shows_moments_with_their_times_also_without_styles() -> None:
    shown = texts_in(html_of(history('{"title": "On', size=9)))

    assert shown[:9] == [
        "2 moments in 750 ms",
        "250 ms",
        "title",
        "—",
        "pages",
        "—",
        "500 ms",
        "…",
        "title",
    ]
    assert shown[-2:] == [
        "TruncatedJson",
        "The JSON is incomplete after &#x27;{&quot;title&quot;: &quot;On&#x27;: the stream stopped",
    ]


def test_an_error_stands_at_the_end_of_the_lines() -> None:
    last = str(history('{"title": "On')).splitlines()[-1]

    assert last.startswith("✗ TruncatedJson: The JSON is incomplete after")


def test_percents_stand_beside_the_times() -> None:
    shown = texts_in(html_of(history(tracked=True)))

    assert shown[shown.index("1.50 s") + 1] == " · 100%"


USERS = '{"users": [{"name": "x"}, {"name": 3}], "t": "he"}'
OTHERS: dict[str, tuple[Observable[Any], list[str], list[str]]] = {
    "Deltas": (
        reactivex.of(
            so.Delta("let me", kind="reasoning"),
            so.Delta('{"a', kind="tool_call", name="search"),
            so.Delta(kind="finish", finish_reason="stop"),
        ),
        ["reasoning=let me", 'tool call search={"a', "finish=stop"],
        ["reasoning", "let me", "tool call search", "{&quot;a", "finish", "stop"],
    ),
    "results of items": (
        users(ops.split_items(User, "users", on_invalid="result")),
        ["name=x", "✗ SchemaMismatch at users[1]: users[1].name: Input should be a valid string"],
        [
            *("name", "x", "✗", "SchemaMismatch", " at ", "users[1]"),
            "users[1].name: Input should be a valid string",
        ],
    ),
    "items of several lists": (
        users(ops.split_items({"users": dict[str, Any]})),
        ["users={name=x}", "users={name=3}"],
        ["users", "name", "x", "users", "name", "3"],
    ),
    "events": (
        users(ops.field_events(), rx.take(5)),
        [
            *("started=the root", "started=users", "started=users[0]", "started=users[0].name"),
            "grew=users[0].name, text=x",
        ],
        [
            *("started", "the root", "started", "users", "started", "users[0]"),
            *("started", "users[0].name", "grew", "users[0].name", "text", "x"),
        ],
    ),
}


@pytest.mark.parametrize(("stream", "lines", "texts"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_document_is_shown_as_what_it_is(
    stream: Observable[Any], lines: list[str], texts: list[str]
) -> None:
    shown = so.history(stream, clock=itertools.count().__next__)
    _, slider, _, moved = parts(shown.slider())

    written = [line.split(" s  ")[1] for line in str(shown).splitlines()[1:]]
    in_html = [text for text in texts_in(html_of(shown))[1:] if not re.match(r"✓|\d\.\d\d s", text)]
    in_slider: list[str] = []
    for slider.value in range(len(shown)):
        in_slider += [text for text in texts_in(moved.value) if text != "✓"]

    assert written == lines
    assert in_html == texts
    assert in_slider == texts


def test_a_progress_of_items_is_shown_as_its_item_with_a_bar() -> None:
    shown = so.history(
        users(ops.split_items({"users": dict[str, Any]}), ops.track_progress(expected=4)),
        clock=itertools.count().__next__,
    )
    *_, moved = parts(shown.slider())

    assert str(shown).splitlines()[1] == "1.00 s · 25%   users={name=x}"
    assert "role=" in moved.value


def test_few_narrow_moments_stand_side_by_side_and_wide_ones_below_one_another() -> None:
    narrow = html_of(history())
    long = {"title": "x" * 100, **{f"{number}{'y' * 40}": "z" * 40 for number in range(3)}}
    wide = html_of(so.history(reactivex.of(*({**long, "n": number} for number in range(9)))))

    assert "</tr><tr><td" not in outer(narrow)
    assert outer(wide).count("</tr><tr><td") == 2


def outer(html: str) -> str:
    """Return HTML without the tables in its table."""
    start, _, rest = html.partition("<table")
    return start + re.sub(r"<table(?:(?!<table).)*?</table>", "", rest)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 50, 5000])
def test_a_handful_of_moments_is_shown_with_the_first_and_the_last(count: int) -> None:
    shown = so.history(reactivex.range(count), clock=itertools.count(0, 60).__next__)

    times = re.findall(r"<b>([\d:]+ (?:min|h))</b>", html_of(shown))
    lines = str(shown).splitlines()

    assert len(times) == min(count, 6)
    assert len(lines) == 1 + min(count, 12)
    assert times[:1] == ["1:00 min"][:count]
    assert times[-1:] == [time_in_words(60 * count)][:count]
    assert len(html_of(shown)) < 6000


def test_large_values_stay_small() -> None:
    rows = [{"text": "x" * 10_000, "numbers": list(range(1000))} for _ in range(200)]

    shown = so.history(reactivex.of(*rows, {"last": rows}))

    assert len(html_of(shown)) < 50_000
    assert all(len(line) <= 100 for line in str(shown).splitlines())


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_what_a_model_wrote_is_escaped(text: str) -> None:
    error = ValueError(text)
    values: list[Any] = [
        {text: text},
        {"list": [text], text: {text: 1}},
        so.Delta(text, kind="tool_call", name=text),
        ops.Tagged(text, {text: text}),
        ops.FieldEvent("closed", (text,), {text: text}),
    ]
    shown = so.history(reactivex.concat(reactivex.of(*values), reactivex.throw(error)))

    html = html_of(shown)

    for harm in ("<script", "<img", "</td></table>x", *UNSEEN):
        assert harm not in html
    assert not any(character in str(shown) for character in UNSEEN)
    assert html.count("</table>") == html.count("<table")


def parts(slider: Any) -> tuple[Any, Any, Any, Any]:
    """Return what plays, the slider, its label, and what is shown."""
    (controls, shown) = slider.children
    play, moved, label = controls.children
    return play, moved, label, shown


def test_a_slider_begins_at_the_end_and_shows_the_moment_that_it_is_moved_to() -> None:
    play, slider, label, shown = parts(history(tracked=True).slider())

    assert (play.max, play.value) == (slider.max, slider.value) == (5, 5)
    assert label.value == "1.50 s · 100% · 6 of 6"
    assert "On maps" in shown.value

    slider.value = 2

    assert label.value == "750 ms · 0% · 3 of 6"
    assert "<i>On" in shown.value
    assert "role=" in shown.value


def test_a_slider_shows_an_error_at_its_end() -> None:
    _, slider, _, shown = parts(history('{"title": "On').slider())

    assert "TruncatedJson" in shown.value

    slider.value = 0

    assert "TruncatedJson" not in shown.value


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_slider_shows_what_a_model_wrote_escaped(text: str) -> None:
    _, _, label, shown = parts(so.history(reactivex.of({text: text})).slider())

    for harm in ("<script", "<img", *UNSEEN):
        assert harm not in shown.value + label.value


@pytest.mark.parametrize(("count", "interval"), [(100, 20), (10, 200), (1, 500)])
def test_a_slider_plays_about_as_fast_as_it_was(count: int, interval: int) -> None:
    seconds = iter([0.0, *[0.0] * count, 2.0])

    play, *_ = parts(so.history(reactivex.range(count), clock=seconds.__next__).slider())

    assert play.interval == interval


def test_without_ipywidgets_a_slider_is_an_error_and_the_strip_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = history()
    monkeypatch.setitem(sys.modules, "ipywidgets", None)

    with pytest.raises(ImportError):
        shown.slider()
    assert set(bundle_of(shown)) == {"text/plain", "text/html"}


def test_in_a_kernel_a_history_is_displayed_with_its_slider_and_a_strip_without() -> None:
    source = (
        "import reactivex\n"
        "import streamops as so\n"
        "from IPython.display import display\n"
        "display(so.history(reactivex.of('<script>alert(1)</script>', 'b')))\n"
        "so.history(reactivex.empty())"
    )
    cell: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
    cells: list[Any] = [{**cell, "metadata": {}, "source": source}]

    executed = run_cells({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})

    filled, empty = (output["data"] for output in executed["cells"][0]["outputs"])
    widget = "application/vnd.jupyter.widget-view+json"
    assert set(filled) == {widget, "text/html", "text/plain"}
    assert filled[widget]["model_id"]
    assert "&lt;script&gt;" in filled["text/html"]
    assert "<script" not in filled["text/html"]
    assert filled["text/plain"].startswith("2 moments in ")
    assert set(empty) == {"text/html", "text/plain"}
