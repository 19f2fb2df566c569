"""What `distinct_snapshots` promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import reactivex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from reactivex import Observable
from reactivex import operators as rx
from reactivex.subject import Subject

from streamops import operators as ops
from streamops.errors import SourceFailed, StreamopsError
from streamops.partial import PartialState
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked
from tests.documents import MODELS, chunk_sizes, documents
from tests.growing import Address, Containers, Strict
from tests.outcomes import outcome, shown, through, values


def distinct(items: Iterable[Any], key: Callable[[Any], Any] | None = None) -> list[Any]:
    operator = ops.distinct_snapshots() if key is None else ops.distinct_snapshots(key)
    return values(reactivex.from_iterable(items).pipe(operator))


TABLE: dict[str, tuple[list[Any], list[Any]]] = {
    "nothing": ([], []),
    "one": ([1], [1]),
    "equal ones in a row": ([1, 1, 2, 2, 2, 1], [1, 2, 1]),
    "all equal": ([1, 1, 1], [1]),
    "None": ([None, None, 0], [None, 0]),
}


@pytest.mark.parametrize(("items", "expected"), TABLE.values(), ids=TABLE)
def test_what_equals_its_predecessor_is_dropped(items: list[Any], expected: list[Any]) -> None:
    assert distinct(items) == expected


class Incomparable:
    """Has no one answer to whether it equals another, as an array."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_differs() -> None:
    one, other = Incomparable(), Incomparable()

    received = outcome(reactivex.of(one, other, other).pipe(ops.distinct_snapshots()))

    assert list(map(id, received.values)) == [id(one), id(other)]
    assert received.error is None


KEYED: dict[str, tuple[list[str], list[str]]] = {
    "the last one has the same key but differs": (["a1", "a2", "b3", "b4"], ["a1", "b3", "b4"]),
    "the last one equals what was emitted": (["a1", "a2", "a1"], ["a1", "a1"]),
    "the last one has another key": (["a1", "a2", "b3"], ["a1", "b3"]),
    "all have the same key": (["a1", "a2", "a3"], ["a1", "a3"]),
    "one": (["a1"], ["a1"]),
}


@pytest.mark.parametrize(("items", "expected"), KEYED.values(), ids=KEYED)
def test_with_a_key_the_last_one_is_still_not_lost(items: list[str], expected: list[str]) -> None:
    assert distinct(items, lambda text: text[0]) == expected


def test_snapshots_that_show_the_same_are_dropped() -> None:
    stage = Stage()
    source = "-a-b-c-d-e-|"
    window = "^----------!"
    result = "-x---y---z-|"

    chunks = stage.cold(source, a='{"a"', b=": ", c='"x', d="\\", e='ny"}')
    snapshots = stage.run(
        chunks.pipe(ops.accumulate_json(), ops.distinct_snapshots(), rx.map(value_of))
    )

    assert snapshots == stage.expect(result, x={}, y={"a": "x"}, z={"a": "x\ny"})
    assert chunks.subscriptions == stage.window(window)


def test_the_complete_snapshot_comes_even_if_it_shows_the_same_value() -> None:
    received = through(["[1 ", "]"], ops.accumulate_json(), ops.distinct_snapshots())

    assert [(s.value, s.complete) for s in received.values] == [([1], False), ([1], True)]


def test_partials_that_show_the_same_are_dropped_and_the_validated_model_is_not() -> None:
    chunks = ['{"street": "a', '"', ', "nu', 'mber": ', "1 ", " ", "}"]

    received = through(
        chunks, ops.accumulate_json(), ops.to_partial(Address), ops.distinct_snapshots()
    )

    assert [(p.street, p.number, type(p) is Address) for p in received.values] == [
        ("a", None, False),
        ("a", 1, False),
        ("a", 1, True),
    ]


def test_progress_that_shows_the_same_is_dropped() -> None:
    chunks = ['["a', '"', " ", "]"]

    received = through(
        chunks, ops.accumulate_json(), ops.track_progress(), ops.distinct_snapshots()
    )

    assert [p.value.value for p in received.values] == [["a"], ["a"], ["a"]]
    assert [p.percent for p in received.values][-1] == 100.0


def test_snapshots_are_compared_without_a_look_at_their_values() -> None:
    received = through(
        ["[[1, ", " ", "2, ", " ", "3]]"], ops.accumulate_json(), ops.distinct_snapshots()
    )

    built = [node.copied_in for snapshot in received.values for node, _ in snapshot.marks]
    assert built == [-1] * 7
    assert [snapshot.value for snapshot in received.values] == [[[1]], [[1, 2]], [[1, 2, 3]]]


def test_partials_are_compared_without_being_filled() -> None:
    made: list[int] = []

    def count() -> int:
        made.append(1)
        return len(made)

    class Counted(BaseModel):
        text: str
        number: int = Field(default_factory=count)

    stream = reactivex.of('{"text": "a', '"', " ", ', "more": 1').pipe(
        ops.accumulate_json(), ops.to_partial(Counted), ops.distinct_snapshots()
    )

    received = outcome(stream)

    assert len(received.values) == 2  # the first, and with the error the last
    assert made == []
    assert received.values[0].number == 1


def test_partials_without_a_revision_are_compared_by_what_they_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    partials = through(
        ['{"street": "a', '"', ", ", '"number": 1,'], ops.accumulate_json(), ops.to_partial(Address)
    ).values
    monkeypatch.setattr(PartialState, "revision", None)

    remaining = distinct([*partials, partials[-1].model_copy(update={"number": 2})])

    assert [address.number for address in remaining] == [None, 1, 2]


