"""How a stream can end badly.

StreamopsError
├── MalformedJson        no continuation can be JSON
├── TruncatedJson        the text ended before the JSON did
│   └── ConnectionDropped    ... because the connection broke (a SourceFailed too)
├── NoJson               the text ended and no JSON had begun
├── SchemaMismatch       the JSON is fine, the model says no
├── Refused              the model declined
├── ContentFiltered      the provider's filter stopped the answer
├── SourceFailed         network or provider error, the cause kept
│   ├── UnknownElement       the source yielded something that cannot be read (a TypeError too)
│   └── SpentSource          a one-time source was subscribed to again (a RuntimeError too)
└── LimitExceeded        deeper or larger than the limits set

These are the world's faults. Mistakes in code that uses streamops (a path that is not a list, a
negative limit) are a TypeError or ValueError, raised when the operator is built.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from streamops.nodes import Path
from streamops.snapshot import Snapshot

_QUOTED = 60  # characters of a text that a message quotes


class StreamopsError(Exception):
    """What a stream of streamops ends with when it does not complete."""

    snapshot: Snapshot | None = None
    """The last snapshot before the error, where JSON was being read."""

    def __reduce__(self) -> tuple[Any, ...]:
        # An Exception would be made anew from its message alone.
        return _made_again, (type(self), self.args, self.__dict__)


class MalformedJson(StreamopsError):
    """No continuation of the text can be JSON."""

    def __init__(
        self,
        *,
        offset: int,
        found: str,
        expected: str,
        line: str = "",
        column: int = 0,
        snapshot: Snapshot | None = None,
    ) -> None:
        pointer = f"\n  {line}\n  {' ' * column}^" if line else ""
        super().__init__(f"Expected {expected} at character {offset}, found {found!r}{pointer}")
        self.offset = offset
        """Where in the text, in characters from 0."""
        self.found = found
        """The character there."""
        self.expected = expected
        """What could have stood there."""
        self.line = line
        """The text around the place, up to the character found."""
        self.column = column
        """Where in ``line``, in characters from 0."""
        self.snapshot = snapshot


class TruncatedJson(StreamopsError):
    """The text ended before the JSON did."""

    _stopped = "the stream stopped"

    def __init__(
        self, *, snapshot: Snapshot | None, text: str, finish_reason: str | None = None
    ) -> None:
        why = {
            None: self._stopped,
            "length": "the model ran out of tokens (finish_reason 'length'): allow it more",
        }.get(finish_reason, f"the stream stopped with finish_reason {finish_reason!r}")
        super().__init__(f"The JSON is incomplete after {_tail(text)}: {why}")
        self.snapshot = snapshot
        self.text = text
        """Everything that arrived."""
        self.offset = len(text)
        """Where it ended, in characters."""
        self.finish_reason = finish_reason
        """What the provider said, if it said anything."""


class NoJson(StreamopsError):
    """The text ended and no JSON had begun."""

    def __init__(self, *, text: str, finish_reason: str | None = None) -> None:
        what = f"The text holds no JSON: {_head(text)}" if text else "No text arrived"
        super().__init__(what)
        self.text = text
        """Everything that arrived."""
        self.offset = len(text)
        """Where it ended, in characters."""
        self.finish_reason = finish_reason
        """What the provider said, if it said anything."""


class Fault(NamedTuple):
    """One thing that is wrong with a document that does not fit."""

    path: Path
    """Where it is, from the root, in keys of the JSON as far as pydantic tells."""
    message: str
    """What pydantic says."""
    input: Any
    """What stands there; of a missing field, what holds it."""


class SchemaMismatch(StreamopsError):
    """The JSON is fine, but the model says no."""

    def __init__(
        self,
        *,
        validation_error: ValidationError,
        path: Path = (),
        is_field: bool = False,
        snapshot: Snapshot | None = None,
        hint: str = "",
        others: Sequence[SchemaMismatch] = (),
    ) -> None:
        where = f"at {path}" if path else "as a whole"
        where += f" (one of {len(others) + 1} places)" if others else ""
        super().__init__(f"Invalid {where}: {validation_error}{hint and chr(10)}{hint}")
        self.validation_error = validation_error
        """Pydantic's own error; its locations start at the innermost model that is invalid."""
        self.path = path
        """Where that model stands in the document, in keys of the JSON; with ``validate="eager"``
        where its field does."""
        self.others = tuple(others)
        """What else was wrong, where several items of a list, or several calls, were."""
        self._is_field = is_field
        self.snapshot = snapshot

    def joined(self, others: Iterable[Exception]) -> SchemaMismatch:
        """Return the same error together with others."""
        found = [other for other in others if isinstance(other, SchemaMismatch)]
        joined = SchemaMismatch(
            validation_error=self.validation_error,
            path=self.path,
            is_field=self._is_field,
            snapshot=self.snapshot,
            others=(*self.others, *(each for other in found for each in (other, *other.others))),
        )
        return joined if found else self

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong in each of these places, with paths from the root of the document."""
        above = self.path[:-1] if self._is_field else self.path
        found = self.validation_error.errors(include_url=False, include_context=False)
        own = (Fault((*above, *each["loc"]), each["msg"], each["input"]) for each in found)
        return (*own, *(fault for other in self.others for fault in other.faults))


class Refused(StreamopsError):
    """The model declined to answer."""

    def __init__(self, *, text: str, snapshot: Snapshot | None = None) -> None:
        super().__init__(f"The model refused: {_head(text)}")
        self.text = text
        """The words it used."""
        self.snapshot = snapshot


class ContentFiltered(StreamopsError):
    """The provider's content filter stopped the answer."""

    def __init__(self, *, text: str, snapshot: Snapshot | None = None) -> None:
        so_far = f" after {_tail(text)}" if text else ""
        super().__init__(f"The provider's content filter stopped the answer{so_far}")
        self.text = text
        """What had arrived until then."""
        self.snapshot = snapshot


