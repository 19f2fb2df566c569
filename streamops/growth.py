"""Growth: follow the snapshots of a document through the shape of a type."""

from __future__ import annotations

from typing import Any

from streamops.collection_shapes import ListOf
from streamops.nodes import DocumentNode, Node
from streamops.shapes import HELD, Shape, View
from streamops.snapshot import Snapshot


class Growth:
    """Keeps a branch for each open value, and takes in what each snapshot finished.

    Snapshots must come in order, but need not all come.
    """

    def __init__(self, shape: Shape, document: DocumentNode) -> None:
        # A document is like an array of one item.
        self._open = [ListOf(shape).open(document, visible=True)]
        self._revision = object()

    def follow(self, snapshot: Snapshot) -> View | None:
        """Take in a snapshot and return the moment that it stands for.

        None if it was taken of another document.
        """
        node, count = snapshot.mark
        innermost = self._open[-1]
        changed = False

        if innermost.node is not node:
            opened = self._down_to(node)
            if opened is None:
                return None
            changed = self._reach(opened)
            innermost = self._open[-1]

        if innermost.advance(count) or changed:
            self._revision = object()

        return View(innermost, count, self._revision, snapshot)

    def show(self, view: View) -> Any:
        """Return what the root looked like, or HELD."""
        if len(self._open) == 1:
            return HELD

        root = self._open[1]
        return root.show(view, 0, HELD) if root.is_lazy else view.show(root)

    def _down_to(self, node: Node) -> list[Node] | None:
        """Return the nodes from the innermost open branch that still is open down to a node."""
        nodes: list[Node] = [node]
        while node.depth >= len(self._open) or self._open[node.depth].node is not node:
            if node.parent is None:
                return None
            node = node.parent
            nodes.append(node)

        nodes.reverse()
        return nodes

    def _reach(self, nodes: list[Node]) -> bool:
        """Close the branches below the first node, and open those down to the last."""
        changed = False
        while len(self._open) > nodes[0].depth + 1:
            closed = self._open.pop()
            changed |= closed.advance(closed.node.size)
            changed |= self._open[-1].finish_child(closed)

        for child in nodes[1:]:
            parent = self._open[-1]
            changed |= parent.advance(child.index)
            branch = parent.open(child)
            self._open.append(branch)
            changed |= branch.visible
        return changed
