"""The public names: nothing missing, nothing extra, and nothing loaded before it is used."""

from __future__ import annotations

import ast
import json
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

import streamops
import streamops.operators

EXTRAS = (
    "rich",
    "starlette",
    "uvicorn",
    "IPython",
    "matplotlib",
    "trio",
    "httpx2",
    "tqdm",
    "ipywidgets",
    "pandas",
)
PACKAGES = pytest.mark.parametrize(
    "package", [streamops, streamops.operators], ids=lambda m: m.__name__
)


@PACKAGES
def test_all_lists_every_name_that_type_checkers_see(package: ModuleType) -> None:
    assert sorted(package.__all__) == sorted(alias for _, alias in imports_of(package))


@PACKAGES
def test_a_public_name_is_what_type_checkers_take_it_for(package: ModuleType) -> None:
    for module, name in imports_of(package):
        assert getattr(package, name) is getattr(import_module(module), name)


@PACKAGES
def test_a_star_import_brings_every_public_name(package: ModuleType) -> None:
    names: dict[str, Any] = {}

    exec(f"from {package.__name__} import *", names)  # noqa: S102  # no module can do it elsewhere

    assert set(package.__all__) == names.keys() - {"__builtins__"}


def test_no_module_takes_the_place_of_a_public_name_when_it_is_imported() -> None:
    modules = {module.name for module in iter_modules(streamops.__path__)}

    assert modules & set(streamops.__all__) == {"operators"}


def test_what_has_not_been_used_is_listed_too() -> None:
    listed = in_a_fresh_interpreter("import streamops; result = dir(streamops)")

    assert set(streamops.__all__) <= set(listed)
    assert "__version__" in listed


def test_help_shows_what_is_imported_later() -> None:
    shown = pydoc.plain(pydoc.render_doc(streamops))

    assert "class Snapshot(" in shown
    assert "from_chunks(source" in shown


def test_an_unknown_name_is_the_error_that_python_raises() -> None:
    with pytest.raises(AttributeError, match=r"^module 'streamops' has no attribute 'from_chunk'$"):
        _ = streamops.from_chunk  # type: ignore[attr-defined]

    with pytest.raises(ImportError, match=r"^cannot import name 'from_chunk' from 'streamops'"):
        from streamops import from_chunk  # type: ignore[attr-defined]  # noqa: F401


def test_importing_streamops_loads_nothing_that_it_depends_on() -> None:
    loaded = loaded_by("import streamops")

    assert {name.partition(".")[0] for name in loaded}.isdisjoint(
        ("openai", "pydantic", "reactivex", "anyio", "jiter", *EXTRAS)
    )
    assert [name for name in loaded if name.startswith("streamops")] == ["streamops"]


def test_a_pipeline_over_chunks_loads_no_sdk_and_no_extra() -> None:
    loaded = loaded_by(
        "import streamops as so\n"
        "from streamops import operators as ops\n"
        "from pydantic import BaseModel\n"
        "class User(BaseModel):\n"
        "    name: str\n"
        "stream = so.from_chunks(['{\"na', 'me\": \"Ada\"}'])\n"
        "operators = ops.accumulate_json(), ops.to_partial(User), ops.track_progress()\n"
        "assert so.run(stream.pipe(*operators)).value.name == 'Ada'\n"
    )

    assert {name.partition(".")[0] for name in loaded}.isdisjoint(("openai", *EXTRAS))
    assert {"streamops.extraction", "streamops.strict_schemas"}.isdisjoint(loaded)


def test_all_public_names_together_load_no_sdk_and_no_extra() -> None:
    loaded = loaded_by("from streamops import *\nfrom streamops.operators import *")

    assert {name.partition(".")[0] for name in loaded}.isdisjoint(("openai", *EXTRAS))


def test_values_and_how_they_are_shown_know_no_operators() -> None:
    loaded = loaded_by(
        "import streamops.snapshot, streamops.progress, streamops.items\n"
        "import streamops.display.html, streamops.display.plain, streamops.display.picture"
    )

    assert [name for name in loaded if name.startswith("streamops.operators")] == []


def imports_of(package: ModuleType) -> Iterator[tuple[str, str]]:
    """List the modules and names that a package imports, now or for type checkers only."""
    assert package.__file__ is not None
    nodes = ast.walk(ast.parse(Path(package.__file__).read_text()))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("streamops"):
            assert node.module is not None
            yield from ((node.module, alias.asname or alias.name) for alias in node.names)


def loaded_by(code: str) -> list[str]:
    return in_a_fresh_interpreter(f"{code}\nimport sys; result = list(sys.modules)")


def in_a_fresh_interpreter(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json; print(json.dumps(result))"],
        capture_output=True,
        text=True,
        check=True,
    )
    result: list[str] = json.loads(done.stdout)
    return result


def test_modules_are_found_in_the_package_without_being_imported_first() -> None:
    code = (
        "import streamops; print(streamops.errors.SourceFailed.__name__, hasattr(streamops, 'no'))"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert printed.stdout.split() == ["SourceFailed", "False"]
