"""Whether what is displayed goes to a notebook."""

from __future__ import annotations

import sys
from typing import Any


def is_in_kernel() -> bool:
    """Return whether a kernel of Jupyter runs this, and not the command line of IPython."""
    interactive: Any = sys.modules.get("IPython")
    shell = None if interactive is None else interactive.get_ipython()
    return getattr(shell, "kernel", None) is not None
