"""What is shown on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO
from typing import Any

import pytest
from pydantic import BaseModel
from rich.console import Console

from streamops import operators as ops
from streamops.display.blocks import Bar, Block, Items, Note, Written, blocks_of, item_of
from streamops.display.terminal import to_renderable
from tests.display.hostile import HOSTILE, UNSEEN
from tests.display.test_html import blocks
from tests.outcomes import through


class User(BaseModel):
    name: str
    email: str | None = None


def printed(shown: Iterable[Block], *, color: bool = False) -> str:
    file = StringIO()
    colors: Any = {"force_terminal": True, "color_system": "truecolor"} if color else {}
    Console(file=file, width=60, **colors).print(to_renderable(shown))
    return file.getvalue()


def test_a_partial_shows_what_is_firm_what_grows_and_what_is_missing() -> None:
    values = through(['{"name": "Jo'], ops.accumulate_json(), ops.to_partial(User)).values

    assert [line.rstrip() for line in printed(blocks_of(values[-1])).splitlines()] == [
        "… name  Jo▍",
        "  email —",
    ]


def test_a_bar_says_how_much_has_arrived_and_when_the_rest_will_have() -> None:
    shown = printed([Bar(42.5, 1.25, 75, "users[1]", "schema")])

    assert shown.startswith(" 42% ━━━━")
    assert "1.2 s, 1:15 min left · u" in shown


def test_a_table_has_the_first_columns_and_says_how_many_there_are() -> None:
    item = item_of({f"k{index}": index for index in range(30)}, 0)

    shown = printed([Items([item], 1)])

    assert shown.startswith("1 item, 12 of 30 fields\n")
    assert "29" not in shown


def test_what_waits_moves() -> None:
    assert "⠋ waiting" in printed([Note("waiting", "waiting")])


def test_of_what_is_too_long_the_end_is_shown() -> None:
    shown = [*blocks_of({"a": "x" * 150, "b": [1, {"c": "y" * 150}]}), Note("figures", "running")]
    everything = printed(shown).splitlines()
    file = StringIO()

    Console(file=file, width=60).print(to_renderable(shown, lines=4))

    assert [line.rstrip() for line in file.getvalue().splitlines() if line] == [
        line.rstrip() for line in everything[-4:]
    ]
    assert "figures" in file.getvalue()


def test_of_what_is_too_long_with_a_bar_the_bar_stays_above_the_end() -> None:
    file = StringIO()
    long = "".join(f"word {number} " for number in range(100))
    shown: list[Block] = [
        Bar(50, 1, None, "text", "schema"),
        Written("content", long, is_growing=True),
        Note("running", "running"),
    ]

    Console(file=file, width=60).print(to_renderable(shown, lines=4))

    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert len(lines) == 4
    assert lines[0].startswith(" 50%")
    assert lines[2].endswith("word 98 word 99 ▍")
    assert lines[3] == "▸ running"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("color", [False, True], ids=["plain", "color"])
def test_nothing_that_a_model_wrote_is_markup_or_moves_the_cursor(text: str, color: bool) -> None:
    harmless, hostile = (printed(blocks(written), color=color) for written in ("x", text))

    movements = r"\x1b\[[0-9;]*[^0-9;m]"
    assert ("\x1b" in hostile) == ("\x1b" in harmless) == color
    assert not re.search(movements, hostile)
    assert not any(character in hostile for character in UNSEEN.replace("\x1b", ""))
    assert hostile.encode()


def test_brackets_are_shown_as_they_are() -> None:
    assert printed(blocks("[red]x[/red]")).count("[red]x[/red]") >= 10
