"""request and extract: ask a model for a type, and read its answer while it arrives."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from pydantic import BaseModel
from reactivex import Observable, abc

from streamops.asking import arguments_for
from streamops.delta import Delta
from streamops.endings import Outcome
from streamops.extraction import Asking, Attempt, Options, extraction
from streamops.forms import Reading
from streamops.lifting import Stream
from streamops.modes import Mode
from streamops.multitask import MultiTasks
from streamops.naming import call_name
from streamops.operators.select_channel import check_number
from streamops.outcomes import Record, Watched
from streamops.partial_type import Partial
from streamops.response_models import form_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

T = TypeVar("T")
WholeT = TypeVar(
    "WholeT",
    bound=BaseModel
    | Mapping[Any, Any]
    | Set[Any]
    | tuple[Any, ...]
    | deque[Any]
    | str
    | bytes
    | Enum,
)
"""What can be iterated over, or whose class can, and is still one value."""


def request(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Any,
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    **request: Any,
) -> Observable[Delta]:
    """Ask a model for a type, and emit what it sends; every subscriber sends a request of its own.

    The client is any of the SDK's: OpenAI, AsyncOpenAI or one for Azure. ``response_model`` and
    ``mode`` are those of ``extract``, which also reads the answer; here that is left to operators,
    behind ``accumulate_json``. All other arguments are passed on to ``create``, unchanged. Token
    usage is asked for, unless ``stream_options`` says something else of it. With ``stream=False``
    the Deltas of the whole answer come at once. ``outcome`` tells how it ended.

    Raises at once what ``extract`` raises at once, and ends in the errors of ``from_openai``.
    """
    asking = _prepare(client, response_model, mode, request, streams=stream)
    outcome = Outcome()

    def subscribe(
        observer: abc.ObserverBase[Delta], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        deltas = asking.ask(asking.request, Record(outcome))
        return deltas.subscribe(observer, scheduler=scheduler)

    return Watched(Stream(subscribe, maker=call_name("request", response_model)), outcome)


@overload
def extract(  # pyright: ignore[reportOverlappingOverload]  # a class of tasks is a model, too
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: type[MultiTasks[T]],
    mode: Mode | str = Mode.TOOLS,
    stream: Literal[True] = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[T]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: type[Partial[T]],
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[T]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: type[WholeT],
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[WholeT]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Callable[
        ..., Iterable[T]
    ],  # for type[Iterable[T]], mypy wants a concrete class
    mode: Mode | str = Mode.TOOLS,
    stream: Literal[True] = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[T]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Callable[..., Iterable[T]],
    mode: Mode | str = Mode.TOOLS,
    stream: Literal[False],
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[list[T]]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Callable[..., Iterable[T]],
    mode: Mode | str = Mode.TOOLS,
    stream: bool,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[Any]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: type[T],
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: Literal[False] = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[T]: ...
@overload
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Any,
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: bool = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[Any]: ...
def extract(
    client: OpenAI | AsyncOpenAI,
    *,
    response_model: Any,
    mode: Mode | str = Mode.TOOLS,
    stream: bool = True,
    max_retries: int = 0,
    fail_fast: bool = False,
    on_attempt: Callable[[Attempt], object] | None = None,
    attempts: bool = False,
    strict: bool | None = None,
    context: Any = None,
    **request: Any,
) -> Observable[Any]:
    """Ask a model for a type, and emit it while it arrives; every subscriber sends a request.

    ``response_model`` says what is asked for, and what comes:

    - a model, or any other type: the model as far as it has arrived, each time that differs, and at
      last a real, validated one, as behind ``to_partial``. ``Partial[Model]`` says the same.
      ``Model | None`` lets the model answer None.
    - ``Iterable[T]``, ``list[T]`` or a class made by ``MultiTask``: each item once, validated, as
      soon as it is finished, as behind ``split_items``. ``Partial[list[T]]`` grows instead.
      ``Annotated[list[T], ...]``, whose constraints are on the whole, grows too.
    - ``Search | Reply``, with a mode that uses tools: whichever tools the model calls, one after
      the other, each as a model. Other modes, and ``Search | Reply | None``, ask for one of them.

    With ``stream=False`` the answer is asked for as a whole, and one value comes: a list for
    ``Iterable[T]`` and ``list[T]``, an instance for a class made by ``MultiTask``; several if the
    model called several tools.

    ``mode`` says how a model is asked; see Mode. All other arguments are passed on to ``create``
    (``messages`` for Chat Completions, ``input`` for Responses) unchanged.

    With ``max_retries`` it asks again, up to so many times, when an answer is no JSON or does not
    fit, with the answer and its faults put into the conversation; and sends the same request again
    when an answer breaks off or the provider fails in the middle of it. Before that, the client's
    own retries apply. Partials start anew then; an item that was emitted is not emitted again in
    the same JSON, while one that the model has corrected is. ``on_attempt`` is called with an
    Attempt before each request, and with ``attempts=True`` each is emitted too, so that a display
    can be reset.

    An invalid item does not end the list: the stream fails at its end, with all of them in
    ``SchemaMismatch.faults``. With ``fail_fast`` each field is checked when it closes, and the
    first invalid one ends the stream at once and closes the connection. ``strict`` and ``context``
    are passed on to pydantic. ``outcome`` tells how it ended, and what it cost.

    Raises at once: TypeError for what is no client of the SDK, for a type that cannot be asked for
    (with its field), and for arguments that ``create`` does not take or that the mode sends itself;
    ValueError for an unknown mode and for a schema that the mode cannot express. The stream ends in
    the errors of ``from_openai``, ``accumulate_json``, ``to_partial`` and ``split_items``.
    """
    asking = _prepare(client, response_model, mode, request, streams=stream)
    check_number("max_retries", max_retries)
    _check_flags(fail_fast=fail_fast, attempts=attempts)

    if on_attempt is not None and not callable(on_attempt):
        raise TypeError(f"on_attempt is called with each Attempt, and {on_attempt!r} cannot be")

    reading = Reading(fail_fast=fail_fast, strict=strict, context=context)
    options = Options(reading, asking.reads(reading), max_retries, on_attempt, attempts)
    outcome = Outcome()
    values = extraction(asking, options, outcome, call_name("extract", response_model))
    has_items = asking.form.has_items and stream and not attempts
    return Watched(values, outcome, emits_items=has_items)


def _prepare(
    client: Any, response_model: Any, mode: Mode | str, request: dict[str, Any], *, streams: bool
) -> Asking:
    """Check what was asked for, and return what is to be sent."""
    from openai import NotGiven, Omit

    mode = Mode(mode)
    resource = _resource_of(client, mode)
    _check_flags(stream=streams)
    form = form_of(response_model, mode)
    given = {
        name: value for name, value in request.items() if not isinstance(value, (NotGiven, Omit))
    }

    for name in ("messages", "input"):
        if name in given:
            given[name] = _listed(name, given[name])

    sent = arguments_for(mode, form.schemas, given)

    if streams:
        sent["stream"] = True

        if mode.api == "chat":
            options: Any = given.get("stream_options") or {}

            if not isinstance(options, Mapping):
                raise TypeError(f"stream_options= is a dict of options, not {options!r}")

            sent["stream_options"] = {"include_usage": True, **options}

    _check_arguments(resource.create, sent, mode)
    return Asking(resource, mode, form, sent, streams)


def _check_flags(**flags: object) -> None:
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise TypeError(f"{name} is True or False, not {flag!r}")


def _listed(name: str, given: Any) -> Any:
    """Return messages as a list: others may be read once, and a retry sends them again."""
    if name == "input" and (given is None or isinstance(given, str)):
        return given

    if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Mapping)):
        raise TypeError(
            f"{name}= takes a list of messages, such as "
            f'[{{"role": "user", "content": "..."}}], not {given!r}'
        )

    return [*cast("Iterable[Any]", given)]


def _resource_of(client: Any, mode: Mode) -> Any:
    from openai import AsyncOpenAI, OpenAI

    if not isinstance(client, (OpenAI, AsyncOpenAI)):
        raise TypeError(
            "The client is one of the openai SDK, such as openai.OpenAI() or openai.AsyncOpenAI(), "
            f"not {type(client).__name__}{_advice(client)}"
        )

    return client.responses if mode.api == "responses" else client.chat.completions


def _advice(client: Any) -> str:
    if isinstance(client, type):
        return f": make an instance, {client.__name__}()"

    return ": pass the client itself" if hasattr(client, "create") else ""


_ADVICE = {
    ("chat", "input"): "input= is for Responses; Mode.{mode} takes messages=",
    ("responses", "messages"): "messages= is for Chat Completions; Mode.{mode} takes input=",
    ("chat", "validation_context"): "it is called context= here",
    ("responses", "validation_context"): "it is called context= here",
}


def _check_arguments(create: Callable[..., Any], sent: Mapping[str, Any], mode: Mode) -> None:
    try:
        inspect.signature(create).bind(**sent)
    except TypeError as error:
        advice = "".join(
            f": {_ADVICE[mode.api, name]}" for name in sent if (mode.api, name) in _ADVICE
        )
        raise TypeError(
            f"The client does not take this: {error}{advice.format(mode=mode.name)}"
        ) from None
