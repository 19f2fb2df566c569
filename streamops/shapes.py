"""Shapes: what the values of a type look like while they arrive.

A Shape opens a Branch for a value that begins to arrive, and
turns JSON that has arrived whole into a finished value. A Branch follows one open value: it takes
in the children that were finished, and shows the value as it was at any earlier moment.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Final, Literal, cast, get_origin
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import (
    InitErrorDetails,
    PydanticSerializationError,
    SchemaError,
    SchemaValidator,
    to_json,
)

from streamops.core_schemas import CoreSchema, item_schema
from streamops.nodes import ContainerNode, Node, Path, path_of
from streamops.snapshot import Snapshot
from streamops.states import FieldState, state_in_finished, state_in_json
from streamops.validation import Validation


class _Held:
    """Marks a value that cannot be shown (yet)."""

    def __repr__(self) -> str:
        return "HELD"


_SCALARS = (Enum, date, time, timedelta, UUID, Decimal, bytes)

HELD: Final = _Held()


class InvalidValue(Exception):  # never leaves streamops: SchemaMismatch is made of it
    """A finished value that its type rejects, somewhere below the value that is being finished."""

    def __init__(self, error: ValidationError, *, field: str | int | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.path: Path = () if field is None else (field,)
        self.is_field = field is not None
        """Whether the path ends with a field, which pydantic's locations then begin with."""

    def below(self, *keys: str | int) -> InvalidValue:
        """Return the same, seen from further up."""
        self.path = (*keys, *self.path)
        return self


def json_of(raw: Any) -> bytes:
    """Write finished JSON for pydantic; raises ValidationError if it is too deep for pydantic."""
    try:
        return to_json(raw)
    except PydanticSerializationError as error:
        too_deep: InitErrorDetails = {
            "type": "json_invalid",
            "loc": (),
            "input": ...,
            "ctx": {"error": "recursion limit exceeded"},
        }
        raise ValidationError.from_exception_data("JSON", [too_deep]) from error


class Shape(ABC):
    """What is known of a type."""

    holds_models = False
    """Whether finished values may hold model instances, which are to stay the same objects."""

    is_atomic = False
    """Whether nothing is shown before it is finished."""

    length: int | None = None
    """How many items or characters the type lets expect."""

    @abstractmethod
    def open(self, node: Node, *, visible: bool) -> Branch:
        """Follow a value that begins to arrive; ``visible`` says whether its parent shows it."""

    @abstractmethod
    def finish(self, raw: Any) -> Any:
        """Turn finished JSON into a finished value, or HELD if it can only be judged later.

        Raises InvalidValue if it is a model that its data does not fit.
        """

    def complete(self) -> None:
        """Compile what is compiled late because it may contain the type again."""
        return

    def seen_in(self, node: Node, count: int) -> Shape:
        """Return the shape that an open value of this shape turns out to have."""
        return self

    def child(self, node: Node, index: int) -> Shape | None:
        """Return the shape of a child of an open value, if anything is known of it."""
        return None


class Branch(ABC):
    """An open value, seen through its type."""

    is_lazy = False
    """Whether what ``show`` returns looks at the children by itself, later."""

    may_hold = False
    """Whether ``show`` may return HELD although something has arrived."""

    def __init__(self, node: Node, *, visible: bool) -> None:
        self.node = node
        self.parent: Branch | None = None
        self.visible = visible
        """Whether a change in here shows."""

    @abstractmethod
    def advance(self, count: int) -> bool:
        """Take in the children up to ``count``; return whether what shows has changed."""

    @abstractmethod
    def open(self, child: Node) -> Branch:
        """Follow a child that begins to arrive."""

    @abstractmethod
    def finish_child(self, child: Branch) -> bool:
        """Take in a child that was open; return whether what shows has changed."""

    @abstractmethod
    def finish(self, raw: Any) -> tuple[Any, bool]:
        """Return the finished value, and whether it looks different from the open one."""

    @abstractmethod
    def show(self, view: View, count: int, child: Any) -> Any:
        """Return the value with ``count`` finished children and perhaps an open child, or HELD.

        A lazy branch need not be told of its children.
        """

    def state(self, view: View, path: Path) -> FieldState:
        """Return how far the value at a path of field names, keys and indexes was."""
        return state_in_json(view.snapshot, (*path_of(self.node), *path))


