"""What there is to see of one element of a stream."""

from __future__ import annotations

from typing import Any, cast

from streamops.delta import Delta
from streamops.display.blocks import Failure, Outline, failure_of
from streamops.display.outline import outline
from streamops.display.picture import label_of, list_name, text_of
from streamops.display.visible import place_of
from streamops.items import ItemResult, Tagged
from streamops.operators.field_events import FieldEvent
from streamops.progress import Progress


def look_at(element: Any, *, limit: int = 60, width: int = 160) -> Outline | Failure:
    """Return an element as rows, in at most so many and so wide ones.

    Of Progress that is its value, of a Delta its text, of items what they are; an item that is
    invalid is a failure.
    """
    error = _error_of(element)
    return (
        failure_of(error) if error else Outline(outline(_seen(element), limit=limit, width=width))
    )


def _error_of(element: Any) -> Exception | None:
    while isinstance(element, Progress | Tagged):
        element = _inside(element)
    return cast("ItemResult[Any]", element).error if isinstance(element, ItemResult) else None


def _seen(element: Any) -> Any:
    """Return what shows of an element, as an outline can list it."""
    match element:
        case Progress():
            return _seen(_inside(element))
        case ItemResult():
            return cast("ItemResult[Any]", element).value
        case Tagged():
            return {list_name(element.tag): _seen(_inside(element))}
        case Delta():
            return {label_of(element): text_of(element)}
        case FieldEvent():
            return {element.kind: place_of(element.path) or "the root", **_news(element)}
        case _:
            return element


def _inside(element: Any) -> Any:
    return cast("Tagged[Any]", element).item if isinstance(element, Tagged) else element.value


def _news(event: FieldEvent) -> dict[str, Any]:
    if event.kind == "started":
        return {}

    return {"text": event.text} if event.kind == "grew" else {"value": event.value}
