"""What a scope of the event loop promises: work that is cancelled in it ends quietly, alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from anyio import Event, create_task_group, move_on_after
from anyio.lowlevel import checkpoint

from streamops.eventloop import EventLoop, Scope, running_loop

pytestmark = pytest.mark.anyio


def this_loop() -> EventLoop:
    loop = running_loop()
    assert loop is not None
    return loop


class Work:
    """Work in a scope, which says how far it got."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.begun = Event()
        self.finished = False
        self.left = Event()

    async def run(self, work: Callable[[], Awaitable[object]]) -> None:
        with self.scope:
            self.begun.set()
            await work()
            self.finished = True

        self.left.set()


async def test_work_goes_on_after_the_scope_that_was_cancelled() -> None:
    work = Work(this_loop().scope())

    async with create_task_group() as group:
        group.start_soon(work.run, Event().wait)
        await work.begun.wait()
        work.scope.cancel()
        await work.left.wait()

    assert not work.finished


async def test_a_scope_is_used_again_and_again() -> None:
    work = Work(this_loop().scope())

    for _ in range(3):
        work.finished = False
        await work.run(checkpoint)
        assert work.finished


async def test_all_work_in_a_cancelled_scope_ends_at_its_first_wait() -> None:
    work = Work(this_loop().scope())
    work.scope.cancel()

    for _ in range(3):
        await work.run(Event().wait)

    assert not work.finished


async def test_nothing_behind_the_scope_is_cancelled_by_work_that_cancels_it_without_waiting() -> (
    None
):
    work = Work(this_loop().scope())

    async def cancel() -> None:
        work.scope.cancel()

    await work.run(cancel)
    await checkpoint()
    await checkpoint()

    assert work.finished


async def test_work_that_cancels_its_own_scope_ends_at_its_next_wait() -> None:
    work = Work(this_loop().scope())

    async def cancel_and_wait() -> None:
        work.scope.cancel()
        await Event().wait()

    await work.run(cancel_and_wait)

    assert not work.finished


async def test_work_may_finish_although_its_scope_was_cancelled() -> None:
    work = Work(this_loop().scope())
    cancelled = Event()

    async def finish_anyway() -> None:
        try:
            await Event().wait()
        finally:
            cancelled.set()
            return  # noqa: B012 - what is tested

    async with create_task_group() as group:
        group.start_soon(work.run, finish_anyway)
        await work.begun.wait()
        work.scope.cancel()
        await work.left.wait()

    await checkpoint()
    assert cancelled.is_set()
    assert work.finished


async def test_what_work_raises_when_it_is_cancelled_is_raised() -> None:
    work = Work(this_loop().scope())
    raised: list[Exception] = []

    async def fail() -> None:
        try:
            await Event().wait()
        finally:
            raise ValueError("while it was cancelled")

    async def run() -> None:
        try:
            await work.run(fail)
        except ValueError as error:
            raised.append(error)
            await checkpoint()

    async with create_task_group() as group:
        group.start_soon(run)
        await work.begun.wait()
        work.scope.cancel()

    assert [str(error) for error in raised] == ["while it was cancelled"]


async def test_a_scope_around_it_that_is_cancelled_ends_more_than_the_work() -> None:
    work = Work(this_loop().scope())

    with move_on_after(0):
        await work.run(Event().wait)

    assert work.begun.is_set()
    assert not work.left.is_set()


@pytest.mark.parametrize("scope_first", [True, False])
async def test_both_scopes_may_be_cancelled_in_the_same_moment(scope_first: bool) -> None:
    work = Work(this_loop().scope())

    async def cancel_both(around: Callable[[], None]) -> None:
        await work.begun.wait()
        both = (work.scope.cancel, around) if scope_first else (around, work.scope.cancel)

        for cancel in both:
            cancel()

    async with create_task_group() as group:
        group.start_soon(cancel_both, group.cancel_scope.cancel)
        await work.run(Event().wait)
        await Event().wait()

    assert not work.finished


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("scope_first", [True, False])
async def test_a_task_that_is_cancelled_with_the_scope_is_cancelled(scope_first: bool) -> None:
    work = Work(this_loop().scope())
    task = asyncio.create_task(work.run(Event().wait))
    await work.begun.wait()

    for cancel in (
        (work.scope.cancel, task.cancel) if scope_first else (task.cancel, work.scope.cancel)
    ):
        cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_cancelled_scope_leaves_no_request_to_cancel_behind() -> None:
    work = Work(this_loop().scope())
    task = asyncio.create_task(work.run(Event().wait))
    await work.begun.wait()
    work.scope.cancel()
    await task

    assert task.cancelling() == 0
