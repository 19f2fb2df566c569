"""When `to_partial` validates, and what it tells pydantic."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from streamops import operators as ops
from streamops import state_of
from streamops.errors import SchemaMismatch
from streamops.testing import chunked
from tests.outcomes import Outcome, by_offset, shown, through

calls: list[str] = []


class User(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0)] = 0

    @field_validator("name")
    @classmethod
    def is_known(cls, name: str, info: ValidationInfo) -> str:
        calls.append(name)
        if info.context and name not in info.context["known"]:
            raise ValueError("is not known")
        return name


class Event(BaseModel):
    first: Annotated[int, Field(ge=0)]
    last: int = Field(alias="lastDay")
    title: Annotated[str, Field(max_length=5)] = ""
    users: list[User] = []
    pair: tuple[User, int] | None = None
    either: User | list[User] | None = None

    @field_validator("last")
    @classmethod
    def comes_after(cls, last: int, info: ValidationInfo) -> int:
        if last < info.data.get("first", 0):
            raise ValueError("comes before the first")
        return last

    @model_validator(mode="after")
    def is_short(self) -> Self:
        if self.last - self.first > 50:
            raise ValueError("is too long")
        return self


def partials(model: Any, *chunks: str, **options: Any) -> Outcome[Any]:
    calls.clear()
    return through(chunks, ops.accumulate_json(), ops.to_partial(model, **options))


def mismatch(received: Outcome[Any]) -> SchemaMismatch:
    assert isinstance(received.error, SchemaMismatch)
    return received.error


def test_by_default_nested_models_are_validated_when_they_close_and_the_root_at_the_end() -> None:
    received = partials(Event, '{"users": [{"name": "Jo", ', '"age": 1}', '], "first": -1', "}")

    assert received.values[1].users == [User(name="Jo", age=1)]
    assert len(received.values) == 3
    assert mismatch(received).path == ()


def test_by_default_the_validators_of_a_nested_model_run_when_it_closes_and_with_the_whole() -> (
    None
):
    partials(Event, '{"users": [{"name": "Jo"}], "first": 1')
    assert calls == ["Jo"]

    partials(Event, '{"users": [{"name": "Jo"}], "first": 1', ', "lastDay": 2}')
    assert calls == ["Jo", "Jo"]


def test_eagerly_the_first_invalid_field_ends_the_stream_at_once() -> None:
    received = partials(Event, '{"first": -1', ', "title": "', "more", validate="eager")

    assert len(received.values) == 1
    assert received.values[0].model_fields_set == set()
    error = mismatch(received)
    assert error.path == ("first",)
    assert error.validation_error.errors()[0]["loc"] == ("first",)
    assert error.snapshot is not None
    assert error.snapshot.value == {"first": -1, "title": ""}


def test_eagerly_a_field_of_a_nested_model_ends_the_stream_as_it_closes() -> None:
    received = partials(
        Event, '{"users": [{"name": "Jo", "age": -1, ', '"more": 1}', validate="eager"
    )

    assert received.values == []
    assert mismatch(received).path == ("users", 0, "age")


def test_eagerly_constraints_of_a_string_are_checked_when_it_is_closed() -> None:
    received = partials(Event, '{"title": "too long', '"', ", ", validate="eager")

    assert [partial.title for partial in received.values] == ["too long"]
    assert mismatch(received).path == ("title",)


def test_eagerly_a_validator_sees_the_fields_that_are_declared_before_its_own() -> None:
    in_order = partials(Event, '{"first": 5, "lastDay": 3', ", ", "}", validate="eager")
    too_early = partials(Event, '{"lastDay": 3, ', '"first": 5', "}", validate="eager")

    assert in_order.values[:-1] == []
    assert mismatch(in_order).path == ("lastDay",)
    assert len(too_early.values) == 2
    assert mismatch(too_early).path == ("lastDay",)


def test_eagerly_what_a_validator_of_the_whole_may_rewrite_is_judged_with_the_whole() -> None:
    class Rewritten(BaseModel):
        count: Annotated[int, Field(ge=0)]

        @model_validator(mode="before")
        @classmethod
        def made_positive(cls, data: Any) -> Any:
            return {"count": abs(data["count"])}

    received = partials(Rewritten, '{"count": -3', " ", "}", validate="eager")

    assert received.error is None
    assert received.values[-1] == Rewritten(count=3)


def test_eagerly_what_a_validator_of_a_field_rewrites_is_judged_as_it_is_rewritten() -> None:
    class Rewritten(BaseModel):
        count: Annotated[int, BeforeValidator(len), Field(ge=2)]

    good = partials(Rewritten, '{"count": "abc"', "}", validate="eager")
    bad = partials(Rewritten, '{"count": "a"', ", ", "}", validate="eager")

    assert good.values[-1] == Rewritten.model_validate({"count": "abc"})
    assert mismatch(bad).path == ("count",)


def test_eagerly_a_valid_document_ends_like_any_other() -> None:
    text = '{"first": 1, "lastDay": 2, "users": [{"name": "Jo"}]}'

    assert partials(Event, *chunked(text, 3), validate="eager").values[-1] == Event(
        first=1, lastDay=2, users=[User(name="Jo")]
    )


def test_finally_no_validator_runs_before_the_end() -> None:
    whole = '{"users": [{"name": "Jo", "age": 1}], "first": 1, "lastDay": 2}'

    partials(Event, whole[:-1], validate="final")
    assert calls == []

    received = partials(Event, whole[:20], whole[20:-1], "}", validate="final")
    assert calls == ["Jo"]
    assert received.values[-1] == Event(first=1, lastDay=2, users=[User(name="Jo", age=1)])


def test_finally_a_closed_model_is_shown_as_a_partial_that_stays_the_same() -> None:
    received = partials(
        Event, '{"users": [{"name": "Jo"', ', "age": -1}', ', {"name"', validate="final"
    )
    closed = received.values[1].users[0]

    assert type(closed).__name__ == "Partial[User]"
    assert closed.model_dump() == {"name": "Jo", "age": 0}
    assert received.values[2].users[0] is closed
    assert state_of(closed).at(("age",)) == "done"


def test_finally_what_only_validation_can_tell_is_not_shown_before() -> None:
    received = partials(
        Event, '{"pair": [{"name": "Jo"}, 1], ', '"either": {"name": "Al"}', validate="final"
    )

    assert received.values[0].pair is None
    assert received.values[-1].either is not None
    assert calls == []


@dataclass
class Point:
    x: Annotated[int, Field(ge=0)]
    y: int = 0


def test_finally_dataclasses_and_items_of_a_list_are_validated_at_the_end_too() -> None:
    received = partials(list[Point], '[{"x": 1}', ', {"x": -1}', "]", validate="final")

    assert [point.x for point in received.values[0]] == [1]
    assert type(received.values[0][0]).__name__ == "Partial[Point]"
    assert mismatch(received).path == ()


@pytest.mark.parametrize("when", ["closed", "final", "eager"])
@pytest.mark.parametrize("size", [1, 1000])
def test_context_reaches_the_validators(when: Any, size: int) -> None:
    text = '{"first": 1, "lastDay": 2, "users": [{"name": "Jo"}]}'

    known = partials(Event, *chunked(text, size), validate=when, context={"known": ["Jo"]})
    unknown = partials(Event, *chunked(text, size), validate=when, context={"known": ["Al"]})

    assert known.values[-1].users == [User(name="Jo")]
    assert "is not known" in str(mismatch(unknown))


@pytest.mark.parametrize("when", ["closed", "final", "eager"])
@pytest.mark.parametrize("size", [1, 1000])
def test_strict_reaches_the_validators(when: Any, size: int) -> None:
    text = '{"first": "1", "lastDay": 2}'

    lax = partials(Event, *chunked(text, size), validate=when)
    strict = partials(Event, *chunked(text, size), validate=when, strict=True)

    assert lax.values[-1].first == 1
    assert mismatch(strict).validation_error.errors()[0]["type"] == "int_type"
    assert all("first" not in partial.model_fields_set for partial in strict.values)


def test_strict_false_makes_a_strict_model_lax() -> None:
    class Strict(BaseModel, strict=True):
        count: int

    assert partials(Strict, '{"count": "3"}', strict=False).values == [Strict(count=3)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"validate": "never"}, ValueError, 'validate is "closed", "final" or "eager"'),
        ({"strict": "yes"}, TypeError, "strict is True, False or None"),
    ],
)
def test_bad_arguments_raise_when_the_operator_is_built(
    options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ops.to_partial(Event, **options)


def test_equal_contexts_are_not_taken_for_each_other() -> None:
    class Context:
        def __init__(self, known: list[str]) -> None:
            self._known = known

        def __getitem__(self, name: str) -> list[str]:
            return self._known

        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> bool:
            return True

    text = '{"name": "Jo"}'

    assert partials(User, text, context=Context(known=["Jo"])).error is None
    assert partials(User, text, context=Context(known=["Al"])).error is not None


users = st.fixed_dictionaries(
    {"name": st.sampled_from(["Jo", "Al", ""]), "age": st.integers(-1, 3)}
)
events: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"first": st.integers(-1, 9), "lastDay": st.integers(-1, 70)},
    optional={
        "title": st.text(max_size=6),
        "users": st.lists(users, max_size=3),
        "pair": st.one_of(st.none(), st.tuples(users, st.integers())),
        "either": st.one_of(st.none(), users, st.lists(users, max_size=2)),
    },
)


def in_any_order(event: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.permutations(list(event)).map(lambda keys: {key: event[key] for key in keys})


@given(
    events.flatmap(in_any_order),
    st.sampled_from(["closed", "final", "eager"]),
    st.lists(st.integers(1, 9), min_size=1, max_size=8),
)
def test_whenever_it_validates_the_end_is_what_pydantic_says_however_the_text_was_cut(
    event: dict[str, Any], when: Any, sizes: list[int]
) -> None:
    text = json.dumps(event)
    operators = ops.accumulate_json(), ops.to_partial(Event, validate=when)
    cut = by_offset(text, sizes, *operators)
    in_characters = by_offset(text, [1], *operators)

    assert str(cut[1]) == str(in_characters[1])
    assert {offset: shown(value) for offset, value in cut[0].items()} == {
        offset: shown(in_characters[0][offset]) for offset in cut[0]
    }
    try:
        truth = Event.model_validate_json(text)
    except ValidationError:
        assert isinstance(cut[1], SchemaMismatch)
    else:
        assert cut[1] is None
        assert cut[0][len(text)] == truth
