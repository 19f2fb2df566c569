"""The table and the histogram of a trace."""

from __future__ import annotations

from itertools import pairwise

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from pandas import DataFrame
from reactivex import operators as rx

from streamops import operators as ops
from streamops import trace
from streamops.delta import Delta
from streamops.snapshot import Snapshot
from streamops.tracing.table import Table
from streamops.tracing.trace import Trace
from tests.tracing.played import Clock, Script, following, played

SCRIPT: Script = [1.0, '[{"a', 0.5, '": 1}, ', 0.25, "2]", 0.25]


def is_complete(snapshot: Snapshot) -> bool:
    return snapshot.complete


def counted() -> Trace:
    return played(SCRIPT, ops.accumulate_json(), rx.filter(is_complete))


def test_a_table_tells_what_each_stage_did() -> None:
    table = counted().table()

    assert [list(row.values()) for row in table] == [
        ["from_chunks", 0, 3, 2.0, 1.0, 1.75],
        ["accumulate_json", 3, 3, 0.0, 1.0, 1.75],
        ["filter", 3, 1, 0.0, 1.75, 1.75],
    ]
    assert list(table[0]) == ["stage", "received", "emitted", "own time", "first at", "last at"]
    assert (len(table), table[-1]["stage"], len(table[:2])) == (3, "filter", 2)


def test_a_table_is_text_with_the_times_of_the_whole_beneath() -> None:
    assert str(counted().table()).splitlines() == [
        "stage            received  emitted  own time  first at  last at",
        "from_chunks             0        3    2.00 s    1.00 s   1.75 s",
        "accumulate_json         3        3      0 µs    1.00 s   1.75 s",
        "filter                  3        1      0 µs    1.75 s   1.75 s",
        "",
        "first chunk 1.00 s · first field 1.00 s · whole 2.00 s",
    ]


def test_a_table_is_rows_to_pandas() -> None:
    frame = DataFrame(counted().table())

    assert frame["stage"].tolist() == ["from_chunks", "accumulate_json", "filter"]
    assert frame["emitted"].sum() == 7


def test_a_name_with_dollars_is_no_mathematics_in_a_notebook() -> None:
    html = Table(({"stage": "$x$"},)).to_html()

    assert "<span>$</span>x<span>$</span>" in html


def test_a_stage_that_emitted_nothing_has_no_times() -> None:
    table = played(["a"], rx.filter(lambda _: False)).table()

    assert table[1]["first at"] is None
    assert str(table).splitlines()[2].split() == ["filter", "1", "0", "0", "µs"]


def burst(count: int, pause: float, of: int) -> Script:
    parts: list[float | str] = [pause, *["text"] * of]
    return parts * count


def test_a_histogram_counts_characters_and_gaps_of_chunks_with_text() -> None:
    script: Script = [
        1.0,
        Delta(),
        "a",
        0.003,
        "bcd",
        0.07,
        "ef",
        Delta(kind="finish"),
        0.0015,
        "g",
    ]
    histogram = played(script).histogram()

    assert histogram.sizes == (1, 3, 2, 1)
    assert histogram.gaps == pytest.approx((0.003, 0.07, 0.0015))
    assert [(bar.label, bar.count) for bar in histogram.size_bars] == [("1", 2), ("2 to 3", 2)]
    assert [(bar.label, bar.count) for bar in histogram.gap_bars if bar.count] == [
        ("1 ms to 2 ms", 1),
        ("2 ms to 5 ms", 1),
        ("50 ms to 100 ms", 1),
    ]


def test_a_gap_does_not_reach_from_one_request_to_the_next() -> None:
    histogram = played(["a", 1.0, "b", 5.0], rx.repeat(2)).histogram()

    assert histogram.gaps == (1.0, 1.0)


def test_a_gap_lies_within_one_of_the_requests_that_overlap() -> None:
    clock = Clock()
    chunks: Script = [part for _ in range(20) for part in (1.0, "text")]
    overlapping = trace(reactivex.merge(*(following(chunks, clock) for _ in range(4))), clock=clock)

    assert set(overlapping.histogram().gaps[:40]) == {4.0}
    assert overlapping.histogram().verdict.startswith("Chunks come one by one")


VERDICTS: list[tuple[Script, str]] = [
    (["a"] * 5, "4 gaps: too few to say whether chunks come in bursts."),
    ([], "0 gaps: too few to say whether chunks come in bursts."),
    (
        burst(5, 0.2, 20),
        """Chunks come in bursts: 95 of 99 gaps are below 808 µs, and 4 gaps hold 100% of the \
waiting, as if something on their way collected them.""",
    ),
    (
        burst(20, 0.02, 1),
        """Chunks come one by one: the median gap is 20.0 ms, the longest 20.0 ms, and 0 of 19 \
are below 2.00 ms.""",
    ),
    (
        burst(20, 0.02, 2),
        """Some chunks come together: 20 of 39 gaps are below 974 µs; the median gap is 0 µs, \
the longest 20.0 ms.""",
    ),
    (
        burst(20, 0.001, 2),
        "Chunks come as fast as they are read: the longest of 39 gaps is 1.00 ms.",
    ),
    (["a"] * 20, "Chunks come as fast as they are read: the longest of 19 gaps is 0 µs."),
]


@pytest.mark.parametrize(("script", "verdict"), VERDICTS)
def test_a_histogram_says_what_the_gaps_say(script: Script, verdict: str) -> None:
    assert played(script).histogram().verdict == verdict


def test_a_histogram_is_text_and_html() -> None:
    histogram = played(burst(6, 0.2, 2)).histogram()
    html = histogram.to_html()

    assert str(histogram).splitlines() == [
        "Characters in each of 12 chunks",
        "  4 to 7  ██████████████████████████████  12",
        "",
        "Time between chunks, 11 gaps",
        "            < 1 ms  ██████████████████████████████  6",
        "      1 ms to 2 ms                                  0",
        "      2 ms to 5 ms                                  0",
        "     5 ms to 10 ms                                  0",
        "    10 ms to 20 ms                                  0",
        "    20 ms to 50 ms                                  0",
        "   50 ms to 100 ms                                  0",
        "  100 ms to 200 ms                                  0",
        "          ≥ 200 ms  █████████████████████████       5",
        "",
        histogram.verdict,
    ]
    assert "█" in html
    assert histogram.verdict in html


@given(st.lists(st.floats(0, 100), max_size=30), st.lists(st.integers(1, 5000), max_size=30))
def test_every_gap_and_size_is_in_one_bar(gaps: list[float], sizes: list[int]) -> None:
    script: list[float | str] = [part for gap in gaps for part in (gap, "x")]
    histogram = played([*script, *("y" * size for size in sizes)]).histogram()

    assert sum(bar.count for bar in histogram.gap_bars) == len(histogram.gaps)
    assert sum(bar.count for bar in histogram.size_bars) == len(gaps) + len(sizes)
    assert all(a.label != b.label for a, b in pairwise(histogram.gap_bars))


def test_a_notebook_shades_no_rows() -> None:
    traced = played(burst(3, 0.2, 2))
    html = traced.histogram().to_html() + traced.table().to_html()

    assert html.count("<tr") == html.count('<tr style="border:0;background:transparent"') > 3
