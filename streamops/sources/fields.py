"""What stands in the events of an answer, be they the openai SDK's objects or plain dicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from streamops.errors import SourceFailed, UnknownElement

Fields: TypeAlias = Mapping[str, Any]

OBJECT: Final[Any] = dict
"""What a JSON object becomes. The type checkers do not see which: casts take time at each event."""


def fields_of(thing: Any) -> Fields:
    """Return the fields of one of the SDK's objects, or the dict it would be made from."""
    fields: Fields

    if isinstance(thing, OBJECT):
        fields = thing
        return fields

    if thing is None:
        return {}

    try:
        fields = cast("Fields", vars(thing))
    except TypeError:
        raise UnknownElement(
            thing, expected="an event of an OpenAI stream is needed, or a part of a whole answer"
        ) from None

    # What the SDK has no field for (reasoning_content, for one) is kept beside the fields.
    extra: Fields | None = getattr(thing, "model_extra", None)
    return {**fields, **extra} if extra else fields


def plain(thing: Any) -> Fields:
    """Return the same as plain data, without what the wire did not carry."""
    fields: Fields = thing if isinstance(thing, OBJECT) else thing.model_dump(exclude_unset=True)
    return fields


def text_of(value: Any) -> str:
    """Return the text of a value that ought to be one; some send arguments as an object."""
    if isinstance(value, str):
        return value

    return "" if value is None else json.dumps(value)


def word_of(value: Any) -> str | None:
    """Return the text of a value, such as a name; None if there is none."""
    return None if value is None else text_of(value) or None


def reported_failure(error: Any) -> SourceFailed:
    """Return the failure that a provider reports, in its own words."""
    fields: Fields = {} if isinstance(error, str) else fields_of(error)
    words = text_of(error if isinstance(error, str) else fields.get("message"))
    return SourceFailed(words or "The provider reported an error without saying which")
