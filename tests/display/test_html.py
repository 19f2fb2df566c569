"""What is shown in a notebook."""

from __future__ import annotations

import copy
import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from threading import Lock
from typing import Any

import pandas as pd
import pytest
from pydantic import BaseModel, ConfigDict

from streamops import operators as ops
from streamops.display.blocks import (
    Bar,
    Block,
    Failure,
    Item,
    Items,
    Lines,
    Note,
    Outline,
    Written,
    failure_of,
    item_of,
)
from streamops.display.html import html_of, to_html
from streamops.display.outline import outline
from streamops.items import ItemResult
from streamops.nodes import Path
from streamops.partial_type import Partial
from tests.display.hostile import HOSTILE, UNSEEN
from tests.outcomes import through


class User(BaseModel):
    name: str
    email: str | None = None


@dataclass
class Point:
    x: int
    y: int = 3


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str

    def __getattr__(self, name: str) -> Any:
        return f"whatever {name} is"


class Own(BaseModel):
    name: str
    size: int = 0

    def _repr_html_(self) -> str:
        return f"<b>mine: {self.name.upper()}</b>"


def partials(text: str, model: Any) -> list[Any]:
    return through([text], ops.accumulate_json(), ops.to_partial(model)).values


class Page(HTMLParser):
    """The elements of some HTML, and its text, as a reader without styles sees it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == [], "all elements are closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)
        if tag in ("pre", "br"):
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("tr", "div", "pre"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        self.text += data


def lines(html: str) -> list[str]:
    """Return the text of some HTML as lines without the spaces around them."""
    return [line.strip() for line in Page(html).text.split("\n") if line.strip()]


def test_a_partial_shows_what_is_firm_what_grows_and_what_is_missing() -> None:
    html = partials('{"name": "Jo', User)[-1]._repr_html_()

    assert lines(html) == ["…nameJo▍", "email—"]
    assert lines(partials('{"name": "Jo", ', User)[-1]._repr_html_()) == ["✓nameJo", "email—"]


def test_a_partial_dataclass_is_shown_likewise() -> None:
    assert lines(partials('{"x": 1, ', Point)[-1]._repr_html_()) == ["✓x1", "y—"]


def test_a_snapshot_is_shown_with_its_edge() -> None:
    snapshot = through(['{"a": 1, "b": ["x'], ops.accumulate_json()).values[-1]

    assert lines(snapshot._repr_html_()) == ["✓a1", "…bx▍"]


def test_a_snapshot_that_has_not_started_says_so() -> None:
    snapshot = through(["Here it comes: "], ops.accumulate_json()).values[-1]

    assert lines(snapshot._repr_html_()) == ["nothing yet"]


def test_progress_is_a_bar_whose_figures_are_text_above_its_value() -> None:
    progress = through(
        ['{"name": "Jo", "email": "'],
        ops.accumulate_json(),
        ops.to_partial(User),
        ops.track_progress(clock=lambda: 0.0),
    ).values[-1]

    html = progress._repr_html_()

    assert lines(html) == ["50% 0.0 s · email · by schema", "✓nameJo", "…email▍"]
    assert 'role="progressbar"' in html


def test_the_html_of_a_model_wins_and_ours_takes_its_place_where_it_fails() -> None:
    assert partials('{"name": "Jo', Own)[-1]._repr_html_() == "<b>mine: JO</b>"
    assert lines(partials('{"size": 5, ', Own)[-1]._repr_html_()) == ["name—", "✓size5"]


def test_a_validated_model_keeps_what_its_class_says() -> None:
    assert not hasattr(partials('{"name": "Jo"}', User)[-1], "_repr_html_")


def test_the_html_is_no_field_and_goes_into_no_dump_or_copy() -> None:
    models: list[type[BaseModel]] = [User, Open]
    for model in models:
        partial: BaseModel = partials('{"name": "Jo", "more": 1, ', model)[-1]

        assert "_repr_html_" not in type(partial).model_fields
        assert "_repr_html_" not in partial.model_dump()
        assert "_repr_html_" not in (partial.__pydantic_private__ or {})
        assert copy.deepcopy(partial) == partial
        assert pickle.loads(pickle.dumps(partial)).model_dump() == partial.model_dump()


def test_a_model_that_answers_to_every_name_is_shown() -> None:
    assert lines(partials('{"name": "Jo", "more": 1, ', Open)[-1]._repr_html_()) == [
        "✓nameJo",
        "✓more1",
    ]


def test_a_partial_that_was_copied_or_pickled_or_made_is_shown() -> None:
    partial = partials('{"name": "Jo', User)[-1]

    assert lines(copy.copy(partial)._repr_html_()) == lines(partial._repr_html_())
    assert lines(pickle.loads(pickle.dumps(partial))._repr_html_()) == ["✓nameJo", "email—"]
    assert lines(html_of(Partial[User](name="Jo"))) == ["✓nameJo", "email—"]


USERS = [User(name="Jo", email="jo@example.org"), User(name="Al")]


@pytest.fixture(params=["pandas", "without pandas"])
def drawer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", pd if request.param == "pandas" else None)


@pytest.mark.usefixtures("drawer")
def test_items_are_a_table_of_their_fields_with_how_many_there_are() -> None:
    items = [item_of(user, number) for number, user in enumerate(USERS, 8)]

    html = to_html([Items(items, count=10, name="users")])

    page = Page(html)
    assert "table" in page.elements
    assert "".join(page.text.split()) == ("users·10items,thelast2nameemail8Jojo@example.org9AlNone")


def test_pandas_is_not_imported_to_show_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pandas")

    to_html([Items([item_of(USERS[0], 0)], 1)])

    assert "pandas" not in sys.modules


def test_pandas_draws_one_table_at_a_time_since_it_changes_its_options_for_all_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table: Any = pd.DataFrame.to_html
    overlaps: list[bool] = []
    busy = Lock()

    def watched(frame: Any, **options: Any) -> Any:
        overlaps.append(not busy.acquire(blocking=False))
        html = table(frame, **options)
        with suppress(RuntimeError):
            busy.release()
        return html

    monkeypatch.setattr(pd.DataFrame, "to_html", watched)
    block = Items([item_of(user, number) for number, user in enumerate(USERS * 100)], 200)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(to_html, [[block]] * 8))

    assert overlaps == [False] * 8
    assert pd.get_option("display.max_colwidth") == 50


@pytest.mark.usefixtures("drawer")
def test_a_long_text_of_an_item_is_shown_as_far_as_there_is_room() -> None:
    text = "long" * 20

    assert text in to_html([Items([item_of({"text": text}, 0)], 1)])


@pytest.mark.usefixtures("drawer")
def test_a_table_has_the_first_columns_and_says_how_many_there_are() -> None:
    items = [item_of({f"k{row}_{index}": index for index in range(500)}, row) for row in range(40)]

    html = to_html([Items(items, 40)])

    assert "40 items, 12 of 20,000 fields" in Page(html).text
    assert "k0_11" in html
    assert "k0_12" not in html
    assert len(html) < 100_000


def test_an_invalid_item_is_shown_as_what_is_wrong_with_it() -> None:
    results = through(
        ['[{"name": "Jo"}, {"name": 5}]'],
        ops.accumulate_json(),
        ops.split_items(User, on_invalid="result"),
    ).values
    assert all(isinstance(result, ItemResult) for result in results)

    html = to_html([Items([item_of(result, result.index) for result in results], 2)])

    assert lines(html) == [
        "2 items",
        "nameemail",
        "0JoNone",
        "1✗ [1].name: Input should be a valid string",
    ]


def test_an_error_is_shown_with_its_kind_its_place_and_what_it_says() -> None:
    error = through(['{"name": 5}'], ops.accumulate_json(), ops.to_partial(User)).error
    assert error is not None

    shown = lines(to_html([failure_of(error)]))

    assert shown == ["✗ SchemaMismatch", "name: Input should be a valid string"]


def test_an_error_that_cannot_say_what_it_is_is_shown_by_its_kind() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    assert lines(to_html([failure_of(Mute())])) == ["✗ Mute"]


class Unplaced(Exception):
    @property
    def path(self) -> Path:
        raise ValueError("no")


def test_an_error_that_cannot_say_where_it_is_is_shown_by_what_it_says() -> None:
    assert lines(to_html([failure_of(Unplaced("boom"))])) == ["✗ Unplaced", "boom"]


@pytest.mark.usefixtures("drawer")
@pytest.mark.parametrize(
    "text", ["costs $5 to $10", "$$x$$", r"\(x\)", r"\[x\]", r"\begin{align}x\end{align}", r"\$5"]
)
def test_nothing_that_a_model_wrote_becomes_mathematics(text: str) -> None:
    html = to_html(blocks(text))

    in_one_element = re.split("<[^>]*>", html)
    assert not any(re.search(r"\$.*\$|\\[(\[b$]", shown) for shown in in_one_element)
    assert text in Page(html).text


def blocks(text: str) -> list[Block]:
    """Return one block of each kind, with the text wherever one goes."""
    return [
        Bar(50, 1, 2, text, text),
        Outline(outline({text: text, "more": [text, {"in": text}]})),
        Items([Item(0, {text: text})], 1, text),
        Items([Item(0, {text: text}), Item(1, {}, text)], 2),
        Written(text, text, is_growing=True),
        Lines([text], 1),
        Failure(text, text, text),
        Note(text, "running"),
    ]


@pytest.mark.usefixtures("drawer")
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_model_wrote_becomes_an_element(text: str) -> None:
    harmless, hostile = (to_html(blocks(written)) for written in ("x", text))
    hostile = hostile.replace(r"<span>\</span>", "\\")

    assert Page(hostile).elements == Page(harmless).elements
    assert Page(hostile).attributes == Page(harmless).attributes
    assert not any(character in hostile for character in UNSEEN)
    hostile.encode()


def test_nothing_is_loaded_or_run_and_no_style_leaks() -> None:
    page = Page(to_html(blocks("x")))

    assert not {"style", "script", "link", "img", "svg"} & set(page.elements)
    assert page.attributes <= {
        "style",
        "class",
        "border",
        "colspan",
        "role",
        "aria-valuemin",
        "aria-valuemax",
        "aria-valuenow",
    }
