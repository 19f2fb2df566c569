"""What `Delta` promises, however it was made."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamops.delta import Delta, Kind, text_delta

WORDS = st.none() | st.text()
FIRST_FIELDS = st.tuples(
    st.text(), st.sampled_from(get_args(Kind)), st.integers(), st.integers(), WORDS, WORDS
)


@given(FIRST_FIELDS)
def test_a_delta_of_a_text_is_the_one_that_its_class_makes(given_fields: Any) -> None:
    delta, made = text_delta(*given_fields), Delta(*given_fields)

    assert type(delta) is Delta
    assert delta == made
    assert asdict(delta) == asdict(made)
    assert hash(delta) == hash(made)
    assert repr(delta) == repr(made)
    assert pickle.loads(pickle.dumps(delta)) == copy.copy(delta) == copy.deepcopy(delta) == made
    assert replace(delta, text="other") == replace(made, text="other")


def test_a_text_alone_is_content() -> None:
    assert text_delta("a") == Delta("a")


@pytest.mark.parametrize("delta", [Delta("a"), text_delta("a")])
@pytest.mark.parametrize("name", [*(field.name for field in fields(Delta)), "other"])
def test_a_delta_never_changes(delta: Delta, name: str) -> None:
    # Python 3.11 has a TypeError for what is no field of a class with slots.
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(delta, name, "b")

    with pytest.raises((FrozenInstanceError, TypeError)):
        delattr(delta, name)

    assert delta == Delta("a")


def test_a_delta_is_matched_by_its_fields() -> None:
    match text_delta("a", "tool_call"):
        case Delta("a", kind="tool_call", name=None):
            pass
        case other:
            pytest.fail(f"{other} did not match")