class SourceFailed(StreamopsError):
    """The source raised; ``__cause__`` is what it raised."""

    dropped = False
    """Whether the connection broke, and not the provider or the source itself said no."""

    begun = False
    """Whether an answer had begun, so that no client tries again by itself."""

    def __init__(self, message: str, *, dropped: bool = False) -> None:
        super().__init__(message)
        if dropped:
            self.dropped = True


class ConnectionDropped(TruncatedJson, SourceFailed):
    """The connection broke while the JSON was open.

    Both a TruncatedJson, with what had arrived, and a SourceFailed, with its cause.
    """

    _stopped = "the connection broke"
    dropped = True
    begun = True


class UnknownElement(SourceFailed, TypeError):
    """The source yielded something that cannot be read as text."""

    def __init__(self, element: Any, *, expected: str) -> None:
        super().__init__(
            f"The source yielded {_head(repr(element))} ({type(element).__name__}), but {expected}"
        )
        self.element = element
        """What the source yielded."""


class SpentSource(SourceFailed, RuntimeError):
    """A source that can be read only once was subscribed to again."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} can be read only once, and it has been. Pass a function that opens "
            "a new one, or put share_latest() between the stream and its subscribers."
        )


class LimitExceeded(StreamopsError):
    """The text is deeper or larger than the limits set."""

    def __init__(
        self, limit: str, value: int, *, offset: int, snapshot: Snapshot | None = None
    ) -> None:
        super().__init__(f"{limit}={value} is exceeded at character {offset}")
        self.limit = limit
        """``"max_depth"`` or ``"max_chars"``, as in ``accumulate_json``, or ``"number_chars"``: no
        number may be longer than 4300 characters."""
        self.value = value
        """Its value."""
        self.offset = offset
        """Where in the text, in characters from 0."""
        self.snapshot = snapshot


def _made_again(
    kind: type[StreamopsError], arguments: tuple[Any, ...], fields: dict[str, Any]
) -> StreamopsError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(fields)
    return error


def _head(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def _tail(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else f"…{text[-_QUOTED:]}")
