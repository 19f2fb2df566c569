"""What IncrementalParser shows, and how it ends: the cases worth seeing written out."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from streamops.errors import LimitExceeded, MalformedJson, NoJson, StreamopsError, TruncatedJson
from streamops.parser import IncrementalParser
from streamops.snapshot import Snapshot
from tests.slow_reading import children


class _Nothing:
    """Stands in a table where nothing is shown yet."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING = _Nothing()


def shown(snapshot: Snapshot) -> Any:
    return snapshot.value if snapshot.started else NOTHING


def feed(*chunks: str, **options: Any) -> list[Any]:
    """Return what is shown after each chunk."""
    parser = IncrementalParser(**options)
    return [shown(snapshot) for chunk in chunks for snapshot in parser.feed(chunk)]


def read(*chunks: str, **options: Any) -> Snapshot:
    """Return the complete snapshot."""
    parser = IncrementalParser(**options)
    snapshots = [snapshot for chunk in chunks for snapshot in parser.feed(chunk)]
    last = [*snapshots, *parser.close()][-1]
    assert last.complete
    return last


def fail(*chunks: str, **options: Any) -> StreamopsError:
    """Return the error that the chunks, or their end, raise."""
    parser = IncrementalParser(**options)
    with pytest.raises(StreamopsError) as caught:
        for chunk in chunks:
            parser.feed(chunk)
        parser.close()
    return caught.value


EACH_CHUNK_SHOWS: dict[str, tuple[list[str], list[Any]]] = {
    "an object shows when it opens": (["{", "}"], [{}, {}]),
    "a key waits": (['{"na', 'me"', ":", ' "'], [{}, {}, {}, {"name": ""}]),
    "a number waits": (['{"a":', "1", "2", "}"], [{}, {}, {}, {"a": 12}]),
    "a number may go on": (["[7500", "1", ","], [[], [], [75001]]),
    "a word waits for what follows": (["[tru", "e", "]"], [[], [], [True]]),
    "a space follows a word": (["[nul", "l "], [[], [None]]),
    "a string grows": (['["a', "b", '"'], [["a"], ["ab"], ["ab"]]),
    "an escape waits": (['["a\\', 'n"'], [["a"], ["a\n"]]),
    "a code waits": (['["\\u00', "e", '9"'], [[""], [""], ["é"]]),
    "a pair waits": (['["\\ud83d', "\\u", "de00"], [[""], [""], ["😀"]]),
    "a lone half is replaced": (['["\\ud83d', '"'], [[""], ["\ufffd"]]),
    "a half before an escape": (['["\\ud83d', "\\n"], [[""], ["\ufffd\n"]]),
    "a raw pair in two chunks": (['["\ud83d', "\ude00"], [[""], ["😀"]]),
    "a lone raw half": (['["\ud83d', "x"], [[""], ["\ufffdx"]]),
    "a low half alone": (['["\ude00'], [["\ufffd"]]),
    "halves of two kinds": (['["\\ud83d', "\ude00"], [[""], ["\ufffd\ufffd"]]),
    "a root number waits": (["12", " "], [NOTHING, 12]),
    "a root string": (['"', "a", '"'], ["", "a", "a"]),
    "white space first": (["  ", "\n", "["], [NOTHING, NOTHING, []]),
    "empty chunks bring no snapshot": (["", "[", "", "]", ""], [[], []]),
    "nothing after the complete one": (["[]", " ", "x"], [[]]),
    "the last key wins": (['{"a":1,"a":', '"x'], [{"a": 1}, {"a": "x"}]),
    "a byte order mark": (["\ufeff", "[", "]"], [NOTHING, [], []]),
    "minus infinity": (["[-", "Inf", "inity,"], [[], [], [float("-inf")]]),
    "a root NaN": (["Na", "N "], [NOTHING, float("nan")]),
}


@pytest.mark.parametrize(("chunks", "values"), EACH_CHUNK_SHOWS.values(), ids=EACH_CHUNK_SHOWS)
def test_what_each_chunk_shows(chunks: list[str], values: list[Any]) -> None:
    assert repr(feed(*chunks)) == repr(values)


