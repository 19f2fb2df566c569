"""What a kept event loop promises."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncGenerator, Generator

import pytest

from streamops.errors import SourceFailed
from streamops.sinks import blocking
from streamops.sinks.generators import to_generator
from streamops.sinks.portals import KeptPortal
from streamops.sources.iterables import from_chunks
from tests.wire import PATIENCE


@pytest.fixture
def portal(monkeypatch: pytest.MonkeyPatch) -> Generator[KeptPortal]:
    """Keep one, as a notebook does."""
    portal = KeptPortal()
    monkeypatch.setattr(blocking, "open_portal", portal)
    yield portal
    portal.close()


async def name_of_the_thread() -> AsyncGenerator[str]:
    yield threading.current_thread().name


def texts() -> list[str]:
    return [delta.text for delta in to_generator(from_chunks(name_of_the_thread))]


@pytest.mark.usefixtures("portal")
def test_all_are_read_in_one_event_loop_that_outlives_them() -> None:
    assert texts() == texts() != [threading.current_thread().name]


@pytest.mark.usefixtures("portal")
def test_who_reads_within_it_gets_another_one_and_does_not_wait_for_itself() -> None:
    async def outer() -> AsyncGenerator[str]:
        yield texts()[0]
        yield threading.current_thread().name

    inner, outside = (delta.text for delta in to_generator(from_chunks(outer)))

    assert inner != outside
    assert texts() == [outside]


@pytest.mark.usefixtures("portal")
@pytest.mark.parametrize("raised", [SystemExit, KeyboardInterrupt])
def test_a_source_does_not_end_it(raised: type[BaseException]) -> None:
    async def leave() -> AsyncGenerator[str]:
        yield "still here"
        raise raised

    before = texts()
    with pytest.raises(SourceFailed, match=f"The source raised {raised.__name__}") as caught:
        list(to_generator(from_chunks(leave)))

    assert isinstance(caught.value.__cause__, raised)
    assert texts() == before


def test_what_is_collected_within_it_is_closed(portal: KeptPortal) -> None:
    closed = threading.Event()

    async def endless() -> AsyncGenerator[str]:
        try:
            while True:
                yield "more"
        finally:
            closed.set()

    generator = to_generator(from_chunks(endless))
    next(generator)
    left: list[object] = [generator]
    left.append(left)
    del generator, left

    with portal() as within:
        within.call(gc.collect)

    assert closed.wait(PATIENCE)
    assert len(texts()) == 1


def test_none_is_begun_before_it_is_needed_and_none_is_left_when_it_is_closed(
    portal: KeptPortal,
) -> None:
    before = threading.active_count()

    texts()
    assert threading.active_count() == before + 1

    portal.close()
    assert threading.active_count() == before
