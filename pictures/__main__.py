"""Make the pictures of the README from what really runs; about ten seconds, offline."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pictures.film import animated_svg
from pictures.terminal import record

_FOLDER = Path(__file__).parent
_COLUMNS, _ROWS = 92, 26


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m pictures", description=__doc__)
    parser.add_argument(
        "--to", type=Path, default=_FOLDER, metavar="FOLDER", help="where they go (default: here)"
    )
    folder: Path = parser.parse_args(given).to
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "demo.svg", demo())


def demo() -> str:
    """Record ``streamops demo``, as it plays the recorded answer."""
    command = [str(Path(sys.executable).with_name("streamops")), "demo"]
    frames = record(command, columns=_COLUMNS, rows=_ROWS)
    return animated_svg(frames, title="streamops demo", columns=_COLUMNS, rows=_ROWS)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{path}: {len(text) / 1000:.0f} KB\n")


if __name__ == "__main__":
    main()
