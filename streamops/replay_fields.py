"""The fields of a request, and the refusal of one that is not what it has to be."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

Fields: TypeAlias = Mapping[str, Any]

_LONGEST = 2000  # characters of a message, and of the name of a field


class Refusal(Exception):
    """Raised for a request that is refused, with the field that is to blame."""

    def __init__(self, message: str, parameter: str | None) -> None:
        super().__init__(_cut(message))
        self.parameter = None if parameter is None else _cut(parameter)


def quoted(value: object) -> str:
    """Return how a value is written, without what makes it long or deep."""
    return _QUOTING.repr(value)


_QUOTING = reprlib.Repr()
_QUOTING.maxstring = 200


def expect_one_of(value: Any, known: tuple[str, ...], place: str) -> None:
    """Refuse a value that is none of those that are known."""
    if value not in known:
        values = ", ".join(map(repr, known))
        raise Refusal(f"Invalid value: {quoted(value)}. Supported values are: {values}.", place)


def text_of(messages: Sequence[Fields]) -> str:
    """Return all text in messages, whether as strings or in parts."""
    texts: list[str] = []

    for message in messages:
        content = message.get("content")
        parts = objects_in(message, "content") if isinstance(content, list) else [{"text": content}]
        texts.extend(str(part["text"]) for part in parts if part.get("text"))

    return "\n".join(texts)


def needed_in(fields: Fields, field: str, place: str) -> Any:
    """Return a field that has to be there."""
    if fields.get(field) is None:
        raise Refusal(f"Missing required parameter: '{place}.{field}'.", f"{place}.{field}")

    return fields[field]


def object_in(fields: Fields, field: str, place: str | None = None) -> Fields:
    """Return a field that is to be an object if it is there; an empty one if it is not."""
    return {} if fields.get(field) is None else as_object(fields[field], place or field)


def objects_in(fields: Fields, field: str, place: str | None = None) -> list[Fields]:
    """Return a field that is to be an array of objects if it is there."""
    place = place or field
    values: Any = [] if fields.get(field) is None else fields[field]

    if not isinstance(values, list):
        raise _wrong_type(values, place, "an array of objects")

    members = cast("list[Any]", values)
    return [as_object(member, f"{place}[{number}]") for number, member in enumerate(members)]


def as_object(value: Any, place: str) -> Fields:
    """Return a value that has to be an object."""
    if not isinstance(value, dict):
        raise _wrong_type(value, place, "an object")

    return cast("Fields", value)


def _wrong_type(value: object, place: str, expected: str) -> Refusal:
    got = quoted(value)
    return Refusal(f"Invalid type for {place!r}: expected {expected}, but got {got}.", place)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
