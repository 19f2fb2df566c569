"""shape_of: types to shapes."""

from __future__ import annotations

import types
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin

from annotated_types import MaxLen, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    JsonValue,
    OnErrorOmit,
    PlainSerializer,
    RootModel,
    StringConstraints,
    Tag,
    WrapSerializer,
)
from pydantic.fields import FieldInfo
from typing_extensions import is_typeddict

from streamops.annotations import class_of, types_in, unwrapped
from streamops.collection_shapes import Anything, DictOf, ListOf
from streamops.model_shapes import ModelShape
from streamops.record_shapes import RecordShape
from streamops.revised_shapes import Revised
from streamops.root_shapes import RootShape
from streamops.shapes import NEVER, Late, Shape, WhenDone, Whole
from streamops.streaming import Stream, marks_of
from streamops.struct_shapes import DataclassShape, TypedDictShape
from streamops.union_shapes import (
    OneOf,
    TaggedUnion,
    implied_discriminator,
    tags_of,
    takes_objects,
)
from streamops.validation import DEFAULT_VALIDATION, Validation
from streamops.value_shapes import Atom, Guessed, Text

_COLLECTIONS: dict[Any, Any] = {
    list: list,
    Sequence: list,
    set: set,
    frozenset: frozenset,
    deque: deque,
}
_LAZY = (Iterable, Iterator, Generator)
# What may stand around a type without changing what its JSON looks like.
_HARMLESS = (AfterValidator, PlainSerializer, WrapSerializer, Discriminator, Tag, FieldInfo)
_STRING_REWRITERS = ("str_to_lower", "str_to_upper", "str_strip_whitespace")
_OMITTED = get_args(OnErrorOmit[int])[1]


def shape_of(annotation: Any, validation: Validation = DEFAULT_VALIDATION) -> Shape:
    """Compile a type; raises TypeError if it is marked to stream as it cannot."""
    compiler = _Compiler()
    shape = compiler.shape_of(annotation, ConfigDict(), validation)
    compiler.complete()
    return shape


class _Where(NamedTuple):
    """What holds for types where one stands."""

    config: ConfigDict
    validation: Validation


