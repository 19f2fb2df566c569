"""Path patterns: which places of a document to watch."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, Literal, TypeAlias, cast

from pydantic import AliasChoices, AliasPath

from streamops.collection_shapes import DictOf, ListOf
from streamops.model_shapes import ModelShape
from streamops.nodes import Path
from streamops.reading import reader_of
from streamops.record_shapes import RecordShape
from streamops.root_shapes import RootShape
from streamops.shapes import Shape, Whole, Wrapped
from streamops.snapshot import children_of
from streamops.union_shapes import OneOf
from streamops.value_shapes import Atom


class AnyKey(Enum):
    """The type of ANY."""

    ANY = "ANY"

    def __repr__(self) -> str:
        return "ANY"


ANY: Final[Literal[AnyKey.ANY]] = AnyKey.ANY
"""Stands for any list index or dict key in a path: ``("users", ANY, "name")``."""

Pattern: TypeAlias = tuple[str | int | AnyKey, ...]
"""A path in which ANY may stand."""


def patterns_for(path: Pattern, model: Any, *, operator: str) -> tuple[Pattern, ...]:
    """Return where in the JSON a path leads; all patterns are as long as the path.

    Without a model the path is that place. With one, it is given in the names of fields, and each
    name becomes the keys that the field is read from.

    Raises TypeError for what is no path and no type, and ValueError for a path that leads nowhere.
    """
    if not isinstance(path, tuple) or not all(map(_is_key, path)):
        raise TypeError(
            f"{operator} takes a path, a tuple of keys, indexes and ANY such as "
            f"{_example_like(path)}, not {path!r}"
        )

    if any(isinstance(key, int) and key < 0 for key in path):
        raise ValueError(f"{operator} takes indexes from 0 on, or ANY, not {path!r}")

    if model is None:
        return (path,)

    try:
        found = _in_json(reader_of(model, operator=operator).shape, path)
    except _LeadsNowhere as nowhere:
        before = path[: len(path) - nowhere.left]
        where = f"at {before!r} " if before else ""
        raise ValueError(f"{operator}: {path!r} leads nowhere: {where}{nowhere}") from None

    return tuple(dict.fromkeys(found))


def advance(patterns: tuple[Pattern, ...], key: str | int) -> tuple[Pattern, ...]:
    """Return what is left of the patterns that lead on to a key."""
    return tuple(p[1:] for p in patterns if p and (p[0] == key or p[0] is ANY))


def places_in(patterns: tuple[Pattern, ...], path: Path, value: Any) -> list[tuple[Path, Any]]:
    """List the places in a finished value that patterns lead to, in the order of the text."""
    if not patterns or not patterns[0]:
        return [(path, value)] if patterns else []

    return [
        place
        for key, child in children_of(value)
        if (left := advance(patterns, key))
        for place in places_in(left, (*path, key), child)
    ]


class _LeadsNowhere(Exception):  # becomes a ValueError that names the path
    def __init__(self, left: int, message: str) -> None:
        super().__init__(message)
        self.left = left
        """How much of the path was left."""


def _example_like(wrong: object) -> str:
    """Return a path, that which is meant if that can be told."""
    if isinstance(wrong, list):
        keys = cast("list[Any]", wrong)
        if all(map(_is_key, keys)):
            return repr(tuple(keys))

    return f"({wrong!r},)" if isinstance(wrong, str | AnyKey) else '("users", ANY, "name")'


def _is_key(key: object) -> bool:
    return isinstance(key, str | int | AnyKey) and not isinstance(key, bool)


def _in_json(shape: Shape, path: Pattern) -> list[Pattern]:
    if not path:
        return [()]

    key = path[0]
    match shape:
        case OneOf():
            return _in_one_of(shape, path)
        case Wrapped():
            return _in_json(shape.shape, path)
        case RootShape():
            return _in_json(shape.root, path)
        case RecordShape():
            return _in_record(shape, path)
        case ListOf():
            if isinstance(key, str):
                raise _LeadsNowhere(len(path), f"is a list, with indexes or ANY, not {key!r}")
            return [(key, *left) for left in _in_json(shape.item, path[1:])]
        case DictOf():
            if isinstance(key, int):
                raise _LeadsNowhere(len(path), f"is a dict, with strings or ANY as keys, not {key}")
            return [(key, *left) for left in _in_json(shape.value, path[1:])]
        case Whole() if shape.is_scalar or isinstance(shape, Atom):
            raise _LeadsNowhere(len(path), f"is a single value, with nothing at {key!r} in it")
        case _:
            return [path]  # nothing is known of what is in there


def _in_one_of(shape: OneOf, path: Pattern) -> list[Pattern]:
    found: list[Pattern] = []
    nowhere: list[_LeadsNowhere] = []
    for member in shape.members:
        try:
            found += _in_json(member, path)
        except _LeadsNowhere as error:
            nowhere.append(error)

    if not found:
        left = min(error.left for error in nowhere)
        raise _LeadsNowhere(left, ", or ".join(str(e) for e in nowhere if e.left == left))

    return found


def _in_record(shape: RecordShape, path: Pattern) -> list[Pattern]:
    key, rest = path[0], path[1:]
    if key is ANY:
        return _in_any_field(shape, rest)

    if isinstance(key, str) and key in shape.types:
        keys = [k for k in shape.keys(key) if k in shape.fields]
        if not keys or _is_nested(shape, key):
            raise _LeadsNowhere(
                len(path), f"reads {key!r} from inside other keys: give the path in JSON, no model"
            )
        return [(k, *left) for k in keys for left in _in_json(shape.fields[k][1], rest)]

    if isinstance(key, str) and shape.config.get("extra") == "allow":
        return [path]

    names = ", ".join(shape.types) or "none"
    message = f"is a {shape.name}, whose fields are: {names}; not {key!r}"
    raise _LeadsNowhere(len(path), message)


def _is_nested(shape: RecordShape, name: str) -> bool:
    alias = (
        shape.model.model_fields[name].validation_alias if isinstance(shape, ModelShape) else None
    )
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    return any(isinstance(choice, AliasPath) and len(choice.path) > 1 for choice in choices)


def _in_any_field(shape: RecordShape, rest: Pattern) -> list[Pattern]:
    """Return where a path leads on in those fields in which it does."""
    if not rest:
        return [(ANY,)]

    found: list[Pattern] = []
    nowhere: list[_LeadsNowhere] = []
    for key, (_, field) in shape.fields.items():
        try:
            found += [(key, *left) for left in _in_json(field, rest)]
        except _LeadsNowhere as error:
            nowhere.append(error)

    if not found:
        left = min((error.left for error in nowhere), default=len(rest) + 1)
        about = [str(error) for error in nowhere if error.left == left]
        raise _LeadsNowhere(left, ", or ".join(about) or "is a model without fields")

    return found
