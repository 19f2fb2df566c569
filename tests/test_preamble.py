"""What stands around the JSON is skipped, however the text is cut."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from streamops.errors import MalformedJson, NoJson
from streamops.parser import IncrementalParser
from streamops.preamble import Preamble
from streamops.snapshot import Snapshot


def read(*chunks: str) -> Snapshot:
    parser = IncrementalParser()
    snapshots = [snapshot for chunk in chunks for snapshot in parser.feed(chunk)]
    return [*snapshots, *parser.close()][-1]


def cuts(text: str) -> list[tuple[str, ...]]:
    """Cut a text in three at every two places, and into its characters."""
    places = itertools.combinations_with_replacement(range(len(text) + 1), 2)
    return [tuple(text), *((text[:one], text[one:two], text[two:]) for one, two in places)]


BEFORE_JSON: list[tuple[str, str, Any]] = [
    ("", '{"a": 1}', {"a": 1}),
    ("\n\t ", "[true]", [True]),
    ("\ufeff", "[1]", [1]),
    ("\ufeff \n", "null", None),
    ("```json\n", '{"a": 1}', {"a": 1}),
    ("```\n", "[]", []),
    ("Sure! Here it is:\n\n", "{}", {}),
    ("<think>maybe [1] or {}</think>\n", '{"a": 1}', {"a": 1}),
    ("\n<think>a</think><think>{</think>", "[2]", [2]),
    ("<think>a < b </ think> </think ></think>", "[2]", [2]),
    ("<thing> [x] <thin", "[2]", [2]),
    ("</think>", "[2]", [2]),
    ("Use {name} like [this](url): ", '{"a": 1}', {"a": 1}),
    ('The set {"a"} or {"a", "b"}: ', '{"a": 1}', {"a": 1}),
    ("See [1-3], [2024-01-02] and [1.2.3]: ", "[1]", [1]),
    ("So { a: 1 } { 'a': 1 } ", '{"a": 1}', {"a": 1}),
    ('So ["a" b] ["a" "b"] ', '["a" , "b"]', ["a", "b"]),
    ("So [true or false] ", "[true , false]", [True, False]),
    ("So [nullable] [tru] [Infinity war] ", "[null ]", [None]),
    ("So [-] [-x] [1.] [1.e] [01] ", "[-1 ]", [-1]),
    ("So [[link]] [{x}] {{y}} {[z]} ", "[[ ]]", [[]]),
    ('So [[["a" [ b ', '[[["a"]]]', [[["a"]]]),
    ("a [ [ b ", '[ [ { "x" : [] } ] ]', [[{"x": []}]]),
    ("Nancy: ", "[1]", [1]),
    ("Infinite: ", "[1]", [1]),
    ("NaNs: ", "[1]", [1]),
    ("Infinity_ ", "[1]", [1]),
    ("é😀\ud83d\ude00: ", '{"é": 1}', {"é": 1}),
    ('It said "{" and "[": ', '{"a\\"b" : 1}', {'a"b': 1}),
    (" \ufeff", "[1]", [1]),
    ("\ufeff\ufeff", "[1]", [1]),
]


@pytest.mark.parametrize(("before", "json", "value"), BEFORE_JSON)
def test_what_stands_before_the_json_is_skipped(before: str, json: str, value: Any) -> None:
    for chunks in cuts(before + json + "\n```\nHope this {helps} [you]!"):
        last = read(*chunks)

        assert last.value == value
        assert last.text == json
        assert last.skipped == before.replace("\ud83d\ude00", "😀")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NaN", "nan"),
        ("Infinity", "inf"),
        ("\ufeffNaN ", "nan"),
        ("Infinity.", "inf"),
        ("-Infinity", "-inf"),
        ("1 apple", "1"),
        ("truest", "True"),
    ],
)
def test_a_value_that_begins_the_text_is_the_json(text: str, value: str) -> None:
    for chunks in cuts(text):
        assert repr(read(*chunks).value) == value


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry, I cannot.",
        "Nothing",
        "Infinitely",
        "N",
        "Use {name} like [this](url).",
        'The set {"a"}, ["b" c]',
        "<think>[1]",
        "<think>[1]</think",
        "```json\n42\n```",
        " \ufeff1",
        "\ufeff\ufeff1",
        "Here: [1",
        'Here: {"a"',
    ],
)
def test_prose_alone_is_no_json(text: str) -> None:
    for chunks in cuts(text):
        parser = IncrementalParser()
        for chunk in chunks:
            parser.feed(chunk)

        assert not parser.started
        with pytest.raises(NoJson) as caught:
            parser.close()
        assert caught.value.text == text


def test_a_container_is_shown_only_once_its_first_token_confirms_it() -> None:
    parser = IncrementalParser()

    started = [
        snapshot.started
        for chunk in ("So ", '{"a', '"', ":", " [")
        for snapshot in parser.feed(chunk)
    ]

    assert started == [False, False, False, True, True]


def test_what_may_still_be_json_is_not_yet_skipped() -> None:
    parser = IncrementalParser()

    skipped = [
        snapshot.skipped
        for chunk in ("So ", '{"a', '"', "} ", "[")
        for snapshot in parser.feed(chunk)
    ]

    assert skipped == ["So ", "So ", "So ", 'So {"a"} ', 'So {"a"} ']


def test_a_first_bracket_needs_no_confirmation() -> None:
    for chunks in cuts("[x] [1]"):
        parser = IncrementalParser()
        with pytest.raises(MalformedJson) as caught:
            for chunk in chunks:
                parser.feed(chunk)
        assert caught.value.offset == 1


@pytest.mark.parametrize(
    "json",
    [
        f'{{"{"k" * 300}": 1}}',
        f'["{"k" * 254}"]',
        f'["{"k" * 255}", 1]',
        f'["{"k" * 256}"]',
        f'["{chr(92)}n{"k" * 300}"]',
        f"{'[' * 15}1{']' * 15}",
        f"{'[' * 16}1{']' * 16}",
        f"{'[' * 40}{']' * 40}",
        f'[{" " * 256}"a"{" " * 256}]',
        f"[{'9' * 60}]",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 255, 256, 257, 10**9])
def test_long_tokens_are_json_too(json: str, size: int) -> None:
    text = f"Here: {json}"
    last = read(*(text[at : at + size] for at in range(0, len(text), size)))

    assert last.complete
    assert last.text == json


def test_many_thoughts_are_skipped_by_loop() -> None:
    assert read("So" + "<think>[1]</think>" * 5000 + "[2]").value == [2]


@pytest.mark.parametrize(
    "prose", ["[", "[ ", "{", '{"', '["', "[1", "[true ", '[{"', "<think", '["a"', "[" + " " * 300]
)
def test_what_waits_stays_short(prose: str) -> None:
    preamble = Preamble()
    waiting = 0
    for character in "x" + (prose + "x" * 300) * 20 + prose * 20:
        if preamble.feed(character) is not None:
            break
        waiting = max(waiting, preamble.undecided)

    assert waiting < 16 * 258
