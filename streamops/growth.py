"""Growth: follow the snapshots of a document through the shape of a type."""

from __future__ import annotations

from typing import Any

from streamops.shapes import HELD, Branch, ListOf, Shape, View
from streamops.snapshot import Node, Snapshot


class Growth:
    """Keeps a branch for each open value, and takes in what each snapshot finished.

    Snapshots must come in order, but need not all come. One of another document starts anew.
    """

    def __init__(self, shape: Shape) -> None:
        # A document is like an array of one item.
        self._document = ListOf(shape)
        self._open: list[Branch] = []
        self._revision = object()

    def follow(self, snapshot: Snapshot) -> View:
        """Take in a snapshot and return the moment that it stands for."""
        node, count = snapshot.mark
        here = self._open and self._open[-1].node is node
        changed = not here and self._reach(node)

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

    def _reach(self, node: Node) -> bool:
        """Close the branches that are closed by now, and open those down to a node."""
        opened: list[Node] = []
        while node.depth >= len(self._open) or self._open[node.depth].node is not node:
            opened.append(node)
            if node.parent is None:
                self._open = []
                break
            node = node.parent

        changed = False
        while len(self._open) > max(1, node.depth + 1):
            closed = self._open.pop()
            changed |= closed.advance(closed.node.size)
            changed |= self._open[-1].finish_child(closed)

        for child in reversed(opened):
            changed |= self._begin(child)
        return changed

    def _begin(self, child: Node) -> bool:
        if not self._open:
            self._open.append(self._document.open(child, visible=True))
            return False

        parent = self._open[-1]
        changed = parent.advance(child.index)
        branch = parent.open(child)
        self._open.append(branch)
        return changed or branch.visible
