"""TextBuffer: text that grows by small pieces."""

from __future__ import annotations

_PIECES = 256


class TextBuffer:
    """Collects text in the space that the text itself takes; one thread writes, any may read.

    (StringIO keeps every piece as an object of its own until there are a hundred thousand.)
    """

    __slots__ = ("_blocks", "_tail")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        # How many blocks there are, how many characters they hold, and what came after them: in
        # one tuple, so that a reader never sees a block and the pieces that it was made of.
        self._tail: tuple[int, int, list[str]] = (0, 0, [])

    def write(self, text: str) -> None:
        """Add text at the end."""
        pieces = self._tail[2]
        pieces.append(text)
        if len(pieces) == _PIECES:
            count, size, _ = self._tail
            block = "".join(pieces)
            self._blocks.append(block)
            self._tail = (count + 1, size + len(block), [])

    def read(self, start: int = 0, stop: int | None = None) -> str:
        """Return the characters from ``start`` on, up to ``stop``; cheap near the end."""
        count, begins, pieces = self._tail
        if begins <= start:
            text = "".join(pieces)
            return text[start - begins : None if stop is None else max(0, stop - begins)]

        parts = ["".join(pieces)]
        while begins > start:
            count -= 1
            parts.append(self._blocks[count])
            begins -= len(self._blocks[count])

        text = "".join(reversed(parts))
        return text[max(0, start - begins) : None if stop is None else max(0, stop - begins)]


class _NoText(TextBuffer):
    """Keeps nothing."""

    __slots__ = ()

    def write(self, text: str) -> None:
        return


NO_TEXT = _NoText()
