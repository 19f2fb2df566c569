"""What `live` and `alive` do in a real kernel of Jupyter, with real clients and a real server."""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

from tests.sinks.kernel import Kernel, Output, running_kernel
from tests.wire import Exchange, serving

SETUP = """
import httpx2, openai
import streamops as so
from pydantic import BaseModel
from streamops import operators as ops

class User(BaseModel):
    name: str
    email: str

def users(client):
    answer = so.from_openai(client.chat.completions, model="m", messages=[])
    return answer.pipe(ops.accumulate_json(), ops.to_partial(list[User]))
"""
ONCE = "base_url={url!r}, api_key='t', max_retries=0"
BLOCKING = f"openai.OpenAI({ONCE}, http_client=httpx2.Client(trust_env=False))"
AWAITED = f"openai.AsyncOpenAI({ONCE}, http_client=httpx2.AsyncClient(trust_env=False))"
CELLS = pytest.mark.parametrize(
    ("client", "cell"),
    [
        pytest.param(BLOCKING, "so.live(users(client))", id="plain cell, blocking client"),
        pytest.param(AWAITED, "so.live(users(client))", id="plain cell, asynchronous client"),
        pytest.param(BLOCKING, "await so.alive(users(client))", id="await, blocking client"),
        pytest.param(AWAITED, "await so.alive(users(client))", id="await, asynchronous client"),
    ],
)


@pytest.fixture(scope="module")
def started() -> Generator[Kernel]:
    with running_kernel() as kernel:
        kernel.run(SETUP)
        yield kernel


@pytest.fixture
def kernel(started: Kernel) -> Kernel:
    # A cell that still runs, since its test failed, is not to fail the others.
    if not started.is_idle:
        started.restart()
        started.run(SETUP)
    return started


class Script:
    """Says what comes next, each time that the cell shows what it waits for."""

    def __init__(self, *steps: tuple[str, Callable[[], object]]) -> None:
        self._steps = list(steps)

    def __call__(self, output: Output) -> None:
        if self._steps and self._steps[0][0] in output.text:
            self._steps.pop(0)[1]()

    @property
    def has_ended(self) -> bool:
        """Whether all was shown that it waited for."""
        return not self._steps


@CELLS
def test_one_output_is_updated_while_the_stream_runs_and_the_value_is_returned(
    kernel: Kernel, client: str, cell: str
) -> None:
    exchanges: list[Exchange] = []

    with serving() as wire:
        kernel.run(f"client = {client.format(url=wire.url)}")

        def begin() -> None:
            exchanges.append(wire.exchange())
            exchanges[0].send('[{"name": "Ada"')

        def go_on() -> None:
            exchanges[0].send(', "email": "ada@')

        def end() -> None:
            exchanges[0].send('example.org"}]')
            # With this the client closes the connection, so that nothing can be sent after it.
            exchanges[0].send_bytes(b"data: [DONE]\n\n")

        script = Script(
            ("waiting for the first token", begin),
            ("✓   name: Ada\n-   email: -", go_on),
            ("…   email: ada@", end),
        )
        output = kernel.run(cell, script)

    assert script.has_ended
    assert output.updates >= 3
    assert len(output.ids) == 1
    assert output.result == "[User(name='Ada', email='ada@example.org')]"
    assert "✓   email: ada@example.org" in output.text
    assert "<b>email</b>" in output.shown[-1]["text/html"]


@CELLS
def test_interrupting_the_kernel_closes_the_connection_and_leaves_the_last_state(
    kernel: Kernel, client: str, cell: str
) -> None:
    with serving('[{"name": "Ada"') as wire:
        kernel.run(f"client = {client.format(url=wire.url)}")
        script = Script(("✓   name: Ada", kernel.interrupt))

        output = kernel.run(cell, script)

        assert wire.exchange().is_closed()

    assert script.has_ended
    assert output.error in ("KeyboardInterrupt", "CancelledError")
    assert "✓   name: Ada\n-   email: -\ninterrupted: 1 element in" in output.text
    assert (
        kernel.run(
            "[t for t in __import__('threading').enumerate() if 'streamops' in t.name]"
        ).result
        == "[]"
    )


