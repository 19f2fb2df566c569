"""What is timed of a start does what it says."""

from __future__ import annotations

import os

import pytest

from benchmarks.start import STARTS, Start, milliseconds


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.name)
def test_a_start_that_is_timed_ends_well(start: Start) -> None:
    assert milliseconds(start, os.environ) > 0
