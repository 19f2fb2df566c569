"""BAML, parsing the text again with each chunk into its partial types."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from typing_extensions import TypeIs

from benchmarks.contenders import Contender, Reading, each_prefix
from benchmarks.workloads import Workload

baml_py: Any = import_module("baml_py")

FUNCTION = """
client<llm> Client {
  provider openai
  options {
    model "m"
    api_key "k"
  }
}
function Read(text: string) -> %s {
  client Client
  prompt #"{{ text }} {{ ctx.output_format }}"#
}
"""


def parsed(workload: Workload) -> Reading:
    models = _models_of(workload.model)
    written = "".join(_class_of(model) for model in models) + FUNCTION % workload.model.__name__
    runtime = baml_py.BamlRuntime.from_files("/baml_src", {"main.baml": written}, {})
    context = runtime.create_context_manager()
    enums, types, partial_types = map(ModuleType, ("enums", "types", "partial_types"))
    for model in models:
        setattr(types, model.__name__, model)
        setattr(partial_types, model.__name__, _partial_of(model))

    def read(text: str) -> object:
        asked: Any = ("Read", text, enums, types, partial_types, True, context, None, None, {})
        return runtime.parse_llm_response(*asked)

    return Reading(each_prefix(read))


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that an annotation names, and those that stand in them."""
    found: list[type[BaseModel]] = []
    waiting = [annotation]
    while waiting:
        annotation = waiting.pop()
        waiting += get_args(annotation)
        if _is_model(annotation) and annotation not in found:
            found.append(annotation)
            waiting += [field.annotation for field in annotation.model_fields.values()]
    return found


def _is_model(annotation: Any) -> TypeIs[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _class_of(model: type[BaseModel]) -> str:
    fields = "".join(
        f"  {name} {_type_of(field.annotation)}\n" for name, field in model.model_fields.items()
    )
    return f"class {model.__name__} {{\n{fields}}}\n"


def _type_of(annotation: Any) -> str:
    names = {str: "string", int: "int", float: "float", bool: "bool", type(None): "null"}
    origin = get_origin(annotation)
    if origin is list:
        return f"{_type_of(get_args(annotation)[0])}[]"

    if origin is Literal:
        return "(" + " | ".join(f'"{value}"' for value in get_args(annotation)) + ")"

    if origin in (Union, UnionType):
        return "(" + " | ".join(map(_type_of, get_args(annotation))) + ")"

    return names.get(annotation) or annotation.__name__


def _partial_of(model: type[BaseModel]) -> type[BaseModel]:
    """Make the class that BAML's generator writes for an unfinished one: nothing is required."""
    fields = dict.fromkeys(model.model_fields)
    namespace = {"__annotations__": dict.fromkeys(fields, Any), **fields}
    return type(model.__name__, (BaseModel,), namespace)


CONTENDERS = [
    Contender("BAML, partial parse", "models", parsed, "baml-py", rereads=True, line="BAML")
]
