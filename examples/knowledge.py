"""A knowledge graph: nodes and edges as soon as each is finished, and the whole of it at the end.

    python examples/knowledge.py

One request, two views. ``request`` leaves the reading to operators: one reads the items of both
lists in one pass, another the whole graph, whose validator has the last word.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Self

import reactivex
from pydantic import BaseModel, model_validator
from reactivex import Observable
from reactivex import operators as rx

import streamops as so
from offline import MODEL, open_client, quiet_exit
from streamops import operators as ops

MESSAGES = [
    {"role": "system", "content": "Draw a knowledge graph of the text."},
    {
        "role": "user",
        "content": "Ada Lovelace met Charles Babbage in 1833. He designed the Analytical Engine, "
        "and she wrote the Notes of 1843, which describe that machine.",
    },
]


class Kind(Enum):
    """What a node is."""

    PERSON = "person"
    MACHINE = "machine"
    TEXT = "text"


class Relation(Enum):
    """How one node is to another."""

    MET = "met"
    DESIGNED = "designed"
    WROTE = "wrote"
    DESCRIBES = "describes"


class Node(BaseModel):
    """Somebody or something in the text."""

    id: str
    kind: Kind
    name: str


class Edge(BaseModel):
    """What the text says about two nodes, which are named by their ids."""

    source: str
    relation: Relation
    target: str
    year: int | None = None


class KnowledgeGraph(BaseModel):
    """All that the text says."""

    nodes: list[Node]
    edges: list[Edge]

    @model_validator(mode="after")
    def _edges_name_nodes(self) -> Self:
        known = {node.id for node in self.nodes}

        for edge in self.edges:
            if not {edge.source, edge.target} <= known:
                raise ValueError(f"{edge.source} or {edge.target} is no node")

        return self


def main() -> None:
    """Print whatever is finished."""
    with open_client("knowledge") as client:
        answer = so.request(client, response_model=KnowledgeGraph, model=MODEL, messages=MESSAGES)
        snapshots = answer.pipe(ops.accumulate_json(), ops.share_latest())
        views: list[Observable[Any]] = [
            snapshots.pipe(ops.split_items({"nodes": Node, "edges": Edge})),
            snapshots.pipe(ops.to_partial(KnowledgeGraph), rx.last()),
        ]

        for finished in so.to_generator(reactivex.merge(*views)):
            show(finished)

    print(f"The answer is {so.outcome(answer).status}.")


def show(finished: Any) -> None:
    """Print a node, an edge, or the validated graph; items come with the name of their list."""
    match finished:
        case ("nodes", Node() as node):
            print(f"{node.kind.value:>8}  {node.name} ({node.id})")
        case ("edges", Edge(year=None) as edge):
            print(f"    edge  {edge.source} {edge.relation.value} {edge.target}")
        case ("edges", Edge() as edge):
            print(f"    edge  {edge.source} {edge.relation.value} {edge.target} in {edge.year}")
        case KnowledgeGraph() as graph:
            print(f"\nA valid graph of {len(graph.nodes)} nodes and {len(graph.edges)} edges.")
        case _:
            raise AssertionError(finished)


if __name__ == "__main__":
    with quiet_exit():
        main()
