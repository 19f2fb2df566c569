"""Every Hypothesis strategy: JSON in many spellings, ways to cut it, and ways to break it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any, TypeAlias

from hypothesis import strategies as st

from tests.slow_reading import truth

Sizes: TypeAlias = Sequence[int]
"""How long the chunks are, over and over."""

SPACES = ("", "", "", " ", "\n", "\t", "\r\n", "  \n ")
KEYS = ('"a"', '"b"', '"\\u0061"', '""', '"id"', '"\\ud83d\\ude00"', '"a b\\n"')
CHARACTERS = (
    "a", "Zz", "0", " ", "{", "}", "[", "]", ":", ",", "'", "<think>", "```", "é", "\u2028",
    "😀", "\ufeff", "\ufffd", "\n", "\t", "\x00", "\x7f",
)  # fmt: skip
ESCAPES = (
    '\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u00e9", "\\uFFFF",
    "\\u0000", "\\ud83d\\ude00", "\\uD834\\uDD1E", "\\\\ud83d",
)  # fmt: skip
LONE_SURROGATES = ("\\ud83d", "\\ude00", "\\uD800\\uD800", "\\udc00\\ud83d", "\ud83d", "\ude00")
HALVED = ("\ud83d\ude00", "\udbff\udfff")
NUMBERS = (
    "0", "-0", "7500", "-75001", "0.5", "-0.0", "1e5", "1E+5", "2.50e-3", "-1.0E0", "1e400",
    "123456789012345678901234567890", "1e-400",
)  # fmt: skip
WORDS = ("true", "false", "null")
LENIENT_WORDS = ("NaN", "Infinity", "-Infinity")

spaces = st.sampled_from(SPACES)


def cut(text: str, sizes: Sizes) -> Iterator[str]:
    """Cut a text into chunks of these sizes."""
    position = 0
    for size in cycle(sizes):
        if position >= len(text):
            return

        yield text[position : position + size]
        position += size


def chunk_sizes() -> st.SearchStrategy[Sizes]:
    """Draw a chunking: character by character, all at once, or anything between."""
    lengths = st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any)
    return st.one_of(st.just((1,)), st.just((10**9,)), st.just((4,)), lengths)


def json_values() -> st.SearchStrategy[Any]:
    """Draw any value that json.dumps writes."""
    atoms = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
    )
    return st.recursive(
        atoms,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
        max_leaves=15,
    )


def strings(*, surrogates: bool = False, plain: bool = False) -> st.SearchStrategy[str]:
    """Draw the text of a JSON string; ``plain`` ones hold no raw control characters."""
    raw = [text for text in CHARACTERS if not plain or min(text) >= " "]
    pieces = [*raw, *ESCAPES, *(LONE_SURROGATES if surrogates else ()), *HALVED]
    return st.lists(st.sampled_from(pieces), max_size=6).map(lambda some: f'"{"".join(some)}"')


def json_texts(
    *,
    strict: bool = False,
    surrogates: bool = False,
    repeated_keys: bool = True,
) -> st.SearchStrategy[str]:
    """Draw JSON as somebody may write it; ``strict`` means RFC 8259, else also our dialect."""
    words = WORDS if strict else WORDS + LENIENT_WORDS
    text = strings(surrogates=surrogates, plain=strict)
    atoms = st.sampled_from(NUMBERS) | st.sampled_from(words) | text
    keys = st.sampled_from(KEYS) | text

    def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        spaced = st.tuples(spaces, inner, spaces).map("".join)
        arrays = st.lists(spaced, max_size=4).map(lambda items: f"[{','.join(items)}]")
        properties = st.tuples(spaces, keys, spaces, st.just(":"), spaced)
        objects = st.lists(
            properties,
            max_size=4,
            unique_by=None if repeated_keys else _unescaped_key,
        ).map(lambda items: f"{{{','.join(map(''.join, items))}}}")
        return st.one_of(arrays, objects, st.sampled_from(("[ ]", "{\n}", "[]", "{}")))

    values = st.recursive(atoms, containers, max_leaves=12)
    return st.tuples(spaces, values, spaces).map("".join)


def _unescaped_key(item: Sequence[str]) -> str:
    key: str = truth(item[1])
    return key


@st.composite
def broken_texts(draw: st.DrawFn) -> str:
    """Draw a text that is nearly JSON, or JSON after all."""
    tokens = (
        *'{}[]:,"\\01-+.eEaN\n\t\x00', *WORDS, *LENIENT_WORDS, '"a"', '"a":', "[1,", "nul", "-I",
        "\\u", "\\ud83d", "\\u12", "\ud83d", "\ufeff", "😀", "01", "1.", "Inf", "Nan",
    )  # fmt: skip
    junk = st.sampled_from(tokens)
    if draw(st.booleans()):
        return "".join(draw(st.lists(junk, min_size=1, max_size=10)))

    text = draw(json_texts(surrogates=True))
    begin = draw(st.integers(0, len(text)))
    end = draw(st.sampled_from((begin, begin + 1, len(text))))
    return text[:begin] + draw(st.just("") | junk) + text[end:]


def surrounded_texts() -> st.SearchStrategy[str]:
    """Draw what models write around JSON, near misses included."""
    before = (
        "Sure! Here: ", "Use {name} like [this](url): ", '{"a"} ', "[x] ", "[tr] ", "[1-3] ",
        "[2024-01-02] ", "{ a: 1 } ", '["a" b] ', "[[", "[{", '{"', "```json\n", "```\n", "<",
        "<think>", "</think>", '<think>{"x": [1]}</think>', "<thin", "<thi{", "\n", "é😀", "\ud83d",
        "[-", "[1.", "[1e", "Na", "Inf", "\ufeff", " ", "[\\", "[NaN ", "{}", "[ ]", "[1 ",
    )  # fmt: skip
    after = ("", "\n```", "\n```\nHope this helps {x} [y]!", " }", "]", "\ud83d", "{")
    openings = st.lists(st.sampled_from(before), max_size=4).map("".join)
    return st.tuples(openings, json_texts(), st.sampled_from(after)).map("".join)
