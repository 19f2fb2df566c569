"""The same conference with AsyncOpenAI, and how the request ended.

    python examples/conference_async.py

Inside ``async with``, leaving the loop early closes the connection before the next line runs.
"""

from __future__ import annotations

import asyncio

import streamops as so
from conference import MESSAGES, MeetingInfo, line
from offline import MODEL, open_async_client, quiet_exit


async def main() -> None:
    """Print the conference while it arrives, then what it took."""
    async with open_async_client("conference") as client:
        meeting = so.extract(client, response_model=MeetingInfo, model=MODEL, messages=MESSAGES)

        async with so.to_async_generator(meeting) as partials:
            async for partial in partials:
                print(line(partial))

    tell(so.outcome(meeting))


def tell(outcome: so.Outcome) -> None:
    """Print how a request ended, when its answer came and what it cost."""
    print(f"\n{outcome.status}, answered by {outcome.model}")

    if outcome.timing is not None and outcome.timing.first_field is not None:
        timing = outcome.timing
        print(f"first field after {timing.first_field:.2f} s, the last after {timing.last:.2f} s")

    if outcome.usage is not None:
        print(f"{outcome.usage['prompt_tokens']} tokens in, ", end="")
        print(f"{outcome.usage['completion_tokens']} tokens out")


if __name__ == "__main__":
    with quiet_exit():
        asyncio.run(main())
