"""History: all that a stream showed, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from importlib.util import find_spec
from typing import Any, Generic, Literal, TypeVar, cast, overload

from pydantic import BaseModel, RootModel

from streamops.display.kernel import is_in_kernel
from streamops.display.strip import html_strip, text_strip
from streamops.display.times import time_in_words
from streamops.display.visible import counted
from streamops.items import ItemResult, Tagged
from streamops.nodes import Path
from streamops.partial import partial_state, state_of
from streamops.partial_dataclasses import vars_of
from streamops.progress import Progress
from streamops.snapshot import Finished, Snapshot
from streamops.states import FieldState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Moment(Generic[T]):
    """What a stream showed from some time on."""

    index: int
    seconds: float
    """Since the stream was begun."""
    value: T


class History(Sequence[Moment[T]]):
    """The moments at which a stream showed something else, in their order.

    In a notebook it is displayed with a slider where ipywidgets is installed, and as a strip of
    some moments where there is no kernel to move it; ``str`` writes the same strip as lines.
    """

    def __init__(
        self, moments: Sequence[Moment[T]], seconds: float, error: Exception | None
    ) -> None:
        self._moments = tuple(moments)
        self._seconds = seconds
        self._error = error

    @property
    def value(self) -> T:
        """What was shown last; LookupError if there was nothing."""
        return self.at(1.0).value

    @property
    def error(self) -> Exception | None:
        """What the stream ended with, unless it completed."""
        return self._error

    @property
    def seconds(self) -> float:
        """How long the stream took."""
        return self._seconds

    def at(self, fraction: float) -> Moment[T]:
        """Return the moment at a fraction of all: 0.0 is the first, 1.0 the last.

        Raises ValueError for a number outside, and LookupError if there is no moment.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"at takes a fraction from 0.0 to 1.0, not {fraction}")

        if not self._moments:
            raise LookupError("This history is empty: the stream emitted nothing") from self._error

        return self._moments[round(fraction * (len(self._moments) - 1))]

    def when(self, path: Path, state: Literal["shown", "done"] = "shown") -> Moment[T] | None:
        """Return the moment at which a path was first shown, or finished; None if it never was.

        A path is a tuple of keys, indexes and names of fields, as in ``state_of`` and Snapshots; of
        Progress, Tagged and ItemResult it is one of what they hold. That something was closed is no
        moment of its own, since it does not show: it is finished in the next.
        """
        if not isinstance(path, tuple):
            raise TypeError(f"a path is a tuple of keys and indexes, not {path!r}")

        if state not in ("shown", "done"):
            raise ValueError(f'when takes "shown" or "done", not {state!r}')

        wanted = ("done",) if state == "done" else ("growing", "done")
        return next(
            (moment for moment in self._moments if _state(moment.value, path) in wanted), None
        )

    def slider(self) -> Any:
        """Return an ipywidget that shows any of the moments.

        Raises ImportError if ipywidgets is not installed, and LookupError if there is no moment.
        """
        from streamops.display.slider import slider_over

        return slider_over(self)

    @overload
    def __getitem__(self, index: int) -> Moment[T]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Moment[T]]: ...
    def __getitem__(self, index: int | slice) -> Moment[T] | Sequence[Moment[T]]:
        return self._moments[index]

    def __len__(self) -> int:
        return len(self._moments)

    def __repr__(self) -> str:
        moments = counted(len(self._moments), "moment")
        error = "" if self._error is None else f", {type(self._error).__name__}"
        return f"<History: {moments}, {time_in_words(self._seconds)}{error}>"

    def __str__(self) -> str:
        return "\n".join(text_strip(self))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        bundle = {"text/plain": str(self), "text/html": html_strip(self)}
        if not self._moments or not is_in_kernel() or find_spec("ipywidgets") is None:
            return bundle

        return {**self.slider()._repr_mimebundle_(), **bundle}


def _state(value: Any, path: Path) -> FieldState:
    """Return how far what is shown at a path is."""
    if isinstance(value, Progress):
        return _state(cast("Progress[Any]", value).value, path)

    if isinstance(value, Tagged):
        return _state(cast("Tagged[Any]", value).item, path)

    if isinstance(value, ItemResult):
        result = cast("ItemResult[Any]", value)
        return "pending" if result.error is not None else _state(result.value, path)

    if isinstance(value, Snapshot):
        located = value.locate(path)
        return "done" if isinstance(located, Finished) else "growing" if located else "pending"

    if isinstance(value, BaseModel) or (is_dataclass(value) and not isinstance(value, type)):
        state = state_of(value).at(path)
        # What is finished is shown; what grows may be held back until then.
        return "pending" if state == "growing" and not _is_shown(value, path) else state

    if not path:
        return "done"

    try:
        return _state(_child(value, path[0]), path[1:])
    except LookupError:
        return "pending"


def _is_shown(value: Any, path: Path) -> bool:
    try:
        for key in path:
            value = _child(value, key)
    except LookupError:
        return False

    return True


def _child(value: Any, key: Any) -> Any:
    """Return what is shown at a key; LookupError if nothing is."""
    while isinstance(value, RootModel):
        value = cast("Any", value).root

    if isinstance(value, BaseModel):
        if key not in value.model_fields_set:
            raise KeyError(key)
        return getattr(value, key)

    if is_dataclass(value) and not isinstance(value, type):
        partial = partial_state(value)
        return (vars_of(value) if partial is None else partial.arrived)[key]

    if isinstance(value, Mapping):
        return cast("Mapping[Any, Any]", value)[key]

    if isinstance(value, list | tuple) and isinstance(key, int) and key >= 0:
        return cast("Sequence[Any]", value)[key]

    raise KeyError(key)
