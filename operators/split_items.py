"""split_items: each item of a list, once, when it is finished."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar, cast, overload
from weakref import WeakSet

from pydantic_core import InitErrorDetails, ValidationError
from reactivex import Observable

from streamops.cutting import Cutter, Item, NoItems
from streamops.errors import SchemaMismatch
from streamops.items import ItemResult, Tagged
from streamops.lifting import Operator, Step, lean, lift
from streamops.naming import call_name
from streamops.nodes import DocumentNode, Mark, Path, document_of
from streamops.parser import value_of
from streamops.patterns import ANY, Pattern, patterns_for
from streamops.reading import Reader, reader_of
from streamops.snapshot import Snapshot, not_a_snapshot

T = TypeVar("T")

OnInvalid: TypeAlias = Literal["raise", "skip", "result"]


@overload
def split_items(
    item: type[T],
    path: str | Pattern | None = None,
    *,
    on_invalid: Literal["raise", "skip"] = "raise",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, T]: ...
@overload
def split_items(
    item: type[T],
    path: str | Pattern | None = None,
    *,
    on_invalid: Literal["result"],
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, ItemResult[T]]: ...
@overload
def split_items(
    item: Mapping[Any, Callable[..., T]],  # with type[T], mypy infers Never for unlike types
    *,
    on_invalid: Literal["raise", "skip"] = "raise",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Tagged[T]]: ...
@overload
def split_items(
    item: Mapping[Any, Callable[..., T]],  # with type[T], mypy infers Never for unlike types
    *,
    on_invalid: Literal["result"],
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Tagged[ItemResult[T]]]: ...
@overload
def split_items(
    item: Mapping[Any, Any],
    *,
    on_invalid: Literal["raise", "skip"] = "raise",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Tagged[Any]]: ...
@overload
def split_items(
    item: Mapping[Any, Any],
    *,
    on_invalid: Literal["result"],
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Tagged[ItemResult[Any]]]: ...
@overload
def split_items(
    item: Any,
    path: str | Pattern | None = None,
    *,
    on_invalid: OnInvalid = "raise",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Any]: ...
def split_items(
    item: Any,
    path: str | Pattern | None = None,
    *,
    on_invalid: OnInvalid = "raise",
    strict: bool | None = None,
    context: Any = None,
) -> Operator[Snapshot, Any]:
    """Emit each item of a list as soon as it is finished, validated, in order and exactly once.

        [{"name":  "Jo"},  {"na  me": "Al"}]  |
        ------------Jo---------------Al-------|

    ``item`` is any type that pydantic takes. ``path`` says which list: ``("team", "users")``, or
    with ANY several that are read one after the other, ``("teams", ANY, "members")``; ``"users"``
    stands for ``("users",)``. Without it, the root is read if that is a list, else the root's first
    field that is one. An object at the path is read like a list of its values; null has no items.

    A mapping of paths to types reads several lists in one pass, ``{"users": User, "events":
    Event}``, and emits each item Tagged with the key of its list.

    An item is finished at its closing delimiter, a number when what follows it has been seen; items
    that were finished before the stream broke off have been emitted. A key that is repeated is read
    again. Right behind ``accumulate_json`` only the text is kept in memory, no values.

    Snapshots may be left out before they get here: what they would have brought comes with a later
    one, of another document, too, or at the end. Of a document without any, nothing comes.

    ``on_invalid`` says what happens when an item does not fit: ``"raise"`` ends the stream in
    SchemaMismatch with the item's path, ``"skip"`` leaves it out, and ``"result"`` emits an
    ItemResult for every item, good or bad. ``strict`` and ``context`` are handed to pydantic.

    Raises TypeError for what is no type or no path, and ValueError for an empty mapping and for
    paths of which one leads into the items of another. The stream ends in SchemaMismatch when what
    stands at a path has no items, or when the document is complete and none of the lists has come,
    unless a path holds ANY.
    """
    if on_invalid not in ("raise", "skip", "result"):
        raise ValueError(f'on_invalid is "raise", "skip" or "result", not {on_invalid!r}')

    patterns: tuple[Pattern, ...] | None
    new_reader = partial(reader_of, operator="split_items", strict=strict, context=context)
    if not isinstance(item, Mapping):
        patterns = None if path is None else (_pattern_of(path),)
        readers = [new_reader(item)]
        tags = None
    elif path is None:
        lists = cast("Mapping[str | Pattern, Any]", item)
        patterns = _patterns_of(lists)
        readers = [new_reader(type_) for type_ in lists.values()]
        tags = list(lists)
    else:
        raise TypeError(f"the keys of a mapping are its paths: leave out path={path!r}")

    splitter = lift(
        partial(_Splitter, patterns, readers, tags, on_invalid),
        name=call_name("split_items", *_said(item, path)),
        emits_items=True,
    )

    def operator(source: Observable[Snapshot]) -> Observable[Any]:
        return splitter(lean(source))

    return operator


def _said(item: Any, path: str | Pattern | None) -> tuple[Any, ...]:
    """Return the arguments that tell the lists apart."""
    if isinstance(item, Mapping):
        return tuple(cast("Mapping[Any, Any]", item))

    return (item,) if path is None else (item, path)


def _pattern_of(path: str | Pattern) -> Pattern:
    path = (path,) if isinstance(path, str) else path
    (pattern,) = patterns_for(path, None, operator="split_items")
    return pattern


def _patterns_of(lists: Mapping[str | Pattern, Any]) -> tuple[Pattern, ...]:
    if not lists:
        raise ValueError('split_items needs a list to read, such as {"users": User}, not {}')

    found: dict[Pattern, str | Pattern] = {}
    for name in lists:
        pattern = _pattern_of(name)
        for other, other_name in found.items():
            if all(a == b or ANY in (a, b) for a, b in zip(pattern, other, strict=False)):
                raise ValueError(
                    f"split_items cannot read {name!r} and {other_name!r} in one pass: one leads "
                    "to the other or into its items. Use share_latest() and split_items for each"
                )
        found[pattern] = name

    return tuple(found)


@dataclass(slots=True)
class _Reading:
    """A document, how far it was read, and the latest snapshot of it."""

    document: DocumentNode
    cutter: Cutter
    snapshot: Snapshot


class _Splitter(Step[Snapshot, Any]):
    def __init__(
        self,
        patterns: tuple[Pattern, ...] | None,
        readers: list[Reader],
        tags: list[str | Pattern] | None,
        on_invalid: OnInvalid,
    ) -> None:
        self._patterns = patterns
        self._readers = readers
        self._tags = tags
        self._on_invalid = on_invalid
        # Snapshots of several documents may come in turns, when streams are merged.
        self._readings: dict[DocumentNode, _Reading] = {}
        self._done: WeakSet[DocumentNode] = WeakSet()
        self._cutter: Cutter | None = None

    def feed(self, snapshot: Snapshot) -> Iterable[Any]:
        if not isinstance(snapshot, Snapshot):
            raise not_a_snapshot(snapshot, "split_items")

        edge = snapshot.edge
        if self._cutter is not None and self._cutter.is_waiting(edge):
            return ()

        document = document_of(edge[0])
        reading = self._readings.get(document)
        if reading is not None:
            return self._follow(reading, snapshot)

        if document in self._done:
            return ()

        ended = self._take_ended()
        reading = _Reading(document, Cutter(document, self._patterns), snapshot)
        self._readings[document] = reading
        return self._begin(reading, snapshot, ended)

    def close(self) -> Iterable[Any]:
        return self._finish_all(self._take_ended())

    def fail(self, error: Exception) -> Iterator[Any]:
        yield from self.close()
        raise error

    def _begin(self, reading: _Reading, snapshot: Snapshot, ended: list[_Reading]) -> Iterator[Any]:
        yield from self._finish_all(ended)
        yield from self._follow(reading, snapshot)

    def _follow(self, reading: _Reading, snapshot: Snapshot) -> Iterable[Any]:
        self._cutter = reading.cutter
        reading.snapshot = snapshot
        if snapshot.complete:
            self._readings.pop(reading.document, None)
            return self._finish(reading, snapshot.edge, snapshot.end)

        items = reading.cutter.follow(snapshot.edge, snapshot.end)
        return self._results(items, snapshot) if items else ()

    def _take_ended(self) -> list[_Reading]:
        """Return what is read of documents that ended, of which the last snapshot did not come.

        It may have been left out, or come late.
        """
        ended = [r for r in self._readings.values() if r.document.size or r.document.has_ended]
        for reading in ended:
            self._done.add(reading.document)
            del self._readings[reading.document]

        return ended

    def _finish_all(self, ended: list[_Reading]) -> Iterator[Any]:
        for reading in ended:
            if reading.document.size:
                yield from self._finish(reading, (reading.document, 1), sys.maxsize)

    def _finish(self, reading: _Reading, edge: Mark, end: int) -> Iterator[Any]:
        cutter, snapshot = reading.cutter, reading.snapshot
        yield from self._results(cutter.follow(edge, end), snapshot)
        if not cutter.found and not any(ANY in pattern for pattern in self._patterns or ()):
            raise _none_found(cast("tuple[Path, ...] | None", self._patterns), snapshot)

    def _results(self, items: Iterable[Item], snapshot: Snapshot) -> Iterator[Any]:
        try:
            for item in items:
                yield from self._result(item, snapshot)
        except NoItems as scalar:
            raise _no_list(scalar.path, value_of(scalar.text), snapshot) from None

    def _result(self, item: Item, snapshot: Snapshot) -> Iterator[Any]:
        value, error = None, None
        try:
            value = self._readers[item.pattern].read_item(item.text, item.path, snapshot)
        except SchemaMismatch as mismatch:
            snapshot.keep()
            error = mismatch

        if self._on_invalid == "result":
            value = ItemResult(item.before, value, error, item.text, item.path)
        elif error is not None and self._on_invalid == "skip":
            return
        elif error is not None:
            raise error

        yield value if self._tags is None else Tagged(self._tags[item.pattern], value)


def _none_found(paths: tuple[Path, ...] | None, snapshot: Snapshot) -> SchemaMismatch:
    if paths is None:
        return _no_list((), snapshot.value, snapshot)

    path = paths[0] if len(paths) == 1 else ()
    return _mismatch(
        path,
        [{"type": "missing", "loc": p[len(path) :], "input": None} for p in paths],
        "split_items needs a list there" if path else "split_items needs one of these lists",
        snapshot,
    )


def _no_list(path: Path, found: Any, snapshot: Snapshot) -> SchemaMismatch:
    details = InitErrorDetails(type="list_type", loc=(), input=found)
    return _mismatch(path, [details], "split_items needs a list there", snapshot)


def _mismatch(
    path: Path, details: list[InitErrorDetails], problem: str, snapshot: Snapshot
) -> SchemaMismatch:
    return SchemaMismatch(
        validation_error=ValidationError.from_exception_data("split_items", details),
        path=path,
        snapshot=snapshot,
        hint=f"{problem}, or an object of items: give another path, or use to_partial",
    )
