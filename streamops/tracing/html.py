"""A trace as HTML: the picture, and beneath it the same as text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamops.tracing.trace import Trace

# What older and newer MathJax, with which notebooks search texts for $, take for text only.
_NO_MATHEMATICS = "tex2jax_ignore mathjax_ignore"


def html_of_trace(trace: Trace) -> str:
    """Return a trace for a notebook, which reads well where pictures are left out."""
    from streamops.tracing.svg_diagram import svg_diagram

    text = escape(trace.to_text(100), quote=True)
    return (
        f'<div class="{_NO_MATHEMATICS}" style="max-width:1000px">{svg_diagram(trace)}'
        "<details><summary>as text, with the figures of each stage</summary>"
        f'<pre style="line-height:1.3;overflow-x:auto">{text}</pre>'
        f"{trace.table().to_html()}</details></div>"
    )
