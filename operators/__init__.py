"""Operators: functions to ``pipe`` a stream through."""

from __future__ import annotations

# Text to JSON
from streamops.operators.accumulate_json import accumulate_json

# What to show of it
from streamops.operators.distinct_snapshots import distinct_snapshots

# JSON to models and items
from streamops.operators.split_items import ItemResult, split_items
from streamops.operators.to_partial import to_partial
from streamops.operators.track_progress import track_progress

__all__ = [
    "ItemResult",
    "accumulate_json",
    "distinct_snapshots",
    "split_items",
    "to_partial",
    "track_progress",
]
