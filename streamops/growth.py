"""Growth: follow the snapshots of a document through the shape of a type."""

from __future__ import annotations

from streamops.collection_shapes import ListOf
from streamops.nodes import DocumentNode, Node
from streamops.shapes import Branch, Shape, View
from streamops.snapshot import Snapshot


class Growth:
    """Keeps a branch for each open value, and takes in what each snapshot finished.

    Snapshots must come in order, but need not all come.
    """

    def __init__(self, shape: Shape, document: DocumentNode) -> None:
        # A document is like an array of one item.
        self._innermost = ListOf(shape).open(document, visible=True)
        self._open = [self._innermost]
        self._chain: tuple[Branch, ...] = (self._innermost,)
        self._revision: object = self
        self.root: Branch | None = None
        """Follows the root, once that has begun."""

    def follow(self, snapshot: Snapshot) -> View | None:
        """Take in a snapshot and return the moment that it stands for.

        None if it was taken of another document.
        """
        node, count = snapshot.mark
        innermost = self._innermost
        changed = False

        if innermost.node is not node:
            changed, reached = self._reach(node)
            if reached is None:
                return None
            innermost = self._innermost = reached
            self._chain = tuple(self._open)

        if innermost.advance(count) or changed:
            self._revision = snapshot

        return View(self._chain, self._revision, snapshot)

    def _reach(self, node: Node) -> tuple[bool, Branch | None]:
        """Close what is closed by now, and open what is open down to a node; return its branch.

        That is None if the node is of another document. Also return whether what shows has changed.
        """
        begun: list[Node] = []
        while node.depth >= len(self._open) or self._open[node.depth].node is not node:
            if node.parent is None:
                return False, None
            begun.append(node)
            node = node.parent

        changed = False
        opened = self._open
        branch = opened[-1]
        while len(opened) > node.depth + 1:
            opened.pop()
            changed |= branch.advance(branch.node.size)
            changed |= opened[-1].finish_child(branch)
            branch = opened[-1]

        while begun:
            child = begun.pop()
            changed |= branch.advance(child.index)
            branch = branch.open(child)
            opened.append(branch)
            changed |= branch.visible

        self.root = opened[1] if len(opened) > 1 else None
        return changed, branch
