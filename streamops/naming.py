"""What streams, operators and types are called where somebody looks at a pipeline."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

from reactivex import Observable
from reactivex.subject import Subject

_QUALIFIER = re.compile(r"(?:\w+\.)+(?=\w)")
_LONGEST = 40  # characters of an argument

# What makes an Observable, by the operator of reactivex that it makes it with.
_CALLED = {"merge_all": "merge", "concat_with_iterable": "concat", "catch_with_iterable": "catch"}


def operator_name(operator: Any) -> str:
    """Return the name of the function that an operator is, or that made it.

    ``rx.map(f)`` is ``map``, a function goes by its own name, and an object by its class's.
    """
    function = _curried(operator) or operator
    name = _function_name(function)
    return name.strip("_") or name if is_of_reactivex(function) else name


def observable_name(observable: Observable[Any]) -> str:
    """Return what an Observable goes by of which nothing else is known: what made it."""
    subscribe: Any = getattr(observable, "_subscribe", None)

    if type(observable) is Observable and subscribe is not None:
        name = operator_name(subscribe)
        return _CALLED.get(name, name)

    return "Subject" if isinstance(observable, Subject) else type(observable).__name__


def step_name(new_step: Any) -> str:
    """Return the name of the class or function that makes a step."""
    return _plain_name(_unwrapped(new_step))


def call_name(name: str, *arguments: object) -> str:
    """Return how a call reads, with those of its arguments that say something short."""
    return f"{name}({', '.join(map(_argument, arguments))})"


def is_of_reactivex(operator: Any) -> bool:
    """Return whether an operator is one of reactivex's own."""
    module = getattr(operator, "__module__", None)
    return isinstance(module, str) and module.startswith("reactivex.")


def composed(operator: Any) -> Iterator[Any]:
    """Yield the operators that ``rx.compose`` made one of; of another one, itself."""
    operators: Any = _free_variable(operator, "operators") if is_of_reactivex(operator) else None
    if not isinstance(operators, tuple):
        yield operator
        return

    for part in cast("tuple[Any, ...]", operators):
        yield from composed(part)


def _argument(argument: object) -> str:
    if isinstance(argument, type):
        return argument.__name__

    # Types such as list[User] and Search | Reply.
    is_type = hasattr(argument, "__origin__") or hasattr(argument, "__args__")
    shown = _QUALIFIER.sub("", repr(argument)) if is_type else reprlib.repr(argument)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _function_name(function: Any) -> str:
    function = _unwrapped(function)
    name = _plain_name(function)

    if isinstance(function, type) or name == "lambda":
        return name

    # What a function made goes by that function.
    *around, _ = str(getattr(function, "__qualname__", name)).split(".<locals>.")
    return around[-1].rpartition(".")[2] if around else name


def _plain_name(function: Any) -> str:
    name = getattr(function, "__name__", None) or type(function).__name__
    return str(name).strip("<>")


def _unwrapped(function: Any) -> Any:
    while isinstance(function, partial):
        function = function.func

    return function


def _curried(operator: Any) -> Callable[..., Any] | None:
    """Return the function of which reactivex made an operator, if that can be found."""
    function = _free_variable(operator, "fun") if is_of_reactivex(operator) else None
    return function if callable(function) else None


def _free_variable(function: Any, name: str) -> Any:
    names = getattr(getattr(function, "__code__", None), "co_freevars", ())

    if name not in names:
        return None

    try:
        return function.__closure__[names.index(name)].cell_contents
    except ValueError:  # it was never set
        return None
