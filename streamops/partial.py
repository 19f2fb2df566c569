"""Partial models: instances of a model that is still arriving."""

from __future__ import annotations

import types
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from inspect import getattr_static
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from pydantic import (
    BaseModel,
    Field,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from typing_extensions import is_typeddict

from streamops.annotations import annotated, types_in
from streamops.forgiving import forgiving_metadata, forgiving_namespace
from streamops.nodes import Path
from streamops.partial_dataclasses import STATE, PartialDataclass, html_of_partial
from streamops.snapshot import Snapshot
from streamops.states import FieldState, state_in_finished

if TYPE_CHECKING:
    from streamops.shapes import Shape, View

M = TypeVar("M", bound=BaseModel)

_PARTIAL = "__streamops_partial__"
_SHADOWS = "__streamops_shadows__"
_IS_PLAIN = "__streamops_is_plain__"
_instance_dict = BaseModel.__dict__["__dict__"]
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__
_set_fields_set = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_new = object.__new__
_set = object.__setattr__


class State(ABC):
    """What is known of an instance that a stream emitted.

    A path is a tuple of field names, keys and indexes: ``("users", 0, "name")``.
    """

    def at(self, path: Path) -> FieldState:
        """Return how far the value at a path is: "pending", "growing" or "done".

        That goes by what has arrived, also of what is not shown before it is finished. What never
        came is "pending" in a validated model, too; a dataclass does not know it any more. Raises
        TypeError for what is no tuple.
        """
        if not isinstance(path, tuple):
            raise TypeError(f"a path is a tuple of field names, keys and indexes, not {path!r}")

        return self._at(path)

    @abstractmethod
    def _at(self, path: Path) -> FieldState: ...

    def is_complete(self, path: Path) -> bool:
        """Return whether the value at a path is finished."""
        return self.at(path) == "done"


def state_of(instance: object) -> State:
    """Return what is known of a partial (or already validated) model or dataclass.

    Raises TypeError for anything else, also for a partial that was pickled: only what came out of
    the stream knows how far it has come. Of a list of models, ask its items.
    """
    state = partial_state(instance)
    if state is not None:
        return state

    is_instance = isinstance(instance, BaseModel) or is_dataclass(instance)
    if is_instance and not isinstance(instance, (*_TWINS, type)):
        return _Finished(instance)

    raise TypeError(f"state_of needs an instance that to_partial emitted, not {instance!r}")


def partial_state(instance: Any) -> PartialState | None:
    """Return the state of a partial instance, or None for anything else."""
    return getattr(instance, STATE, None) if isinstance(instance, _TWINS) else None


def is_partial(instance: object) -> bool:
    """Return whether an instance is of a class made for what is still arriving."""
    return isinstance(instance, _TWINS)


def partial_model(model: type[M]) -> type[M]:
    """Return the subclass of a model whose fields are all optional, the same one every time.

    Its instances are built when somebody looks, so making one costs next to nothing. They are not
    validated: fields that have not arrived show their default, else None. The subclass stands in
    ``model.__subclasses__()``, but no hook of the model for subclasses is told.
    """
    existing: type[M] | None = model.__dict__.get(_PARTIAL)
    if existing is not None:
        return existing

    model.model_rebuild()
    optional = {name: _optional(model, field) for name, field in model.model_fields.items()}
    namespace = {
        "__module__": model.__module__,
        "__doc__": f"{model.__name__} while it arrives: every field is optional.",
        "__slots__": (STATE,),
        "__annotations__": {
            "__pydantic_extra__": dict[str, Any],
            **{name: annotation for name, (annotation, _) in optional.items()},
        },
        "__dict__": property(_read_dict, _write_dict),
        **{name: field for name, (_, field) in optional.items()},
        **forgiving_namespace(model),
    }
    # A field named like a method of BaseModel hides it only once it has a value.
    namespace[_SHADOWS] = any(hasattr(BaseModel, name) for name in optional)
    has_private = bool(model.__private_attributes__)
    namespace[_IS_PLAIN] = model.model_config.get("extra") != "allow" and not has_private
    name = f"Partial[{model.__name__}]"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the model's own class has warned already
        partial: type[M] = types.new_class(
            name, (_Partial, model), exec_body=lambda body: body.update(namespace)
        )
    for name in optional:
        # What pydantic put there warns of a deprecated field.
        if getattr_static(partial, name, None) is None:
            setattr(partial, name, _Field(name))
    setattr(model, _PARTIAL, partial)
    return partial


class PartialSource(Protocol):
    """What a partial instance is built from; it is given the view that its state holds."""

    def read(self, view: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields that had arrived, and what the model has no field for."""
        ...

    @property
    def shape(self) -> Shape:
        """What is known of the model."""
        ...

    def defaults(self) -> Mapping[str, Any]:
        """Return what fields show that have not arrived."""
        ...

    def state(self, view: Any, path: Path) -> FieldState:
        """Return how far the value at a path was."""
        ...


class PartialState(State):
    """Where a partial instance comes from, and how far the stream was."""

    __slots__ = ("_is_copy", "_source", "is_filled", "view")

    def __init__(self, source: PartialSource, view: View | None) -> None:
        self._source = source
        self._is_copy = False
        self.is_filled = False
        """Whether the instance has its values."""
        self.view = view
        """The moment that the instance shows; None if all of it had arrived."""

    def fill(self, instance: BaseModel) -> None:
        """Give a partial instance its values."""
        arrived, extra = self._source.read(self.view)
        # All at once: another thread may look, too.
        _instance_dict.__get__(instance).update({**self._source.defaults(), **arrived})

        model: Any = type(instance)
        if model.__streamops_is_plain__:
            _set_extra(instance, None)
            _set_private(instance, None)
        else:
            takes_extra = model.model_config.get("extra") == "allow"
            _set_extra(instance, dict(extra) if takes_extra else None)
            private = model.__private_attributes__
            _set_private(instance, _private_defaults(model) if private else None)

        _set_fields_set(instance, {*arrived, *extra})
        self.is_filled = True

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot that the instance shows."""
        assert self.view is not None, "only what is open when a snapshot comes is emitted with it"
        return self.view.snapshot

    @property
    def place(self) -> object:
        """The same object for all instances that follow the same place of a document."""
        return self._source

    @property
    def revision(self) -> object | None:
        """The same object as long as a place shows the same; None if only a look can tell."""
        return None if self.view is None or self._is_copy else self.view.revision

    @property
    def arrived(self) -> Mapping[str, Any]:
        """The fields that are shown because something of them has arrived, not as a default."""
        return self._source.read(self.view)[0]

    @property
    def shape(self) -> Shape:
        """What is known of the model."""
        return self._source.shape

    def _at(self, path: Path) -> FieldState:
        return self._source.state(self.view, path)

    def copied(self) -> PartialState:
        """Return the state of a copy, which its owner may change."""
        state = PartialState(self._source, self.view)
        state._is_copy = state.is_filled = True
        return state


def unfilled(partial: type[M], source: PartialSource, view: View | None) -> M:
    """Make a partial instance, still empty."""
    instance = _new(partial)
    state = PartialState(source, view)
    _set(instance, STATE, state)
    if partial.__streamops_shadows__:  # type: ignore[attr-defined]  # of each twin
        state.fill(instance)
    return instance


class Arrived:
    """What a partial is built from that has arrived whole, and is validated later."""

    def __init__(
        self,
        shape: Shape,
        fields: dict[str, Any],
        extra: dict[str, Any],
        defaults: dict[str, Any],
        state: Callable[[Path], FieldState],
    ) -> None:
        self.shape = shape
        self._fields = fields
        self._extra = extra
        self._defaults = defaults
        self._state = state

    def read(self, view: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields, and what the model has no field for."""
        return self._fields, self._extra

    def defaults(self) -> dict[str, Any]:
        """Return what fields show that have not arrived."""
        return self._defaults

    def state(self, view: Any, path: Path) -> FieldState:
        """Return whether anything stands at a path; if so, it is finished."""
        return self._state(path)


class _Finished(State):
    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def _at(self, path: Path) -> FieldState:
        return state_in_finished(self._instance, path)


class _Partial:
    """What partial instances do that others need not: fill themselves when somebody looks."""

    __slots__ = ()

    # The twin is nobody's subclass: hooks of the model are for the classes that its user writes.
    def __init_subclass__(cls, **_: Any) -> None:
        return

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        return

    def __getattr__(self, name: str) -> Any:
        if name == STATE:
            raise AttributeError(name)  # a model may have an answer to every name

        if _fill(self):
            # What was missing may be there now, if only because another thread filled it in.
            try:
                return object.__getattribute__(self, name)
            except AttributeError:
                pass

        return super().__getattr__(name)  # type: ignore[misc]  # BaseModel's, not seen by checkers

    def _repr_html_(self) -> str:
        return html_of_partial(self, getattr(super(), "_repr_html_", None))

    def __copy__(self) -> Any:
        return _with_state_of(self, super().__copy__())  # type: ignore[misc]  # BaseModel's

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        return _with_state_of(self, super().__deepcopy__(memo))  # type: ignore[misc]  # BaseModel's

    def __reduce__(self) -> tuple[Any, ...]:
        model = type(self).__mro__[2]
        return _restore, (model, super().__getstate__())


class _Field:
    """Stands for a field in the class of a partial instance, until that has a value of its own.

    Without it every first look would raise an AttributeError on its way, for half a microsecond.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is not None and _fill(instance):
            values: dict[str, Any] = _instance_dict.__get__(instance)
            if self._name in values:
                return values[self._name]

        raise AttributeError(f"{owner.__name__!r} has no attribute {self._name!r}")


_TWINS = (_Partial, PartialDataclass)


def _fill(instance: Any) -> bool:
    """Fill a partial instance if that was not done; return whether there is anything to fill in."""
    state: PartialState | None = getattr(instance, STATE, None)
    if state is None:
        return False

    if not state.is_filled:
        state.fill(instance)
    return True


def _read_dict(instance: Any) -> dict[str, Any]:
    _fill(instance)
    values: dict[str, Any] = _instance_dict.__get__(instance)
    return values


def _write_dict(instance: Any, values: dict[str, Any]) -> None:
    _instance_dict.__set__(instance, values)


def _with_state_of(instance: Any, copied: Any) -> Any:
    state = partial_state(instance)
    if state is not None:
        _set(copied, STATE, state.copied())
    return copied


def _restore(model: type[BaseModel], state: dict[str, Any]) -> BaseModel:
    instance = object.__new__(partial_model(model))
    instance.__setstate__(state)
    return instance


def _private_defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Return the private attributes that need no validation: those with a plain default."""
    defaults: dict[str, Any] = {}
    for name, attribute in model.__private_attributes__.items():
        factory: Any = attribute.default_factory
        if factory is None:
            default = attribute.get_default()
        elif getattr(attribute, "default_factory_takes_validated_data", False):
            continue  # a pydantic that does not know such factories has none
        else:
            default = factory()

        if default is not PydanticUndefined:
            defaults[name] = default
    return defaults


def field_type(model: type[BaseModel], field: FieldInfo) -> Any:
    """Return what a field's values are, in terms of types and their metadata."""
    return annotated(_resolved(field.annotation, model), field.metadata)


def _resolved(annotation: Any, model: type[BaseModel]) -> Any:
    """Put models in place of what a model calls itself: Self, or a reference if it is generic."""
    if annotation is Self:
        return model

    if hasattr(annotation, "type_ref"):
        return _definitions(model).get(annotation.type_ref, Any)

    origin: Any = get_origin(annotation)
    arguments = get_args(annotation)
    if not arguments or origin is Literal:
        return annotation

    resolved = tuple(_resolved(argument, model) for argument in arguments)
    if resolved == arguments:
        return annotation

    return (Union if origin is types.UnionType else origin)[resolved]


def _definitions(model: type[BaseModel]) -> dict[str, Any]:
    """Return the recursive models in a model by the references that pydantic gave them."""
    schema: Any = model.__pydantic_core_schema__
    models: dict[str, Any] = {}
    for definition in schema.get("definitions", ()):
        inner = definition
        while "cls" not in inner and "schema" in inner:
            inner = inner["schema"]
        models[definition["ref"]] = inner.get("cls", Any)
    return models


def _optional(model: type[BaseModel], field: FieldInfo) -> tuple[Any, Any]:
    """Return annotation and definition of a field that may hold unfinished values, too.

    Any as the second choice lets pydantic serialize what the first does not describe.
    """
    annotation = _resolved(field.annotation, model)
    if any(is_dataclass(type_) or is_typeddict(type_) for type_, _ in types_in(annotation)):
        annotation = Any  # pydantic warns of unfinished ones where it expects them

    annotation = annotated(annotation, map(forgiving_metadata, field.metadata))
    definition = Field(
        default=None if field.default is PydanticUndefined else field.default,
        alias=field.alias,
        validation_alias=field.validation_alias,
        serialization_alias=field.serialization_alias,
        exclude=field.exclude,
        repr=field.repr,
    )
    return Union[annotation, Any], definition  # noqa: UP007  # | fails for forward references
