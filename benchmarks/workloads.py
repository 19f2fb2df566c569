"""What is read: documents of all sizes and shapes, and how they are cut into chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from benchmarks.optional_models import optional_twin

RECORDING = Path(__file__).parent / "recordings" / "tool_call.sse"

RECORDED = "recorded"
WHOLE = "whole"
SIZES = (4, 1, 64)
"""Characters per chunk; the first is about what a token has."""


class User(BaseModel):
    name: str
    email: str
    twitter: str


class Meeting(BaseModel):
    users: list[User]
    date: str
    location: str
    budget: int
    deadline: str


class Story(BaseModel):
    title: str
    text: str


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Supplier(BaseModel):
    name: str
    customer_number: str
    email: str


class OrderLine(BaseModel):
    sku: str
    description: str
    quantity: int
    unit_price: float
    taxable: bool


class Delivery(BaseModel):
    street: str
    postal_code: str
    city: str
    country: str
    floor: int
    lift_available: bool


class PurchaseOrder(BaseModel):
    supplier: Supplier
    ordered_by: str
    priority: Literal["low", "normal", "urgent"]
    needed_by: str
    lines: list[OrderLine]
    delivery: Delivery
    budget_code: str | None
    notes: str


@dataclass(frozen=True)
class Workload:
    """One document, the model it is of, and where somebody looks while it arrives."""

    name: str
    text: str
    model: type[BaseModel]
    look: Callable[[Any], object]
    """Reads the newest field of a partial."""
    item: type[BaseModel] | None = None
    """What the list at ``items`` holds."""
    items: str = "users"
    recorded: tuple[str, ...] = ()
    """The chunks in which it arrived, if it is a recording."""
    pieces: tuple[bytes, ...] = ()
    """The bytes of the recording, as many pieces as chunks."""

    @cached_property
    def value(self) -> Any:
        return json.loads(self.text)

    @cached_property
    def optional(self) -> type[BaseModel]:
        """The model with all fields optional, as one writes it by hand for unfinished JSON."""
        twin: type[BaseModel] = optional_twin(self.model)
        return twin

    def chunks(self, chunk: str) -> list[str] | None:
        """Cut the document: so many characters each, as recorded, or not at all.

        None where it was not recorded, and where its characters would be too many to wait for.
        """
        if chunk == RECORDED:
            return list(self.recorded) or None

        if chunk == WHOLE:
            return [self.text]

        if chunk == "1" and len(self.text) > LONGEST_OF_CHARACTERS:
            return None

        return chunked(self.text, int(chunk))


LONGEST_OF_CHARACTERS = 10_000
"""A longer document is not cut into single characters."""


def chunked(text: str, size: int) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def conference() -> Workload:
    people = [
        ("John Doe", "johndoe@email.com", "@TechGuru44"),
        ("Jane Smith", "janesmith@email.com", "@DigitalDiva88"),
        ("Alex Johnson", "alexj@email.com", "@CodeMaster2023"),
    ]
    users = [{"name": name, "email": mail, "twitter": at} for name, mail, at in people]
    return _meeting("conference", users, separators=(",", ":"))


def users(count: int) -> Workload:
    written = [
        {"name": f"User {i}", "email": f"user{i}@example.com", "twitter": f"@user{i}"}
        for i in range(count)
    ]
    return _meeting(f"{count} users", written)


def long_string(kilobytes: int) -> Workload:
    """Make a document that is nearly all one string, with a line break and quotes now and then."""
    sentence = 'The budget covers the venue, the speakers, and what is called "promotion".\n'
    text = sentence * (kilobytes * 1000 // len(sentence))
    story = {"title": "What was agreed on", "text": text}
    length = f"{kilobytes} KB" if kilobytes < 1000 else f"{kilobytes // 1000} MB"
    return Workload(f"string of {length}", json.dumps(story), Story, lambda story: story.text)


def tree(levels: int) -> Workload:
    """Make a tree in which every node has a leaf and, but for the last one, a node like itself."""
    node: dict[str, Any] = {"name": f"node {levels}", "children": []}
    for level in range(levels - 1, 0, -1):
        leaf: dict[str, Any] = {"name": f"leaf of node {level}", "children": []}
        node = {"name": f"node {level}", "children": [leaf, node]}

    return Workload(f"tree of {levels} levels", json.dumps(node), Tree, _newest_of_tree)


def tool_call() -> Workload:
    """Read the recorded call of a tool; what it passes to the tool is the document."""
    events = [event + b"\n\n" for event in RECORDING.read_bytes().split(b"\n\n") if event]
    begun, *written, finished, done = events
    chunks = tuple(map(_arguments_of, written))
    pieces = (begun + written[0], *written[1:-1], written[-1] + finished + done)
    return Workload(
        "tool call",
        "".join(chunks),
        PurchaseOrder,
        _newest_of_order,
        OrderLine,
        "lines",
        recorded=chunks,
        pieces=pieces,
    )


def all_workloads() -> Sequence[Workload]:
    """Return all, the smallest first."""
    workloads = [
        conference(),
        *map(users, (20, 100, 1_000, 10_000)),
        *map(long_string, (1, 200, 1_000)),
        tree(40),
        tool_call(),
    ]
    return sorted(workloads, key=lambda workload: len(workload.text))


def _meeting(
    name: str, written: list[dict[str, str]], separators: tuple[str, str] | None = None
) -> Workload:
    document = {
        "users": written,
        "date": "2024-03-15",
        "location": "Grand Tech Arena located at 4521 Innovation Drive",
        "budget": 50000,
        "deadline": "2024-02-20",
    }
    text = json.dumps(document, separators=separators)
    return Workload(name, text, Meeting, _newest_of_meeting, User)


def _newest_of_meeting(meeting: Any) -> object:
    if meeting.date is not None:
        return meeting.deadline or meeting.budget or meeting.location

    if not meeting.users:
        return None

    user = meeting.users[-1]
    return user.twitter or user.email or user.name


def _newest_of_tree(tree: Any) -> object:
    while tree.children:
        tree = tree.children[-1]
    return tree.name


def _newest_of_order(order: Any) -> object:
    if order.delivery is not None:
        return order.notes or order.delivery.city

    if order.lines:
        return order.lines[-1].description

    return order.supplier and order.supplier.name


def _arguments_of(event: bytes) -> str:
    chunk = json.loads(event.removeprefix(b"data: "))
    arguments: str = chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"]
    return arguments
