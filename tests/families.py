"""All types of the tests, with documents that fit them, in families."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.documents import MODELS, OTHER_TYPES
from tests.documents_by_schema import fitting
from tests.growing import Linked, Tree, User
from tests.growing_classes import (
    CLASSES,
    ROOTS,
    ByName,
    Deep,
    Doubly,
    Json,
    Names,
    OneAddress,
    Prepared,
    RootedLeaf,
    Selfish,
    Several,
    Word,
)
from tests.growing_configs import CONFIGS, SERIALIZERS
from tests.growing_containers import CONTAINERS, Stone
from tests.growing_dataclasses import (
    DATACLASSES,
    DICTS,
    Boxed,
    Derived,
    Leaf,
    Slotted,
    Sparse,
    Templated,
    Total,
    WithDicts,
)
from tests.growing_scalars import SCALARS
from tests.growing_unions import UNIONS
from tests.growing_validators import REWRITERS, VALIDATORS

Kinds = dict[Any, st.SearchStrategy[Any]]

FAMILIES: dict[str, Kinds] = {
    "models": MODELS,
    "other types": OTHER_TYPES,
    "scalars": SCALARS,
    "containers": CONTAINERS,
    "unions": UNIONS,
    "dataclasses and typed dicts": DATACLASSES | DICTS,
    "root models": ROOTS,
    "unusual classes": CLASSES,
    "validators": VALIDATORS,
    "serializers and configs": SERIALIZERS | CONFIGS,
}
"""Types whose values only grow."""

WITH_REWRITERS: dict[str, Kinds] = {**FAMILIES, "validators that rewrite": REWRITERS}
"""Also those whose validators make something else of what was shown."""

LIVE: Kinds = {
    kind: fitting(kind, plainly=True)
    for kind in (
        User,
        Tree,
        Linked[str],
        Leaf,
        Derived,
        Slotted,
        Boxed[str],
        list[Leaf],
        dict[str, Derived],
        Total,
        Sparse,
        WithDicts,
        Templated[Stone],
        Names,
        ByName,
        Word,
        OneAddress,
        Doubly,
        RootedLeaf,
        Selfish,
        Prepared,
        Deep,
        Json,
        Several[str],
        tuple[str, ...],
        list[Names],
    )
}
"""Types that show whatever their document shows."""
