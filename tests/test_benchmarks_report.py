"""What is made of the figures: tables, targets, a file, a plot, and what the README shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import readme
from benchmarks.contenders import Gives
from benchmarks.figures import FILE, Figure, Results, load, save
from benchmarks.ours import LIBRARY, REFERENCES
from benchmarks.plot import Line, apart, lines
from benchmarks.report import report, times
from benchmarks.tables import losses, tables
from benchmarks.targets import LOOKED_AT, TO_PARTIAL, verdicts

LENGTHS = {"conference": 362, "100 users": 7511, "1000 users": 76811, "10000 users": 796811}


def figure(
    contender: str,
    workload: str,
    microseconds: float | None,
    *,
    gives: Gives = "models",
    note: str = "",
    line: str = "",
) -> Figure:
    ours = contender.startswith(("accumulate_json", "from_openai"))
    return Figure(
        contender,
        LIBRARY if ours else contender,
        gives,
        workload,
        LENGTHS[workload],
        "4",
        microseconds,
        note,
        line,
    )


@pytest.fixture
def results() -> Results:
    looked_at = TO_PARTIAL + LOOKED_AT
    return Results(
        {"date": "2026-01-02", "Python": "3.11.7", "rounds": "5", "budget": "6 s", "machine": "m"},
        {"baml": "ModuleNotFoundError: No module named 'baml_py'"},
        [
            figure(TO_PARTIAL, "conference", 4.0, line="not looked at"),
            figure(TO_PARTIAL, "100 users", 3.0, line="not looked at"),
            figure(TO_PARTIAL, "1000 users", 2.5),
            figure(TO_PARTIAL, "10000 users", 7.0),
            figure(looked_at, "conference", 8.0, line="streamops"),
            figure(looked_at, "100 users", 15.0, line="streamops"),
            figure(looked_at, "1000 users", 15.0),
            figure(looked_at, "10000 users", 16.0),
            figure("instructor Partial", "conference", 16.0),
            figure("instructor Partial", "100 users", 120.0, note="timed at 10 places"),
            figure("instructor Partial", "1000 users", None, note="over budget: more than 6 s"),
            figure("jiter + optional model", "conference", 2.0),
            figure("jiter + optional model", "100 users", None, note="failed: ValueError"),
        ],
    )


def test_the_file_keeps_all_figures(results: Results, tmp_path: Path) -> None:
    save(results, tmp_path / "new" / "figures.json")

    assert load(tmp_path / "new" / "figures.json") == results


def test_the_file_keeps_four_digits(tmp_path: Path) -> None:
    save(Results({}, {}, [figure(TO_PARTIAL, "conference", 1.23456)]), tmp_path / "figures.json")

    assert load(tmp_path / "figures.json").figures[0].microseconds == 1.235


def test_ratios_are_of_a_peer_to_ours_looked_at(results: Results) -> None:
    (table,) = tables(results, "4")
    ratios = {
        row.contender: [cell.ratio if cell else None for cell in row.cells] for row in table.rows
    }

    assert table.workloads == list(LENGTHS)
    assert ratios == {
        TO_PARTIAL: [None, None, None, None],
        TO_PARTIAL + LOOKED_AT: [None, None, None, None],
        "instructor Partial": [2.0, 8.0, None, None],
        "jiter + optional model": [0.25, None, None, None],
    }


def test_where_a_peer_is_faster_is_listed(results: Results) -> None:
    (loss,) = losses(results, "4")

    assert loss.peer == "jiter + optional model"
    assert [cell.figure.workload for cell in loss.cells] == ["conference"]


def test_targets_are_judged_by_what_is_emitted_and_by_what_is_looked_at(results: Results) -> None:
    judged = {
        (verdict.target.other[0], verdict.target.ours[2]): (
            verdict.ratio,
            verdict.looked_at,
            verdict.word,
        )
        for verdict in verdicts(results)
    }

    assert judged["instructor Partial", "conference"] == (0.25, 0.5, "met, missed when looked at")
    assert judged["instructor Partial", "100 users"][2] == "met, missed when looked at"
    assert judged["instructor Partial", "1000 users"] == (None, None, "not measured")
    assert judged["jiter + optional model", "conference"] == (2.0, 4.0, "missed")
    assert judged[TO_PARTIAL, "10000 users"] == (7 / 3, 16 / 15, "missed")


def test_a_target_that_is_reached_exactly_is_met() -> None:
    results = Results(
        {},
        {},
        [
            figure(TO_PARTIAL, "conference", 1.0),
            figure("jiter + optional model", "conference", 1.0),
        ],
    )
    words = [verdict.word for verdict in verdicts(results) if verdict.ratio is not None]

    assert words == ["met"]


def test_the_report_tells_every_figure_and_what_became_of_the_others(results: Results) -> None:
    told = report(results)
    rows = {line[:46].strip(): line[46:].split() for line in told.splitlines()}

    assert rows[TO_PARTIAL] == ["4.00", "3.00", "2.50", "7.00"]
    assert rows["instructor Partial"] == ["16", "2x", "~120", "8x", "(budget)"]
    assert rows["jiter + optional model"] == ["2.00", "0.25x", "(failed)"]
    assert "met, missed when looked at (0.25x, looked at 0.5x): accumulate_json" in told
    assert "jiter + optional model (models), 4-character chunks: conference 0.25x" in told
    assert "Left out: baml (ModuleNotFoundError: No module named 'baml_py')" in told


def test_the_report_of_nothing_is_a_report() -> None:
    assert "nowhere" in report(Results({}, {}))


@pytest.mark.parametrize(
    ("ratio", "written"),
    [(0.0025, "0.0025x"), (0.25, "0.25x"), (1.0, "1x"), (9.94, "9.9x"), (399.6, "400x")],
)
def test_ratios_have_two_digits_that_count(ratio: float, written: str) -> None:
    assert times(ratio) == written


def test_the_readme_gets_what_the_results_say(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n", "utf-8")

    readme.update(results, file)
    written = file.read_text("utf-8")

    assert written.startswith(f"before\n{readme.BEGIN}\n")
    assert written.endswith(f"{readme.END}\nafter\n")
    assert "old" not in written
    assert "| instructor Partial | 16 (2x) | ~120 (8x) | — |  |" in written
    assert "| jiter + optional model | 2.00 (0.25x) | fails |  |  |" in written
    assert "- jiter + optional model: conference 0.25x" in written
    assert readme.between_marks(file) == readme.section(results)


def test_a_readme_without_marks_is_left_alone(results: Results, tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("no marks", "utf-8")

    with pytest.raises(ValueError, match="needs the marks"):
        readme.update(results, file)
    assert file.read_text("utf-8") == "no marks"


def test_the_readme_shows_the_figures_that_are_kept() -> None:
    assert readme.between_marks() == readme.section(load(FILE))


def test_each_named_line_of_the_plot_goes_from_short_to_long_documents(results: Results) -> None:
    assert lines(results) == [
        Line("not looked at", ours=True, dashed=True, points=[(362, 4.0), (7511, 3.0)]),
        Line("streamops", ours=True, dashed=False, points=[(362, 8.0), (7511, 15.0)]),
    ]


def test_labels_of_the_plot_do_not_overlap() -> None:
    assert apart([0.5, 0.0, 1.0], 0.1) == [0.5, 0.0, 1.0]
    assert apart([0.5, 0.5], 0.1) == pytest.approx([0.45, 0.55])
    assert apart([0.3, 0.34, 0.9, 0.32], 0.1) == pytest.approx([0.22, 0.42, 0.9, 0.32])


def test_what_ours_are_compared_with_is_marked_as_looked_at_where_looking_matters() -> None:
    assert {name.endswith(LOOKED_AT) for gives, name in REFERENCES.items() if gives != "items"} == {
        True
    }