CUT_EVERYWHERE = [
    *(f'"x{escape}y"' for escape in ('\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t")),
    '"\\u0000\\u00e9\\uABCD\\uabcd"',
    '"\\ud83d\\ude00\\uD834\\uDD1E"',
    '"\\ud83d\\ud83d\\ude00\\ude00"',
    '"\\ud83dx\\ud83d\\n\\ud83d\\u0041\\ud83d"',
    '"\ud83d\ude00\ud83d\ude00x\ud83d\ud83d\ude00\ude00"',
    '{"a\\"b\\ud83d\\ude00 key\\u00e9": 0, "": {"\\\\": []}}',
    *(f"[{number}]" for number in ("0", "-0", "10", "-12.50", "1e5", "1E+05", "2.5e-3", "0e0")),
    "[NaN, Infinity, -Infinity, true, false, null]",
    ' { "a" : [ 1 , { "b" : null } ] , "c" : { } } ',
]


@pytest.mark.parametrize("text", CUT_EVERYWHERE)
def test_a_text_cut_at_any_two_places_reads_the_same(text: str) -> None:
    whole = repr(read(text).value)

    for one, two in itertools.combinations_with_replacement(range(len(text) + 1), 2):
        assert repr(read(text[:one], text[one:two], text[two:]).value) == whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ('""', ""),
        ("Infinity", float("inf")),
        ("-Infinity", float("-inf")),
        (" 7\n", 7),
    ],
)
def test_the_root_may_be_an_atom(text: str, value: Any) -> None:
    for cut in range(len(text) + 1):
        last = read(text[:cut], text[cut:])
        assert (last.value, type(last.value)) == (value, type(value))
        assert last.path == ()
        assert last.text == text.strip()


@pytest.mark.parametrize("text", ["tru", "-", "1.", "1e", "1e+", "-Inf", "Infinit", "Na", "nul"])
def test_half_an_atom_is_never_taken_for_a_whole_one(text: str) -> None:
    error = fail(text)

    assert isinstance(error, (TruncatedJson, NoJson))
    assert error.text == text
    assert error.snapshot is None or not error.snapshot.started


@pytest.mark.parametrize("text", ["7500", "true", "-Infinity", "NaN"])
@pytest.mark.parametrize("finish_reason", ["length", "content_filter"])
def test_a_root_atom_is_not_whole_if_the_model_was_cut_short(text: str, finish_reason: str) -> None:
    parser = IncrementalParser()
    parser.feed(text)

    with pytest.raises(TruncatedJson) as caught:
        parser.close(finish_reason=finish_reason)

    assert caught.value.finish_reason == finish_reason
    assert caught.value.text == text


def test_a_root_number_ends_with_the_text_if_the_model_says_it_has_finished() -> None:
    parser = IncrementalParser()
    parser.feed("75")

    (last,) = parser.close(finish_reason="stop")

    assert last.value == 75
    assert last.complete
    assert parser.close() == ()


def test_an_integer_stays_one_and_a_float_too() -> None:
    assert repr(read("[1, 1.0, 1e0, -0, -0.0, 100000000000000000000]").value) == (
        "[1, 1.0, 1.0, 0, -0.0, 100000000000000000000]"
    )


@pytest.mark.parametrize(
    ("text", "offset", "found", "expected"),
    [
        ("[1 2]", 3, "2", "',' or ']'"),
        ("[1,]", 3, "]", "a value"),
        ("[,", 1, ",", "a value or ']'"),
        ("[x]", 1, "x", "a value"),
        ('{"a": 1 "b"', 8, '"', "',' or '}'"),
        ('{"a" 1', 5, "1", "':'"),
        ('{"a": }', 6, "}", "a value"),
        ('{"a": 1,}', 8, "}", "a key"),
        ("{a", 1, "a", "a key or '}'"),
        ("{]", 1, "]", "a key or '}'"),
        ("[}", 1, "}", "a value or ']'"),
        ("[1}", 2, "}", "',' or ']'"),
        ('{"a":1]', 6, "]", "',' or '}'"),
        ('["\\x"]', 3, "x", "an escape"),
        ('["\\u12g4"]', 6, "g", "a hexadecimal digit"),
        ('["\\ud83d\\ux', 10, "x", "a hexadecimal digit"),
        ("[01]", 2, "1", "a valid number"),
        ("[-]", 2, "]", "a digit"),
        ("[1.]", 3, "]", "a digit"),
        ("[1.e5]", 3, "e", "a valid number"),
        ("[1e+]", 4, "]", "a digit"),
        ("[+1]", 1, "+", "a value"),
        ("[.5]", 1, ".", "a value"),
        ("[1-2]", 2, "-", "a valid number"),
        ("[truf]", 4, "f", "true"),
        ("[nul]", 4, "]", "null"),
        ("[-Infx", 5, "x", "-Infinity"),
        ("[NaM", 3, "M", "NaN"),
        ("\n[\n  1 2", 7, "2", "',' or ']'"),
        ('["😀", 1 2', 8, "2", "',' or ']'"),
        ('[1 2, "\ud83d\ude00"', 3, "2", "',' or ']'"),
    ],
)
def test_what_cannot_be_json_is_an_error_at_its_place(
    text: str, offset: int, found: str, expected: str
) -> None:
    for size in (1, 2, 3, len(text)):
        error = fail(*(text[at : at + size] for at in range(0, len(text), size)))

        assert isinstance(error, MalformedJson)
        assert (error.offset, error.found, error.expected) == (offset, found, expected)
        assert error.line[error.column] == found
        assert f"Expected {expected} at character {offset}, found {found!r}" in str(error)


