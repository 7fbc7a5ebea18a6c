"""What is wrong with the use of a heap, or with an allocator, as data for reports.

heap-overflow           the program touches bytes behind a block, or before one
use-after-free          ... of a block that it gave back
outside-blocks          ... of the heap, where there is no block near
read-unwritten          ... that it was given and nobody wrote
double-free             it gives a block back again
invalid-free            it gives back what no block begins with
allocator-touches-live  the allocator touches a block that somebody holds
overlap                 the allocator gives out what somebody holds
leak                    nobody gave a block back, or can
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.sanitizer.book import Block
from emu.sanitizer.objects import Stack


@dataclass(frozen=True, slots=True)
class HeapError:
    """rule: its stable name. message: a sentence's first line.

    stack: of what did it. block: the one that it is about; address: the first byte that is wrong.
    reach: all of the access, [start, end).
    """

    rule: str
    message: str
    stack: Stack
    address: int
    block: Block | None = None
    reach: tuple[int, int] | None = None

    @property
    def place(self) -> str:
        """Where it lies, from the block; "" where there is none."""
        return f"{self.away} {of_size(self.block)}" if self.block else ""

    @property
    def away(self) -> str:
        """How far from the block, which there is: 12 bytes after."""
        assert self.block is not None
        start, end = self.reach or (self.address, self.address)
        if start < self.block.end < end or start < self.block.address < end:
            return f"from {_place(start, self.block)} to {_place(end, self.block)}"
        return distance(start, self.block)


def of_size(block: Block) -> str:
    return f"a block of {counted(block.size)}"


def distance(address: int, block: Block) -> str:
    """12 bytes after."""
    if address >= block.end:
        return f"{counted(address - block.end)} after"
    if address < block.address:
        return f"{counted(block.address - address)} before"
    return f"{counted(address - block.address)} inside"


def _place(edge: int, block: Block) -> str:
    """Of the edge of an access: 1 byte past the end of."""
    if edge > block.end:
        return f"{counted(edge - block.end)} past the end of"
    return distance(edge, block).replace("0 bytes after", "the end of")


def counted(count: int) -> str:
    """Bytes, for people."""
    return "1 byte" if count == 1 else f"{count} bytes"
