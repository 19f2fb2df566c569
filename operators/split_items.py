"""split_items: each item of a list, once, when it is finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast, overload

from pydantic_core import ValidationError, to_json

from streamops.errors import SchemaMismatch
from streamops.lifting import Operator, Step, lift
from streamops.nodes import ArrayNode, Node, ObjectNode, Path
from streamops.reading import Reader, reader_of
from streamops.snapshot import Finished, Snapshot, check_snapshot

T = TypeVar("T")

_NOTHING = object()

OnInvalid: TypeAlias = Literal["raise", "skip", "result"]


@dataclass(frozen=True, slots=True)
class ItemResult(Generic[T]):
    """One item of a list: its value, or why it is invalid."""

    index: int
    value: T | None
    error: SchemaMismatch | None
    text: str
    """The item as compact JSON."""


@overload
def split_items(
    item: type[T], path: Path | None = None, *, on_invalid: Literal["raise", "skip"] = "raise"
) -> Operator[Snapshot, T]: ...
@overload
def split_items(
    item: type[T], path: Path | None = None, *, on_invalid: Literal["result"]
) -> Operator[Snapshot, ItemResult[T]]: ...
@overload
def split_items(
    item: Any, path: Path | None = None, *, on_invalid: OnInvalid = "raise"
) -> Operator[Snapshot, Any]: ...
def split_items(
    item: Any, path: Path | None = None, *, on_invalid: OnInvalid = "raise"
) -> Operator[Snapshot, Any]:
    """Emit each item of a list as soon as it is finished, validated, in order and exactly once.

        [{"name":  "Jo"},  {"na  me": "Al"}]  |
        ------------Jo---------------Al-------|

    ``item`` is any type that pydantic takes. ``path`` says which list: ``("team", "users")``;
    without it, the root if that is a list, else the root's first field that is one. An item is
    finished at its closing delimiter, a number when what follows it has been seen; items that were
    finished before the stream broke off have been emitted. A list that is null has no items.

    ``on_invalid`` says what happens when an item does not fit: ``"raise"`` ends the stream in
    SchemaMismatch with the item's path, ``"skip"`` leaves it out, and ``"result"`` emits an
    ItemResult for every item, good or bad.

    Raises TypeError for what is no type or no path. The stream ends in SchemaMismatch when what
    stands at the path is no list, or the document is complete and nothing stands there.
    """
    if path is not None and not (
        isinstance(path, tuple) and all(isinstance(key, str | int) for key in path)
    ):
        hint = f"({path!r},)" if isinstance(path, str) else '("team", "users")'
        raise TypeError(f"path is a tuple of keys and indexes such as {hint}, not {path!r}")

    if on_invalid not in ("raise", "skip", "result"):
        raise ValueError(f'on_invalid is "raise", "skip" or "result", not {on_invalid!r}')

    return lift(partial(_Splitter, reader_of(item, operator="split_items"), path, on_invalid))


class _Splitter(Step[Snapshot, Any]):
    def __init__(self, reader: Reader, path: Path | None, on_invalid: OnInvalid) -> None:
        self._new_list = partial(_List, reader, path, on_invalid)
        # Snapshots of several documents may come in turns, when streams are merged.
        self._lists: dict[Node, _List] = {}

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        check_snapshot(snapshot, "split_items")

        document = snapshot.document
        items = self._lists.get(document) or self._new_list()
        if snapshot.complete:
            self._lists.pop(document, None)
        else:
            self._lists[document] = items

        return items.feed(snapshot)


class _List:
    """The list in one document, and how many of its items were emitted."""

    def __init__(self, reader: Reader, path: Path | None, on_invalid: OnInvalid) -> None:
        self._reader = reader
        self._path = path
        self._on_invalid = on_invalid
        self._emitted = 0
        self._closed = False
        self._fields_seen = 0

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        """Return the items that are new."""
        if self._closed:
            return ()

        items, count = self._list_in(snapshot)
        return self._results(items, count, snapshot) if count > self._emitted else ()

    def _list_in(self, snapshot: Snapshot) -> tuple[list[Any], int]:
        """Return the items that are there by now, and how many of them are finished."""
        if self._path is None:
            self._path = self._first_list(snapshot)

        place = None if self._path is None else snapshot.locate(self._path)
        if isinstance(place, Finished):
            self._closed = True
            found = place.value
            if found is not None and not isinstance(found, list):
                raise self._no_list(snapshot, found)

            items = cast("list[Any]", found or [])
            return items, len(items)

        if place is None:
            if snapshot.complete:
                raise self._no_list(snapshot, _NOTHING)
            return [], 0

        node, count = place
        if not isinstance(node, ArrayNode):
            raise self._no_list(snapshot, node.build(count))
        return node.values, count

    def _first_list(self, snapshot: Snapshot) -> Path | None:
        """Return where the first list is: at the root or, if that is an object, in a field."""
        match snapshot.locate(()):
            case None:
                return None
            case Finished(value=root) if isinstance(root, dict):
                fields = cast("dict[str, Any]", root).items()
                return next(((key,) for key, value in fields if isinstance(value, list)), None)
            case (ObjectNode() as node, count):
                for index in range(self._fields_seen, count):
                    if isinstance(node.values[index], list):
                        return (node.keys[index],)

                self._fields_seen = count
                opened = snapshot.marks[2:3]
                is_list = bool(opened) and isinstance(opened[0][0], ArrayNode)
                return (node.keys[count],) if is_list else None
            case _:
                return ()

    def _results(self, items: list[Any], count: int, snapshot: Snapshot) -> Iterator[Any]:
        for index in range(self._emitted, count):
            self._emitted += 1
            path = (*(self._path or ()), index)
            value, error = None, None
            try:
                value = self._reader.read_value(items[index], path, snapshot)
            except SchemaMismatch as mismatch:
                error = mismatch

            if self._on_invalid == "result":
                yield ItemResult(index, value, error, to_json(items[index]).decode())
            elif error is None:
                yield value
            elif self._on_invalid == "raise":
                raise error

    def _no_list(self, snapshot: Snapshot, found: Any) -> SchemaMismatch:
        path = self._path or ()
        what = "missing" if found is _NOTHING else "list_type"
        error = ValidationError.from_exception_data(
            "split_items",
            [{"type": what, "loc": (), "input": None if found is _NOTHING else found}],
        )
        return SchemaMismatch(
            validation_error=error,
            path=path,
            snapshot=snapshot,
            hint="split_items needs a list there: name another with path=(...), or use to_partial",
        )
