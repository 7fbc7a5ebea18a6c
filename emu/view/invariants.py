"""The checker: what must hold of a heap of `block_meta` blocks, as a table of named checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from emu.view.blocks import Block, Status, Walk
from emu.view.finding import Finding

Place = Callable[[int], str]
Check = Callable[["Heap"], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Heap:
    """What the checks look at.

    searched: the last call looked for a block in the list. only_changed: the walk before was
    checked, and was sound; so it is enough to look at what changed, and at its neighbours.
    """

    walk: Walk
    searched: bool
    place: Place
    only_changed: bool = False

    @property
    def blocks(self) -> Sequence[Block]:
        """What is to be checked block by block."""
        walk = self.walk
        if not self.only_changed:
            return walk.blocks
        return walk.blocks[max(0, walk.same_first - 1) : len(walk.blocks) - walk.same_last + 1]


def check(heap: Heap, call: int | None = None) -> list[Finding]:
    """The first thing wrong by each rule."""
    return [
        Finding(rule, message, call)
        for rule, checks in CHECKS.items()
        if (message := next(checks(heap), None)) is not None
    ]


def _tiling(heap: Heap) -> Iterator[str]:
    if heap.walk.broken:
        yield f"the blocks do not tile the heap: {heap.walk.broken}"


def _tail(heap: Heap) -> Iterator[str]:
    walk = heap.walk
    if walk.blocks and walk.blocks[-1].next:
        yield (
            f"the last block, {heap.place(walk.blocks[-1].address)}, is followed by "
            f"{walk.blocks[-1].next:#x}"
        )
    if walk.reached != walk.end:
        yield f"the last block ends {walk.end - walk.reached} bytes before the break"


def _list(heap: Heap) -> Iterator[str]:
    for block, behind in pairwise(heap.blocks):
        if block.next != behind.header:
            yield (
                f"next of {heap.place(block.address)} is {block.next:#x}, but the block behind it "
                f"begins at {behind.header:#x}"
            )


def _back_pointers(heap: Heap) -> Iterator[str]:
    for block in heap.walk.blocks[:1]:
        if block.prev:
            yield f"prev of {heap.place(block.address)}, the first block, is {block.prev:#x}"
    for before, block in pairwise(heap.blocks):
        if block.prev != before.header:
            yield (
                f"prev of {heap.place(block.address)} is {block.prev:#x}, but the block before it "
                f"begins at {before.header:#x}"
            )


def _sizes(heap: Heap) -> Iterator[str]:
    for block in heap.blocks:
        if block.size % 8:
            yield f"the size of {heap.place(block.address)}, {block.size}, is no multiple of 8"
        if not block.size:
            yield f"{heap.place(block.address)} has no payload"


def _status(heap: Heap) -> Iterator[str]:
    for block in heap.blocks:
        if block.status not in (Status.FREE, Status.ALLOC):
            yield f"the status of {heap.place(block.address)} is {block.word}"


def _alignment(heap: Heap) -> Iterator[str]:
    for block in heap.blocks:
        if block.header % 8:
            yield f"the header of {heap.place(block.address)} is at {block.header:#x}"


def _no_free_neighbours(heap: Heap) -> Iterator[str]:
    for before, block in pairwise(heap.walk.free if heap.searched else ()):
        if before.end == block.header:
            yield (
                f"{heap.place(before.address)} and {heap.place(block.address)} are neighbours and "
                "free after a search; they should have been merged"
            )


CHECKS: dict[str, Check] = {
    "tiling": _tiling,
    "tail": _tail,
    "list": _list,
    "back-pointer": _back_pointers,
    "size": _sizes,
    "status": _status,
    "alignment": _alignment,
    "free-neighbours": _no_free_neighbours,
}
"""Rule to check; a check yields a sentence for each thing wrong."""
