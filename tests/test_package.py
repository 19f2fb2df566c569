"""What is built and shipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def test_the_wheel_ships_operators_types_and_recordings_once(tmp_path: Path) -> None:
    # Built from a copy: setuptools leaves its traces in the folder that it builds.
    source = tmp_path / "source"
    ignore = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(REPOSITORY, source, symlinks=True, ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*command, str(source)], check=True)  # our own interpreter

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert "streamops/py.typed" in names
    assert "streamops/operators/accumulate_json.py" in names
    assert "streamops/recordings/conference.sse" in names
    assert len(names) == len(set(names))
    top = {name.partition("/")[0] for name in names}
    assert {name.partition("-")[0] for name in top} == {"streamops"}
