"""What type checkers infer through ``pipe``. Checked by them, and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, assert_type

from pydantic import BaseModel, Field
from reactivex import Observable
from reactivex import operators as rx

from streamops import ANY, Prior
from streamops import operators as ops
from streamops.delta import Delta
from streamops.errors import SchemaMismatch
from streamops.operators import FieldEvent, ItemResult, Tagged, ToolCall
from streamops.patterns import Pattern
from streamops.progress import Progress
from streamops.snapshot import Snapshot
from streamops.testing import Stage, chunked

T = TypeVar("T")


class User(BaseModel):
    name: str


class Admin(BaseModel):
    rights: list[str]


Either = Annotated[User | Admin, Field(union_mode="left_to_right")]


def name_of(user: User) -> str:
    return user.name


def test_the_types_in_this_file_are_checked() -> None:
    assert TYPE_CHECKING is False  # by a type checker; there is nothing to run


def accumulate_json_reads_deltas_and_text(
    deltas: Observable[Delta], texts: Observable[str], both: Observable[Delta | str]
) -> None:
    assert_type(deltas.pipe(ops.accumulate_json()), Observable[Snapshot])
    assert_type(texts.pipe(ops.accumulate_json()), Observable[Snapshot])
    assert_type(both.pipe(ops.accumulate_json()), Observable[Snapshot])
    assert_type(texts.pipe(ops.accumulate_json(values="many", strict=True)), Observable[Snapshot])
    assert_type(ops.accumulate_json()(texts), Observable[Snapshot])


def to_partial_emits_the_model(snapshots: Observable[Snapshot]) -> None:
    assert_type(snapshots.pipe(ops.to_partial(User)), Observable[User])
    assert_type(snapshots.pipe(ops.to_partial(list[User])), Observable[list[User]])
    assert_type(snapshots.pipe(ops.to_partial(int)), Observable[int])
    assert_type(ops.to_partial(User)(snapshots), Observable[User])


def types_that_are_no_classes_are_any(snapshots: Observable[Snapshot]) -> None:
    assert_type(snapshots.pipe(ops.to_partial(User | Admin)), Observable[Any])
    assert_type(snapshots.pipe(ops.to_partial(Either)), Observable[Any])
    assert_type(snapshots.pipe(ops.split_items(User | Admin)), Observable[Any])
    assert_type(snapshots.pipe(ops.split_items(User | Admin, on_invalid="result")), Observable[Any])


def split_items_emits_items(snapshots: Observable[Snapshot]) -> None:
    assert_type(snapshots.pipe(ops.split_items(User)), Observable[User])
    assert_type(snapshots.pipe(ops.split_items(User, ("users",))), Observable[User])
    assert_type(snapshots.pipe(ops.split_items(User, on_invalid="skip")), Observable[User])
    assert_type(snapshots.pipe(ops.split_items(User, on_invalid="raise")), Observable[User])
    assert_type(
        snapshots.pipe(ops.split_items(User, ("users",), on_invalid="result")),
        Observable[ItemResult[User]],
    )
    assert_type(snapshots.pipe(ops.split_items(dict[str, int])), Observable[dict[str, int]])


def distinct_snapshots_keeps_the_type(
    snapshots: Observable[Snapshot], users: Observable[User]
) -> None:
    assert_type(snapshots.pipe(ops.distinct_snapshots()), Observable[Snapshot])
    assert_type(users.pipe(ops.distinct_snapshots()), Observable[User])
    assert_type(users.pipe(ops.distinct_snapshots(name_of)), Observable[User])
    assert_type(ops.distinct_snapshots()(users), Observable[User])


def track_progress_wraps_the_type(snapshots: Observable[Snapshot], users: Observable[User]) -> None:
    assert_type(snapshots.pipe(ops.track_progress(User)), Observable[Progress[Snapshot]])
    assert_type(users.pipe(ops.track_progress()), Observable[Progress[User]])
    assert_type(users.pipe(ops.track_progress(expected={"users": 3})), Observable[Progress[User]])


def a_watched_place_is_any_value_or_text(snapshots: Observable[Snapshot]) -> None:
    assert_type(snapshots.pipe(ops.select(("users", ANY, "name"))), Observable[Any])
    assert_type(snapshots.pipe(ops.select(("users", 0), User)), Observable[Any])
    assert_type(snapshots.pipe(ops.when_complete(())), Observable[Any])
    assert_type(snapshots.pipe(ops.when_complete((ANY,), list[User])), Observable[Any])
    assert_type(snapshots.pipe(ops.text_deltas(("name",))), Observable[str])
    assert_type(snapshots.pipe(ops.text_deltas(("name",), User | Admin)), Observable[str])


def events_have_typed_members(snapshots: Observable[Snapshot], event: FieldEvent) -> None:
    assert_type(snapshots.pipe(ops.field_events()), Observable[FieldEvent])
    assert_type(event.kind, Literal["started", "grew", "closed"])
    assert_type(event.path, tuple[str | int, ...])
    assert_type(event.text, str)


def channels_and_calls_are_streams_of_deltas(deltas: Observable[Delta], call: ToolCall) -> None:
    assert_type(deltas.pipe(ops.select_channel("reasoning")), Observable[Delta])
    assert_type(deltas.pipe(ops.split_tool_calls()), Observable[ToolCall])
    assert_type(call.name, str | None)
    assert_type(call.id, str | None)
    assert_type(call.index, int)
    assert_type(call.pipe(ops.accumulate_json(), ops.to_partial(User)), Observable[User])
    assert_type(deltas.pipe(ops.split_tool_calls(), rx.flat_map(users_of)), Observable[User])


def users_of(call: ToolCall) -> Observable[User]:
    return call.pipe(ops.accumulate_json(), ops.to_partial(User))


def throttle_latest_keeps_the_type(
    snapshots: Observable[Snapshot], users: Observable[User]
) -> None:
    assert_type(snapshots.pipe(ops.throttle_latest(0.1)), Observable[Snapshot])
    assert_type(users.pipe(ops.throttle_latest(1)), Observable[User])


def progress_has_typed_members(progress: Progress[User]) -> None:
    assert_type(progress.value, User)
    assert_type(progress.percent, float)
    assert_type(progress.eta, float | None)
    assert_type(progress.elapsed, float)
    assert_type(progress.completed, tuple[tuple[str | int, ...], ...])
    assert_type(progress.current, tuple[str | int, ...])


def a_result_has_typed_members(result: ItemResult[User]) -> None:
    assert_type(result.value, User | None)
    assert_type(result.index, int)
    assert_type(result.text, str)


def a_whole_pipeline_is_typed(deltas: Observable[Delta]) -> None:
    progress = deltas.pipe(
        ops.accumulate_json(),
        ops.to_partial(User),
        ops.distinct_snapshots(),
        ops.track_progress(),
    )
    assert_type(progress, Observable[Progress[User]])

    names = deltas.pipe(
        ops.accumulate_json(), ops.distinct_snapshots(), ops.to_partial(User), rx.map(name_of)
    )
    assert_type(names, Observable[str])

    items = deltas.pipe(ops.accumulate_json(), ops.split_items(User, ("users",)), rx.map(name_of))
    assert_type(items, Observable[str])


def the_stage_is_typed(users: Observable[User]) -> None:
    assert_type(Stage().run(users)[0].time, int)
    assert_type(chunked("text", 1, 2), list[str])


def progress_takes_weights_and_a_prior(
    snapshots: Observable[Snapshot], progress: Progress[User], prior: Prior
) -> None:
    counts: dict[str, int] = {"users": 3}
    weights: dict[tuple[str, ...], float] = {("team", "name"): 0.5}
    hinted = ops.track_progress(User, expected=counts, weights=weights, prior=prior)
    assert_type(snapshots.pipe(hinted), Observable[Progress[Snapshot]])
    assert_type(
        snapshots.pipe(ops.split_items(User), ops.track_progress(expected=9)),
        Observable[Progress[User]],
    )
    assert_type(Prior.from_runs(["{}", User(name="Al")]), Prior)
    assert_type(
        progress.basis,
        Literal["expected", "weights", "prior", "schema", "structure", "items"],
    )


def split_items_of_several_lists_emits_tagged_items(snapshots: Observable[Snapshot]) -> None:
    users = {"users": User, "guests": User}
    assert_type(snapshots.pipe(ops.split_items(users)), Observable[Tagged[User]])
    assert_type(snapshots.pipe(ops.split_items(users, on_invalid="skip")), Observable[Tagged[User]])
    assert_type(
        snapshots.pipe(ops.split_items(users, on_invalid="result")),
        Observable[Tagged[ItemResult[User]]],
    )
    nested = {("teams", ANY, "members"): User}
    assert_type(snapshots.pipe(ops.split_items(nested)), Observable[Tagged[User]])
    assert_type(snapshots.pipe(ops.split_items({"a": User})), Observable[Tagged[User]])
    assert_type(snapshots.pipe(ops.split_items({"a": User | Admin})), Observable[Tagged[Any]])


def split_items_takes_patterns_and_what_pydantic_is_told(snapshots: Observable[Snapshot]) -> None:
    members = ops.split_items(User, ("teams", ANY, "members"), strict=True, context={"now": 1})
    assert_type(snapshots.pipe(members), Observable[User])


def a_tagged_item_has_typed_members(tagged: Tagged[User]) -> None:
    assert_type(tagged.tag, str | Pattern)
    assert_type(tagged.item, User)
    _, user = tagged
    assert_type(user, User)


def a_result_says_where_the_item_stands(result: ItemResult[User]) -> None:
    assert_type(result.path, tuple[str | int, ...])
    assert_type(result.error, SchemaMismatch | None)
    assert_type(result.unwrap(), User)


def element_of(source: Observable[T]) -> T:
    raise NotImplementedError


def several_lists_of_unlike_items_need_no_annotation(snapshots: Observable[Snapshot]) -> None:
    models = ops.split_items({"users": User, "admins": Admin})
    scalars = ops.split_items({"users": User, ("team", "ids"): int}, on_invalid="result")
    # Mypy takes the items for Any, pyright for a union.
    models_of: Observable[Tagged[User | Admin]] = snapshots.pipe(models)
    scalars_of: Observable[Tagged[ItemResult[User | int]]] = snapshots.pipe(scalars)
    assert_type(element_of(models_of).tag, str | Pattern)
    assert_type(element_of(snapshots.pipe(models)).tag, str | Pattern)
    assert_type(element_of(scalars_of).item.index, int)
    assert_type(element_of(snapshots.pipe(scalars)).item.index, int)
