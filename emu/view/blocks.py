"""The walker: what the heap says of itself. It never raises, whatever the bytes."""

from __future__ import annotations

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from asm import layout

HEADER = struct.Struct("<Qi4xQQ")
"""size, status, prev, next: asm/osmem/layout.s."""
_FIELDS = (layout.BLOCK_SIZE, layout.BLOCK_STATUS, layout.BLOCK_PREV, layout.BLOCK_NEXT)
if (*_FIELDS, layout.META) != (0, 8, 16, 24, HEADER.size):
    raise ImportError("the header in layout.s is not the one that is read here")


class Readable(Protocol):
    """All that a walker needs of memory."""

    def read(self, address: int, size: int) -> bytes:
        """The bytes at [address, address + size)."""


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
    """The blocks that tile [start, end), as far as they do; `broken` says why they do not.

    free: those of the blocks that are free. same_first and same_last: how many blocks at either
    end are what they were at the walk before.
    """

    start: int
    end: int
    blocks: tuple[Block, ...]
    broken: str | None = None
    same_first: int = 0
    same_last: int = 0
    free: tuple[Block, ...] = ()

    @property
    def reached(self) -> int:
        return self.blocks[-1].end if self.blocks else self.start

    def middle(self, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        """Without the blocks that stayed the same: of these blocks, or of those before them."""
        return blocks[self.same_first : len(blocks) - self.same_last]

    def find(self, address: int) -> Block | None:
        """The block with its payload at an address."""
        return find(self.blocks, address)


def as_block(header: int, fields: tuple[int, ...]) -> Block:
    """The block of a header, by what HEADER reads there."""
    size, word, prev, following = fields
    status = _STATUS.get(word, Status.UNKNOWN)
    return Block(header + layout.META, size, status, prev, following, word)


def find(blocks: Sequence[Block], address: int) -> Block | None:
    """The block with its payload at an address; blocks are in address order."""
    index = bisect_left(blocks, address, key=_address)
    return blocks[index] if index < len(blocks) and blocks[index].address == address else None


def _address(block: Block) -> int:
    return block.address


class Walker:
    """Walks a heap again and again; what has not changed is not read again."""

    def __init__(self, memory: Readable) -> None:
        self._memory = memory
        self._chunks: list[bytes] = []
        self._last = Walk(0, 0, ())
        self._known: dict[int, tuple[tuple[int, ...], Block]] = {}

    def saved(self) -> tuple[list[bytes], Walk]:
        """The last walk."""
        return list(self._chunks), self._last

    def put_back(self, saved: tuple[list[bytes], Walk]) -> None:
        """What `saved` gave: the next walk is compared with that."""
        chunks, self._last = saved
        self._chunks = list(chunks)

    def walk(self, start: int, end: int) -> Walk:
        """From header to header, by size, from the heap's start to the break."""
        heap = self._memory.read(start, end - start)
        first, last = self._changed(heap)
        old = self._last if self._last.start == start else Walk(start, start, ())
        kept = bisect_right(old.blocks, start + first, key=_address)
        while kept and old.blocks[kept - 1].end > end:
            kept -= 1
        blocks = list(old.blocks[:kept])
        broken, tail = self._decode(blocks, heap, start, start + last, old)
        free = self._free(old, blocks[kept:], kept, tail)
        walk = Walk(start, end, (*blocks, *tail), broken, kept, len(tail), free)
        self._last = walk
        return walk

    def _free(
        self, old: Walk, middle: list[Block], kept: int, tail: tuple[Block, ...]
    ) -> tuple[Block, ...]:
        """The free blocks: those before and behind the middle are known already."""
        first = len(old.free)
        if kept < len(old.blocks):
            first = bisect_left(old.free, old.blocks[kept].address, key=_address)
        last = bisect_left(old.free, tail[0].address, key=_address) if tail else len(old.free)
        fresh = [block for block in middle if block.status is Status.FREE]
        return (*old.free[:first], *fresh, *old.free[last:])

    def _changed(self, heap: bytes) -> tuple[int, int]:
        """The range of offsets outside which no byte differs from the last walk's."""
        if len(heap) != sum(map(len, self._chunks)):
            unchanged = 0
            for number, chunk in enumerate(self._chunks):
                if not heap.startswith(chunk, number * _CHUNK):
                    break
                unchanged = number * _CHUNK + len(chunk)
            self._chunks = [heap[i : i + _CHUNK] for i in range(0, len(heap), _CHUNK)]
            return unchanged, len(heap) + 1
        changed = [
            number
            for number, chunk in enumerate(self._chunks)
            if not heap.startswith(chunk, number * _CHUNK)
        ]
        for number in changed:
            self._chunks[number] = heap[number * _CHUNK : (number + 1) * _CHUNK]
        if not changed:
            return len(heap), len(heap)
        return changed[0] * _CHUNK, (changed[-1] + 1) * _CHUNK

    def _decode(
        self, blocks: list[Block], heap: bytes, start: int, changed_end: int, old: Walk
    ) -> tuple[str | None, tuple[Block, ...]]:
        """Appends blocks up to the break, or to where the old walk's go on: those are returned."""
        at = blocks[-1].end if blocks else start
        end = start + len(heap)
        while at < end:
            if at >= changed_end and (known := _from(old.blocks, at + layout.META)):
                return old.broken, known
            if at + layout.META > end:
                return f"{end - at} bytes before the break are too few for a header", ()
            block = self._block(at, HEADER.unpack_from(heap, at - start))
            if block.end > end:
                return f"the size {block.size} at {at:#x} reaches past the break", ()
            if not any((block.size, block.word, block.prev, block.next)):
                return f"there is no block at {at:#x}, where the header is all zeros", ()
            blocks.append(block)
            at = block.end
        return None, ()

    def _block(self, header: int, fields: tuple[int, ...]) -> Block:
        known = self._known.get(header)
        if known is not None and known[0] == fields:
            return known[1]
        block = as_block(header, fields)
        self._known[header] = (fields, block)
        return block


_CHUNK = 4096


class NoWalker:
    """For a heap whose blocks nobody can read."""

    def saved(self) -> tuple[list[bytes], Walk]:
        """Nothing."""
        return [], Walk(0, 0, ())

    def put_back(self, saved: tuple[list[bytes], Walk]) -> None:
        """There is nothing to be put back."""

    def walk(self, start: int, end: int) -> Walk:
        """An empty one, in which nothing is wrong."""
        return Walk(start, start, ())


def _from(blocks: tuple[Block, ...], address: int) -> tuple[Block, ...]:
    """The blocks from the one with its payload at `address` on; none if there is no such."""
    index = bisect_left(blocks, address, key=_address)
    if index < len(blocks) and blocks[index].address == address:
        return blocks[index:]
    return ()
