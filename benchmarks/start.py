"""What it costs to start: ``import streamops``, and the first pipeline to its last value.

    python -m benchmarks.start

Every figure is the median of fresh interpreters that take turns, in milliseconds above what is
loaded before the clock starts, with the bytecode of an earlier run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

DEPENDENCIES = "import anyio, jiter, pydantic, reactivex, typing_extensions"

# What any program pays that has a model, with us or without.
MODEL = f"""
{DEPENDENCIES}
import reactivex.operators
from pydantic import BaseModel, TypeAdapter

class User(BaseModel):
    name: str
    tags: list[str]
"""

CHUNKS = ['{"name": "A', 'da", "ta', 'gs": ["first', '"]}']

PIPELINE = f"""
import streamops as so
from streamops import operators as ops

source = so.from_chunks({CHUNKS!r})
*_, last = so.to_generator(source.pipe(ops.accumulate_json(), ops.to_partial(User)))
assert last == User(name="Ada", tags=["first"])
"""

CLIENT = f"""
import json
import httpx2
from openai import OpenAI
{MODEL}
from openai.resources.chat.completions import Completions

events = [
    {{"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [
        {{"index": 0, "delta": {{"content": text}}, "finish_reason": None}}
    ]}}
    for text in {CHUNKS!r}
]
body = "".join(f"data: {{json.dumps(event)}}\\n\\n" for event in events) + "data: [DONE]\\n\\n"
headers = {{"content-type": "text/event-stream"}}
transport = httpx2.MockTransport(
    lambda _: httpx2.Response(200, headers=headers, content=body.encode())
)
client = OpenAI(api_key="test", base_url="http://test", http_client=httpx2.Client(
    transport=transport, trust_env=False
))
request = {{"model": "m", "messages": [{{"role": "user", "content": "Who?"}}]}}
"""

OPENAI_PIPELINE = PIPELINE.replace(
    f"so.from_chunks({CHUNKS!r})", "so.from_openai(client.chat.completions, **request)"
)

BARE_STREAM = """
for chunk in client.chat.completions.create(stream=True, **request):
    chunk.choices[0].delta.content
"""


@dataclass(frozen=True, slots=True)
class Start:
    """Something to time, after what is not counted."""

    name: str
    before: str
    code: str


STARTS = [
    Start("import streamops", DEPENDENCIES, "import streamops"),
    Start("its operators too, above a model", MODEL, "import streamops, streamops.operators"),
    Start(
        "all public names, above a model",
        MODEL,
        "from streamops import *; from streamops.operators import *",
    ),
    Start("from_chunks to the last partial, above a model", MODEL, PIPELINE),
    Start("from_openai to the last partial, above a client", CLIENT, OPENAI_PIPELINE),
    Start("for comparison: the client's own stream alone", CLIENT, BARE_STREAM),
    Start("for comparison: the dependencies", "", DEPENDENCIES),
    Start("for comparison: pydantic and a model", DEPENDENCIES, MODEL),
    Start("for comparison: openai and a client", MODEL, CLIENT),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds (default 9)")
    rounds: int = parser.parse_args().rounds

    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        for start in STARTS:
            milliseconds(start, environment)

        times = [[milliseconds(start, environment) for start in STARTS] for _ in range(rounds)]

    for start, *column in zip(STARTS, *times, strict=True):
        print(f"{start.name:52}{statistics.median(column):8.1f} ms")


def milliseconds(start: Start, environment: Mapping[str, str]) -> float:
    """Time a piece of code in a fresh interpreter."""
    code = (
        f"import time\n{start.before}\nbegan = time.perf_counter()\n{start.code}\n"
        "print((time.perf_counter() - began) * 1000)"
    )
    done = subprocess.run(  # noqa: S603  # our own interpreter and code
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    main()