class View:
    """A moment in the growth of a value: the branches that were open when a snapshot was taken."""

    __slots__ = ("_chain", "revision", "snapshot")

    def __init__(self, chain: tuple[Branch, ...], revision: object, snapshot: Snapshot) -> None:
        self._chain = chain  # from the document inwards
        self.revision = revision
        """The same object for all moments that show the same."""
        self.snapshot = snapshot

    def show(self, top: Branch) -> Any:
        """Return what ``top`` looked like at this moment."""
        if top.is_lazy:
            return top.show(self, 0, HELD)

        count, child = self.within(top)
        return top.show(self, count, child)

    def within(self, top: Branch) -> tuple[int, Any]:
        """Return how many finished children ``top`` had, and what its open child looked like."""
        chain = self._chain
        level = top.node.depth
        last = len(chain) - 1
        if level == last:
            return self.snapshot.mark[1], HELD

        # What is lazy looks at what is inside by itself.
        inner = level + 1
        while inner < last and not chain[inner].is_lazy:
            inner += 1

        child: Any = HELD
        count = self.snapshot.mark[1] if inner == last else chain[inner + 1].node.index
        while inner > level:
            branch = chain[inner]
            child = branch.show(self, count, child)
            count = branch.node.index
            inner -= 1

        return count, child

    def opened(self, top: Branch) -> tuple[int, Branch | None]:
        """Return how many finished children ``top`` had, and the branch of its open child."""
        level = top.node.depth
        if level == len(self._chain) - 1:
            return self.snapshot.mark[1], None

        child = self._chain[level + 1]
        return child.node.index, child


class ContainerBranch(Branch):
    """Follows an array or an object, of which ``finished`` holds the children that are whole."""

    def __init__(self, node: ContainerNode, *, visible: bool) -> None:
        super().__init__(node, visible=visible)
        self.container = node
        self.finished: list[Any] = []

    @abstractmethod
    def child_shape(self, index: int) -> Shape:
        """Return the shape of the child at ``index``."""

    def advance(self, count: int) -> bool:
        changed = False
        for index in range(len(self.finished), count):
            try:
                value = self.child_shape(index).finish(self.container.values[index])
            except InvalidValue as invalid:
                raise invalid.below(*self._path_to(index)) from None
            self.check(index)
            changed |= self.take(value)
        return changed

    def open(self, child: Node) -> Branch:
        branch = self.child_shape(child.index).open(child, visible=self.visible)
        branch.parent = self
        return branch

    def finish_child(self, child: Branch) -> bool:
        index = child.node.index
        try:
            value, differs = child.finish(self.container.values[index])
        except InvalidValue as invalid:
            raise invalid.below(*self._path_to(index)) from None
        self.check(index)
        return self.take(value) and differs

    def check(self, index: int) -> None:
        """Raise InvalidValue, with its path, if a finished child does not fit for other reasons."""
        return

    def places_of(self, key: str | int, count: int) -> list[int]:
        """List which of the first ``count`` children a path calls ``key``."""
        return [key] if isinstance(key, int) and 0 <= key < count else []

    def state(self, view: View, path: Path) -> FieldState:
        if not path:
            return "growing"

        count, opened = view.opened(self)
        for index in reversed(self.places_of(path[0], count + (opened is not None))):
            if index == count and opened is not None:
                return opened.state(view, path[1:])

            value, raw = self.finished[index], self.container.values[index]
            return state_in_finished(raw if value is HELD else value, path[1:])

        return "pending"

    def _path_to(self, index: int) -> Path:
        # The only child of the document is the root, which no key leads to.
        return (*path_of(self.node), self.container.key(index)) if self.node.parent else ()

    def take(self, value: Any) -> bool:
        """Take in a finished child; return whether it shows."""
        self.finished.append(value)
        return self.visible and value is not HELD


class Whole(Shape):
    """Any type that is shown only when it is finished, as pydantic reads it from JSON."""

    is_atomic = True

    def __init__(
        self,
        annotation: Any,
        config: ConfigDict,
        validation: Validation,
        *,
        holds_models: bool = False,
    ) -> None:
        self._annotation = annotation
        self._config = config
        self._validation = validation
        self.holds_models = holds_models

    @property
    def is_scalar(self) -> bool:
        """Whether no array and no object can become this type."""
        annotation: Any = self._annotation
        if isinstance(annotation, type):
            return issubclass(annotation, _SCALARS)

        return get_origin(annotation) is Literal

    @cached_property
    def core_schema(self) -> CoreSchema:
        """What pydantic made of the type."""
        return self._compiled[0]

    @cached_property
    def stands_alone(self) -> bool:
        """Whether the type can be read by itself, not only where it stands."""
        try:
            return self.core_schema["type"] is not None
        except (PydanticUserError, SchemaError):  # it has names of where it stands
            return False

    @cached_property
    def _compiled(self) -> tuple[CoreSchema, SchemaValidator]:
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(self._annotation, config=self._config)
        except PydanticUserError:
            return self._compiled_in_list()

        return adapter.core_schema, cast("SchemaValidator", adapter.validator)

    def _compiled_in_list(self) -> tuple[CoreSchema, SchemaValidator]:
        # Dataclasses and TypedDicts take the config of the model around them if they have none,
        # but TypeAdapter only lets a list of them do so.
        list_of: Any = list
        adapter: TypeAdapter[Any] = TypeAdapter(list_of[self._annotation], config=self._config)
        schema = item_schema(adapter.core_schema)
        return schema, SchemaValidator(schema)

    def open(self, node: Node, *, visible: bool) -> Branch:
        return HeldBranch(self, node, visible=visible)

    def read(self, raw: Any) -> Any:
        """Return what finished JSON is as the type; raises ValidationError."""
        return self._validation.read(self._compiled[1], json_of(raw))

    def finish(self, raw: Any) -> Any:
        is_late = self.holds_models and self._validation.when == "final"
        if is_late or not self.stands_alone:
            return HELD

        try:
            return self.read(raw)
        except ValidationError as error:
            if self.holds_models and not self._validation.forgives:
                raise InvalidValue(error) from None
            return HELD


