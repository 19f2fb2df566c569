"""What `streamops.testing` promises."""

from __future__ import annotations

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as rx

from streamops.testing import Stage, chunked
from tests.documents import chunk_sizes


def test_a_stream_that_runs_like_the_marbles_equals_them() -> None:
    stage = Stage()
    letters = stage.cold("-a-(b,c)-|", a="x")

    assert stage.run(letters) == stage.expect("-a-(b,c)-|", a="x")


def test_a_stream_that_differs_in_time_or_value_does_not() -> None:
    stage = Stage()

    messages = stage.run(stage.cold("-a-|"))

    assert messages != stage.expect("--a|")
    assert messages != stage.expect("-b-|")
    assert messages != stage.expect("-a-#")
    assert messages != stage.expect("-a-")


def test_every_subscription_has_a_window() -> None:
    stage = Stage()
    letters = stage.cold("-a|")

    stage.run(letters.pipe(rx.repeat(2)))

    assert letters.subscriptions == stage.window("^-!", "--^-!")


def test_a_subscription_that_nothing_ends_lasts_until_the_run_is_over() -> None:
    stage = Stage()
    letters = stage.cold("-a-")

    stage.run(letters)

    assert letters.subscriptions == stage.window("^")


def test_a_run_can_be_ended_early() -> None:
    stage = Stage()
    letters = stage.cold("-a-b-c-|")

    assert stage.run(letters, until=4) == stage.expect("-a-b")
    assert letters.subscriptions == stage.window("^---!")


def test_timers_run_in_virtual_time() -> None:
    stage = Stage()

    assert stage.run(reactivex.timer(700.0)) == stage.expect("-" * 700 + "(0,|)")


@pytest.mark.parametrize("sizes", [(), (0,), (3, -1)])
def test_text_cannot_be_cut_without_sizes(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="chunked needs sizes of at least 1"):
        chunked("text", *sizes)


@given(st.text(), chunk_sizes)
def test_chunks_have_the_sizes_in_turn_and_lose_nothing(text: str, sizes: list[int]) -> None:
    chunks = chunked(text, *sizes)

    assert "".join(chunks) == text
    assert all(chunks)
    lengths = [len(chunk) for chunk in chunks[:-1]]
    assert lengths == (sizes * len(chunks))[: len(lengths)]
