"""Progress bars of other packages, known by what they can do: none of them is imported here."""

from __future__ import annotations

import re
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from inspect import isclass
from threading import RLock
from typing import Any, ClassVar, Protocol, TypeAlias, cast
from weakref import WeakKeyDictionary

from streamops.display.visible import ending, place_of
from streamops.nodes import Path

_LONGEST_PLACE = 40


class TqdmBar(Protocol):
    """What a bar of tqdm can do."""

    n: Any
    total: Any

    def update(self, n: Any = ..., /) -> object:
        """Count ``n`` more, and show it if the last time was long enough ago."""
        ...

    def set_postfix_str(self, s: str = ..., refresh: bool = ...) -> object:
        """Set what stands behind the bar."""
        ...

    def close(self) -> object:
        """Show the bar for the last time."""
        ...


class RichLive(Protocol):
    """What shows the bars of rich."""

    @property
    def is_started(self) -> bool:
        """Whether it does so now."""
        ...


class RichBars(Protocol):
    """What a ``rich.progress.Progress`` can do."""

    @property
    def live(self) -> RichLive:
        """What shows the bars."""
        ...

    def start(self) -> None:
        """Begin to show the bars."""

    def stop(self) -> None:
        """Show the bars for the last time."""

    def add_task(self, description: str, /) -> Any:
        """Add a bar that is full at 100, and return what it is called."""

    def update(
        self,
        task_id: Any,
        /,
        *,
        completed: float | None = ...,
        description: str | None = ...,
        visible: bool | None = ...,
    ) -> None:
        """Change a bar."""

    def stop_task(self, task_id: Any, /) -> None:
        """Stop the time of a bar."""


class WidgetBar(Protocol):
    """What a ``FloatProgress`` or ``IntProgress`` of ipywidgets can do."""

    value: Any
    min: Any
    max: Any
    description: Any
    bar_style: Any


AnyBar: TypeAlias = TqdmBar | RichBars | WidgetBar | type[Any] | partial[Any]
"""A bar, or a class of bars, also with arguments by ``functools.partial``."""


class Follower(ABC):
    """A bar that follows one stream."""

    def __init__(self, description: str | None) -> None:
        self.percent = 0
        self.label = description or ""
        self._description = description

    def show(self, percent: float, path: Path) -> None:
        """Show how much has arrived, and where the document grows."""
        # Rounded, as bars do, it would be 100 too early. Whole ones are 100 redraws at most.
        whole, label = int(percent), self._description or ending(place_of(path), _LONGEST_PLACE)
        if not label and whole < 100:
            label = self.label  # between two fields
        if (whole, label) != (self.percent, self.label):
            self.percent, self.label = whole, label
            self.draw()

    @abstractmethod
    def draw(self) -> None:
        """Show what has changed."""

    def complete(self) -> None:
        """Show that the stream has come to its end."""
        return

    @abstractmethod
    def fail(self, reason: str) -> None:
        """Show that the stream ended in an error."""

    def close(self) -> None:
        """Leave the bar as it is, with nothing of it going on."""
        return


def follower_of(bar: Any, description: str | None) -> Callable[[], Follower]:
    """Return what makes a bar follow a stream; TypeError if nobody knows how."""
    made: Any = bar.func if isinstance(bar, partial) else bar
    if isclass(made) or made is bar:
        for kind, abilities in _KINDS.items():
            if all(hasattr(made, ability) for ability in abilities):
                return partial(kind.of_class if isclass(made) else kind, bar, description)

    raise TypeError(
        "show_progress takes a bar of tqdm, rich or ipywidgets, or a class of them (tqdm.tqdm, "
        "tqdm.tqdm(total=100), rich.progress.Progress(), ipywidgets.FloatProgress()), not "
        f"{reprlib.repr(cast('object', bar))}; for anything else there is rx.do_action"
    )


class _Tqdm(Follower):
    def __init__(self, bar: TqdmBar, description: str | None) -> None:
        super().__init__(description)
        self._bar = bar
        self._total: float = bar.total or 100
        bar.total = self._total
        self.draw()

    @classmethod
    def of_class(cls, new_bar: Callable[..., TqdmBar], description: str | None) -> Follower:
        return _OwnTqdm(
            _new(
                new_bar,
                desc=description,
                total=100,
                unit="%",
                bar_format="{l_bar}{bar}| {elapsed}<{remaining}{postfix}",
                miniters=0,  # it would get used to the steps of a fast beginning
            ),
            None,
        )

    def draw(self) -> None:
        self._bar.update(self.percent * self._total / 100 - self._bar.n)

    def fail(self, reason: str) -> None:
        return


