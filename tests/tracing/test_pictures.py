"""How a trace looks: as text, as SVG and in a notebook."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from reactivex import Observable
from reactivex import operators as rx

from streamops import operators as ops
from streamops import trace
from streamops.delta import Delta
from streamops.display.visible import visible
from streamops.snapshot import Snapshot
from streamops.sources.iterables import from_chunks
from streamops.testing import chunked
from streamops.tracing.figures import fitted, width_of
from streamops.tracing.trace import Trace
from tests.tracing.played import Clock, Script, following, played

SVG = "{http://www.w3.org/2000/svg}"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[red]x[/red]",
    "\x1b[2J",
    "\ud800",
    "\x00",
    "\u202etxt.exe",
    "]]>",
    "&amp;",
]


class User(BaseModel):
    name: str


class Team(BaseModel):
    users: list[User]


def drawn(traced: Trace) -> ET.Element:
    return ET.fromstring(traced._repr_svg_())  # pyright: ignore[reportPrivateUsage]


def html_of(traced: Trace) -> str:
    return traced._repr_html_()  # pyright: ignore[reportPrivateUsage]


def titles(svg: ET.Element) -> list[str]:
    return [title.text or "" for title in svg.iter(f"{SVG}title")]


def texts(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter(f"{SVG}text")]


def marbles(svg: ET.Element) -> list[ET.Element]:
    return [circle for circle in svg.iter(f"{SVG}circle") if circle.find(f"{SVG}title") is not None]


def simple() -> Trace:
    script: Script = [1.0, '[{"na', 1.0, 'me": "Jo"}, ', 1.0, '{"name": "Al"}]', 1.0]
    return played(script, ops.accumulate_json(), ops.split_items(User), ops.track_progress())


def test_a_trace_is_shown_as_a_row_for_each_stage() -> None:
    lines = simple().to_text(62).splitlines()

    assert lines == [
        "from_chunks        ──────────·─────────·─────────·────────|  3",
        "accumulate_json    ──────────○─────────○─────────○────────|  3",
        "split_items(User)  ────────────────────●─────────●────────|  2",
        "track_progress     ────────────────────%─────────%────────|  3",
        "                   ╵0 s      ╵1 s      ╵2 s      ╵3 s",
        "· chunk   ○ snapshot   % progress   ● item   | completed",
        "first chunk 1.00 s   first field 1.00 s   first item 2.00 s",
        "whole 4.00 s",
    ]


def test_a_failure_and_what_is_tried_again_are_marked() -> None:
    errors = iter([LookupError("gone")])
    clock = Clock()

    def fail_once(delta: Delta) -> Delta:
        clock.now += 1.0
        for error in errors:
            raise error
        return delta

    def broken(_: Delta) -> Delta:
        raise ValueError("no\nuse")

    traced = played(
        ["a", 1.0, "b"], rx.map(fail_once), rx.retry(2), rx.skip(1), rx.map(broken), clock=clock
    )
    lines = traced.to_text(40).splitlines()

    assert lines[0].startswith("from_chunks  ·")
    assert "↻" in lines[0]
    assert "X" in lines[1]
    assert lines[-1] == "ended with ValueError: no"
    assert {"↻ begun again", "X failed"} <= set(re.split(" {3}", "   ".join(lines)))


@given(
    st.integers(40, 120),
    st.lists(st.floats(0, 1e5), max_size=5),
    st.text(st.characters(codec="utf-8"), max_size=60),
)
def test_no_line_is_wider_than_asked(width: int, waits: list[float], name: str) -> None:
    script = [part for wait in waits for part in (wait, "x")]
    traced = played(script, ops.accumulate_json(), ops.select((name,)), rx.map(str))

    assert max(map(width_of, traced.to_text(width).splitlines())) <= width


def test_there_is_a_width_below_which_no_diagram_fits() -> None:
    with pytest.raises(ValueError, match="at least 40 columns"):
        simple().to_text(39)


def test_str_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "61")

    assert str(simple()) == simple().to_text(61)


def test_a_trace_of_nothing_can_be_shown() -> None:
    traced = played([])

    assert traced.to_text(40).startswith("from_chunks  |")
    assert marbles(drawn(traced)) == []
    assert "from_chunks" in html_of(traced)
    assert str(traced.table()).startswith("stage")
    assert Trace((), 0.0, None).to_text(40)
    assert drawn(Trace((), 0.0, None)) is not None
    assert str(Trace((), 0.0, None).table())
    assert str(Trace((), 0.0, None).histogram())


def test_each_marble_says_what_it_is_and_when_it_came() -> None:
    svg = drawn(simple())

    assert titles(svg)[:4] == [
        "from_chunks: 0 received, 3 emitted",
        '1.00 s: “[{"na”',
        '2.00 s: “me": "Jo"}, ”',
        '3.00 s: “{"name": "Al"}]”',
    ]
    assert "2.00 s: name='Jo'" not in titles(svg)
    assert "2.00 s: User(name='Jo')" in titles(svg)
    assert "3.00 s: [1].name = “Al” ✓; complete" in titles(svg)
    assert {"Jo", "Al", "0 s", "4 s", "chunk", "snapshot", "item", "progress"} <= set(texts(svg))


def test_a_partial_says_what_grew_and_the_model_that_it_is_whole() -> None:
    svg = drawn(
        played([1.0, '{"name": "J', 1.0, 'o"}'], ops.accumulate_json(), ops.to_partial(User))
    )

    assert "1.00 s: name = “J” …" in titles(svg)
    assert "2.00 s: User(name='Jo')" in titles(svg)
    assert "User ✓" in texts(svg)


def test_chunks_that_say_nothing_are_described_too() -> None:
    deltas = [Delta(kind="finish", finish_reason="stop"), Delta("{", "tool_call", name="f")]
    svg = drawn(played([0.5, deltas[0], 0.5, deltas[1]]))

    assert "500 ms: Delta(kind='finish', finish_reason='stop')" in titles(svg)
    assert "1.00 s: tool_call “{”" in titles(svg)


def test_progress_never_shows_100_percent_before_the_end() -> None:
    chunks = chunked(f"[{'1, ' * 400}1]", 3)
    script = [part for chunk in chunks for part in (1.0, chunk)]
    svg = drawn(played(script, ops.accumulate_json(), ops.track_progress()))

    shown = [text for text in texts(svg) if text.endswith("%")]

    assert sum("100%" in title for title in titles(svg)) == 1
    assert len(shown) == len(set(shown)) > 1


def test_marbles_that_come_close_are_drawn_as_one_with_a_count() -> None:
    svg = drawn(played([1.0, "a", "b", "c", 1.0, "d"]))

    assert titles(svg)[1:] == [
        "3 until 1.00 s, from 1.00 s: “a”",
        "2.00 s: “d”",
        "2.00 s: completed",
    ]
    assert "a \N{MULTIPLICATION SIGN}3" in texts(svg)


def test_what_comes_in_turns_is_drawn_as_one_of_each_sort() -> None:
    def in_turns(count: int) -> list[str | Delta]:
        return [Delta("1 ") if index % 2 else Delta("a") for index in range(count)]

    def known(delta: Delta) -> object:
        return 1 if delta.text == "1 " else delta

    svg = drawn(played([1.0, *in_turns(100)], rx.map(known)))

    assert titles(svg)[-4:] == [
        "map: 100 received, 100 emitted",
        "50 until 1.00 s, from 1.00 s: “a”",
        "50 until 1.00 s, from 1.00 s: 1",
        "1.00 s: completed",
    ]


def test_many_events_stay_small() -> None:
    traced = trace(from_chunks(["x"] * 10_000).pipe(rx.map(str), rx.filter(bool)))

    assert len(marbles(drawn(traced))) < 1000
    assert len(html_of(traced)) < 200_000
    assert traced.stages[1].emitted == 10_000


def views(count: int) -> Trace:
    """Trace views of one document, each of three stages."""
    clock = Clock()
    shared = following([1.0, '{"a": 1}'], clock).pipe(ops.accumulate_json(), ops.share_latest())
    read = [shared.pipe(ops.select((f"{index}",)), rx.map(str)) for index in range(count)]
    return trace(reactivex.merge(*read), clock=clock)


def test_of_dozens_of_stages_the_first_and_the_last_are_drawn() -> None:
    traced = views(500)
    table = traced.table()
    svg = drawn(traced)

    assert len(traced.stages) == len(table) == 1004
    assert int(svg.get("viewBox", "").split()[-1]) < 2000
    assert {"from_chunks", "… 965 more", "merge"} < set(texts(svg))
    assert traced.to_text(80).splitlines()[29] == "… 965 more"
    assert str(table).splitlines()[30] == "… 965 more"
    assert table.to_html().count("<tr") == 41
    assert "… 965 more" in table.to_html()
    assert len(html_of(traced)) < 100_000


def test_as_many_stages_as_one_looks_at_are_all_drawn() -> None:
    traced = views(18)

    assert len(traced.stages) == 40
    assert traced.to_text(80).splitlines()[39].startswith("merge")
    assert not any("more" in text for text in texts(drawn(traced)))


@pytest.mark.parametrize("count", [2, 18, 500])
def test_time_runs_from_left_to_right_and_has_room(count: int) -> None:
    ticks = [float(tick.get("x", "")) for tick in _ticks(drawn(views(count)))]
    begin, *_, end = ticks

    assert ticks == sorted(ticks)
    assert begin < 400
    assert end > 850


def test_lines_of_what_is_shared_and_of_what_is_merged_take_a_lane_each() -> None:
    def lanes(traced: Trace) -> set[str]:
        ways = [path.get("d", "") for path in _links(traced)]
        return {way.partition("Q")[2].partition(" ")[0] for way in ways if "Q" in way}

    assert len(lanes(views(3))) == len(lanes(views(18))) == 2


def test_times_have_a_line_of_their_own_where_the_legend_leaves_no_room() -> None:
    def rows_of_legend(*operators: Any) -> set[str | None]:
        script: Script = [1.25, '{"users": [{"name": "Jo"}, ', 0.25, '{"name": "Al"}]}']
        svg = drawn(played(script, ops.accumulate_json(), *operators))
        return {text.get("y") for text in svg.iter(f"{SVG}text") if text.get("font-size") == "11"}

    def all_kinds(snapshots: Any) -> Observable[Any]:
        shared = snapshots.pipe(ops.share_latest())
        events, users = shared.pipe(ops.field_events()), shared.pipe(ops.split_items(User))
        team = shared.pipe(ops.to_partial(Team), ops.track_progress())
        return reactivex.merge(events, users, team, shared.pipe(rx.map(lambda _: 1)))

    assert len(rows_of_legend()) == 1
    assert len(rows_of_legend(all_kinds)) == 2


def test_what_is_begun_often_is_marked_as_often_as_there_is_room() -> None:
    traced = played(["a", 1.0] * 1000, rx.flat_map(lambda _: from_chunks(["b"])))
    marks = [title for title in titles(drawn(traced)) if title.endswith(": subscribed")]

    assert traced.stages[1].subscriptions == 1000
    assert 20 < len(marks) < 100


def test_wide_characters_have_the_room_they_take() -> None:
    wide, narrow = (
        drawn(played([1.0, "{}"], ops.accumulate_json(), ops.select((sign * 7,))))
        for sign in ("名", "n")
    )
    begins = [min(float(line.get("x", "")) for line in _ticks(svg)) for svg in (narrow, wide)]

    assert begins[1] - begins[0] > 50


def _ticks(svg: ET.Element) -> list[ET.Element]:
    return [text for text in svg.iter(f"{SVG}text") if re.fullmatch(r"[\d.]+ m?s", text.text or "")]


def test_what_reads_what_is_joined() -> None:
    clock = Clock()
    shared = following(["{}"], clock).pipe(ops.accumulate_json(), ops.share_latest())
    merged = reactivex.merge(shared.pipe(rx.map(str)), shared.pipe(rx.filter(bool)))
    one = played(["{}"], ops.accumulate_json())
    joined = [len(list(svg)) for svg in map(_links, (one, trace(merged, clock=clock)))]

    assert joined == [1, 6]


def _links(traced: Trace) -> ET.Element:
    (links,) = (
        group for group in drawn(traced).iter(f"{SVG}g") if group.get("stroke-linecap") == "round"
    )
    return links


def test_a_picture_is_a_file_of_its_own_that_takes_the_width_there_is(tmp_path: Path) -> None:
    path = tmp_path / "trace.svg"
    simple().to_svg(path)
    svg = ET.parse(path).getroot()

    assert svg.tag == f"{SVG}svg"
    assert svg.get("viewBox", "").startswith("0 0 960 ")
    assert {"width", "height"}.isdisjoint(svg.keys())
    assert [part.get("id") for part in svg.iter() if part.get("id")] == []


def test_a_notebook_shows_the_picture_the_text_and_the_figures() -> None:
    html = html_of(simple())

    assert html.count("<svg") == html.count("<details>") == html.count("<table") == 1
    assert "<pre" in html
    assert "from_chunks        ──" in html
    assert "first item" in html


def test_texts_of_a_picture_are_no_mathematics_in_a_notebook() -> None:
    html = html_of(played(["costs $5 ", "to $10"]))

    assert "$5" in html
    assert html.startswith('<div class="tex2jax_ignore mathjax_ignore"')


class Inert(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def hostile_traces(text: str) -> list[Trace]:
    """Let a text come as a chunk, a key, a value, a name of a stage and an error."""

    def broken(_: object) -> object:
        raise ValueError(text)

    class Hostile(BaseModel):
        name: str

        def __repr__(self) -> str:
            return text

    def named(_: Snapshot) -> Hostile:
        return Hostile.model_construct(name=text)

    class Failing(Exception):
        def __str__(self) -> str:
            raise LookupError

    Hostile.__name__ = text.replace("\x00", "").encode(errors="ignore").decode()
    snapshots: Script = [1.0, Delta('{"'), Delta(text), Delta('": ["'), Delta(text), Delta('"]}')]

    return [
        played([1.0, Delta(text), 1.0, Delta(text, "tool_call", name=text)]),
        played(snapshots, ops.accumulate_json(), ops.track_progress()),
        played(["{}"], ops.accumulate_json(), ops.select((text,)), ops.to_partial(Hostile)),
        played([1.0, '{"a": 1}'], ops.accumulate_json(), rx.map(named)),
        played([1.0, "a"], rx.map(broken)),
        played([1.0, "a", Failing()]),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_model_wrote_is_inert(text: str) -> None:
    for traced in hostile_traces(text):
        shown = [str(traced), str(traced.table()), str(traced.histogram()), repr(traced)]
        html = [html_of(traced), traced.table().to_html()]
        svg = drawn(traced)
        page = Inert()
        page.feed("".join(html))

        assert "".join(shown) == visible("".join(shown))
        assert "".join(html) == visible("".join(html))
        assert not page.tags & {"script", "img"}
        assert not {name for name in page.attributes if name.startswith("on")}
        assert {part.tag.removeprefix(SVG) for part in svg.iter()} <= {
            "svg",
            "g",
            "rect",
            "path",
            "circle",
            "text",
            "title",
        }


@given(st.text())
def test_any_text_makes_a_picture_that_can_be_read(text: str) -> None:
    traced = played([1.0, Delta(text), 1.0, Delta("]")], ops.select_channel("content"))

    assert len(marbles(drawn(traced))) == 4


def test_elements_that_cannot_say_what_they_are_are_named_by_their_types() -> None:
    class Mute(BaseModel):
        name: str

        def __getattribute__(self, name: str) -> object:
            if name == "name":
                raise LookupError
            return super().__getattribute__(name)

    def mute(_: Delta) -> Mute:
        return Mute.model_construct()

    assert "0 µs: a Mute" in titles(drawn(played(["a"], rx.map(mute))))


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 30))
def test_a_text_is_fitted_into_columns(text: str, width: int) -> None:
    assert width_of(fitted(text, width)) == width


READERS: list[Callable[[Trace], str]] = [str, html_of, lambda traced: repr(drawn(traced))]


@pytest.mark.parametrize("read", READERS)
def test_looking_at_a_trace_changes_nothing(read: Callable[[Trace], str]) -> None:
    traced = simple()
    before = traced.to_text(100)
    read(traced)

    assert traced.to_text(100) == before
