"""What must hold of an index over a heap's free blocks, as a table of named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from emu.view.blocks import Walk
from emu.view.finding import Finding
from emu.view.index import Index, bin_of, priority
from emu.view.invariants import Place

Check = Callable[["Indexed"], Iterator[str]]
_WORD = 64


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the checks look at. searched: the last call looked for a block."""

    index: Index
    walk: Walk
    searched: bool
    place: Place

    @property
    def in_trees(self) -> set[int]:
        return {node.address for tree in self.index.trees for node in tree.nodes}

    @property
    def unmerged(self) -> set[int]:
        return {entry.address for entry in self.index.unmerged}


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
    free = {block.address for block in indexed.walk.free}
    held = indexed.in_trees | indexed.unmerged
    for address in sorted(free - held):
        yield f"{indexed.place(address)} is free, but neither in a tree nor unmerged"
    for address in sorted(held - free):
        block = indexed.walk.find(address)
        what = f"is {block.status}" if block else "is no block's payload"
        yield f"{indexed.place(address)} {what}, but in the index"


def _bins(indexed: Indexed) -> Iterator[str]:
    for tree in indexed.index.trees:
        for node in tree.nodes:
            block = indexed.walk.find(node.address)
            if block and bin_of(block.size) != tree.bin:
                yield (
                    f"{indexed.place(node.address)}, of {block.size} bytes, is in bin {tree.bin}; "
                    f"it belongs in bin {bin_of(block.size)}"
                )


def _order(indexed: Indexed) -> Iterator[str]:
    for tree in indexed.index.trees:
        blocks = [block for node in tree.nodes if (block := indexed.walk.find(node.address))]
        for before, behind in pairwise(blocks):
            if (before.size, before.address) > (behind.size, behind.address):
                yield (
                    f"in the tree of bin {tree.bin}, {indexed.place(before.address)} comes before "
                    f"{indexed.place(behind.address)}, but belongs behind it"
                )


def _priorities(indexed: Indexed) -> Iterator[str]:
    start = indexed.walk.start
    for tree in indexed.index.trees:
        for node in tree.nodes:
            for below in (node.left, node.right):
                if below and priority(below, start) > priority(node.address, start):
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


def _seams(indexed: Indexed) -> Iterator[str]:
    in_trees = indexed.in_trees
    for before, block in pairwise(indexed.walk.free):
        if before.end == block.header and {before.address, block.address} <= in_trees:
            yield (
                f"{indexed.place(before.address)} and {indexed.place(block.address)} are free and "
                "neighbours, and neither is in the list of the unmerged"
            )


def _list(indexed: Indexed) -> Iterator[str]:
    entries = indexed.index.unmerged
    if entries and indexed.searched:
        yield f"{indexed.place(entries[0].address)} is unmerged after a search"
    if entries and entries[0].previous:
        yield f"{indexed.place(entries[0].address)} is the first unmerged, but not by its own links"
    for before, entry in pairwise(entries):
        if entry.previous != before.address:
            yield (
                f"{indexed.place(entry.address)} follows {indexed.place(before.address)} among the "
                "unmerged, but not by its own links"
            )


CHECKS: dict[str, Check] = {
    "index-link": _links,
    "index-block": _blocks,
    "index-bin": _bins,
    "index-order": _order,
    "index-priority": _priorities,
    "index-bit": _bits,
    "index-seam": _seams,
    "index-list": _list,
}
"""Rule to check; a check yields a sentence for each thing wrong."""
