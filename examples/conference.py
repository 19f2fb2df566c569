"""A conference out of the notes of a meeting: one line for each snapshot that shows more.

    python examples/conference.py

Strings and lists grow. Numbers and dates appear when they are whole: the budget is never 4, 40 or
400 on its way to 40000. The last one is a real, validated MeetingInfo.
"""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

import streamops as so
from offline import MODEL, open_client, quiet_exit

MESSAGES = [
    {"role": "system", "content": "Extract what was said about the conference."},
    {
        "role": "user",
        "content": "We met on January 12th, 2027: Ida Holm (@ida) and Tom Reyes (@tomr). The "
        "conference will be on June 3rd in the Pier Hall. We may spend 40,000 dollars, and "
        "whoever wants to give a talk has to tell us by the end of April.",
    },
]


class User(BaseModel):
    """Somebody who was at the meeting."""

    name: str
    handle: str


class MeetingInfo(BaseModel):
    """What was said about the conference."""

    users: list[User]
    date: dt.date
    location: str
    budget: int
    deadline: dt.date


def main() -> None:
    """Print the conference while it arrives."""
    with open_client("conference") as client:
        meeting = so.extract(client, response_model=MeetingInfo, model=MODEL, messages=MESSAGES)

        for partial in so.to_generator(meeting):
            print(line(partial))


def line(meeting: MeetingInfo) -> str:
    """Return what is known so far; what has not come of a partial is None."""
    users, *others = meeting.model_dump().values()
    named = [" ".join(filter(None, user.values())) or "-" for user in users or ()]
    first = "-" if users is None else f"[{', '.join(named)}]"
    return " | ".join([first, *("-" if value is None else str(value) for value in others)])


if __name__ == "__main__":
    with quiet_exit():
        main()
