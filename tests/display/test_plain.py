"""What is shown where there are only lines."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from streamops import operators as ops
from streamops.display.blocks import Item
from streamops.display.plain import item_line, line_of, lines_of, to_lines
from tests.display.hostile import HOSTILE, UNSEEN
from tests.display.test_html import blocks
from tests.outcomes import through


class User(BaseModel):
    name: str
    tags: list[str] = []


class Team(BaseModel):
    title: str
    users: list[User] = []


TEXT = '{"title": "A", "users": [{"name": "Jo", "tags": ["x'


def last(*operators: Any, text: str = TEXT) -> Any:
    return through([text], ops.accumulate_json(), *operators).values[-1]


def test_a_state_in_one_line_says_what_grows() -> None:
    assert line_of(last(ops.to_partial(Team))) == "users.0.tags: x"
    assert line_of(last()) == "users.0.tags: x"


def test_progress_in_one_line_says_how_much_has_arrived() -> None:
    progress = last(ops.to_partial(Team), ops.track_progress(clock=lambda: 0.0))

    assert line_of(progress) == " 54%  0.0 s · users[0].tags[0] · by schema  x"


def test_a_finished_state_in_one_line_says_what_it_holds() -> None:
    assert line_of({"a": 1, "b": ["x", "y"]}) == "a=1, b=x, y"
    assert line_of(5) == "5"


def test_a_value_is_lines_that_are_indented() -> None:
    assert lines_of(last(ops.to_partial(Team), text='{"users": [{"name": "J')) == [
        "- title: -",
        "… users: 1 item",
        "…   0",
        "…     name: J",
        "-     tags: -",
    ]


def test_an_item_is_one_line() -> None:
    assert item_line(Item(3, {"name": "Jo\nAl", "age": "5"})) == "3: name=Jo\\nAl, age=5"
    assert item_line(Item(3, {}, "name: is wrong"), name="users") == "users 3: ✗ name: is wrong"


def test_a_line_is_no_longer_than_it_may_be() -> None:
    assert len(line_of({"a": "x" * 500}, width=50)) <= 50
    assert all(len(line) <= 50 for line in lines_of({"a": ["x" * 500, 3]}, width=50))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_model_wrote_moves_the_cursor(text: str) -> None:
    shown = [*to_lines(blocks(text)), line_of({text: text}), item_line(Item(0, {text: text}, ""))]

    assert not any(character in line for line in shown for character in (*UNSEEN, "\n"))
    assert "\n".join(shown).encode()
