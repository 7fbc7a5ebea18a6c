"""What must hold of an index over a heap's free blocks, as a table of named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from emu.view.blocks import Block, Status, Walk
from emu.view.finding import Finding
from emu.view.index import Index, Node, Tree, bin_of, priority
from emu.view.invariants import Place

Check = Callable[["Indexed"], Iterator[str]]
_WORD = 64


class Indexed:
    """What the checks look at. searched: the last call looked for a block."""

    def __init__(self, index: Index, walk: Walk, searched: bool, place: Place) -> None:
        self.index, self.walk, self.searched, self.place = index, walk, searched, place
        self.free = {block.address: block for block in walk.free}
        self.listed = {one.address for one in index.unmerged}

    def is_apart(self, block: Block) -> bool:
        """Whether a free block is in no tree: it ends the heap, or waits for the search."""
        return block.address in self.listed or block.end == self.walk.end


def check(indexed: Indexed, call: int | None = None) -> list[Finding]:
    """The first thing wrong by each rule."""
    return [
        Finding(rule, message, call)
        for rule, checks in CHECKS.items()
        if (message := next(checks(indexed), None)) is not None
    ]


def _links(indexed: Indexed) -> Iterator[str]:
    yield from indexed.index.broken


def _blocks(indexed: Indexed) -> Iterator[str]:
    nodes = {node.address for tree in indexed.index.trees for node in tree.nodes}
    due = {address for address, block in indexed.free.items() if not indexed.is_apart(block)}
    for address in sorted(due - nodes):
        yield f"{indexed.place(address)} is free, but in no tree"
    for address in sorted(nodes - due):
        block = indexed.walk.find(address)
        what = f"is {block.status}" if block else "is no block's payload"
        if block and block.status is Status.FREE:
            what = "waits for a search" if address in indexed.listed else "ends the heap"
        yield f"{indexed.place(address)} {what}, but in a tree"


def _trees(indexed: Indexed) -> Iterator[tuple[Tree, list[tuple[Node, Block]]]]:
    """Each tree with its nodes, as far as they are what they should be."""
    for tree in indexed.index.trees:
        known = ((node, indexed.free.get(node.address)) for node in tree.nodes)
        yield tree, [(node, block) for node, block in known if block]


def _bins(indexed: Indexed) -> Iterator[str]:
    for tree, nodes in _trees(indexed):
        for _, block in nodes:
            if bin_of(block.size) != tree.bin:
                yield (
                    f"{indexed.place(block.address)}, {block.size} bytes, is in bin {tree.bin}; "
                    f"it belongs in bin {bin_of(block.size)}"
                )


def _order(indexed: Indexed) -> Iterator[str]:
    for tree, nodes in _trees(indexed):
        for (_, before), (_, behind) in pairwise(nodes):
            if (before.size, before.address) > (behind.size, behind.address):
                yield (
                    f"in the tree of bin {tree.bin}, {indexed.place(before.address)} comes before "
                    f"{indexed.place(behind.address)}, but belongs behind it"
                )


def _priorities(indexed: Indexed) -> Iterator[str]:
    start = indexed.walk.start
    for tree in indexed.index.trees:
        nodes = {node.address for node in tree.nodes}
        for node in tree.nodes:
            for below in nodes & {node.left, node.right}:
                if priority(below, start) > priority(node.address, start):
                    yield (
                        f"in the tree of bin {tree.bin}, {indexed.place(below)} is below "
                        f"{indexed.place(node.address)}, but has the higher priority"
                    )


def _bits(indexed: Indexed) -> Iterator[str]:
    index = indexed.index
    bottom = sum(1 << tree.bin for tree in index.trees)
    middle = sum(1 << word for word in {tree.bin // _WORD for tree in index.trees})
    top = sum(1 << word for word in {tree.bin // _WORD**2 for tree in index.trees})
    floors = {
        "bottom": (index.bottom, bottom),
        "middle": (index.middle, middle),
        "top": (index.top, top),
    }
    for floor, (found, right) in floors.items():
        if found != right:
            bit = ((found ^ right) & -(found ^ right)).bit_length() - 1
            yield f"bit {bit} of the {floor} is {found >> bit & 1}, which the bins below belie"


def _list(indexed: Indexed) -> Iterator[str]:
    unmerged = indexed.index.unmerged
    if unmerged and indexed.searched:
        yield f"{indexed.place(unmerged[0].address)} is in the list of the unmerged after a search"
    for one in unmerged:
        if one.address not in indexed.free:
            yield f"{indexed.place(one.address)} has no business in the list of the unmerged"
    for before, behind in pairwise(indexed.walk.free):
        if before.end == behind.header and not indexed.listed & {before.address, behind.address}:
            yield (
                f"{indexed.place(before.address)} and {indexed.place(behind.address)}, side by "
                "side, are both not in the list of the unmerged"
            )
    for previous, one in zip((0, *(one.address for one in unmerged)), unmerged, strict=False):
        if one.previous != previous:
            yield f"{indexed.place(one.address)} does not know what is before it in the list"


def _marks(indexed: Indexed) -> Iterator[str]:
    for one in indexed.index.unmerged:
        if not one.listed:
            yield f"{indexed.place(one.address)} is in the list of the unmerged, but not marked so"
    if indexed.index.last_is_marked and indexed.walk.free:
        last = indexed.walk.free[-1]
        if last.end == indexed.walk.end and last.address not in indexed.listed:
            yield f"{indexed.place(last.address)} is not in the list of the unmerged, but marked so"


CHECKS: dict[str, Check] = {
    "index-link": _links,
    "index-block": _blocks,
    "index-bin": _bins,
    "index-order": _order,
    "index-priority": _priorities,
    "index-bit": _bits,
    "index-list": _list,
    "index-mark": _marks,
}
"""Rule to check; a check yields a sentence for each thing wrong."""