@pytest.mark.parametrize(
    ("text", "offset", "found", "expected"),
    [
        ("[NaN]", 1, "N", "a value"),
        ("[-Infinity]", 2, "I", "a digit"),
        ("[Infinity]", 1, "I", "a value"),
        ('["a\nb"]', 3, "\n", "an escaped control character"),
        ('{"\t":1}', 2, "\t", "an escaped control character"),
        ("\ufeff{}", 0, "\ufeff", "a value"),
        ("{} x", 3, "x", "nothing after the value"),
        ("Hi {}", 0, "H", "a value"),
        ("1 2", 2, "2", "nothing after the value"),
        ("1x", 1, "x", "nothing after the value"),
    ],
)
def test_strict_takes_rfc_8259_to_the_letter(
    text: str, offset: int, found: str, expected: str
) -> None:
    for size in (1, 2, len(text)):
        error = fail(*(text[at : at + size] for at in range(0, len(text), size)), strict=True)

        assert isinstance(error, MalformedJson)
        assert (error.offset, error.found, error.expected) == (offset, found, expected)


@pytest.mark.parametrize("text", ["Hi {}", "```json\n{}\n```", "{} Bye", "{}{}", "{}]"])
def test_what_stands_around_the_json_can_be_rejected(text: str) -> None:
    for size in (1, len(text)):
        chunks = [text[at : at + size] for at in range(0, len(text), size)]
        assert read(*chunks).value == {}
        assert isinstance(fail(*chunks, around="reject"), MalformedJson)


def test_rejecting_what_stands_around_keeps_the_rest_of_the_dialect() -> None:
    assert read("\ufeff [NaN", ',"\n"] \n', around="reject").value[1] == "\n"


def test_junk_after_the_value_carries_the_complete_snapshot_and_its_line() -> None:
    error = fail("[1]\n", " x", around="reject")

    assert isinstance(error, MalformedJson)
    assert error.snapshot is not None
    assert error.snapshot.complete
    assert error.snapshot.text == "[1]"
    assert (error.line, error.column) == (" x", 1)


def test_half_a_surrogate_pair_after_the_value_is_junk_when_the_text_ends() -> None:
    for chunks in (["{}\ud83d"], ["{}", "\ud83d"], ["[1]", " \ud83d"]):
        error = fail(*chunks, around="reject")
        assert isinstance(error, MalformedJson)
        assert error.found == "\ufffd"


def test_the_snapshot_of_an_error_shows_what_came_before_it() -> None:
    for chunks in (['["ab', "c\\q"], ['["abc\\q'], ['["a', "bc", "\\", "q"]):
        error = fail(*chunks)
        assert error.snapshot is not None
        assert error.snapshot.value == ["abc"]
        assert error.snapshot.text == '["abc\\'


def test_an_error_is_raised_again_when_fed_or_closed_again() -> None:
    parser = IncrementalParser()
    with pytest.raises(MalformedJson) as first:
        parser.feed("[1 2")

    for text in ("]", ""):
        with pytest.raises(MalformedJson) as fed:
            parser.feed(text)
        assert fed.value is first.value
    with pytest.raises(MalformedJson) as closed:
        parser.close()
    assert closed.value is first.value


def test_junk_after_the_value_is_raised_again() -> None:
    parser = IncrementalParser(around="reject")
    parser.feed("{}")
    with pytest.raises(MalformedJson):
        parser.feed("x")

    with pytest.raises(MalformedJson):
        parser.feed(" ")
    with pytest.raises(MalformedJson):
        parser.close()


