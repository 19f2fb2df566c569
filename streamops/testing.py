"""Try streams out in virtual time, and text in pieces of any size."""

from __future__ import annotations

from itertools import cycle
from typing import Any, TypeVar

from reactivex import Observable
from reactivex.observable.marbles import parse
from reactivex.testing import Recorded, TestScheduler
from reactivex.testing.coldobservable import ColdObservable
from reactivex.testing.marbles import messages_to_records
from reactivex.testing.subscription import Subscription

T = TypeVar("T")

_START = 200  # when a TestScheduler subscribes
_LENGTH = 800  # and how long it stays subscribed


class Stage:
    """Plays one stream in virtual time, written as marbles.

    In marbles each character is one frame: ``-`` waits, ``|`` completes, ``#`` fails, and anything
    else is an item's name. ``(a,b)`` are items of one frame, and take as many frames as characters.

        stage = Stage()
        source = stage.cold("-a-b-|", a='[1, ', b='2]')
        values = source.pipe(ops.accumulate_json(), rx.map(lambda s: s.value))
        assert stage.run(values) == stage.expect("-x-y-|", x=[1], y=[1, 2])
        assert source.subscriptions == stage.window("^----!")
    """

    def __init__(self) -> None:
        self._scheduler = TestScheduler()

    def cold(
        self, marbles: str, *, error: Exception | None = None, **items: Any
    ) -> ColdObservable[Any]:
        """Return a source that starts with its subscription; ``error`` is what ``#`` fails with."""
        return self._scheduler.create_cold_observable(_records(marbles, 0, error, items))

    def run(self, stream: Observable[T], *, until: int = _LENGTH) -> list[Recorded[T]]:
        """Subscribe, dispose ``until`` frames later, and return what came in between."""
        return self._scheduler.start(lambda: stream, disposed=_START + until).messages

    def expect(
        self, marbles: str, *, error: Exception | None = None, **items: Any
    ) -> list[Recorded[Any]]:
        """Return what ``run`` returns for a stream that goes like these marbles."""
        return _records(marbles, _START, error, items)

    def window(self, *marbles: str) -> list[Subscription]:
        """Return a source's subscriptions, one for each diagram: from ``^`` to ``!``.

        Without ``!`` the subscription lasts until ``run`` disposes it.
        """
        return [_subscription(diagram) for diagram in marbles]


def chunked(text: str, *sizes: int) -> list[str]:
    """Cut a text into chunks of these sizes, over and over until it is used up.

        assert chunked("abcdefgh", 3) == ["abc", "def", "gh"]
        assert chunked("abcdefgh", 1, 3) == ["a", "bcd", "e", "fgh"]

    Raises ValueError without a size, or for one below 1.
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"chunked needs sizes of at least 1, not {sizes}")

    chunks: list[str] = []
    position = 0
    for size in cycle(sizes):
        if position >= len(text):
            break
        chunks.append(text[position : position + size])
        position += size
    return chunks


def _records(
    marbles: str, shift: int, error: Exception | None, items: dict[Any, Any]
) -> list[Recorded[Any]]:
    return messages_to_records(
        parse(marbles, timespan=1, time_shift=shift, lookup=items, error=error)
    )


def _subscription(marbles: str) -> Subscription:
    end = marbles.index("!") if "!" in marbles else _LENGTH
    return Subscription(_START + marbles.index("^"), _START + end)
