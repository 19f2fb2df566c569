"""The command ``streamops``, which may be interrupted before all of it is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    0 for success, also when the reader of a pipe has left; 1 for a failure, said in one line on
    stderr; 130 when it was interrupted. Wrong arguments raise SystemExit with status 2.
    """
    try:
        from streamops.commands import run

        return run(argv)
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted\n")
        return 130
