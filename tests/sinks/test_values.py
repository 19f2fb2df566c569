"""What `run` and `arun` promise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex
from reactivex.internal import SequenceContainsNoElementsError

from streamops.delta import Delta
from streamops.errors import SourceFailed
from streamops.sinks.generators import to_async_generator, to_generator
from streamops.sinks.values import arun, run
from streamops.sources.iterables import from_chunks
from tests.counting import Counting
from tests.traces import no_threads_left, nothing_left


def test_run_returns_the_last_value() -> None:
    source = Counting("a", "b")

    with no_threads_left():
        assert run(from_chunks(source.blocking)) == Delta("b")
        assert run(from_chunks(source.awaited)) == Delta("b")

    assert source.open == 0


def test_run_raises_the_error() -> None:
    with pytest.raises(SourceFailed, match="broken"):
        run(from_chunks(Counting("a", error=ValueError("broken")).blocking))


def test_run_raises_when_there_is_no_value() -> None:
    with pytest.raises(SequenceContainsNoElementsError):
        run(reactivex.empty())


@pytest.mark.anyio
async def test_arun_returns_the_last_value() -> None:
    source = Counting("a", "b")

    async with nothing_left():
        assert await arun(from_chunks(source.blocking)) == Delta("b")
        assert await arun(from_chunks(source.awaited)) == Delta("b")

    assert source.open == 0


@pytest.mark.anyio
async def test_arun_raises_the_error() -> None:
    with pytest.raises(SourceFailed, match="broken"):
        await arun(from_chunks(Counting("a", error=ValueError("broken")).awaited))


@pytest.mark.anyio
async def test_arun_raises_when_there_is_no_value() -> None:
    with pytest.raises(SequenceContainsNoElementsError):
        await arun(reactivex.empty())


@pytest.mark.parametrize("sink", [run, to_generator, to_async_generator])
def test_what_is_no_stream_is_rejected_at_once_with_the_fix(sink: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=f"{sink.__name__} takes a stream .*from_chunks"):
        sink([1])
