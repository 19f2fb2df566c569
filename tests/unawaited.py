"""What Python says of coroutines that nobody awaited, which reaches no test by itself."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def nothing_unawaited() -> Generator[None]:
    """Fail if something was dropped that Python complains about, such as a coroutine."""
    complaints: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda complaint: complaints.append(str(complaint.exc_value))

    try:
        yield
        gc.collect()
    finally:
        sys.unraisablehook = before

    assert complaints == []
