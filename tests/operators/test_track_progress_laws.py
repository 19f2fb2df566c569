"""`track_progress`: whatever arrives, the percentage only rises, and is 100 once, at the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from reactivex import operators as rx

from streamops import operators as ops
from streamops.nodes import Path
from streamops.patterns import ANY
from streamops.priors import Prior
from streamops.progress import Progress
from streamops.snapshot import children_of
from streamops.testing import chunked
from tests.documents import (
    MODELS,
    OTHER_TYPES,
    chunk_sizes,
    documents,
    dumps,
    integers,
    json_values,
    names,
    users,
)
from tests.outcomes import Outcome, through

EVERYTHING = {**MODELS, **OTHER_TYPES}


def before(chunks: list[str], model: Any = None, **hints: Any) -> Outcome[Any]:
    return through(chunks, ops.accumulate_json(), ops.track_progress(model, **hints))


def after(chunks: list[str], model: Any, **hints: Any) -> Outcome[Any]:
    return through(
        chunks, ops.accumulate_json(), ops.to_partial(model), ops.track_progress(**hints)
    )


def assert_law(received: Outcome[Any]) -> None:
    shares = [progress.percent for progress in received.values]
    assert all(a <= b for a, b in pairwise(shares))
    assert all(0 <= share < 100 for share in shares[:-1])
    assert shares[-1:] == [100.0]


def fields_that(model: type[BaseModel], takes: Callable[[str], Any]) -> list[str]:
    """List the fields of which ``takes`` raises no ValueError."""
    found: list[str] = []
    for name in model.model_fields:
        try:
            takes(name)
        except ValueError:
            continue
        found.append(name)
    return found


def weighed(model: Any) -> list[str]:
    return fields_that(model, lambda name: ops.track_progress(model, weights={name: 2}))


def counted(model: Any) -> list[str]:
    return fields_that(model, lambda name: ops.track_progress(model, expected={name: 2}))


WEIGHED = {model: weighed(model) for model in MODELS}
COUNTED = {model: counted(model) for model in MODELS}
json_texts = json_values.map(json.dumps)


@st.composite
def hints_for(draw: st.DrawFn, model: Any) -> dict[str, Any]:
    """Draw hints for a model: numbers and weights for its fields, and what may be earlier runs."""
    expected = {name: draw(st.integers(1, 9)) for name in COUNTED[model] if draw(st.booleans())}
    weights = {name: draw(st.floats(0, 9)) for name in WEIGHED[model][1:] if draw(st.booleans())}
    runs = draw(st.lists(MODELS[model].map(json.dumps) | json_texts, max_size=3))
    return {
        "expected": expected or None,
        "weights": weights or None,
        "prior": Prior.from_runs(runs) if runs else None,
    }


models_and_hints: st.SearchStrategy[tuple[Any, dict[str, Any]]] = st.sampled_from(
    list(MODELS)
).flatmap(lambda model: st.tuples(st.just(model), hints_for(model)))


@given(documents(EVERYTHING), chunk_sizes)
def test_the_percentage_of_snapshots_never_falls_and_is_100_exactly_at_the_end(
    document: tuple[Any, str], sizes: list[int]
) -> None:
    type_, text = document

    assert_law(before(chunked(text, *sizes), type_))
    assert_law(before(chunked(text, *sizes)))


@given(st.data(), models_and_hints, dumps, chunk_sizes)
def test_so_it_is_with_any_hints_before_and_after_to_partial(
    data: st.DataObject, hinted: tuple[Any, dict[str, Any]], dump: Any, sizes: list[int]
) -> None:
    model, hints = hinted
    chunks = chunked(dump(data.draw(MODELS[model])), *sizes)

    assert_law(before(chunks, model, **hints))
    assert_law(before(chunks, **hints))
    assert_law(after(chunks, model, **hints))


def objects_of(keys: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Draw JSON texts with keys that may be repeated."""
    properties = st.recursive(
        st.builds(json.dumps, st.none() | integers | names),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
            | st.lists(st.tuples(keys.map(json.dumps), inner), max_size=5).map(
                lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
            )
        ),
        max_leaves=9,
    )
    return st.lists(st.tuples(keys.map(json.dumps), properties), max_size=6).map(
        lambda pairs: f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}"
    )


