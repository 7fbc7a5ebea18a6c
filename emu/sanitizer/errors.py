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

    stack: of what did it. block: the one that it is about, and where `address` lies.
    """

    rule: str
    message: str
    stack: Stack
    address: int
    block: Block | None = None

    @property
    def place(self) -> str:
        """Where the address lies, from the block; "" where there is none."""
        block = self.block
        if block is None:
            return ""
        return f"{distance(self.address, block)} {of_size(block)}"


def of_size(block: Block) -> str:
    return f"a block of {counted(block.size)}"


def distance(address: int, block: Block) -> str:
    """12 bytes after."""
    if address >= block.end:
        return f"{counted(address - block.end)} after"
    if address < block.address:
        return f"{counted(block.address - address)} before"
    return f"{counted(address - block.address)} inside"


def counted(count: int) -> str:
    """Bytes, for people."""
    return "1 byte" if count == 1 else f"{count} bytes"
