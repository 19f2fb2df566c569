"""Make the pictures of the README from what really runs: offline, in about 15 seconds."""

from __future__ import annotations

import argparse
import sys
from itertools import dropwhile
from pathlib import Path
from typing import Any

import reactivex

import streamops as so
from pictures.film import animated_svg
from pictures.terminal import record
from streamops import operators as ops
from streamops.demo import PARTICIPANTS, MeetingInfo, User, ask, recorded_client

_FOLDER = Path(__file__).parent
_COLUMNS, _ROWS = 92, 26


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m pictures", description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=_FOLDER, metavar="FOLDER", help="where they go (default: here)"
    )
    folder: Path = parser.parse_args(given).to
    folder.mkdir(parents=True, exist_ok=True)

    for draw, name in ((draw_demo, "demo.svg"), (draw_pipeline, "pipeline.svg")):
        draw(folder / name)
        print(f"{folder / name}: {(folder / name).stat().st_size / 1000:.0f} KB")


def draw_demo(path: Path) -> None:
    """Record ``streamops demo`` as it plays the recorded answer."""
    command = [str(Path(sys.executable).with_name("streamops")), "demo"]
    frames = record(command, columns=_COLUMNS, rows=_ROWS)
    shown = list(dropwhile(lambda frame: not any(frame.lines), frames))
    svg = animated_svg(shown, title="streamops demo", columns=_COLUMNS, rows=_ROWS)
    path.write_text(svg, encoding="utf-8")


def draw_pipeline(path: Path) -> None:
    """Trace one request that is read as items and as a model, at the pace of the recording."""
    with recorded_client("chat", fast=False) as client:
        snapshots = ask(client, api="chat", model="recorded").pipe(
            ops.accumulate_json(), ops.share_latest()
        )
        users = snapshots.pipe(ops.split_items(User, ("users",)))
        meeting = snapshots.pipe(
            ops.to_partial(MeetingInfo),
            ops.distinct_snapshots(),
            ops.track_progress(expected={"users": PARTICIPANTS}),
        )
        views: list[reactivex.Observable[Any]] = [users, meeting]
        so.trace(reactivex.merge(*views)).to_svg(path)


if __name__ == "__main__":
    main()
