"""What the load benchmark promises: every reader gets every chunk, and nothing is counted twice."""

from __future__ import annotations

import math

import pytest

from benchmarks.load import READERS, Load, Reader, Result, measure, memory

BACKENDS = ("asyncio", "trio")
readers = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)


@readers
@pytest.mark.parametrize("backend", BACKENDS)
def test_every_chunk_of_every_stream_is_received_once(reader: Reader, backend: str) -> None:
    result = measure(Load(streams=3, chunks=40), reader, math.inf, backend)

    assert result.received == 3 * 40


@readers
def test_chunks_that_come_at_a_rate_have_a_latency_each(reader: Reader) -> None:
    result = measure(Load(streams=3, chunks=10, rate=1_000), reader, math.inf)

    assert result.received == len(result.latencies) == 3 * 10
    assert min(result.latencies) >= 0


def test_chunks_that_were_not_read_in_time_count_with_their_age() -> None:
    result = measure(Load(streams=2, chunks=100, rate=1_000_000), READERS[1], 0)

    assert result.received < len(result.latencies)


def test_the_memory_of_a_stream_is_measured() -> None:
    assert memory(2, READERS[2]) > 1_000


@pytest.mark.parametrize(
    ("share", "latency"), [(0.5, 2.0), (0.51, 3.0), (0.99, 4.0), (1.0, 4.0), (0.0, 1.0)]
)
def test_a_percentile_is_a_latency_that_was_measured(share: float, latency: float) -> None:
    result = Result(seconds=1, busy=1, received=4, latencies=[1.0, 2.0, 3.0, 4.0])

    assert result.latency(share) == latency
