"""The file format of recorded streams: text/event-stream as received, with the time as a comment.

A line ``: streamops 0.1234`` stands before each event: seconds from the request to its arrival. A
last line ``: streamops incomplete`` says that the stream did not reach its end. Both are comments
for any other reader of the file, and files without them are recordings too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Literal, TypeAlias

Api: TypeAlias = Literal["chat", "responses"]
"""Which of the two streaming APIs of OpenAI."""

Pace: TypeAlias = float | Literal["recorded"] | None
"""How fast to play a recording: events per second, as recorded, or as fast as possible."""

_DONE = (b"data: [DONE]", b"data:[DONE]")
_DATA = re.compile(rb"^data:", re.MULTILINE)
_EVENT = re.compile(rb".*?\n\r?\n", re.DOTALL)
_STAMP = re.compile(rb"^: streamops (\d+(?:\.\d+)?)\r?\n", re.MULTILINE)
# The newline before the mark belongs to it: the event that was cut may have none of its own.
_INCOMPLETE = re.compile(rb"\n: streamops incomplete[^\n]*\n?\Z")


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded stream, event by event."""

    events: tuple[bytes, ...]
    """The bytes as they were received, cut after each event."""
    times: tuple[float, ...] | None
    """Seconds from the request to the arrival of each event, if they were recorded."""
    complete: bool = True
    """Whether the stream reached its end."""

    @property
    def apis(self) -> frozenset[Api]:
        """The APIs that this can be an answer of: both where no event tells."""
        body = b"".join(self.events)

        # Quotes inside a text are escaped, so neither can be found in one.
        if re.search(rb'"type"\s*:\s*"response\.', body):
            return frozenset({"responses"})

        return frozenset({"chat"}) if b'"choices"' in body else frozenset({"chat", "responses"})

    @property
    def has_data(self) -> bool:
        """Whether any event carries data."""
        return any(_DATA.search(event) for event in self.events)


def read_recording(content: bytes) -> Recording:
    """Read the content of a recorded file, with or without recorded times."""
    body = _INCOMPLETE.sub(b"", content)
    untimed, *timed = _STAMP.split(body)

    if not timed:
        events = tuple(_split(untimed))
        return Recording(events, None, complete=body == content)

    sections = chain([(b"0", untimed)], zip(timed[::2], timed[1::2], strict=True))
    pieces = [
        (event, float(time))
        for time, section in sections
        for event, time in zip(_split(section), repeat(time), strict=False)
    ]
    events, times = zip(*pieces, strict=True) if pieces else ((), ())
    return Recording(events, times, complete=body == content)


class RecordingWriter:
    """Turn a stream into the content of a recorded file while it arrives, without I/O."""

    def __init__(self) -> None:
        self._rest = b""
        self._done = False

    def feed(self, data: bytes, seconds: float) -> bytes:
        """Return what to append to the file for data that arrived so long after the request."""
        *events, self._rest = _split(self._rest + data, keep_rest=True)
        self._done = self._done or any(event.startswith(_DONE) for event in events)
        return b"".join(_stamped(event, seconds) for event in events)

    def close(self, seconds: float, *, incomplete: str = "") -> bytes:
        """Return what to append at the end; ``incomplete`` says why this is not the real one.

        A stream that has said that it is done is complete either way.
        """
        rest, self._rest = self._rest, b""
        last = _stamped(rest, seconds) if rest else b""

        if incomplete and not self._done:
            return last + f"\n: streamops incomplete: {incomplete}\n".encode()

        return last


def _split(data: bytes, *, keep_rest: bool = False) -> Iterator[bytes]:
    """Yield the events in the data, and what follows the last one if there is any."""
    end = 0

    for match in _EVENT.finditer(data):
        end = match.end()
        yield match.group()

    if keep_rest or end < len(data):
        yield data[end:]


def _stamped(event: bytes, seconds: float) -> bytes:
    return f": streamops {seconds:.4f}\n".encode() + event