class _OwnTqdm(_Tqdm):
    def draw(self) -> None:
        self._bar.set_postfix_str(self.label, refresh=False)
        super().draw()

    def fail(self, reason: str) -> None:
        self._bar.set_postfix_str(_joined(self.label, reason), refresh=False)

    def close(self) -> None:
        self._bar.close()


class _Rich(Follower):
    def __init__(self, bars: RichBars, description: str | None) -> None:
        super().__init__(description)
        self._bars = bars
        self._audience = _Audience.of(bars)
        self._audience.enter(bars)
        self._task = bars.add_task(_in_markup(self.label))

    @classmethod
    def of_class(cls, new_bars: Callable[..., RichBars], description: str | None) -> Follower:
        return cls(new_bars(), description)

    def draw(self) -> None:
        label = _in_markup(self.label)
        self._bars.update(self._task, completed=self.percent, description=label)

    def fail(self, reason: str) -> None:
        label = _in_markup(_joined(self.label, reason))
        self._bars.update(self._task, description=f"[red]{label}")

    def close(self) -> None:
        self._bars.stop_task(self._task)
        self._audience.leave(self._bars, self._task)


class _Audience:
    """The streams that share one ``rich.progress.Progress``.

    The first starts it, the last stops it, unless it was running already.
    """

    _known: ClassVar[WeakKeyDictionary[RichBars, _Audience]] = WeakKeyDictionary()

    def __init__(self) -> None:
        # Not a Lock: what begins or ends a stream may do so while rich runs, in the same thread.
        self._lock = RLock()
        self._streams = 0
        self._has_started = False
        self._over: list[Any] = []

    @classmethod
    def of(cls, bars: RichBars) -> _Audience:
        return cls._known.setdefault(bars, _Audience())

    def enter(self, bars: RichBars) -> None:
        with self._lock:
            self._streams += 1
            if self._streams == 1 and not bars.live.is_started:
                self._has_started = True
                # Those that it showed the last time stand above already.
                for task in self._over:
                    bars.update(task, visible=False)

                bars.start()

    def leave(self, bars: RichBars, task: Any) -> None:
        with self._lock:
            self._streams -= 1
            if self._has_started:
                self._over.append(task)

            if self._has_started and not self._streams:
                self._has_started = False
                bars.stop()


class _Widget(Follower):
    def __init__(self, bar: WidgetBar, description: str | None) -> None:
        super().__init__(description)
        self._bar = bar
        bar.bar_style = ""
        self.draw()

    @classmethod
    def of_class(cls, new_bar: Callable[..., WidgetBar], description: str | None) -> Follower:
        import IPython.display

        bar = _new(new_bar, min=0, max=100, style={"description_width": "initial"})
        display: Any = IPython.display
        display.display(bar)
        return cls(bar, description)

    def draw(self) -> None:
        low, high = self._bar.min, self._bar.max
        self._bar.value = low + (high - low) * self.percent / 100
        self._bar.description = self.label

    def complete(self) -> None:
        self._bar.bar_style = "success" if self.percent == 100 else ""

    def fail(self, reason: str) -> None:
        self._bar.description = _joined(self.label, reason)
        self._bar.bar_style = "danger"


_KINDS: dict[type[_Tqdm | _Rich | _Widget], tuple[str, ...]] = {
    _Rich: ("add_task", "update", "stop_task", "start", "stop"),
    _Widget: ("bar_style", "description", "value", "min", "max"),
    _Tqdm: ("update", "set_postfix_str", "close"),
}
"""How the bars are known, and their classes."""


def _new(new_bar: Callable[..., Any], **usual: Any) -> Any:
    given: dict[str, Any] = getattr(new_bar, "keywords", {})
    return new_bar(**{name: value for name, value in usual.items() if name not in given})


def _joined(label: str, reason: str) -> str:
    return f"{label}: {reason}" if label else reason


def _in_markup(text: str) -> str:
    """Return what rich shows as this text: no part of it is a tag, or escapes one."""
    return re.sub(r"(\\*)(\[[a-z#/@][^\[]*?\])", r"\1\1\\\2", text)
