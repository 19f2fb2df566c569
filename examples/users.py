"""A list of users out of a text, each user as soon as it is finished.

    python examples/users.py

It is asked for twice: as an Iterable[User], and in the classic style, with a class for several
tasks that reads a stream which the SDK has opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel, Field

import streamops as so
from offline import MODEL, open_client, quiet_exit

MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "Extract every user."},
    {
        "role": "user",
        "content": "Mara is 34 and bakes bread in Lisbon. Her brother Jon, 29, drives the van. "
        "Their first customer was Mrs. Okafor, who is 71 by now, and little Kim, 6, eats the rest.",
    },
]


class User(BaseModel):
    """Somebody in the text."""

    name: str
    age: int = Field(ge=0)


MultiUser = so.MultiTask(User)


def main() -> None:
    """Ask in both ways, one after the other."""
    with open_client("users") as client:
        print("Iterable[User]:")

        for user in extracted(client):
            print(f"- {user.name}, {user.age}")

        print("\nMultiTask(User):")

        for user in streamed(client):
            print(f"- {user.name}, {user.age}")


def extracted(client: OpenAI) -> Iterable[User]:
    """Let streamops make the request from the type."""
    users = so.extract(client, response_model=Iterable[User], model=MODEL, messages=MESSAGES)
    return so.to_generator(users)


def streamed(client: OpenAI) -> Iterable[User]:
    """Make the request with the SDK, and let the class read the answer."""
    function: Any = MultiUser.openai_schema  # "name", "description" and "parameters"
    stream = client.chat.completions.create(
        model=MODEL,
        messages=MESSAGES,
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": function["name"]}},
        stream=True,
        stream_options={"include_usage": True},
    )
    return MultiUser.from_streaming_response(stream)


if __name__ == "__main__":
    with quiet_exit():
        main()
