"""How far a report has come: in percent, and by the place that is being written.

    python examples/report.py

The first of the recorded answers has a section with only one key point. ``fail_fast`` leaves it
when that list closes, so that the provider never says what it cost, and ``max_retries`` asks again,
with the fault in the conversation.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

import streamops as so
from offline import MODEL, open_client, quiet_exit
from streamops import operators as ops

MESSAGES = [
    {"role": "system", "content": "Write a report of two short sections."},
    {"role": "user", "content": "How did the community garden do this year?"},
]


class Section(BaseModel):
    """A part of the report."""

    title: str
    text: str
    key_points: Annotated[list[str], Field(min_length=2)]


class Report(BaseModel):
    """The whole of it."""

    title: str
    summary: str
    sections: list[Section]


def main() -> None:
    """Print a line for each place that is written, and the report at its end."""
    with open_client("report-invalid", "report") as client:
        report = so.extract(
            client,
            response_model=Report,
            model=MODEL,
            messages=MESSAGES,
            fail_fast=True,
            max_retries=2,
            on_attempt=tell,
        )
        progress = report.pipe(ops.track_progress(expected={"sections": 2}))
        place: so.Path = ()

        for update in so.to_generator(progress):
            # A place that is left for one around it is no news.
            if update.current != place[: len(update.current)]:
                place = update.current
                print(f"{update.percent:4.0f} %  {'.'.join(map(str, place))}")

            if update.percent == 100:
                print(" 100 %")
                show(update.value)

    print()

    for ending in so.outcome(progress).attempts:
        tokens = ending.usage["total_tokens"] if ending.usage else "unknown"
        print(f"Attempt {ending.attempt}: {ending.status}, tokens: {tokens}")


def tell(attempt: so.Attempt) -> None:
    """Say which attempt begins, and what was wrong with the one before it."""
    if isinstance(attempt.error, so.SchemaMismatch):
        [fault, *_] = attempt.error.validation_error.errors()
        place = ".".join(map(str, attempt.error.path))
        print(f"Invalid: {place}\n{fault['msg']}\n")

    print(f"Attempt {attempt.number}")


def show(report: Report) -> None:
    """Print a validated report."""
    print(f"\n{report.title}\n{report.summary}")

    for section in report.sections:
        print(f"\n{section.title}: {section.text}")
        print("\n".join(f"- {point}" for point in section.key_points))


if __name__ == "__main__":
    with quiet_exit():
        main()
