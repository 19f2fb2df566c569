"""What the benchmarks measure really reads what it is given."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from benchmarks import floor, ours, peers
from benchmarks.__main__ import main
from benchmarks.contenders import Contender, Unfit
from benchmarks.measuring import Measuring
from benchmarks.memory import history_of
from benchmarks.peers import jiter, openai_sdk
from benchmarks.running import run, workloads_of
from benchmarks.workloads import (
    RECORDED,
    WHOLE,
    Workload,
    all_workloads,
    conference,
    long_string,
    tool_call,
    tree,
    users,
)
from streamops import Delta

TINY = [conference(), users(2), tree(3), long_string(1), tool_call()]
CUTS = ("64", WHOLE, RECORDED)

AT_HAND = [*floor.CONTENDERS, *ours.CONTENDERS, *jiter.CONTENDERS, *openai_sdk.CONTENDERS]
"""Those for which nothing is needed that the tests do not need anyway."""
PEERS = ("baml", "ijson", "instructor", "json_repair", "langchain", "openai_sdk", "pydantic_ai")


def name(of: Contender | Workload) -> str:
    return f"{of.name}, {of.gives}" if isinstance(of, Contender) else of.name


@pytest.mark.parametrize("workload", TINY, ids=name)
@pytest.mark.parametrize("contender", AT_HAND, ids=name)
def test_a_contender_reads_the_whole_document_however_it_is_cut(
    contender: Contender, workload: Workload
) -> None:
    if contender.gives == "items" and workload.item is None:
        with pytest.raises(Unfit):
            contender.at(workload)
        return

    reading = contender.at(workload)
    for cut in CUTS:
        chunks = workload.chunks(cut)
        if chunks is None:
            continue

        elements = reading.elements(chunks)
        last: Any = reading.read(elements)

        assert len(elements) == len(chunks)
        if reading.says is not None:
            expected = workload.value
            assert reading.says(last) == (
                expected[workload.items][-1] if contender.gives == "items" else expected
            )
        elif isinstance(last, Delta):
            assert last.kind == "finish"
        else:
            assert last is not None


def test_every_workload_is_a_valid_document_of_its_model() -> None:
    for workload in all_workloads():
        model = workload.model.model_validate_json(workload.text)

        assert model.model_dump(mode="json") == workload.value
        assert workload.optional.model_validate(workload.value).model_dump() == workload.value


def test_workloads_are_looked_at_where_they_were_written_last() -> None:
    looks = {
        workload.name: workload.look(workload.model.model_validate(workload.value))
        for workload in TINY
    }

    assert looks["conference"] == looks["2 users"] == "2024-02-20"
    assert looks["tree of 3 levels"] == "node 3"
    assert str(looks["string of 1 KB"]).startswith("The budget covers the venue")
    assert str(looks["tool call"]).startswith("Please call Priya one day ahead.")


def test_the_conference_document_is_the_one_of_the_demo() -> None:
    assert conference().value["users"][1] == {
        "name": "Jane Smith",
        "email": "janesmith@email.com",
        "twitter": "@DigitalDiva88",
    }
    assert len(conference().text) == 362


def test_the_recording_is_cut_as_it_arrived() -> None:
    workload = tool_call()
    chunks = workload.chunks(RECORDED)

    assert chunks is not None
    assert json.loads("".join(chunks)) == workload.value
    assert len(workload.pieces) == len(chunks)
    assert conference().chunks(RECORDED) is None


def test_long_documents_are_not_cut_into_single_characters() -> None:
    assert long_string(200).chunks("1") is None
    assert len(conference().chunks("1") or ()) == 362


def test_workloads_come_from_small_to_large() -> None:
    lengths = [len(workload.text) for workload in all_workloads()]

    assert lengths == sorted(lengths)


def test_ours_are_compared_with_what_is_measured() -> None:
    measured = {(contender.gives, contender.name) for contender in ours.CONTENDERS}

    assert measured >= set(ours.REFERENCES.items())


def test_every_peer_has_a_file() -> None:
    assert set(peers.names()) == {*PEERS, "jiter", "partial_json_parser"}


def test_a_peer_that_is_not_there_is_named_and_left_out() -> None:
    found, left_out = peers.contenders(["jiter", "nobody"])

    assert [contender.name for contender in found] == ["jiter", "jiter + optional model"]
    assert list(left_out) == ["nobody"]
    assert left_out["nobody"].startswith("ModuleNotFoundError: No module named")


def test_a_run_measures_ours_and_the_wanted_peers() -> None:
    results = run(quickly(), [conference()], ["64"], ["jiter"])
    libraries = {figure.library for figure in results.figures}

    assert libraries == {"floor", "streamops", "jiter"}
    assert {figure.workload for figure in results.figures} == {"conference"}
    assert all(figure.microseconds is not None for figure in results.figures)
    assert results.about["jiter"]


def test_what_interrupts_a_run_leaves_what_there_is() -> None:
    documents = iter([None, KeyboardInterrupt])

    def tell(_: str) -> None:
        if (interrupted := next(documents)) is not None:
            raise interrupted

    measuring = quickly()
    measuring.tell = tell
    results = run(measuring, [conference(), users(2)], ["64"], [])

    assert {figure.workload for figure in results.figures} == {"conference"}
    assert results.about["interrupted"] == "yes"


def test_documents_are_chosen_by_how_their_names_begin() -> None:
    assert [workload.name for workload in workloads_of(["conf", "string"])] == [
        "conference",
        "string of 1 KB",
        "string of 200 KB",
        "string of 1 MB",
    ]
    assert len(workloads_of(None)) == len(all_workloads())
    with pytest.raises(ValueError, match="no document 'nothing'; there are 'conference', "):
        workloads_of(["nothing"])


def test_the_command_says_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    assert ended.value.code == 0
    assert "--quick" in capsys.readouterr().out


def quickly() -> Measuring:
    """Measure with a clock that hardly goes on, so that nothing is repeated or too slow."""
    seconds = count()
    return Measuring(rounds=1, clock=lambda: next(seconds) * 0.001, tell=lambda _: None)


def test_the_memory_of_a_history_is_measured_before_and_after_a_look_at_it() -> None:
    text = json.dumps(list(range(500)))

    moments, unseen, looked_at = history_of(text, 4)

    assert moments > 400
    assert 0 < unseen < looked_at
