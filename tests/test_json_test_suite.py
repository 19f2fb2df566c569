"""What the JSONTestSuite (github.com/nst/JSONTestSuite) says of JSON, and what we make of it.

Set STREAMOPS_JSONTESTSUITE to its folder ``test_parsing`` to run this.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from streamops.errors import NoJson, StreamopsError, TruncatedJson
from streamops.parser import IncrementalParser

FOLDER = os.environ.get("STREAMOPS_JSONTESTSUITE")
FILES = sorted(Path(FOLDER).glob("*.json")) if FOLDER else []
REJECTED = object()
"""Stands in a table where the text is no JSON to us."""

pytestmark = pytest.mark.skipif(
    not FOLDER, reason="STREAMOPS_JSONTESTSUITE does not name the folder test_parsing"
)

_CONTROL_CHARACTERS = (
    "n_string_unescaped_ctrl_char",
    "n_string_unescaped_newline",
    "n_string_unescaped_tab",
)
_WORDS = ("n_number_NaN", "n_number_infinity", "n_number_minus_infinity")
_TRAILING_TEXT = (
    "n_array_comma_after_close",
    "n_array_extra_close",
    "n_multidigit_number_then_00",
    "n_object_trailing_comment",
    "n_object_trailing_comment_open",
    "n_object_trailing_comment_slash_open",
    "n_object_trailing_comment_slash_open_incomplete",
    "n_object_with_trailing_garbage",
    "n_string_with_trailing_garbage",
    "n_structure_array_trailing_garbage",
    "n_structure_array_with_extra_array_close",
    "n_structure_close_unopened_array",
    "n_structure_double_array",
    "n_structure_number_with_trailing_garbage",
    "n_structure_object_followed_by_closing_object",
    "n_structure_object_with_trailing_garbage",
    "n_structure_trailing_#",
)

ACCEPTED_BY_DEFAULT = {
    **dict.fromkeys(_CONTROL_CHARACTERS, "models write raw control characters inside strings"),
    **dict.fromkeys(_WORDS, "NaN and Infinity are whole words, as in json.loads"),
    **dict.fromkeys(_TRAILING_TEXT, "what follows the closed root is ignored"),
}

_INFINITE = float("inf")
LEFT_TO_US: dict[str, Any] = {
    # Numbers that a float cannot hold become infinite or zero; integers have no limit.
    "i_number_double_huge_neg_exp": [0.0],
    "i_number_huge_exp": [_INFINITE],
    "i_number_neg_int_huge_exp": [-_INFINITE],
    "i_number_pos_double_huge_exp": [_INFINITE],
    "i_number_real_neg_overflow": [-_INFINITE],
    "i_number_real_pos_overflow": [_INFINITE],
    "i_number_real_underflow": [0.0],
    "i_number_too_big_neg_int": [-123123123123123123123123123123],
    "i_number_too_big_pos_int": [100000000000000000000],
    "i_number_very_big_negative_int": [-237462374673276894279832749832423479823246327846],
    # Lone surrogates become U+FFFD.
    "i_object_key_lone_2nd_surrogate": {"\ufffd": 0},
    "i_string_1st_surrogate_but_2nd_missing": ["\ufffd"],
    "i_string_1st_valid_surrogate_2nd_invalid": ["\ufffd\u1234"],
    "i_string_incomplete_surrogate_and_escape_valid": ["\ufffd\n"],
    "i_string_incomplete_surrogate_pair": ["\ufffda"],
    "i_string_incomplete_surrogates_escape_valid": ["\ufffd\ufffd\n"],
    "i_string_invalid_lonely_surrogate": ["\ufffd"],
    "i_string_invalid_surrogate": ["\ufffdabc"],
    "i_string_inverted_surrogates_U+1D11E": ["\ufffd\ufffd"],
    "i_string_lone_second_surrogate": ["\ufffd"],
    # A text is UTF-8, and without a byte order mark if it is strict.
    "i_string_UTF-16LE_with_BOM": REJECTED,
    "i_string_UTF-8_invalid_sequence": REJECTED,
    "i_string_UTF8_surrogate_U+D800": REJECTED,
    "i_string_invalid_utf-8": REJECTED,
    "i_string_iso_latin_1": REJECTED,
    "i_string_lone_utf8_continuation_byte": REJECTED,
    "i_string_not_in_unicode_range": REJECTED,
    "i_string_overlong_sequence_2_bytes": REJECTED,
    "i_string_overlong_sequence_6_bytes": REJECTED,
    "i_string_overlong_sequence_6_bytes_null": REJECTED,
    "i_string_truncated-utf-8": REJECTED,
    "i_string_utf16BE_no_BOM": REJECTED,
    "i_string_utf16LE_no_BOM": REJECTED,
    "i_structure_UTF-8_BOM_empty_object": REJECTED,
    # The deepest nesting that is allowed is as deep as this.
    "i_structure_500_nested_arrays": json.loads("[" * 500 + "]" * 500),
}


def files(verdict: str) -> pytest.MarkDecorator:
    named = [file for file in FILES if file.stem.startswith(verdict)]
    return pytest.mark.parametrize("file", named, ids=[file.stem for file in named])


def read(file: Path, size: int = 10**9, *, strict: bool = False) -> Any:
    """Return the value in a file that is fed in chunks of a size."""
    text = file.read_bytes().decode()
    parser = IncrementalParser(strict=strict)
    snapshots = [
        snapshot
        for at in range(0, len(text), size)
        for snapshot in parser.feed(text[at : at + size])
    ]
    return [*snapshots, *parser.close()][-1].value


@files("y_")
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_json_is_read(file: Path, strict: bool) -> None:
    value = repr(json.loads(file.read_bytes()))

    assert repr(read(file, strict=strict)) == value
    assert repr(read(file, 1, strict=strict)) == value


@files("n_")
@pytest.mark.parametrize("size", [1, 10**9])
def test_what_is_no_json_is_rejected(file: Path, size: int) -> None:
    error = rejection(file, size)

    if isinstance(error, (TruncatedJson, NoJson)):
        assert error.text == file.read_text()
    else:
        assert place(error) is not None


def test_every_rejection_says_where_the_json_ended() -> None:
    for file in FILES:
        if file.stem.startswith("n_"):
            assert place(rejection(file, 1)) is not None


def rejection(file: Path, size: int) -> StreamopsError | UnicodeDecodeError:
    """Return the error that a strict reader raises."""
    try:
        read(file, size, strict=True)
    except (StreamopsError, UnicodeDecodeError) as error:
        return error
    pytest.fail(f"{file.name} is read")


def place(error: StreamopsError | UnicodeDecodeError) -> int | None:
    """Return where the text is wrong; one that is not UTF-8 is rejected when it is decoded."""
    place = error.start if isinstance(error, UnicodeDecodeError) else getattr(error, "offset", None)
    assert place is None or isinstance(place, int)
    return place


@files("n_")
@pytest.mark.parametrize("size", [1, 10**9])
def test_the_dialect_accepts_what_it_names_and_nothing_else(file: Path, size: int) -> None:
    if file.stem in ACCEPTED_BY_DEFAULT:
        read(file, size)
    else:
        with pytest.raises((StreamopsError, UnicodeDecodeError)):
            read(file, size)


@files("i_")
@pytest.mark.parametrize("size", [1, 10**9])
def test_what_is_left_to_us_is_decided(file: Path, size: int) -> None:
    expected = LEFT_TO_US[file.stem]

    if expected is REJECTED:
        with pytest.raises((StreamopsError, UnicodeDecodeError)):
            read(file, size, strict=True)
    else:
        assert read(file, size, strict=True) == expected
        assert read(file, size) == expected


def test_by_default_a_byte_order_mark_is_skipped() -> None:
    assert FOLDER
    assert read(Path(FOLDER) / "i_structure_UTF-8_BOM_empty_object.json") == {}


def test_every_file_that_is_named_here_exists() -> None:
    assert {*ACCEPTED_BY_DEFAULT, *LEFT_TO_US} <= {file.stem for file in FILES}
