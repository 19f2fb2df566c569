"""What a kept event loop promises."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator

import pytest

from streamops.errors import SourceFailed
from streamops.sinks.generators import pulled
from streamops.sinks.portals import KeptPortal
from streamops.sources.iterables import from_chunks
from tests.wire import PATIENCE


@pytest.fixture
def portal() -> Generator[KeptPortal]:
    portal = KeptPortal()
    yield portal
    portal.close()


async def name_of_the_thread() -> AsyncGenerator[str]:
    yield threading.current_thread().name


def texts(portal: KeptPortal) -> list[str]:
    return [delta.text for delta in pulled(from_chunks(name_of_the_thread), portal)]


def test_all_are_read_in_one_event_loop_that_outlives_them(portal: KeptPortal) -> None:
    assert texts(portal) == texts(portal) != [threading.current_thread().name]


def test_who_reads_within_it_gets_another_one_and_does_not_wait_for_itself(
    portal: KeptPortal,
) -> None:
    async def outer() -> AsyncGenerator[str]:
        yield texts(portal)[0]
        yield threading.current_thread().name

    inner, outside = (delta.text for delta in pulled(from_chunks(outer), portal))

    assert inner != outside
    assert texts(portal) == [outside]


def test_after_a_source_has_ended_it_there_is_a_new_one(portal: KeptPortal) -> None:
    threads: list[threading.Thread] = []

    async def leave() -> AsyncGenerator[str]:
        threads.append(threading.current_thread())
        yield "still here"
        raise SystemExit

    with pytest.raises((SourceFailed, RuntimeError)):
        list(pulled(from_chunks(leave), portal))
    threads[0].join(PATIENCE)

    assert len(texts(portal)) == 1


def test_none_is_begun_before_it_is_needed_and_none_is_left_when_it_is_closed() -> None:
    before, portal = threading.active_count(), KeptPortal()
    assert threading.active_count() == before

    texts(portal)
    assert threading.active_count() == before + 1

    portal.close()
    assert threading.active_count() == before