class Root(BaseModel):
    lead: Address


def test_partials_of_several_places_of_a_document_are_not_the_same() -> None:
    def both(root: Root) -> Observable[Any]:
        return reactivex.of(root, root.lead)

    received = through(
        ['{"lead": {"street": "a', "b", '", "number": 1}}'],
        ops.accumulate_json(),
        ops.to_partial(Root),
        rx.flat_map(both),
        ops.distinct_snapshots(),
    )

    assert [type(partial).__name__ for partial in received.values] == [
        *("Partial[Root]", "Partial[Address]") * 2,
        *("Root", "Address"),
    ]


def test_a_source_that_never_completes_keeps_the_stream_open() -> None:
    stage = Stage()
    items = stage.cold("-1-1-2")

    assert stage.run(items.pipe(ops.distinct_snapshots())) == stage.expect("-1---2")
    assert items.subscriptions == stage.window("^")


def test_the_dropped_last_one_comes_with_the_completion() -> None:
    stage = Stage()
    items = stage.cold("-a-b--|", a="a1", b="a2")

    texts = stage.run(items.pipe(ops.distinct_snapshots(first_letter)))

    assert texts == stage.expect("-x----(y,|)", x="a1", y="a2")


def first_letter(text: str) -> str:
    return text[0]


def value_of(snapshot: Snapshot) -> Any:
    return snapshot.value


def test_when_the_source_fails_the_values_before_it_are_kept_and_the_error_is_the_same_object() -> (
    None
):
    error = SourceFailed("overloaded")
    source: Observable[int] = reactivex.concat(reactivex.of(1, 1, 2), reactivex.throw(error))

    received = outcome(source.pipe(ops.distinct_snapshots()))

    assert received.values == [1, 2]
    assert received.error is error


ANNA = '[{"name": "Anna"}'


@pytest.mark.parametrize("text", [ANNA, ANNA + " ", ANNA + "x"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_when_the_source_fails_what_has_closed_since_is_not_lost(text: str, size: int) -> None:
    received = through(
        chunked(text, size),
        ops.accumulate_json(),
        ops.distinct_snapshots(),
        ops.split_items(dict[str, str]),
    )

    assert received.values == [{"name": "Anna"}]
    assert isinstance(received.error, StreamopsError)


def test_what_was_dropped_last_comes_before_the_error() -> None:
    one, equal, two = [1], [1], [2]
    error = SourceFailed("overloaded")

    for items, expected in (([one, equal], [one, equal]), ([one, equal, two], [one, two])):
        source: Observable[Any] = reactivex.concat(reactivex.of(*items), reactivex.throw(error))
        received = outcome(source.pipe(ops.distinct_snapshots()))

        assert list(map(id, received.values)) == list(map(id, expected))
        assert received.error is error


def test_what_the_key_raises_ends_the_stream() -> None:
    stage = Stage()
    items = stage.cold("-1-2-|")
    error = KeyError("no key")

    def refuse(number: int) -> Any:
        if number == 2:
            raise error
        return number

    assert stage.run(items.pipe(ops.distinct_snapshots(refuse))) == stage.expect(
        "-1-#", error=error
    )
    assert items.subscriptions == stage.window("^--!")


def test_disposing_early_ends_the_subscription() -> None:
    stage = Stage()
    items = stage.cold("-1-2-3|")

    stage.run(items.pipe(ops.distinct_snapshots()), until=4)

    assert items.subscriptions == stage.window("^---!")


def test_a_second_subscription_runs_like_the_first() -> None:
    stream = reactivex.of(1, 1, 2).pipe(ops.distinct_snapshots())

    assert values(stream) == values(stream) == [1, 2]


def test_what_a_subscriber_raises_reaches_whoever_pushed_and_not_on_error() -> None:
    source = Subject[int]()
    errors: list[Exception] = []

    def refuse(number: int) -> None:
        raise KeyError(number)

    source.pipe(ops.distinct_snapshots()).subscribe(refuse, errors.append)

    with pytest.raises(KeyError, match="1"):
        source.on_next(1)
    assert errors == []


def test_a_key_that_is_no_function_raises_when_the_operator_is_built() -> None:
    wrong: Any = "name"

    with pytest.raises(TypeError, match="distinct_snapshots takes a function as key, not 'name'"):
        ops.distinct_snapshots(wrong)


@given(st.lists(st.integers(0, 3)))
def test_what_remains_has_no_equal_neighbours_and_ends_like_the_source(numbers: list[int]) -> None:
    emitted = distinct(numbers)

    expected = [n for i, n in enumerate(numbers) if i == 0 or numbers[i - 1] != n]
    assert emitted == expected


@given(documents(MODELS), chunk_sizes)
def test_exactly_the_partials_that_differ_from_their_predecessor_remain(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    model, text = document
    chunks = chunked(text, *sizes)
    everything = through(chunks, ops.accumulate_json(), ops.to_partial(model)).values
    looks = [shown(partial) for partial in everything]

    remaining = through(
        chunks, ops.accumulate_json(), ops.to_partial(model), ops.distinct_snapshots()
    ).values

    assert without_repeats([shown(partial) for partial in remaining]) == without_repeats(looks)
    if model not in (
        Containers,
        Strict,
    ):  # what is added to a set twice is added, and does not show
        assert len(remaining) == len(without_repeats(looks))


def without_repeats(looks: list[Any]) -> list[Any]:
    return [look for i, look in enumerate(looks) if i == 0 or look != looks[i - 1]]
