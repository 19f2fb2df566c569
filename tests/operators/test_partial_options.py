"""What the options of `to_partial` promise for any type, document and chunking."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from streamops import operators as ops
from streamops.errors import SchemaMismatch
from streamops.testing import chunked
from tests.documents import Dump, chunk_sizes, dumps
from tests.documents_by_schema import broken
from tests.families import WITH_REWRITERS
from tests.outcomes import Outcome, through

OPTIONS: list[dict[str, Any]] = [
    {"validate": "eager"},
    {"validate": "final"},
    {"strict": True},
    {"strict": False},
    {"validate": "eager", "strict": True},
    {"validate": "final", "context": {"any": "context"}},
]


@st.composite
def whole_or_broken(draw: st.DrawFn) -> tuple[Any, Any]:
    """Draw a type and a document that it may or may not take."""
    kinds = draw(st.sampled_from(list(WITH_REWRITERS.values())))
    type_ = draw(st.sampled_from(list(kinds)))
    document = draw(kinds[type_])
    return type_, draw(broken(document)) if draw(st.booleans()) else document


def partials(chunks: Iterable[str], type_: Any, options: dict[str, Any]) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.to_partial(type_, **options))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@given(whole_or_broken(), dumps, chunk_sizes)
def test_whenever_and_however_it_validates_the_end_is_what_pydantic_says(
    options: dict[str, Any], drawn: tuple[Any, Any], dump: Dump, sizes: list[int]
) -> None:
    type_, document = drawn
    text = dump(document)

    received = partials(chunked(text, *sizes), type_, options)

    try:
        truth = TypeAdapter(type_).validate_json(text, strict=options.get("strict"))
    except ValidationError:
        assert isinstance(received.error, SchemaMismatch)
        assert str(received.error) == str(partials([text], type_, options).error)
    else:
        assert received.error is None
        assert received.values[-1] == truth
        assert type(received.values[-1]) is type(truth)
