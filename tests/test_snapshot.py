"""What a Snapshot tells: where the text grows, what is finished, what has changed."""

from __future__ import annotations

import copy
import pickle

import pytest

from streamops.nodes import Path
from streamops.parser import IncrementalParser
from streamops.snapshot import Finished, Snapshot


def last(*chunks: str) -> Snapshot:
    parser = IncrementalParser()
    return [snapshot for chunk in chunks for snapshot in parser.feed(chunk)][-1]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ()),
        ("Hello", ()),
        ("{", ()),
        ('{"a', ()),
        ('{"a": ', ()),
        ('{"a": 1', ()),
        ('{"a": "', ("a",)),
        ('{"a": [', ("a",)),
        ('{"a": [1, {"b": "x', ("a", 1, "b")),
        ('{"a": [1, {"b": "x"', ("a", 1)),
        ('{"a.0": ["', ("a.0", 0)),
        ('"text', ()),
        ('{"a": [1, 2]}', ()),
    ],
)
def test_the_path_leads_to_where_the_text_grows(text: str, path: Path) -> None:
    parser = IncrementalParser()
    parser.feed(text)

    assert parser.snapshot.path == path


@pytest.mark.parametrize(
    ("before", "chunk", "changed"),
    [
        ("", "{", [()]),
        ("[1", "]", [(0,)]),
        ("[1,", " ", []),
        ("[", "1, 2, ", [(0,), (1,)]),
        ("[", "]", [()]),
        ("[1 ", "]", [()]),
        ('{"a": "x', "y", [("a",)]),
        ('{"a": "x', '"', [("a",)]),
        ('{"a": "x', '"}', [("a",)]),
        ('{"a": "x', 'y", "b": {"c": [', [("a",), ("b", "c")]),
        ('{"a": [[1', "], [2, 3]], ", [("a", 0, 0), ("a", 1, 0), ("a", 1, 1)]),
        ('{"a": {', '}, "b": [], "c": [{}, {"d": [', [("a",), ("b",), ("c", 0), ("c", 1, "d")]),
        ("[[[", "]]]", [(0, 0)]),
        ("[[[1 ", "]]]", [(0, 0)]),
        ('{"a', 'b": ', []),
        ('"', "x", [()]),
        ("12", " ", [()]),
        ("So ", "much ", []),
        ("{", '"a": 1, "a": 2, ', [("a",)]),
        ("{", '"a": [1], "a": 2, ', [("a",)]),
        ("{", '"a": 1, "a": [2, ', [("a", 0)]),
        ('{"a": [1', ', 2], "a": {"b": "', [("a", "b")]),
        ('{"a": [1', ', 2], "b": 0, "a": {}}', [("b",), ("a",)]),
        ('{"a": {"x": 1, ', '"y": 2}, "a": {"z": 3}', [("a", "z")]),
    ],
)
def test_changed_names_what_the_chunk_began_extended_or_closed(
    before: str, chunk: str, changed: list[Path]
) -> None:
    assert list(last(before, chunk).changed) == changed


def test_nothing_has_changed_without_a_chunk() -> None:
    assert IncrementalParser().snapshot.changed == ()


def test_what_is_complete_is_known_of_every_path() -> None:
    snapshot = last('{"a": [1, {"b": "x"}, "y"], "c": {"d": [2, "z')

    complete: list[Path] = [("a",), ("a", 0), ("a", 1), ("a", 1, "b"), ("a", 2), ("c", "d", 0)]
    incomplete: list[Path] = [(), ("c",), ("c", "d"), ("c", "d", 1)]
    missing: list[Path] = [
        ("b",), ("a", 3), ("a", -1), ("a", "0"), ("a", 0, 0), ("a", 1, "b", 0), ("c", "d", 2),
        ("c", "d", 1, 0), (0,), ("c", 0), ("a", 2, "y"),
    ]  # fmt: skip

    assert all(snapshot.is_complete(path) for path in complete)
    assert not any(snapshot.is_complete(path) for path in incomplete + missing)
    assert all(isinstance(snapshot.locate(path), Finished) for path in complete)
    assert all(isinstance(snapshot.locate(path), tuple) for path in incomplete)
    assert all(snapshot.locate(path) is None for path in missing)


def test_a_finished_value_can_be_located() -> None:
    assert last('{"a": [1, null], "b').locate(("a",)) == Finished([1, None])
    assert last('{"a": [1, null], "b').locate(("a", 1)) == Finished(None)


def test_a_repeated_key_is_open_again() -> None:
    snapshot = last('{"a": [1, 2], "a": [3')

    assert not snapshot.is_complete(("a",))
    assert not snapshot.is_complete(("a", 0))
    assert snapshot.finished_paths() == ()
    assert last('{"a": [1, 2], "a": [3, ').finished_paths() == (("a", 0),)


