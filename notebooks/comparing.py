"""What two runs of a notebook show differently, but for what varies from run to run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from difflib import unified_diff
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

Notebook: TypeAlias = dict[str, Any]
"""A notebook as its file's JSON, with whole texts instead of lists of lines."""

MOST_LINES = 60

_SVG = "image/svg+xml"
_NUMBER = r"\d+(?:[.,]\d+)*(?:e[+-]?\d+)?"
_UNIT = (
    r"(?:s|[mµun]s|sec|min|h|seconds?|minutes?|(?:milli|micro|nano)seconds?"
    r"|[KMGk]i?B|[a-z]{1,9}/m?s|[x\u00d7])"
)
_CLOCK = r"(?<![\w:-])\d+(?::\d\d){1,2}(?![\w:])"
_FIGURE = re.compile(rf"(?<![\w.]){_NUMBER}\s?{_UNIT}(?!\w)|{_CLOCK}")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b|(?<=127\.0\.0\.1:)\d+|(?<=localhost:)\d+")
_ANY_NUMBER = re.compile(rf"(?<![\w.]){_NUMBER}")
_TAG = re.compile(r"<[a-zA-Z][^<>]*>")
_MEASURED_LINE = re.compile(r"^.*≈.*$", re.MULTILINE)
_MASK = "#"
_TRACE = 'aria-label="Marble diagram: '
_ROW = re.compile(r"(?P<name>\S.*?)  .*  (?P<count>[\d,]+)$")


def differences(committed: Notebook, now: Notebook) -> str:
    """Return what two runs of a notebook show differently, as a diff; what varies is masked."""
    before, after = list(_shown(committed)), list(_shown(now))
    lines = list(unified_diff(before, after, "committed", "now", lineterm="", n=2))
    more = [f"... and {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return "\n".join(lines[:MOST_LINES] + more)


def masked(kind: str, text: str, *, figures: bool = False) -> str:
    """Return what a notebook shows without what varies; ``figures`` masks all numbers."""
    if kind.startswith("image/") and kind != _SVG:
        return "a picture"

    if kind in (_SVG, "text/html"):
        # Each in a line of its own: what differs would drown in one long line.
        text = _TAG.sub(lambda tag: f"\n{re.sub(r'-?[0-9.]*[0-9]', _MASK, tag[0])}", text)

    text = _ADDRESS.sub(_MASK, _FIGURE.sub(_MASK, text))
    text = _MEASURED_LINE.sub(lambda line: _ANY_NUMBER.sub(_MASK, line[0]), text)
    text = _ANY_NUMBER.sub(_MASK, text) if figures else text
    # A narrower figure moves what is aligned with it.
    return re.sub(rf"^.*{_MASK}.*$", _without_alignment, text, flags=re.MULTILINE)


def _shown(notebook: Notebook) -> Iterator[str]:
    for number, cell in enumerate(notebook["cells"], start=1):
        tags = cell["metadata"].get("tags", ())
        for output in cell.get("outputs", ()):
            for kind, shown in sorted(_without_moments(_by_kind(output)).items()):
                yield f"[cell {number}: {kind}]"
                if "varying-output" not in tags:
                    yield from masked(kind, shown, figures="varying-figures" in tags).splitlines()


def _by_kind(output: Mapping[str, Any]) -> dict[str, str]:
    if output["output_type"] == "stream":
        return {output["name"]: output["text"]}

    if output["output_type"] == "error":
        return {"error": f"{output['ename']}: {output['evalue']}"}

    return {
        kind: shown if isinstance(shown, str) else json.dumps(shown, sort_keys=True)
        for kind, shown in output["data"].items()
    }


def _without_moments(shown: dict[str, str]) -> dict[str, str]:
    """Return what an output shows; of a trace what does not depend on time."""
    if _TRACE not in shown.get(_SVG, ""):
        return shown

    rows = (_ROW.match(line) for line in shown.get("text/plain", "").splitlines())
    in_words = "\n".join(f"{row['name']} {row['count']}" for row in rows if row)
    picture = ET.fromstring(shown[_SVG])  # noqa: S314  # our own
    return {_SVG: "\n".join(_drawn(picture)), "text/plain": in_words}


def _drawn(picture: ET.Element) -> Iterator[str]:
    """List the stages of a trace's picture, what each emitted and how it ended, and the legend."""
    yield picture.get("aria-label", "")

    kinds: set[str] = set()
    for part in picture:
        texts = ["".join(text.itertext()) for text in part.iterfind("{*}text")]
        if part.find("{*}title") is not None and texts:
            yield from sorted(kinds)
            yield " · ".join(texts)
            kinds.clear()
        elif part.find("{*}circle/{*}title") is not None:
            kinds.add(f"marbles {part.get('fill')}")
        elif part.find("{*}title") is not None:
            kinds.add(f"end {part.get('stroke')}")
        elif part.tag.endswith("}text"):
            yield from sorted(kinds)
            yield "".join(part.itertext())
            kinds.clear()


def _without_alignment(line: re.Match[str]) -> str:
    return re.sub(r" +", " ", line[0]).strip()
