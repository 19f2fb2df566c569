"""The real clients, pointed at a test's server."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import cycle

import httpx2
from openai import AsyncOpenAI, OpenAI

TLS = ssl.create_default_context()
"""Loading the certificates anew for every client takes longer than a test."""


def http_client() -> httpx2.Client:
    """Make a client that no setting of the machine sends elsewhere."""
    return httpx2.Client(trust_env=False, verify=TLS)


def open_client(base_url: str) -> OpenAI:
    """Make a blocking client that asks once."""
    return OpenAI(base_url=base_url, api_key="test", max_retries=0, http_client=http_client())


@asynccontextmanager
async def open_async_client(base_url: str) -> AsyncGenerator[AsyncOpenAI]:
    """Make an asynchronous client that asks once."""
    http = httpx2.AsyncClient(trust_env=False, verify=TLS)

    async with AsyncOpenAI(
        base_url=base_url, api_key="test", max_retries=0, http_client=http
    ) as client:
        yield client


def answering(*bodies: str | bytes, status: int = 200) -> OpenAI:
    """Make a client that gets these bodies in turn from whatever it asks."""
    in_turn = cycle(bodies)

    def answer(_request: httpx2.Request) -> httpx2.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx2.Response(status, headers=headers, content=next(in_turn))

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    return OpenAI(base_url="http://test/v1", api_key="test", max_retries=0, http_client=http)
