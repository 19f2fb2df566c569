"""Others that do the same, a file each: it imports what it measures, and lists ``CONTENDERS``.

A file that cannot be imported, say because its library is not installed, is named and left out.
A peer has no types here: it is imported by name, so that nobody needs it who does not measure it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from importlib import import_module

from benchmarks.contenders import Contender


def names() -> list[str]:
    """Return the names of the files here."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def contenders(wanted: Sequence[str] | None = None) -> tuple[list[Contender], dict[str, str]]:
    """Import the wanted peers, or all; return what they list, and why which are left out."""
    found: list[Contender] = []
    left_out: dict[str, str] = {}
    for name in names() if wanted is None else wanted:
        try:
            module = import_module(f"{__name__}.{name}")
        except Exception as error:
            left_out[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        else:
            found += module.CONTENDERS

    return found, left_out
