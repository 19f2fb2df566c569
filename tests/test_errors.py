"""What every error promises."""

from __future__ import annotations

import copy
import pickle

import pytest

import streamops as so
from streamops import operators as ops
from tests.outcomes import through

ENDINGS = {
    so.TruncatedJson: ['{"a": ['],
    so.MalformedJson: ['{"a": [}'],
    so.NoJson: ["sorry"],
    so.LimitExceeded: ["1" * 4301],
    so.Refused: [so.Delta("No.", kind="refusal")],
    so.ContentFiltered: [so.Delta("[1,"), so.Delta(kind="finish", finish_reason="content_filter")],
}


@pytest.mark.parametrize(("kind", "items"), ENDINGS.items())
def test_an_error_survives_copying_and_pickling(
    kind: type[so.StreamopsError], items: list[so.Delta | str]
) -> None:
    error = through(items, ops.accumulate_json()).error
    assert isinstance(error, kind)
    assert error.snapshot is not None

    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert isinstance(again, kind)
        assert str(again) == str(error)
        assert again.snapshot == error.snapshot