class Judged(Shape):
    """A type of which an open value is shown, and a closed one is validated."""

    holds_models = True

    def __init__(self, validation: Validation) -> None:
        self._validation = validation

    @abstractmethod
    def validate(self, raw: Any) -> Any:
        """Return what finished JSON is as the type; raises ValidationError."""

    @abstractmethod
    def blame(self, raw: Any) -> None:
        """Raise InvalidValue if something further inside does not fit, as when it closes."""

    def judge(self, raw: Any) -> Any:
        """Return the validated value, or HELD if that is for later; raises InvalidValue."""
        if self._validation.when == "final":
            return HELD

        try:
            return self.validate(raw)
        except ValidationError as error:
            if self._validation.forgives:
                return HELD

            self.blame(raw)
            raise InvalidValue(error) from None


class Wrapped(Shape):
    """A shape around another."""

    @cached_property
    @abstractmethod
    def shape(self) -> Shape:
        """The shape inside."""

    @property
    def holds_models(self) -> bool:  # type: ignore[override]  # as the shape inside does
        return self.shape.holds_models

    def finish(self, raw: Any) -> Any:
        return self.shape.finish(raw)

    def seen_in(self, node: Node, count: int) -> Shape:
        return self.shape.seen_in(node, count)

    def child(self, node: Node, index: int) -> Shape | None:
        return self.shape.child(node, index)


class WhenDone(Wrapped):
    """A type that is shown only when it is finished, because the model says so."""

    is_atomic = True

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.length = shape.length

    @cached_property
    def shape(self) -> Shape:
        return self._shape

    def open(self, node: Node, *, visible: bool) -> Branch:
        return HeldBranch(self, node, visible=visible)


class Late(Wrapped):
    """A type that stands in itself, compiled when somebody asks for it."""

    def __init__(self, compile_shape: Callable[[], Shape]) -> None:
        self._compile_shape = compile_shape

    @cached_property
    def shape(self) -> Shape:
        return self._compile_shape()

    def open(self, node: Node, *, visible: bool) -> Branch:
        return self.shape.open(node, visible=visible)


class Never(Shape):
    """A value that is not shown before what contains it is finished."""

    def open(self, node: Node, *, visible: bool) -> Branch:
        return HeldBranch(self, node, visible=visible)

    def finish(self, raw: Any) -> Any:
        return HELD


NEVER: Final = Never()


class HeldBranch(Branch):
    """Follows a value that is shown only when it is finished."""

    may_hold = True

    def __init__(self, shape: Shape, node: Node, *, visible: bool) -> None:
        super().__init__(node, visible=False)
        self._shape = shape
        self.parent_visible = visible

    def advance(self, count: int) -> bool:
        return False

    def open(self, child: Node) -> Branch:
        branch = HeldBranch(self._shape, child, visible=False)
        branch.parent = self
        return branch

    def finish_child(self, child: Branch) -> bool:
        return False

    def finish(self, raw: Any) -> tuple[Any, bool]:
        return self._shape.finish(raw), self.parent_visible

    def show(self, view: View, count: int, child: Any) -> Any:
        return HELD


class StandIn(Branch):
    """Follows a value in place of another branch that does the work."""

    def __init__(self, branch: Branch) -> None:
        super().__init__(branch.node, visible=branch.visible)
        self.branch = branch
        self.may_hold = branch.may_hold
        self.is_lazy = not branch.may_hold

    def advance(self, count: int) -> bool:
        changed = self.branch.advance(count)
        self.visible = self.branch.visible
        return changed

    def open(self, child: Node) -> Branch:
        branch = self.branch.open(child)
        branch.parent = self
        return branch

    def finish_child(self, child: Branch) -> bool:
        changed = self.branch.finish_child(child)
        self.visible = self.branch.visible
        return changed

    def state(self, view: View, path: Path) -> FieldState:
        return self.branch.state(view, path)