@pytest.mark.parametrize("text", ["", " \n", "I am sorry.", "Use {name}", "link](url)"])
def test_a_text_without_json_says_so(text: str) -> None:
    parser = IncrementalParser()
    parser.feed(text)

    with pytest.raises(NoJson) as caught:
        parser.close(finish_reason="stop")

    assert caught.value.text == text
    assert caught.value.finish_reason == "stop"


TRUNCATED: list[tuple[str, Any]] = [
    ('{"a": [1, 2', {"a": [1]}),
    ('{"a": "x', {"a": "x"}),
    ('{"a"', {}),
    ("[1", []),
    ("[[]", [[]]),
    ('"a\\', "a"),
    ('"a\ud83d', "a\ufffd"),
]


@pytest.mark.parametrize(("text", "value"), TRUNCATED)
def test_a_text_that_ends_early_is_truncated(text: str, value: Any) -> None:
    for size in (1, len(text)):
        parser = IncrementalParser()
        for at in range(0, len(text), size):
            parser.feed(text[at : at + size])

        with pytest.raises(TruncatedJson) as caught:
            parser.close(finish_reason="length")

        error = caught.value
        assert error.snapshot is not None
        assert error.snapshot.value == value
        assert not error.snapshot.complete
        assert error.text == text.replace("\ud83d", "\ufffd")
        assert error.finish_reason == "length"


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.parametrize("size", [1000, 10**9])
def test_a_text_that_is_too_deep_is_an_error_and_no_crash(opening: str, size: int) -> None:
    text = opening * 100_000
    error = fail(*(text[at : at + size] for at in range(0, len(text), size)))

    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.value) == ("max_depth", 500)
    assert text[error.offset] in "[{"
    assert error.snapshot is not None
    assert len(error.snapshot.path) == 499


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_a_deep_text_is_read_by_loop(opening: str, closing: str) -> None:
    depth = 100_000
    parser = IncrementalParser(max_depth=2 * depth)
    (open_snapshot,) = parser.feed(opening * depth + "7")
    (closed_snapshot,) = parser.feed(closing * depth)

    for snapshot, innermost in ((open_snapshot, "[] {}"), (closed_snapshot, "7")):
        value = snapshot.value
        while found := children(value):
            value = found[0][1]
        assert repr(value) in innermost

    assert closed_snapshot.complete
    assert len(open_snapshot.path) == depth * len(closing) - 1
    assert len(closed_snapshot.changed) == 1


def test_the_depth_allowed_is_exactly_the_limit() -> None:
    assert read('[{"a":[]}]', max_depth=3).complete

    error = fail('[{"a":[[', max_depth=3)
    assert isinstance(error, LimitExceeded)
    assert error.offset == 7


def test_a_text_may_have_exactly_as_many_characters_as_the_limit() -> None:
    for chunks in (["[1, 2]"], ["[1,", " 2]"], list("[1, 2]")):
        assert read(*chunks, max_chars=6).value == [1, 2]

        error = fail(*chunks, max_chars=5)
        assert isinstance(error, LimitExceeded)
        assert (error.limit, error.value, error.offset) == ("max_chars", 5, 5)
        assert error.snapshot is not None
        assert error.snapshot.value == [1]


def test_a_surrogate_pair_counts_as_one_character_however_it_arrives() -> None:
    for chunks in (['"\ud83d', '\ude00"'], ['"\ud83d\ude00"'], ['"😀"']):
        assert read(*chunks, max_chars=3).value == "😀"


def test_what_follows_the_value_does_not_count_as_its_text() -> None:
    assert read("[]" + " " * 100, max_chars=3).value == []
    assert read("[]", " " * 100, max_chars=3).value == []
    assert isinstance(fail("[]  x", max_chars=3, around="reject"), MalformedJson)


def test_a_number_has_a_longest_length() -> None:
    longest = "9" * 4300
    assert read("[", longest, "]").value == [int(longest)]

    for size in (1, 999, 10**5):
        text = f"[{longest}9]"
        error = fail(*(text[at : at + size] for at in range(0, len(text), size)))
        assert isinstance(error, LimitExceeded)
        assert (error.limit, error.offset) == ("number_chars", 4301)


def test_what_is_no_number_is_malformed_however_long_it_is() -> None:
    for chunks in (["[" + "-" * 5000], list("[--")):
        error = fail(*chunks)
        assert isinstance(error, MalformedJson)
        assert error.offset == 2


