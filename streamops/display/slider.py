"""A slider over the moments of a history, made of ipywidgets."""

from __future__ import annotations

from typing import Any

from streamops.display.strip import Shows, heading, html_ending, html_look

_FASTEST, _SLOWEST = 20, 500  # milliseconds that a moment is shown for when all are played


def slider_over(history: Shows) -> Any:
    """Return a widget with a slider, a button that plays, and what was shown then."""
    import ipywidgets  # pyright: ignore[reportMissingTypeStubs]  # there are none

    widgets: Any = ipywidgets
    last = len(history) - 1
    if last < 0:
        raise LookupError("This history is empty: the stream emitted nothing") from history.error

    pace = min(max(round(1000 * history.seconds / (last + 1)), _FASTEST), _SLOWEST)
    # Both at the end: what is linked takes the value of the other at once.
    play = widgets.Play(last, max=last, interval=pace)
    slider = widgets.IntSlider(last, max=last, readout=False, layout={"width": "420px"})
    label, shown = widgets.Label(), widgets.HTML()

    def show(_: object = None) -> None:
        moment = history[slider.value]
        label.value = f"{heading(moment)} · {slider.value + 1} of {last + 1}"
        shown.value = html_look(moment) + (html_ending(history) if slider.value == last else "")

    show()
    slider.observe(show, "value")
    # In the browser: a round trip to the kernel for each step would make it stutter.
    widgets.jslink((play, "value"), (slider, "value"))
    return widgets.VBox([widgets.HBox([play, slider, label]), shown])