@given(st.data(), models_and_hints, chunk_sizes)
def test_so_it_is_if_the_document_does_not_fit_the_model_and_repeats_its_keys(
    data: st.DataObject, hinted: tuple[Any, dict[str, Any]], sizes: list[int]
) -> None:
    model, hints = hinted
    keys = [*model.model_json_schema().get("properties", {}), *model.model_fields, "other"]
    text = data.draw(json_texts | objects_of(st.sampled_from(keys)))

    assert_law(before(chunked(text, *sizes), model, **hints))
    assert_law(before(chunked(text, *sizes), **hints))


@given(st.data(), models_and_hints, chunk_sizes, st.integers(1, 30))
def test_a_document_that_is_cut_off_never_reaches_100(
    data: st.DataObject, hinted: tuple[Any, dict[str, Any]], sizes: list[int], missing: int
) -> None:
    model, hints = hinted
    text = json.dumps(data.draw(MODELS[model]))[:-missing]

    shares = [p.percent for p in before(chunked(text, *sizes), model, **hints).values]

    assert all(a <= b for a, b in pairwise(shares))
    assert all(0 <= share < 100 for share in shares)


@given(st.data(), models_and_hints, chunk_sizes)
def test_the_percentage_depends_on_the_text_so_far_and_not_on_how_it_was_cut(
    data: st.DataObject, hinted: tuple[Any, dict[str, Any]], sizes: list[int]
) -> None:
    model, hints = hinted
    text = json.dumps(data.draw(MODELS[model]))
    chunks = chunked(text, *sizes)
    in_characters = [p.percent for p in before(list(text), model, **hints).values]

    ends = list(accumulate(map(len, chunks)))
    cut = [p.percent for p in before(chunks, model, **hints).values]

    assert cut == [in_characters[min(end, len(in_characters)) - 1] for end in ends][: len(cut)]


@given(users.map(json.dumps) | json_texts, models_and_hints)
def test_figures_can_be_read_late_and_in_any_order(
    text: str, hinted: tuple[Any, dict[str, Any]]
) -> None:
    model, hints = hinted
    at_once: list[float] = []

    def look(progress: Progress[Any]) -> None:
        at_once.append(progress.percent)

    tracked = ops.track_progress(model, **hints)
    through(text, ops.accumulate_json(), tracked, rx.do_action(look))

    late = before(list(text), model, **hints).values

    assert [p.percent for p in reversed(late)] == at_once[::-1]


class Line(BaseModel):
    text: str
    words: list[str] = []


class Page(BaseModel):
    title: str
    lines: list[Line]
    notes: dict[str, Line] = {}


lines = st.fixed_dictionaries({"text": names}, optional={"words": st.lists(names, max_size=3)})
pages = st.fixed_dictionaries(
    {"title": names, "lines": st.lists(lines, max_size=3)},
    optional={"notes": st.dictionaries(names, lines, max_size=2)},
)
WEIGHTS = {"title": 3.0, "text": 0.5}


def slow_part(type_: Any, value: Any, path: Path | None) -> float:
    """Work out what part has arrived of a value that is open at a path, or finished (None)."""
    if path is None:
        return 1.0

    if isinstance(value, str):
        return len(value) / (len(value) + 200)

    children = dict(children_of(value))
    open_key = path[0] if path else None
    inside = {
        key: slow_part(type_of(type_, key), child, path[1:] if key == open_key else None)
        for key, child in children.items()
    }
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        weights: dict[Any, float] = {key: WEIGHTS.get(key, 1) for key in type_.model_fields}
        return sum(weights[key] * part for key, part in inside.items()) / sum(weights.values())

    arrived = sum(inside.values())
    return arrived / (4 if type_ == list[Line] else arrived + 5)


def type_of(type_: Any, key: Any) -> Any:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return type_.model_fields[key].annotation

    return get_args(type_)[-1]


@given(pages, dumps, chunk_sizes)
def test_the_percentage_is_what_a_slow_count_of_the_parts_makes(
    page: Any, dump: Any, sizes: list[int]
) -> None:
    weights = {
        "title": 3.0,
        ("lines", ANY, "text"): 0.5,
        ("notes", ANY, "text"): 0.5,
    }

    received = before(chunked(dump(page), *sizes), Page, expected={"lines": 4}, weights=weights)

    for progress in received.values[:-1]:
        snapshot = progress.value
        path = snapshot.path if snapshot.started else ()
        slow = slow_part(Page, snapshot.value or {}, path)
        assert progress.percent == pytest.approx(min(100 * slow, 99.9))
