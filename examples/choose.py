"""Tools to choose from: the model calls whichever it wants, as often as it wants.

    python examples/choose.py

With ``Search | Reply`` each of the two is a tool of its own. Their calls come in one answer, one
after the other, and each grows until it is validated: it could be run while the next is written.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

import streamops as so
from offline import MODEL, open_client, quiet_exit

MESSAGES = [
    {
        "role": "system",
        "content": "You help in a library. Search for each thing that is asked, all at once, and "
        "tell the reader in one short reply what you are doing.",
    },
    {
        "role": "user",
        "content": "Do you have anything on lighthouses? And when does the reading room close?",
    },
]


class Search(BaseModel):
    """Look something up."""

    source: Literal["catalogue", "website"]
    query: str
    limit: int = Field(default=10, ge=1, le=50)


class Reply(BaseModel):
    """Tell the reader something."""

    text: str


def main() -> None:
    """Print each call when it is finished."""
    with open_client("choose") as client:
        calls = so.extract(client, response_model=Search | Reply, model=MODEL, messages=MESSAGES)

        for call in so.to_generator(calls):
            if so.state_of(call).at(()) == "done":
                show(call)


def show(call: Search | Reply) -> None:
    """Print what was called."""
    match call:
        case Search():
            print(f"search the {call.source} for {call.query!r}, {call.limit} results")
        case Reply():
            print(f"reply: {call.text}")


if __name__ == "__main__":
    with quiet_exit():
        main()
