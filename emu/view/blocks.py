"""The walker: what the heap says of itself. It never raises, whatever the bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from asm import layout
from syscalls.memory import Memory

HEADER = struct.Struct("<Qi4xQQ")
"""size, status, prev, next: asm/osmem/layout.s."""
_FIELDS = (layout.BLOCK_SIZE, layout.BLOCK_STATUS, layout.BLOCK_PREV, layout.BLOCK_NEXT)
if (*_FIELDS, layout.META) != (0, 8, 16, 24, HEADER.size):
    raise ImportError("the header in layout.s is not the one that is read here")


class Status(StrEnum):
    """What a header says its block is."""

    FREE = "free"
    ALLOC = "alloc"
    MAPPED = "mapped"
    UNKNOWN = "unknown"


_STATUS = {
    layout.FREE: Status.FREE,
    layout.ALLOC: Status.ALLOC,
    layout.MAPPED: Status.MAPPED,
}


@dataclass(frozen=True, slots=True)
class Block:
    """A block as its header describes it.

    address: of the payload. size: bytes of payload. prev, next: the words in the header, which
    are addresses of headers, 0 for none. word: the status as a number.
    """

    address: int
    size: int
    status: Status
    prev: int
    next: int
    word: int = 0

    @property
    def header(self) -> int:
        return self.address - layout.META

    @property
    def end(self) -> int:
        return self.address + self.size


@dataclass(frozen=True, slots=True)
class Walk:
    """The blocks that tile [start, end), as far as they do; `broken` says why they do not."""

    start: int
    end: int
    blocks: tuple[Block, ...]
    broken: str | None = None

    @property
    def reached(self) -> int:
        return self.blocks[-1].end if self.blocks else self.start


class Walker:
    """Walks a heap again and again; blocks that have not changed are the same objects."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known: dict[int, tuple[tuple[int, ...], Block]] = {}

    def walk(self, start: int, end: int) -> Walk:
        """From header to header, by size, from the heap's start to the break."""
        heap = self._memory.read(start, end - start)
        blocks: list[Block] = []
        broken = None
        offset = 0
        while offset < len(heap):
            if offset + layout.META > len(heap):
                broken = f"{len(heap) - offset} bytes before the break are too few for a header"
                break
            block = self._block(start + offset, HEADER.unpack_from(heap, offset))
            if block.end > end:
                broken = f"the size {block.size} at {block.header:#x} reaches past the break"
                break
            blocks.append(block)
            offset = block.end - start
        return Walk(start, end, tuple(blocks), broken)

    def _block(self, header: int, fields: tuple[int, ...]) -> Block:
        known = self._known.get(header)
        if known is not None and known[0] == fields:
            return known[1]
        size, word, prev, following = fields
        status = _STATUS.get(word, Status.UNKNOWN)
        block = Block(header + layout.META, size, status, prev, following, word)
        self._known[header] = (fields, block)
        return block
