"""Mode: how a model is asked for structure."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from streamops.recording import Api


class Mode(StrEnum):
    """How a model is asked for structure, and over which of the two APIs."""

    TOOLS = "tools"
    """Chat Completions with a forced call of a tool that takes the fields as its arguments."""
    JSON_SCHEMA = "json_schema"
    """Chat Completions with ``response_format`` of type ``json_schema``, strict."""
    JSON = "json"
    """Chat Completions with ``response_format`` of type ``json_object``, the schema in a prompt."""
    MD_JSON = "md_json"
    """Chat Completions that asks for a fenced JSON block in the prompt, and for nothing else."""
    FUNCTIONS = "functions"
    """Chat Completions with the ``functions`` and ``function_call`` that came before tools."""
    RESPONSES_TOOLS = "responses_tools"
    """Responses with a forced call of a tool that takes the fields as its arguments."""
    RESPONSES_JSON_SCHEMA = "responses_json_schema"
    """Responses with a ``text.format`` of type ``json_schema``, strict."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        modes = ", ".join(f"Mode.{mode.name} ({mode.value!r})" for mode in cls)
        raise ValueError(f"mode is one of {modes}, not {value!r}")

    @property
    def api(self) -> Api:
        """The API that the request goes to."""
        return "responses" if self.name.startswith("RESPONSES_") else "chat"


TOOL_MODES = frozenset({Mode.TOOLS, Mode.FUNCTIONS, Mode.RESPONSES_TOOLS})
"""The modes in which the model calls tools, perhaps several."""