def test_finished_paths_are_listed_in_the_order_of_the_text_parents_last() -> None:
    assert last('{"a": [1, {"b": 2}], "c": {}, "d": [[], [3, "x').finished_paths() == (
        ("a", 0), ("a", 1, "b"), ("a", 1), ("a",), ("c",), ("d", 0), ("d", 1, 0),
    )  # fmt: skip
    assert last("[1]").finished_paths() == ((0,), ())


def test_before_the_json_there_is_nothing_to_show() -> None:
    snapshot = last("Here it ", "comes: [nu")

    assert not snapshot.started
    assert snapshot.value is None
    assert snapshot.text == ""
    assert snapshot.skipped == "Here it comes: "
    assert snapshot.finished_paths() == ()
    assert not snapshot.is_complete(())
    assert repr(snapshot) == "Snapshot(not started)"


def test_text_and_skipped_stay_what_they_were() -> None:
    parser = IncrementalParser()
    snapshots = [parser.feed(chunk)[0] for chunk in ("Hi ", '{"a": ', "1} Bye")]
    parser.feed(" and more")

    assert [snapshot.text for snapshot in snapshots] == ["", '{"a": ', '{"a": 1}']
    assert [snapshot.skipped for snapshot in snapshots] == ["Hi ", "Hi ", "Hi "]
    assert parser.snapshot.text == parser.text.removeprefix("Hi ") == '{"a": 1}'


def test_a_snapshot_equals_one_that_shows_the_same() -> None:
    one, other = last('{"a": 1, '), last('{"a"', ": 1,")

    assert one == other
    assert not one.is_same(other)
    assert one != last('{"a": 1}')
    assert one != last('{"a": 2,')
    assert IncrementalParser().snapshot != last("null ")
    assert one != {"a": 1}


def test_a_snapshot_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(last("[]"))


def test_a_snapshot_is_the_same_while_nothing_is_added() -> None:
    parser = IncrementalParser()
    one, two, three = (parser.feed(chunk)[0] for chunk in ('{"a": "x', '", ', '"b": ""'))

    assert one.is_same(two)
    assert not two.is_same(three)
    assert one.value is two.value
    assert three.value is not two.value


def test_the_closing_of_the_root_is_news_though_the_value_is_the_same() -> None:
    parser = IncrementalParser()
    one, two = (parser.feed(chunk)[0] for chunk in ("[1 ", "]"))

    assert one.value is two.value
    assert not one.is_same(two)
    assert one != two


def test_the_repr_is_short_and_says_where_it_grows() -> None:
    assert repr(last('{"a": ["x')) == "Snapshot({'a': ['x']}, path=('a', 0))"
    assert repr(last("[1]")) == "Snapshot([1], complete)"
    assert len(repr(last("[" + "1," * 1000))) < 100


def test_a_snapshot_looked_at_late_shows_what_it_showed() -> None:
    parser = IncrementalParser()
    chunks = ('{"a": "x', 'y", "b": [', '{"c": "', 'z"}', ", 1", "]}")
    snapshots = [parser.feed(chunk)[0] for chunk in chunks]

    assert [snapshot.value for snapshot in reversed(snapshots)] == [
        {"a": "xy", "b": [{"c": "z"}, 1]},
        {"a": "xy", "b": [{"c": "z"}]},
        {"a": "xy", "b": [{"c": "z"}]},
        {"a": "xy", "b": [{"c": ""}]},
        {"a": "xy", "b": []},
        {"a": "x"},
    ]
    assert snapshots[3].value["b"][0] is snapshots[5].value["b"][0]


def test_a_late_look_at_an_older_snapshot_does_not_unshare_what_closes_next() -> None:
    parser = IncrementalParser()
    older, newer = (parser.feed(chunk)[0] for chunk in ('{"a": [1, ', "2 "))
    seen = newer.value["a"]
    assert older.value == {"a": [1]}

    closed, after = (parser.feed(chunk)[0] for chunk in ("]", ', "b": 1}'))

    assert closed.value["a"] is seen
    assert after.value["a"] is seen


def test_a_snapshot_can_be_copied_and_pickled_before_anybody_has_looked() -> None:
    (snapshot,) = IncrementalParser().feed('{"a": ["b')

    assert copy.deepcopy(snapshot).value == {"a": ["b"]}
    assert pickle.loads(pickle.dumps(snapshot)).value == {"a": ["b"]}


def test_a_path_that_is_a_text_is_an_error() -> None:
    (snapshot,) = IncrementalParser().feed('{"name": "b"}')

    with pytest.raises(TypeError, match="a path is a tuple"):
        snapshot.is_complete("name")  # type: ignore[arg-type]  # the point of this test