class _Compiler:
    def __init__(self) -> None:
        self._shapes: dict[Any, Shape] = {}
        self._aliases: dict[Any, Late] = {}

    def complete(self) -> None:
        """Compile all that is compiled late, so that what is wrong with it is said now."""
        completed = 0
        while completed < len(self._shapes):
            for shape in list(self._shapes.values())[completed:]:
                completed += 1
                shape.complete()

    def shape_of(self, annotation: Any, config: ConfigDict, validation: Validation) -> Shape:
        where = _Where(config, validation)
        if annotation is JsonValue:
            return Anything()

        if not hasattr(annotation, "__value__"):
            return self._marked(annotation, where)

        known_as = annotation, id(where.config), where.validation.forgives
        if known_as not in self._aliases:
            self._aliases[known_as] = Late(partial(self._marked, annotation, where))
            return self._aliases[known_as].shape

        return self._aliases[known_as]  # the alias contains itself

    def _marked(self, annotation: Any, where: _Where) -> Shape:
        marks = marks_of(annotation)
        if {Stream.done, Stream.grow} <= marks:
            raise TypeError(f"{annotation!r} is both Stream.done and Stream.grow: choose one")

        shape = self._unmarked(annotation, where, grows=Stream.grow in marks)
        return WhenDone(shape) if Stream.done in marks else shape

    def _unmarked(self, whole: Any, where: _Where, *, grows: bool) -> Shape:
        type_, metadata = unwrapped(whole)
        origin = get_origin(type_)
        if origin in (Union, types.UnionType):
            return self._union(type_, whole, metadata, where, grows=grows)

        shape = None
        if not any(map(_reads_by_itself, (type_, *metadata))):
            shape = self._growing(type_, whole, metadata, where)

        if isinstance(shape, RecordShape | RootShape) and any(map(_revises, metadata)):
            return Revised(shape, self._whole(whole, where))

        if shape is None and grows:
            return self._guessed(type_, whole, where)

        return shape or self._whole(whole, where)

    def _whole(self, annotation: Any, where: _Where) -> Whole:
        return Whole(
            annotation,
            *where,
            holds_models=any(_is_record(type_) for type_, _ in types_in(annotation)),
        )

    def _growing(
        self,
        type_: Any,
        whole: Any,
        metadata: tuple[Any, ...],
        where: _Where,
    ) -> Shape | None:
        """Return the shape of a type of which part can be shown, or of an atom; else None."""
        if type_ in (Any, object):
            return Anything()

        if type_ is str:
            return self._text(whole, metadata, where)

        if type_ in (int, float, bool):
            return None if metadata else Atom(type_, *where)

        class_ = class_of(type_)
        if class_ is not None:
            if issubclass(class_, RootModel):
                return self._root(cast("type[RootModel[Any]]", class_), where.validation)

            if issubclass(class_, BaseModel):
                return self._model(class_, where.validation)

            if is_dataclass(class_) or is_typeddict(class_):
                return self._struct(type_, where)

        return self._collection(type_, metadata, where)

    def _text(self, whole: Any, metadata: tuple[Any, ...], where: _Where) -> Shape | None:
        said = [m for m in metadata if isinstance(m, StringConstraints)]
        if any(m.to_lower or m.to_upper for m in said) or (
            where.config.get("str_to_lower") or where.config.get("str_to_upper")
        ):
            return None  # letters depend on what follows them: a capital sigma has two small ones

        strips = where.config.get("str_strip_whitespace", False)
        strips = any(m.strip_whitespace for m in said) or strips
        return Text(*where, _expected_length(metadata), strips=strips)

    def _collection(self, type_: Any, metadata: tuple[Any, ...], where: _Where) -> Shape | None:
        origin = get_origin(type_) or type_
        arguments = get_args(type_)
        length = _expected_length(metadata)

        if any(_OMITTED in unwrapped(argument)[1] for argument in arguments):
            return None

        if origin in _LAZY:
            return NEVER  # pydantic reads it once, when the whole is there

        if origin in _COLLECTIONS:
            (item,) = arguments or (Any,)
            return ListOf(self.shape_of(item, *where), length, _COLLECTIONS[origin])

        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListOf(self.shape_of(arguments[0], *where), length, tuple)

        if origin in (dict, Mapping):
            key, value = arguments or (str, Any)
            read: Any = dict
            is_plain = key is str and not any(where.config.get(said) for said in _STRING_REWRITERS)
            keys = None if is_plain else self._whole(read[key, Any], where)
            return DictOf(self.shape_of(value, *where), keys)

        return None

    def _guessed(self, type_: Any, whole: Any, where: _Where) -> Shape:
        choices: list[Any] = []
        if _makes_members(type_) or any(map(_reads_by_itself, unwrapped(whole)[1])):
            raise TypeError(
                f"Stream.grow cannot guess {whole!r}, which may make anything of any string: "
                "leave it out"
            )

        if get_origin(type_) is Literal:
            choices = [c.value if isinstance(c, Enum) else c for c in get_args(type_)]
        elif isinstance(type_, type) and issubclass(type_, Enum):
            choices = [member.value for member in type_]

        strings = [choice for choice in choices if isinstance(choice, str)]
        if not strings:
            raise TypeError(
                f"Stream.grow is for a Literal or Enum of strings, not {type_!r}: leave it out; "
                "strings, lists, dicts and models grow by themselves"
            )

        return Guessed(whole, *where, strings)

    def _model(self, model: type[BaseModel], validation: Validation) -> Shape:
        known_as = model, validation.forgives
        if known_as not in self._shapes:
            model.model_rebuild()  # else fields may still be forward references
            self._shapes[known_as] = ModelShape(model, self.shape_of, validation)
        return self._shapes[known_as]

    def _root(self, model: type[RootModel[Any]], validation: Validation) -> Shape | None:
        known_as = model, validation.forgives
        if known_as not in self._shapes:
            model.model_rebuild()
            fields = ModelShape(model, self.shape_of, validation)
            if fields.may_rewrite("root"):
                return None

            root = partial(fields.field_shape, "root")
            self._shapes[known_as] = RootShape(model, root, validation)
        return self._shapes[known_as]

    def _struct(self, type_: Any, where: _Where) -> Shape | None:
        # Without a config of its own, it has that of the model around it.
        known_as = type_, id(where.config), where.validation.forgives
        if known_as not in self._shapes:
            new_shape = TypedDictShape if is_typeddict(class_of(type_)) else DataclassShape
            shape = new_shape(type_, where.config, self.shape_of, where.validation)
            if not shape.stands_alone:
                return None

            self._shapes[known_as] = shape
        return self._shapes[known_as]

    def _union(
        self,
        type_: Any,
        whole: Any,
        metadata: tuple[Any, ...],
        where: _Where,
        *,
        grows: bool,
    ) -> Shape:
        judge = self._whole(whole, where)
        if any(_reads_by_itself(m) or _goes_left_to_right(m) for m in metadata):
            return judge

        choices = [m for m in get_args(type_) if m is not type(None)]
        members = [
            self.shape_of(Annotated[m, Stream.grow] if grows and _is_choice(m) else m, *where)
            for m in choices
        ]
        nullable = type(None) in get_args(type_)
        if len(members) == 1:
            members[0].length = members[0].length or _expected_length(metadata)
            return OneOf(judge, members, nullable=nullable)

        for said in metadata:
            name = said.discriminator if isinstance(said, FieldInfo | Discriminator) else None
            if isinstance(name, str) and all(any(tags_of(m, name)) for m in members):
                return TaggedUnion(judge, name, members, nullable=nullable)

        objects = [member for member in members if takes_objects(member)]
        if implied := implied_discriminator(objects):
            others = [member for member in members if member not in objects]
            members = [TaggedUnion(judge, implied, objects, nullable=nullable), *others]

        return OneOf(judge, members, nullable=nullable)


