"""The work of IncrementalParser is linear in the text, and constant per chunk."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from streamops.parser import IncrementalParser

LONGER = 4


class Work:
    """Counts calls, and the characters of text that are handed from function to function.

    Time that a regular expression or a copy takes shows in the length of what it is given.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.characters = 0

    def __enter__(self) -> Work:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "c_call"):
            self.calls += 1
        if event == "call":
            given = frame.f_locals.values()
            self.characters += sum(len(value) for value in given if isinstance(value, str))


def work_on(text: str, size: int) -> Work:
    """Feed a text in chunks of a size."""
    parser = IncrementalParser(max_depth=len(text))
    chunks = [text[at : at + size] for at in range(0, len(text), size)]

    with Work() as work:
        for chunk in chunks:
            parser.feed(chunk)

    return work


TEXTS = {
    "one long string": ('["', "abc ", '"]'),
    "one long string of escapes": ('["', "\\n\\u00e9\\ud83d\\ude00", '"]'),
    "one long string of surrogates in halves": ('["', "\ud83d\ude00", '"]'),
    "one long string that never ends": ('["', "abc ", ""),
    "one long key": ('{"', "abc ", '": 1}'),
    "many items": ("[", '{"id": 1, "name": "Ann"}, ', "0]"),
    "many numbers": ("[", "12.5, ", "0]"),
    "many properties": ("{", '"key": true, ', '"last": null}'),
    "many arrays": ("[", "[[], [1]], ", "0]"),
    "long prose": ("Well, ", "this is prose. ", "{}"),
    "long reasoning": ("<think>", "maybe < or [1] ", "</think>{}"),
    "many thoughts": ("So ", "<think>{}</think>", "{}"),
    "brackets in prose": ("Well, ", "{name} [link] [[x] ", "{}"),
    "opening brackets in prose": ("Well, ", "[[[x ", "{}"),
    "open strings in prose": ("Well, ", '{"a ', ": {}"),
    "angle brackets in prose": ("Well, ", "<thin ", "{}"),
    "white space before": ("", " \n\t ", "{}"),
    "white space inside": ("[", " \n\t ", "]"),
    "white space after a bracket in prose": ("Well, [", "    ", "1]"),
    "deep arrays": ("", "[", ""),
    "deep objects": ("", '{"a":', ""),
    "text after the value": ("{}", "text ", ""),
}


@pytest.mark.parametrize(("before", "repeated", "after"), TEXTS.values(), ids=TEXTS)
def test_work_grows_with_the_text_and_no_faster(before: str, repeated: str, after: str) -> None:
    times = 4000 // len(repeated) + 1
    short = work_on(before + repeated * times + after, 4)
    long = work_on(before + repeated * times * LONGER + after, 4)

    # Short texts pay a little for what a long one pays once.
    assert long.calls <= LONGER * short.calls * 1.1 + 100
    assert long.characters <= LONGER * short.characters * 1.1 + 5000


@pytest.mark.parametrize(("before", "repeated", "after"), TEXTS.values(), ids=TEXTS)
def test_a_large_chunk_costs_no_more_calls_than_small_ones(
    before: str, repeated: str, after: str
) -> None:
    text = before + repeated * (4000 // len(repeated) + 1) + after

    assert work_on(text, len(text)).calls <= work_on(text, 4).calls * 1.1 + 100


def test_a_chunk_costs_the_same_however_much_came_before_it() -> None:
    parser = IncrementalParser()
    parser.feed("[")
    costs: list[int] = []
    for _ in range(2000):
        with Work() as work:
            parser.feed('{"a": [1, "x"]}, ')
        costs.append(work.calls)

    # But for the join of the last few hundred chunks of text, now and then.
    assert max(costs[1:]) <= min(costs[1:]) + 5


def test_a_snapshot_that_nobody_looks_at_is_not_built() -> None:
    few, many = IncrementalParser(), IncrementalParser()
    few.feed("[1, ")
    many.feed("[" + "1, " * 10_000)
    for parser in (few, many):
        parser.feed("1, ")  # the parser holds its latest chunk

    with Work() as cheap:
        few.feed("2, ")
    with Work() as dear:
        many.feed("2, ")

    assert dear.calls == cheap.calls
    assert dear.characters == cheap.characters


def test_a_snapshot_copies_only_what_is_open() -> None:
    parser = IncrementalParser()
    parser.feed('{"finished": [' + "[1], " * 10_000 + '0], "open": [')
    before = parser.feed("1, ")[0].value
    with Work() as work:
        after = parser.feed("2, ")[0].value

    assert after["finished"] is before["finished"]
    assert work.calls < 100


def test_large_chunks_cost_the_same_wherever_they_are_cut() -> None:
    item = '{"a": "' + "x" * 300 + '", "b": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}, '
    text = "[" + item * 400

    def work_from(first: int) -> int:
        parser = IncrementalParser()
        parser.feed(text[:first])
        with Work() as work:
            for at in range(first, len(text) - 10 * len(item), 10 * len(item)):
                parser.feed(text[at : at + 10 * len(item)])

        return work.calls

    between, within = work_from(1), work_from(1 + len('{"a": "') + 290)

    # What is open when a chunk ends is read piece by piece, once for each chunk.
    assert within <= between * 2 + 100
