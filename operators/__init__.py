"""Operators: functions to ``pipe`` a stream through."""

from __future__ import annotations

from streamops.items import ItemResult, Tagged

# All at once, unlike the names of streamops: operators have the names of their modules, and Python
# would put those in their places when one imports another.
from streamops.operators.accumulate_json import accumulate_json
from streamops.operators.distinct_snapshots import distinct_snapshots
from streamops.operators.field_events import FieldEvent, field_events
from streamops.operators.select import select
from streamops.operators.select_channel import select_channel
from streamops.operators.share_latest import share_latest
from streamops.operators.show_progress import show_progress
from streamops.operators.split_items import split_items
from streamops.operators.split_tool_calls import ToolCall, split_tool_calls
from streamops.operators.text_deltas import text_deltas
from streamops.operators.throttle_latest import throttle_latest
from streamops.operators.to_partial import to_partial
from streamops.operators.track_progress import track_progress
from streamops.operators.when_complete import when_complete

__all__ = [
    "FieldEvent",
    "ItemResult",
    "Tagged",
    "ToolCall",
    "accumulate_json",
    "distinct_snapshots",
    "field_events",
    "select",
    "select_channel",
    "share_latest",
    "show_progress",
    "split_items",
    "split_tool_calls",
    "text_deltas",
    "throttle_latest",
    "to_partial",
    "track_progress",
    "when_complete",
]
