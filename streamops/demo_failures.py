"""What went wrong with the demo, in one sentence, and what to do about it."""

from __future__ import annotations

import openai

from streamops.errors import (
    ConnectionDropped,
    ContentFiltered,
    MalformedJson,
    NoJson,
    Refused,
    SchemaMismatch,
    SourceFailed,
    StreamopsError,
    TruncatedJson,
)

_OFFLINE = "or see the recorded answer with --offline"


def explain(error: StreamopsError) -> str:
    """Say how a stream ended, and what helps against that."""
    match error:
        case ConnectionDropped() | SourceFailed(dropped=True):
            return "The connection broke in the middle of the answer: try again."
        case SourceFailed():
            return _explain_source(error)
        case TruncatedJson(finish_reason="length"):
            return "The model ran out of tokens before the JSON was complete: try another --model."
        case TruncatedJson():
            return "The answer stopped before its JSON was complete: try again."
        case NoJson():
            return f"{error}. Try a --model with structured outputs."
        case Refused() | ContentFiltered():
            return f"{error}. Try another --model."
        case SchemaMismatch(faults=(first, *_)):
            place = ".".join(map(str, first.path)) or "at its root"
            return (
                f"The answer is JSON, but no MeetingInfo ({place}: {first.message}). "
                "Try a --model with structured outputs."
            )
        case MalformedJson(offset=offset, expected=expected, found=found):
            return (
                f"The answer is no JSON: expected {expected} at character {offset}, found "
                f"{found!r}. Try a --model with structured outputs."
            )
        case _:
            return f"{error}. Try another --model."


def _explain_source(error: SourceFailed) -> str:
    match error.__cause__:
        case openai.AuthenticationError():
            return (
                "The provider does not accept the key (401): "
                f"set OPENAI_API_KEY to a valid one, {_OFFLINE}."
            )
        case openai.PermissionDeniedError():
            return f"The key may not do this (403): use another OPENAI_API_KEY, {_OFFLINE}."
        case openai.NotFoundError(request=request):
            return (
                f"There is no such model or address at {request.url} (404): "
                "check --model and OPENAI_BASE_URL."
            )
        case openai.RateLimitError():
            return (
                "Too many requests, or no credit left (429): "
                f"wait a little, check your account, {_OFFLINE}."
            )
        case openai.APIConnectionError(request=request) as failure:
            return (
                f"{request.url} cannot be reached ({failure.__cause__ or failure}): "
                f"check the network and OPENAI_BASE_URL, {_OFFLINE}."
            )
        case _:
            return f"The provider reports an error: {error}. Try again, {_OFFLINE}."