def test_interrupting_an_awaited_one_does_not_take_as_long_as_until_it_is_drawn_again(
    kernel: Kernel,
) -> None:
    kernel.run(
        "import asyncio\n"
        "async def stuck():\n"
        "    print('begun')\n"
        "    yield '1'\n"
        "    await asyncio.sleep(1000)\n"
    )
    script = Script(("waiting", kernel.interrupt))

    output = kernel.run("await so.alive(so.from_chunks(stuck), per_second=0.001)", script)

    assert script.has_ended
    assert output.error in ("KeyboardInterrupt", "CancelledError")


@pytest.fixture
def answers(kernel: Kernel) -> Generator[str]:
    """Serve a recording in the kernel, to a client that asks once; return what opens a stream."""
    kernel.run(
        "from contextlib import ExitStack\n"
        "from pathlib import Path\n"
        "from streamops.replay import replay\n"
        "asked, resources = [], ExitStack()\n"
        "recorded = Path(so.__file__).with_name('recordings') / 'conference.sse'\n"
        "url = resources.enter_context(replay(recorded, on_request=asked.append))\n"
        f"client = {AWAITED.format(url='URL')}".replace("'URL'", "url")
    )
    yield "so.from_openai(client.chat.completions, model='m', messages=[])"
    kernel.run("resources.close()")


@pytest.mark.parametrize("cell", ["so.live({})", "await so.alive({})"])
def test_an_asynchronous_client_asks_once_in_each_cell(
    kernel: Kernel, answers: str, cell: str
) -> None:
    for asked in (1, 2, 3, 4):
        output = kernel.run(f"{cell.format(answers)}\nlen(asked)")
        assert (output.error, output.result) == (None, str(asked))


def test_an_asynchronous_client_serves_whatever_reads_it_without_awaiting(
    kernel: Kernel, answers: str
) -> None:
    for asked, sink in enumerate(("so.live", "so.run", "so.trace", "so.history"), start=1):
        output = kernel.run(f"_ = {sink}({answers})\nlen(asked)")
        assert (output.error, output.result) == (None, str(asked))


def test_an_asynchronous_client_of_another_loop_is_an_error_that_names_the_fix(
    kernel: Kernel, answers: str
) -> None:
    # Read to its end, its connection is surely kept.
    kernel.run("_ = await client.chat.completions.create(model='m', messages=[])")

    output = kernel.run(f"so.live({answers})")

    assert output.error == "SourceFailed"
    assert "stay in one event loop" in output.text


def test_a_live_within_an_asynchronous_source_of_another_does_not_wait_for_itself(
    kernel: Kernel,
) -> None:
    output = kernel.run(
        "async def inner():\n"
        "    yield '1'\n"
        "async def outer():\n"
        "    yield so.live(so.from_chunks(inner)).text\n"
        "so.live(so.from_chunks(outer)).text"
    )

    assert (output.error, output.result) == (None, "'1'")


def test_an_error_is_shown_in_its_place_with_the_last_state(kernel: Kernel) -> None:
    output = kernel.run(
        'so.live(so.from_chunks([\'{"name": "<b>Ada\']).pipe('
        "ops.accumulate_json(), ops.to_partial(User)))"
    )

    assert output.error == "TruncatedJson"
    assert len(output.ids) == 1
    html = output.shown[-1]["text/html"]
    assert "&lt;b&gt;Ada" in html
    assert html.index("Ada") < html.index("TruncatedJson")


def test_what_is_printed_in_between_goes_to_the_same_cell_and_not_into_the_display(
    kernel: Kernel,
) -> None:
    output = kernel.run(
        "from reactivex import operators as rx\n"
        "so.live(so.from_chunks(['{', '}']).pipe(ops.accumulate_json(), rx.do_action(print)))"
    )

    assert output.printed == "Snapshot({}, path=())\nSnapshot({}, complete)\n"
    assert "Snapshot" not in output.text


def test_several_streams_at_once_have_a_display_each(kernel: Kernel) -> None:
    output = kernel.run(
        "import asyncio\n"
        "def stream(text):\n"
        "    return so.from_chunks([text]).pipe(ops.accumulate_json())\n"
        "a, b = await asyncio.gather(so.alive(stream('1')), so.alive(stream('2')))\n"
        "a.value, b.value"
    )

    assert output.result == "(1, 2)"
    assert len(output.ids) == 2