def test_many_values_are_read_by_one_parser_after_the_other() -> None:
    text = '{"a": 1}\n[2] "\ud83d\ude00" 3 true\n'
    for size in (1, 2, 5, 100):
        values: list[Any] = []
        parser = IncrementalParser(values="many")
        for at in range(0, len(text), size):
            rest = text[at : at + size]
            while rest:
                values += [each.value for each in parser.feed(rest) if each.complete]
                rest = parser.rest if parser.complete else ""
                parser = IncrementalParser(values="many") if parser.complete else parser

        assert values == [{"a": 1}, [2], "😀", 3, True]


def test_a_limit_on_the_characters_of_one_value_keeps_the_next_one() -> None:
    parser = IncrementalParser(values="many", max_chars=5)
    parser.feed("[1]\n[2]\n[3]\n")

    assert parser.rest == "\n[2]\n[3]\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"around": "ignore"}, 'around must be "skip" or "reject", not \'ignore\''),
        ({"values": "two"}, 'values must be "one" or "many", not \'two\''),
        ({"max_depth": 0}, "max_depth must be at least 1, not 0"),
        ({"max_chars": -1}, "max_chars must be at least 1, not -1"),
    ],
)
def test_wrong_arguments_are_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        IncrementalParser(**options)


def test_carriage_returns_are_kept_as_they_are() -> None:
    text = '{"a": "x\r\ny\rz\n"}'

    assert read(*text).value == json.loads(text, strict=False)
    assert read(*text).text == text


@pytest.mark.parametrize(
    ("text", "options"),
    [
        pytest.param('{"a": [[[[]]]], "a": 1, "b": "LONG"}', {"max_depth": 3}, id="hidden depth"),
        pytest.param('{"a": [[[[]]]], "b": "LONG"}', {"max_depth": 3}, id="depth"),
        pytest.param('{"a": 1.' + "0" * 5000 + "}", {}, id="a long decimal number"),
        pytest.param('{"a": 1e' + "0" * 5000 + "1}", {}, id="a long exponent"),
        pytest.param('{"a": -' + "1" * 4300 + "}", {}, id="a long whole number"),
        pytest.param("[" * 100_000, {}, id="far too deep"),
    ],
)
def test_limits_hold_in_large_chunks_as_in_small_ones(text: str, options: dict[str, Any]) -> None:
    text = text.replace("LONG", "x" * 300)

    def exceeded(size: int) -> tuple[str, int]:
        parser = IncrementalParser(**options)
        with pytest.raises(LimitExceeded) as caught:
            for at in range(0, len(text), size):
                parser.feed(text[at : at + size])

        return caught.value.limit, caught.value.offset

    assert exceeded(len(text)) == exceeded(400) == exceeded(7)


@pytest.mark.parametrize(
    "text",
    [
        '["\\ud800", "LONG"]',
        '["\\ud83d\\ude00", "\\ude00", "LONG"]',
        '[NaN, -Infinity, 1E400, -0, -0.0, "LONG"]',
        '{"a": 1, "b": {"a": "\x07"}, "a": 2, "LONG": []}',
        '{"a": [1, 2], "b": ["[LONG]", "{"]}',
        "[" + '{"a": "]"}, ' * 600 + "0]",
    ],
)
def test_a_large_chunk_is_read_as_small_ones_are(text: str) -> None:
    text = text.replace("LONG", "x" * 300)
    whole, pieces = IncrementalParser(), IncrementalParser()

    (snapshot,) = whole.feed(text)
    snapshots = [each for at in range(0, len(text), 3) for each in pieces.feed(text[at : at + 3])]

    assert snapshot.complete
    assert repr(snapshot.value) == repr(snapshots[-1].value)
    assert snapshot.finished_paths() == snapshots[-1].finished_paths()


def test_a_parser_that_was_interrupted_does_not_take_that_for_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    parser = IncrementalParser()
    parser.feed('{"a": ')
    with monkeypatch.context() as patch:
        patch.setattr("streamops.grammar.read_atom", interrupt)
        with pytest.raises(KeyboardInterrupt):
            parser.feed("1, ")

    with pytest.raises(RuntimeError, match="feed the text to a new one"):
        parser.feed('"b": 2}')
    with pytest.raises(TruncatedJson):
        parser.close()
    assert not parser.complete


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_parser_cannot_be_copied(copied: Callable[[object], object]) -> None:
    parser = IncrementalParser()
    parser.feed('{"a": "he')

    with pytest.raises(TypeError, match="feed its text to another one"):
        copied(parser)
