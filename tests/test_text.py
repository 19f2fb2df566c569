"""What TextBuffer promises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamops.text import TextBuffer


@given(st.lists(st.text(max_size=3), max_size=40), st.integers(1, 20), st.data())
def test_what_was_written_can_be_read_from_anywhere_to_anywhere(
    pieces: list[str], times: int, data: st.DataObject
) -> None:
    buffer = TextBuffer()
    for piece in pieces * times:
        buffer.write(piece)
    text = "".join(pieces * times)

    start = data.draw(st.integers(0, len(text) + 2))
    stop = data.draw(st.none() | st.integers(0, len(text) + 2))

    assert buffer.read() == text
    assert buffer.read(start, stop) == text[start:stop]
