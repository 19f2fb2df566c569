"""What the examples share: a client of the real API, or of recorded answers without a key."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import openai

import streamops as so
from streamops.replay import replay

API_KEY = os.environ.get("OPENAI_API_KEY")
MODEL = os.environ.get("OPENAI_MODEL") or "gpt-4o-mini"
RECORDINGS = Path(__file__).with_name("recordings")


@contextmanager
def open_client(*recordings: str) -> Generator[openai.OpenAI]:
    """Give a client of the real API if there is a key, else one that gets the recordings."""
    with (
        _provider(recordings) as base_url,
        openai.DefaultHttpxClient(trust_env=_is_elsewhere(base_url)) as http_client,
    ):
        key = API_KEY or "recorded"
        yield openai.OpenAI(api_key=key, base_url=base_url, http_client=http_client)


@asynccontextmanager
async def open_async_client(*recordings: str) -> AsyncGenerator[openai.AsyncOpenAI]:
    """Give the same as an asynchronous client."""
    with _provider(recordings) as base_url:
        async with openai.DefaultAsyncHttpxClient(trust_env=_is_elsewhere(base_url)) as http_client:
            key = API_KEY or "recorded"
            yield openai.AsyncOpenAI(api_key=key, base_url=base_url, http_client=http_client)


@contextmanager
def quiet_exit() -> Generator[None]:
    """Leave without a traceback on Ctrl-C, without a reader, and when the provider says no."""
    try:
        yield
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # What is still in the buffer has nowhere to go when Python flushes it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (so.StreamopsError, openai.OpenAIError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


@contextmanager
def _provider(recordings: tuple[str, ...]) -> Generator[str]:
    if API_KEY:
        base_url = os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        print(f"# {MODEL} at {base_url}\n")
        yield base_url
        return

    print("# a recorded answer; set OPENAI_API_KEY to ask a real model\n")
    files = [RECORDINGS / f"{name}.sse" for name in recordings]
    pace = 40 if sys.stdout.isatty() else None  # events per second, to be watched

    with replay(*files, pace=pace, mode=so.Mode.TOOLS) as base_url:
        yield base_url


def _is_elsewhere(base_url: str) -> bool:
    """Whether a proxy of the environment can reach it, which none can on this machine."""
    return urlsplit(base_url).hostname not in ("localhost", "127.0.0.1", "::1")
