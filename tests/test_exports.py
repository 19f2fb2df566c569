"""The public names: nothing missing, nothing extra."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import streamops
import streamops.operators


@pytest.mark.parametrize("module", [streamops, streamops.operators], ids=lambda m: m.__name__)
def test_all_lists_every_public_name(module: ModuleType) -> None:
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }

    assert sorted(module.__all__) == sorted(public)


def test_importing_streamops_loads_nothing_that_only_an_extra_or_a_source_needs() -> None:
    heavy = ("openai", "rich", "starlette", "uvicorn", "IPython", "matplotlib", "trio", "httpx2")
    code = f"import sys, streamops; print([m for m in {heavy!r} if m in sys.modules])"

    loaded = subprocess.run(  # our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"
