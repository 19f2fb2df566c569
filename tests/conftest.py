"""Fixtures for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("hard", settings.get_profile("quick"), max_examples=5000)
settings.register_profile("ci", settings.get_profile("quick"), derandomize=True)

if os.environ.get("STREAMOPS_HARD"):
    settings.load_profile("hard")
elif os.environ.get("CI"):
    settings.load_profile("ci")
else:
    settings.load_profile("quick")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run every async test on both event loops."""
    name: str = request.param
    return name
