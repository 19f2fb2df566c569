"""Every Python example of the README runs, offline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from streamops.demo import RECORDED, MeetingInfo, User
from streamops.replay import replay
from tests.clients import TLS, open_client

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the examples take as given: clients, messages, models, and a recording."""
    import httpx2

    recording = RECORDED["chat"].read_bytes()
    (tmp_path / "meeting.sse").write_bytes(re.sub(rb": streamops .*\n", b"", recording))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with replay(tmp_path / "meeting.sse") as base_url, open_client(base_url) as client:
        # The example's event loop ends before anybody could close what the client keeps open.
        unkept = httpx2.Limits(max_keepalive_connections=0)
        http = httpx2.AsyncClient(trust_env=False, verify=TLS, limits=unkept)
        yield {
            "client": client,
            "async_client": AsyncOpenAI(base_url=base_url, api_key="test", http_client=http),
            "messages": [{"role": "user", "content": "Who was there?"}],
            "MeetingInfo": MeetingInfo,
            "User": User,
        }


def test_the_examples_of_the_readme_run(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for example in EXAMPLES:
        exec(compile(example, README, "exec", dont_inherit=True), names)  # noqa: S102  # our own

    out = capsys.readouterr().out
    assert "100 % users=[User(name='John Doe'" in out
    assert "new: Alex Johnson" in out
    assert "50000" in out
    assert "\n3\n" in out
    for shown in re.findall(r"```text\n(id=.*?)```", README.read_text("utf-8"), re.DOTALL):
        assert shown in out
