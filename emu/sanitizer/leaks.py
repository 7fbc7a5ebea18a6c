"""Blocks that nobody gave back, and whether anybody could have: valgrind's four kinds.

Registers, the stack and data are searched for words that are addresses of blocks, and so are the
blocks that are found. Any word may be an address: what is reachable may be so by chance. But that
of a header behind a block, which may lie in its last bytes, is the allocator's own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from emu.sanitizer.book import Block
from emu.sanitizer.objects import Stack

_WORD = 8
_ALIGNMENT = 16
Ranges = Iterable[tuple[int, int]]
Read = Callable[[int, int], bytes]


class Loss(StrEnum):
    """How a block is lost. REACHABLE: its address is known. POSSIBLY: only one within it is."""

    DEFINITELY = "definitely lost"
    INDIRECTLY = "indirectly lost"
    POSSIBLY = "possibly lost"
    REACHABLE = "still reachable"


@dataclass(frozen=True, slots=True)
class Leak:
    """Blocks that were given at one place, and are lost in one way."""

    loss: Loss
    stack: Stack
    blocks: tuple[Block, ...]

    @property
    def bytes(self) -> int:
        return sum(block.size for block in self.blocks)


def leaks(live: Iterable[Block], registers: Iterable[int], roots: Ranges, read: Read) -> list[Leak]:
    """Those of the blocks in use, the worst first; roots: memory to be searched."""
    found = _Search(sorted(live, key=lambda block: block.address), read).run(registers, roots)
    groups: dict[tuple[Loss, Stack], list[Block]] = {}
    for block, loss in found:
        groups.setdefault((loss, block.given), []).append(block)
    made = [Leak(loss, stack, tuple(blocks)) for (loss, stack), blocks in groups.items()]
    order = list(Loss)
    return sorted(made, key=lambda leak: (order.index(leak.loss), -leak.bytes))


class _Search:
    def __init__(self, blocks: list[Block], read: Read) -> None:
        self._blocks, self._read = blocks, read
        self._starts = [block.address for block in blocks]
        self._loss: dict[int, Loss] = {}
        self._within: list[int] = []
        """Blocks that something reachable points into."""

    def run(self, registers: Iterable[int], roots: Ranges) -> list[tuple[Block, Loss]]:
        words = [np.array(list(registers), np.uint64)]
        words += [self._words(start, end) for start, end in roots]
        begun, self._within = self._hits(words, but_headers=True)
        self._spread(begun, Loss.REACHABLE)
        self._spread(self._within, Loss.POSSIBLY)
        for number in range(len(self._blocks)):
            if number not in self._loss:
                self._loss[number] = Loss.DEFINITELY
                self._spread(self._inside(number)[0], Loss.INDIRECTLY, leader=number)
        return [(block, self._loss[number]) for number, block in enumerate(self._blocks)]

    def _spread(self, numbers: Iterable[int], loss: Loss, leader: int = -1) -> None:
        """These blocks, and all that they lead to, unless something better is known of them.

        leader: where it began, to which a ring may lead back.
        """
        left = list(numbers)
        while left:
            number = left.pop()
            if number == leader or not self._improves(number, loss):
                continue
            self._loss[number] = loss
            begun, within = self._inside(number)
            left += begun
            if loss is Loss.REACHABLE:
                self._within += within
            elif loss is Loss.POSSIBLY:
                left += within

    def _improves(self, number: int, loss: Loss) -> bool:
        known = self._loss.get(number)
        return known is None or (known is Loss.DEFINITELY and loss is Loss.INDIRECTLY)

    def _inside(self, number: int) -> tuple[list[int], list[int]]:
        block = self._blocks[number]
        return self._hits([self._words(block.address, block.end)], but=number)

    def _words(self, start: int, end: int) -> NDArray[np.uint64]:
        first = -(-start // _WORD) * _WORD
        count = max(0, end - first) // _WORD
        return np.frombuffer(self._read(first, count * _WORD), np.uint64) if count else _NONE

    def _hits(
        self, parts: list[NDArray[np.uint64]], but: int = -1, *, but_headers: bool = False
    ) -> tuple[list[int], list[int]]:
        """Blocks of whose beginnings there are addresses, and those that only hold some.

        but_headers: what may be the address of a chunk behind a block does not count. malloc(100)
        may be given 104 bytes of which the last 8 are of that chunk too.
        """
        if not self._blocks:
            return [], []
        begun: set[int] = set()
        within: set[int] = set()
        low, high = self._starts[0], max(self._blocks[-1].end, self._starts[-1] + 1)
        for words in parts:
            near = words[(words >= np.uint64(low)) & (words < np.uint64(high))]
            for word in np.unique(near).tolist():
                number = bisect_right(self._starts, word) - 1
                block = self._blocks[number]
                if word == block.address:
                    begun.add(number)
                elif word < block.end and not (but_headers and _may_be_header(word, block)):
                    within.add(number)
        begun.discard(but)
        within.discard(but)
        return sorted(begun), sorted(within - begun)


def _may_be_header(word: int, block: Block) -> bool:
    return not word % _ALIGNMENT and block.end - word <= _WORD


_NONE = np.empty(0, np.uint64)
