"""What `from_chunks` promises."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx2
import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from reactivex import Observable
from reactivex import operators as rx
from reactivex.scheduler import VirtualTimeScheduler

from streamops.delta import Delta
from streamops.errors import SourceFailed, SpentSource, StreamopsError, UnknownElement
from streamops.sinks.generators import to_generator
from streamops.sources.iterables import from_chunks
from tests.counting import Counting


def texts(stream: Observable[Delta]) -> list[str]:
    return [delta.text for delta in to_generator(stream)]


class Once(Iterator[str]):
    """An iterator that is no generator."""

    def __init__(self) -> None:
        self._texts = iter(["a", "b"])
        self.closed = False

    def __next__(self) -> str:
        return next(self._texts)

    def close(self) -> None:
        self.closed = True


class Again:
    """A container that is iterated over asynchronously."""

    async def __aiter__(self) -> AsyncIterator[str]:
        yield "a"
        yield "b"


async def returns_container() -> list[str]:
    return ["a", "b"]


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(["a", "b"], id="a list"),
        pytest.param(("a", "b"), id="a tuple"),
        pytest.param({"a": 1, "b": 2}.keys(), id="a view"),
        pytest.param(Again(), id="an asynchronous container"),
        pytest.param(Counting("a", "b").blocking, id="a generator function"),
        pytest.param(Counting("a", "b").awaited, id="an asynchronous generator function"),
        pytest.param(lambda: ["a", "b"], id="a function that returns a list"),
        pytest.param(Once, id="a class of iterators"),
        pytest.param(Again, id="a class of asynchronous containers"),
        pytest.param(returns_container, id="a coroutine function"),
        pytest.param(lambda: returns_container(), id="a function that returns a coroutine"),
    ],
)
def test_functions_and_containers_are_read_anew_for_every_subscription(source: Any) -> None:
    stream = from_chunks(source)

    assert texts(stream) == ["a", "b"]
    assert texts(stream) == ["a", "b"]


@pytest.mark.parametrize("once", [Counting("a").blocking, Counting("a").awaited, Once])
def test_an_iterator_can_be_read_once_and_says_so(once: Callable[[], Any]) -> None:
    stream = from_chunks(once())
    texts(stream)

    with pytest.raises(SpentSource, match=r"Pass a function.*share_latest"):
        texts(stream)


def test_a_subscription_that_never_read_does_not_spend_an_iterator() -> None:
    stream = from_chunks(iter(["a"]))
    to_generator(stream).close()

    assert texts(stream) == ["a"]


@pytest.mark.parametrize("kind", ["function", "iterator"])
def test_what_has_a_close_method_is_closed(kind: str) -> None:
    once = Once()
    values = to_generator(from_chunks((lambda: once) if kind == "function" else once))
    next(values)
    values.close()

    assert once.closed


def leave_in_a_generator(stream: Observable[Delta]) -> None:
    assert list(to_generator(stream.pipe(rx.take_until(reactivex.of(1))))) == []


def leave_by_dispose(stream: Observable[Delta]) -> None:
    # A scheduler that never comes to it.
    stream.subscribe(scheduler=VirtualTimeScheduler()).dispose()


@pytest.mark.parametrize("leave", [leave_in_a_generator, leave_by_dispose])
def test_an_iterator_is_closed_by_whoever_leaves_before_the_first_read(
    leave: Callable[[Observable[Delta]], None],
) -> None:
    once = Once()
    leave(from_chunks(once))

    assert once.closed


def test_deltas_stay_as_they_are_and_everything_in_order() -> None:
    delta = Delta("thinking", kind="reasoning")

    assert list(to_generator(from_chunks(["a", delta, b"b", "", b""]))) == [
        Delta("a"),
        delta,
        Delta("b"),
        Delta(""),
        Delta(""),
    ]


@given(st.text(), st.lists(st.integers(0, 40)))
def test_bytes_may_be_cut_anywhere(text: str, cuts: list[int]) -> None:
    data = text.encode()
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]

    assert "".join(texts(from_chunks(pieces))) == text


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([b"ok", b"\xff"], id="no UTF-8"),
        pytest.param([b"ok", b"\xe2", b"\xe2"], id="a character that does not go on"),
        pytest.param([b"ok\xe2\x82"], id="bytes left over at the end"),
        pytest.param([b"ok\xe2\x82", "text"], id="a text inside of a character"),
    ],
)
def test_bytes_that_are_no_text_are_an_error_after_what_was_read(chunks: list[Any]) -> None:
    values = to_generator(from_chunks(chunks))

    assert next(values).text == "ok"

    with pytest.raises(SourceFailed) as caught:
        list(values)

    assert "Byte 2 of the source is not UTF-8" in str(caught.value)
    assert "decode it yourself" in str(caught.value)
    assert isinstance(caught.value.__cause__, UnicodeDecodeError)
    assert not caught.value.dropped


def test_an_unknown_element_is_an_error_that_names_the_fix() -> None:
    mistake: Any = ["a", 5]
    values = to_generator(from_chunks(mistake))
    next(values)

    with pytest.raises(UnknownElement, match="pick the text out") as caught:
        next(values)

    assert caught.value.element == 5
    assert caught.value.__cause__ is None


def test_an_element_of_the_sdk_is_an_error_that_names_from_openai() -> None:
    chunk = ChatCompletionChunk(
        id="1", choices=[], created=0, model="m", object="chat.completion.chunk"
    )
    source: Any = [chunk]

    with pytest.raises(UnknownElement, match="use from_openai"):
        texts(from_chunks(source))


@pytest.mark.parametrize(
    ("error", "dropped"),
    [
        (ValueError("bad"), False),
        (ConnectionResetError("bad"), True),
        (TimeoutError("bad"), True),
        (EOFError("bad"), True),
        (httpx2.RemoteProtocolError("bad"), True),
        (httpx2.ReadTimeout("bad"), True),
        (json.JSONDecodeError("bad", "", 0), False),
    ],
)
@pytest.mark.parametrize("kind", ["blocking", "awaited"])
def test_what_the_source_raises_is_the_cause(kind: str, error: Exception, dropped: bool) -> None:
    values = to_generator(from_chunks(getattr(Counting("a", error=error), kind)))
    next(values)

    with pytest.raises(SourceFailed, match="bad") as caught:
        next(values)

    assert caught.value.__cause__ is error
    assert caught.value.dropped is dropped


def test_what_opening_raises_is_the_cause() -> None:
    error = ConnectionRefusedError("nobody there")

    def refuse() -> list[str]:
        raise error

    async def refuse_later() -> list[str]:
        raise error

    for source in (refuse, refuse_later):
        with pytest.raises(SourceFailed, match="nobody there") as caught:
            texts(from_chunks(source))

        assert caught.value.__cause__ is error


@pytest.mark.parametrize("kind", ["blocking", "awaited"])
def test_an_error_of_streamops_stays_as_it_is(kind: str) -> None:
    error = StreamopsError("ours")

    with pytest.raises(StreamopsError) as caught:
        texts(from_chunks(getattr(Counting(error=error), kind)))

    assert caught.value is error


@pytest.mark.parametrize("text", ["{}", b"{}", bytearray(b"{}")])
def test_a_single_text_is_rejected_with_the_fix(text: Any) -> None:
    with pytest.raises(TypeError, match=r"from_chunks\(\[text\]\)"):
        from_chunks(text)

    with pytest.raises(TypeError, match=r"from_chunks\(\[text\]\)"):
        texts(from_chunks(lambda: text))


def test_a_coroutine_is_rejected_with_the_fix() -> None:
    mistake: Any = returns_container()

    with pytest.raises(TypeError, match="Await it, or pass the function"):
        from_chunks(mistake)

    mistake.close()


@pytest.mark.parametrize(
    "reason", ["Event loop is closed", "<Event> is bound to a different event loop"]
)
def test_a_client_of_another_event_loop_is_an_error_that_names_the_fix(reason: str) -> None:
    def fail() -> Iterator[str]:
        raise RuntimeError(reason)

    with pytest.raises(SourceFailed, match="Make the client inside the function"):
        texts(from_chunks(fail))


@pytest.mark.parametrize("source", [5, None, object()])
def test_what_is_no_source_is_rejected(source: Any) -> None:
    with pytest.raises(TypeError, match="takes an iterable"):
        from_chunks(source)

    with pytest.raises(TypeError, match="takes an iterable"):
        texts(from_chunks(lambda: source))
