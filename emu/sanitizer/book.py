"""The book of blocks: those in use, and those given back last at each place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import NamedTuple

from emu.sanitizer.objects import Stack

_FAR = 1 << 16
"""Bytes around a block in which an access may still be meant for it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A payload: `size` is what was asked for. given, taken: the stacks of the callers.

    by: what gave it, whose str() is "malloc(24)"; to: the function that took it back.
    """

    address: int
    size: int
    by: object = ""
    given: Stack = ()
    to: str = ""
    taken: Stack = ()

    @property
    def end(self) -> int:
        return self.address + self.size

    def distance(self, address: int) -> int:
        """Bytes from a block to an address; 0 within it."""
        return max(self.address - address, address - self.end + 1, 0)


def _given(block: Block) -> tuple[int, int, object, Stack]:
    return block.address, block.size, block.by, block.given


class BookState(NamedTuple):
    """All that a book knows."""

    live: dict[int, Block]
    taken: dict[int, Block]


class Book:
    """live: blocks in use, by address."""

    def __init__(self) -> None:
        self.live: dict[int, Block] = {}
        self._taken: dict[int, Block] = {}
        self._order: list[int] = []
        self._past: list[int] = []

    def saved(self) -> BookState:
        return BookState(dict(self.live), dict(self._taken))

    def put_back(self, saved: BookState) -> None:
        """What `saved` gave."""
        self.live, self._taken = dict(saved.live), dict(saved.taken)
        self._order, self._past = sorted(self.live), sorted(self._taken)

    def give(self, block: Block) -> list[Block]:
        """A block is in use. Those in use that it overlaps, which must not be."""
        overlapped = self.overlapping(block.address, block.end)
        for other in overlapped:
            self._forget(other)
        self._bury(block)
        self.live[block.address] = block
        insort(self._order, block.address)
        return overlapped

    def take(self, block: Block, to: str, taken: Stack) -> None:
        """It was given back."""
        self._forget(block)
        self._bury(block)
        self._taken[block.address] = Block(*_given(block), to, taken)
        insort(self._past, block.address)

    def holding(self, address: int) -> Block | None:
        """The block in use that holds an address."""
        index = bisect_right(self._order, address) - 1
        if index < 0:
            return None
        block = self.live[self._order[index]]
        return block if address < block.end else None

    def taken_at(self, address: int) -> Block | None:
        """The block that began there, and is not in use."""
        return self._taken.get(address)

    def near(self, address: int) -> Block | None:
        """The block that an access was meant for: that held it last, or the nearest one.

        Of two blocks in use as near, the one before it.
        """
        past = self._around(self._past, self._taken, address)
        held = [block for block in past if block.distance(address) == 0]
        if held:
            return held[0]
        around = self._around(self._order, self.live, address)
        close = [block for block in around if block.distance(address) <= _FAR]
        if not close:
            close = [block for block in past if block.distance(address) <= _FAR]
        return min(close, key=lambda block: block.distance(address), default=None)

    def overlapping(self, start: int, end: int) -> list[Block]:
        """Blocks in use with a byte in [start, end)."""
        index = max(0, bisect_right(self._order, start) - 1)
        found = []
        while index < len(self._order) and self._order[index] < max(end, start + 1):
            block = self.live[self._order[index]]
            if block.end > start or block.address == start:
                found.append(block)
            index += 1
        return found

    def _forget(self, block: Block) -> None:
        del self.live[block.address]
        del self._order[bisect_left(self._order, block.address)]

    def _bury(self, block: Block) -> None:
        """What was given back where this block is, is no longer of interest."""
        start, end, past = block.address, block.address + max(block.size, 1), self._past
        at = max(0, bisect_left(past, start) - 1)
        while at < len(past) and past[at] < end:
            old = self._taken[past[at]]
            if old.end > start or old.address == start:
                del self._taken[old.address], past[at]
            else:
                at += 1

    @staticmethod
    def _around(order: list[int], blocks: dict[int, Block], address: int) -> list[Block]:
        """The block before an address, and the one behind it."""
        index = bisect_right(order, address)
        return [blocks[one] for one in order[max(0, index - 1) : index + 1]]
