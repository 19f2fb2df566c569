"""What type checkers infer of extract; checked, and never run."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypedDict, assert_type

from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from reactivex import Observable

import streamops as so
from streamops import operators as ops
from streamops.multitask import MultiTasks


class User(BaseModel):
    name: str


class Reply(BaseModel):
    text: str


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int


class Movie(TypedDict):
    title: str


def check_what_extract_emits(client: OpenAI, asynchronous: AsyncOpenAI) -> None:
    one = so.extract(client, response_model=User, model="m", messages=[])
    assert_type(one, Observable[User])
    assert_type(so.run(one), User)
    assert_type(so.extract(asynchronous, response_model=User), Observable[User])
    assert_type(so.extract(client, response_model=Point), Observable[Point])
    assert_type(so.extract(client, response_model=Color), Observable[Color])
    assert_type(so.extract(client, response_model=int), Observable[int])
    assert_type(so.extract(client, response_model=str), Observable[str])
    assert_type(so.extract(client, response_model=Movie), Observable[Movie])
    assert_type(so.extract(client, response_model=dict[str, int]), Observable[dict[str, int]])
    assert_type(so.extract(client, response_model=set[int]), Observable[set[int]])
    assert_type(so.extract(client, response_model=deque[int]), Observable[deque[int]])
    assert_type(so.extract(client, response_model=so.Partial[User]), Observable[User])
    assert_type(so.extract(client, response_model=User | Reply), Observable[Any])


def check_what_comes_of_lists(client: OpenAI) -> None:
    assert_type(so.extract(client, response_model=Iterable[User]), Observable[User])
    assert_type(so.extract(client, response_model=list[User]), Observable[User])
    assert_type(so.extract(client, response_model=Iterable[int]), Observable[int])
    assert_type(so.extract(client, response_model=so.MultiTask(User)), Observable[User])
    whole = so.extract(client, response_model=Iterable[User], stream=False)
    assert_type(whole, Observable[list[User]])
    tasks = so.extract(client, response_model=so.MultiTask(User), stream=False)
    assert_type(tasks, Observable[MultiTasks[User]])


def check_what_is_built_on_it(client: OpenAI) -> None:
    deltas = so.request(client, response_model=User, mode=so.Mode.JSON, model="m", messages=[])
    assert_type(deltas, Observable[so.Delta])
    progress = so.extract(client, response_model=User).pipe(ops.track_progress())
    assert_type(progress, Observable[so.Progress[User]])
    assert_type(so.outcome(progress), so.Outcome)


def check_attempts(client: OpenAI) -> None:
    both = so.extract(client, response_model=User, attempts=True)
    assert_type(both, Observable[Any])
