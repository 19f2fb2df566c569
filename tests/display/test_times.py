"""How times are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamops.display.times import tick_label, ticks, time_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 µs"),
        (0.000035, "35 µs"),
        (0.0042, "4.20 ms"),
        (0.0421, "42.1 ms"),
        (0.421, "421 ms"),
        (0.9999, "1.00 s"),
        (12.34, "12.3 s"),
        (59.94, "59.9 s"),
        (59.96, "1:00 min"),
        (125.0, "2:05 min"),
        (3599.4, "59:59 min"),
        (3599.6, "1:00:00 h"),
        (36_610.0, "10:10:10 h"),
    ],
)
def test_times_are_written_in_the_unit_that_fits(seconds: float, words: str) -> None:
    assert time_in_words(seconds) == words


@given(st.floats(1e-7, 1e6), st.integers(1, 20))
def test_ticks_are_round_and_not_too_many(seconds: float, most: int) -> None:
    found = ticks(seconds, most)

    assert found[0] == 0
    assert len(found) <= most + 1
    assert found[-1] <= seconds * 1.001
    assert len(found) > most / 3 or most == 1


@pytest.mark.parametrize(
    ("last", "labels"),
    [
        (0.0004, ["0 µs", "100 µs", "200 µs"]),
        (0.04, ["0 ms", "10 ms", "20 ms"]),
        (4.0, ["0 s", "1 s", "2 s"]),
        (100.0, ["0:00 min", "0:30 min", "1:00 min"]),
        (3000.0, ["0:00 min", "20:00 min", "40:00 min"]),
        (7200.0, ["0:00:00 h", "0:30:00 h", "1:00:00 h"]),
        (50_000.0, ["0:00:00 h", "5:00:00 h", "10:00:00 h"]),
    ],
)
def test_an_axis_has_round_times_in_one_unit(last: float, labels: list[str]) -> None:
    assert [tick_label(tick, last) for tick in ticks(last, 4)][:3] == labels
