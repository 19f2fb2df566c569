"""A real kernel of Jupyter, in which a test runs cells."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.wire import PATIENCE


@dataclass
class Output:
    """What a cell has put out, so far or in the end."""

    shown: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])
    """What was displayed, each update too, as MIME types and data."""
    ids: set[str] = field(default_factory=set[str])
    """The displays that these belong to."""
    updates: int = 0
    printed: str = ""
    result: str | None = None
    error: str | None = None

    @property
    def text(self) -> str:
        """What is displayed now, as plain text."""
        return self.shown[-1]["text/plain"] if self.shown else ""


class Kernel:
    """Runs cells one after the other."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._client = manager.client()
        self.is_idle = False
        """Whether the last cell has come to its end."""

    def connect(self) -> None:
        """Wait until it is there."""
        self._client.start_channels()
        self._client.wait_for_ready(timeout=3 * PATIENCE)
        self.is_idle = True

    def run(self, code: str, on_shown: Callable[[Output], object] | None = None) -> Output:
        """Run a cell to its end; ``on_shown`` is called whenever something is displayed."""
        self.is_idle = False
        request = self._client.execute(code)
        output = Output()
        deadline = time.monotonic() + 3 * PATIENCE

        while True:
            # A display that shows how long it has waited keeps sending.
            assert time.monotonic() < deadline, f"{code!r} did not end after {output.text!r}"
            message = self._client.get_iopub_msg(timeout=PATIENCE)
            kind, content = message["msg_type"], message["content"]
            assert message["parent_header"].get("msg_id") == request, "it belongs to this cell"

            if kind in ("display_data", "update_display_data"):
                output.shown.append(content["data"])
                output.ids.add(content["transient"]["display_id"])
                output.updates += kind == "update_display_data"
                if on_shown is not None:
                    on_shown(output)
            elif kind == "stream":
                output.printed += content["text"]
            elif kind == "execute_result":
                output.result = content["data"]["text/plain"]
            elif kind == "error":
                output.error = content["ename"]
            elif kind == "status" and content["execution_state"] == "idle":
                self._client.get_shell_msg(timeout=PATIENCE)
                self.is_idle = True
                return output

    def interrupt(self) -> None:
        """Interrupt the running cell, as the stop button does."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Begin anew, whatever runs."""
        self._client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._client = self._manager.client()
        self.connect()

    def close(self) -> None:
        """End it, whatever runs."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@contextmanager
def running_kernel() -> Generator[Kernel]:
    """Start a kernel of this interpreter."""
    with TemporaryDirectory(prefix="kernel-") as folder:
        manager: Any = _new_manager(Path(folder))
        manager.start_kernel(env={**os.environ, "IPYTHONDIR": folder})
        kernel = Kernel(manager)
        try:
            kernel.connect()
            yield kernel
        finally:
            kernel.close()


def _new_manager(folder: Path) -> KernelManager:
    # Files in a folder of its own: ports could be taken by a kernel of another process.
    over_files = {"transport": "ipc", "ip": str(folder / "kernel")} if os.name == "posix" else {}
    return KernelManager(
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
        connection_file=str(folder / "kernel.json"),
        **over_files,
    )
