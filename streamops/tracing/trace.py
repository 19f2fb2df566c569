"""Trace: what each stage of a pipeline emitted, and when, as figures and as a picture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from streamops.delta import Delta
from streamops.tracing.histogram import Histogram, histogram_of
from streamops.tracing.signs import shows_something, sorts_of, text_of
from streamops.tracing.stages import Stage
from streamops.tracing.table import Table, table_of


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What a pipeline did, from its sources to its end.

    ``str`` shows it as a marble diagram: a row for each stage, time from left to right. In a
    notebook it is a picture that tells what every marble is.
    """

    stages: tuple[Stage, ...]
    """Each behind the ones that it reads; the last one is the end of the pipeline."""
    seconds: float
    """How long it took."""
    error: Exception | None
    """What it ended with; None if it completed."""
    _last: tuple[Any, ...] = field(default=(), repr=False)

    @property
    def value(self) -> Any:
        """The last value that the pipeline emitted; LookupError if there was none."""
        if self._last:
            return self._last[0]

        reason = f" and ended with {self.error!r}" if self.error is not None else ""
        raise LookupError(f"the pipeline emitted no value{reason}")

    @property
    def time_to_first_chunk(self) -> float | None:
        """Seconds until a source sent some text, or any other element; None if none did."""
        return _earliest(
            event.at
            for stage in self._sources()
            for event in stage.events
            if event.kind == "next" and _says_something(event.value)
        )

    @property
    def time_to_first_field(self) -> float | None:
        """Seconds until a snapshot or a partial showed something; None if none did."""
        return _earliest(_first_shown(stage) for stage in self.stages)

    @property
    def time_to_first_item(self) -> float | None:
        """Seconds until the first item of a list; None if there were none."""
        return _earliest(_first_item(stage) for stage in self.stages)

    def table(self) -> Table:
        """Return the figures of each stage, and the times to the first chunk, field and item.

        Iterates as dicts: ``pandas.DataFrame(trace.table())``.
        """
        return table_of(self)

    def histogram(self) -> Histogram:
        """Return how large the chunks were, and how far apart they came.

        ``print`` it, or look at it in a notebook: it says whether chunks came in bursts, as if
        something on their way collected them.
        """
        return histogram_of(self)

    def to_text(self, width: int = 80) -> str:
        """Return the diagram as lines of text, none of them wider than asked.

        Raises ValueError below 40, where there is no room for time.
        """
        from streamops.tracing.text_diagram import text_diagram

        return text_diagram(self, width)

    def to_svg(self, path: str | PathLike[str]) -> None:
        """Write the diagram to a file of its own, readable on white and on dark pages."""
        Path(path).write_text(self._repr_svg_(), encoding="utf-8")

    def _repr_svg_(self) -> str:
        from streamops.tracing.svg_diagram import svg_diagram

        return svg_diagram(self)

    def _repr_html_(self) -> str:
        from streamops.tracing.html import html_of_trace

        return html_of_trace(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def __str__(self) -> str:
        return self.to_text(max(40, shutil.get_terminal_size((80, 24)).columns))

    def __repr__(self) -> str:
        end = "" if self.error is None else f", ended with {type(self.error).__name__}"
        return f"<Trace: {len(self.stages)} stages in {self.seconds:.3g} s{end}>"

    def _sources(self) -> Iterator[Stage]:
        return (stage for stage in self.stages if not stage.sources)


def _earliest(times: Iterator[float | None]) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _says_something(value: object) -> bool:
    return not isinstance(value, Delta) or text_of(value) is not None


def _first_shown(stage: Stage) -> float | None:
    events = (event for event in stage.events if event.kind == "next")
    return next((event.at for event in events if shows_something(event.value)), None)


def _first_item(stage: Stage) -> float | None:
    items = {kind for kind, sort in sorts_of(stage).items() if sort == "item"}
    events = (event for event in stage.events if event.kind == "next")
    return next((event.at for event in events if type(event.value) in items), None)
