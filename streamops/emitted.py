"""Emitted: which items of a list need not be emitted again."""

from __future__ import annotations

import json
from collections import Counter

from streamops.parser import value_of


class Emitted:
    """Which items the attempts have emitted, each as often as it was."""

    def __init__(self, before: Emitted | None = None) -> None:
        self._all: Counter[str] = before._all if before else Counter()
        self._again = self._all.copy()

    def add(self, text: str) -> bool:
        """Note the text of an item, and say whether no earlier attempt has emitted it."""
        # As it was sent: what was emitted may have been changed by whoever got it.
        item = json.dumps(value_of(text), sort_keys=True)

        if self._again[item] > 0:
            self._again[item] -= 1
            return False

        self._all[item] += 1
        return True