def _is_record(type_: Any) -> bool:
    class_ = class_of(type_)
    return class_ is not None and (
        issubclass(class_, BaseModel) or is_dataclass(class_) or is_typeddict(class_)
    )


def _reads_by_itself(said: Any) -> bool:
    """Return whether a type or what stands around it may read another form of JSON."""
    own: Any = getattr(said, "__get_pydantic_core_schema__", None)
    if own is None or isinstance(said, _HARMLESS):
        return False

    standard: Any = BaseModel.__get_pydantic_core_schema__
    return getattr(own, "__func__", own) is not standard.__func__


def _revises(said: Any) -> bool:
    return isinstance(said, AfterValidator)


def _goes_left_to_right(said: Any) -> bool:
    return getattr(said, "union_mode", None) == "left_to_right"


def _is_choice(annotation: Any) -> bool:
    type_, _ = unwrapped(annotation)
    is_enum = isinstance(type_, type) and issubclass(type_, Enum)
    return is_enum or get_origin(type_) is Literal


def _makes_members(type_: Any) -> bool:
    """Return whether an Enum says itself what it makes of other values."""
    own: Any = getattr(type_, "_missing_", Enum._missing_)
    standard: Any = Enum._missing_
    return own.__func__ is not standard.__func__


def _expected_length(metadata: tuple[Any, ...]) -> int | None:
    longest = [m.max_length for m in metadata if isinstance(m, MaxLen)]
    shortest = [m.min_length for m in metadata if isinstance(m, MinLen)]
    return next(iter([*longest, *shortest]), None)
