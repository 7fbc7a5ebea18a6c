"""What must hold of an index over a heap's free blocks, as a table of named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from emu.view.blocks import Block, Status, Walk
from emu.view.finding import Finding
from emu.view.index import LAST_BIN, NO_KEY, Index, Node, Tree, bin_of, priority
from emu.view.invariants import Place

Check = Callable[["Indexed"], Iterator[str]]
_WORD = 64


@dataclass(frozen=True, slots=True)
class FreeRun:
    """Free blocks side by side, as the heap has them: one block as soon as there is a search."""

    blocks: tuple[Block, ...]

    @property
    def address(self) -> int:
        return self.blocks[0].address

    @property
    def size(self) -> int:
        """As one payload."""
        return self.blocks[-1].end - self.address

    @property
    def waits(self) -> bool:
        """It is in no tree yet: its first block has no room for the key that it would need."""
        no_room = self.blocks[0].size == NO_KEY
        return len(self.blocks) > 1 and bin_of(self.size) == LAST_BIN and no_room


class Indexed:
    """What the checks look at. searched: the last call looked for a block."""

    def __init__(self, index: Index, walk: Walk, searched: bool, place: Place) -> None:
        self.index, self.walk, self.searched, self.place = index, walk, searched, place
        self.runs = {run.address: run for run in _runs(walk)}

    def is_apart(self, run: FreeRun) -> bool:
        """Whether a run is in no tree: it ends the heap, or it waits."""
        return run.waits or run.blocks[-1].end == self.walk.end


def _runs(walk: Walk) -> Iterator[FreeRun]:
    run: list[Block] = []
    for block in walk.free:
        if run and run[-1].end != block.header:
            yield FreeRun(tuple(run))
            run = []
        run.append(block)
    if run:
        yield FreeRun(tuple(run))


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
    heads = {address for address, run in indexed.runs.items() if not indexed.is_apart(run)}
    for address in sorted(heads - nodes):
        several = len(indexed.runs[address].blocks) > 1
        what = "the first of several free blocks" if several else "free"
        yield f"{indexed.place(address)} is {what}, but in no tree"
    for address in sorted(nodes - heads):
        block = indexed.walk.find(address)
        what = f"is {block.status}" if block else "is no block's payload"
        if block and block.status is Status.FREE:
            what = "is not the first of the free blocks there"
            if address in indexed.runs:
                what = "ends the heap, or waits for a search"
        yield f"{indexed.place(address)} {what}, but in a tree"


def _trees(indexed: Indexed) -> Iterator[tuple[Tree, list[tuple[Node, FreeRun]]]]:
    """Each tree with its nodes, as far as they are what they should be."""
    for tree in indexed.index.trees:
        known = ((node, indexed.runs.get(node.address)) for node in tree.nodes)
        yield tree, [(node, run) for node, run in known if run]


def _bins(indexed: Indexed) -> Iterator[str]:
    for tree, nodes in _trees(indexed):
        for _, run in nodes:
            if bin_of(run.size) != tree.bin:
                yield (
                    f"{indexed.place(run.address)}, {run.size} bytes, is in bin {tree.bin}; it "
                    f"belongs in bin {bin_of(run.size)}"
                )


def _keys(indexed: Indexed) -> Iterator[str]:
    for _, nodes in _trees(indexed):
        for node, run in nodes:
            if node.key is not None and node.key != run.size:
                yield f"the key of {indexed.place(run.address)} is {node.key}, not {run.size}"


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
    listed = [run.second for run in indexed.index.unmerged]
    several = {run.blocks[1].address for run in indexed.runs.values() if len(run.blocks) > 1}
    if listed and indexed.searched:
        yield f"{indexed.place(listed[0])} is in the list of the unmerged after a search"
    for address in sorted(several.symmetric_difference(listed)):
        what = "is not in" if address in several else "has no business in"
        yield f"{indexed.place(address)} {what} the list of the unmerged"
    for previous, run in zip([0, *listed], indexed.index.unmerged, strict=False):
        if run.previous != previous:
            yield f"{indexed.place(run.second)} does not know what is before it in the list"


def _ends(indexed: Indexed) -> Iterator[str]:
    by_second = {run.blocks[1].address: run for run in indexed.runs.values() if run.blocks[1:]}
    for noted in indexed.index.unmerged:
        run = by_second.get(noted.second)
        if run is None or len(run.blocks) < 3:
            continue
        if (noted.head, noted.tail) != (run.address, run.blocks[-1].address):
            yield (
                f"the free blocks from {indexed.place(run.address)} to "
                f"{indexed.place(run.blocks[-1].address)} do not know each other"
            )


CHECKS: dict[str, Check] = {
    "index-link": _links,
    "index-block": _blocks,
    "index-bin": _bins,
    "index-key": _keys,
    "index-order": _order,
    "index-priority": _priorities,
    "index-bit": _bits,
    "index-list": _list,
    "index-run": _ends,
}
"""Rule to check; a check yields a sentence for each thing wrong."""
