"""The meter: what each call of a replay costs, counted while it runs.

The probes tell of blocks and accesses in pieces; a piece is worked on and forgotten, so that a
replay may be of any length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emu.bench.code import BEGINS_CALL, LENGTH, Code, Numbers
from emu.process.binding import WRITE
from emu.process.cpu import Cpu
from emu.process.probe_ring import BLOCK_STEP, HALF
from emu.trace.accesses import TOLD
from emu.trace.costs import LINE, PAGE

Counts = NDArray[np.int64]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
_LINE_BITS = 50 - LINE
"""Bits of a line's number; frames of files lie above 2^48. Above them stands a call's."""


class Meter:
    """Watches a CPU within a `with`. Told of blocks as a Journal is (emu/process/journal.py).

    accesses: whether they are counted, too.
    """

    def __init__(self, cpu: Cpu, code: Code, calls: int, *, accesses: bool) -> None:
        self._cpu, self._code = cpu, code
        self._watches_accesses = accesses
        # One more in front, and one behind: what runs before the first call, and after the last.
        self._instructions, self._copying, self._reads, self._writes, self._lines, self._pages = (
            np.zeros(calls + 2, np.int64) for _ in range(6)
        )
        self._call = self._entries = 0
        self._last: Numbers = np.zeros(1, np.uint32)
        """The block that was entered last, which may still run."""
        self._told: list[tuple[NDArray[np.void], int]] = []
        self._touched = np.zeros(0, np.uint64)
        """Lines that the call which still runs has touched."""

    def __enter__(self) -> Meter:
        self._cpu.record(self, self._accessed if self._watches_accesses else None)
        return self

    def __exit__(self, *_: object) -> None:
        self._cpu.record(None)

    @property
    def counts(self) -> dict[str, Counts]:
        """By name, a number for each call.

        copying: instructions that copy or clear: what `rep movs` and `rep stos` repeat, and all
        that runs in functions like memcpy. lines, pages: different ones that a call touches.
        """
        found = {"instructions": self._instructions, "copying": self._copying}
        if self._watches_accesses:
            found |= {"accesses": self._reads + self._writes, "reads": self._reads}
            found |= {"writes": self._writes, "lines": self._lines, "pages": self._pages}
        return {name: counts[1:-1] for name, counts in found.items()}

    # What the probes tell

    def learned(self, number: int, address: int, size: int, instructions: int) -> None:
        """A block was translated, and has a number from now on."""
        self._code.learn(number, address, size, instructions)

    def entered(self, numbers: memoryview) -> None:
        """Blocks were entered, in order. What they accessed was told before."""
        entered: Numbers = np.frombuffer(numbers, np.uint32)
        facts = self._code.facts(np.concatenate((self._last, entered)))
        begins = np.flatnonzero(facts[1:] & BEGINS_CALL)
        self._count_instructions(facts[1:] & LENGTH, begins)
        self._count_copying(entered, facts[1:], begins)
        for told, first in self._told:
            self._count_accesses(told, first, facts, begins)
        self._told.clear()
        self._call += len(begins)
        self._entries += len(entered)
        if len(entered):
            self._last = entered[-1:].copy()

    def cut(self, instructions: int) -> None:
        """So many of the last block entered did not run."""
        self._instructions[self._call] -= instructions

    def _accessed(self, records: memoryview | bytes, first: int) -> None:
        self._told.append((np.frombuffer(records, TOLD), first))

    # Counting

    def _count_instructions(self, lengths: NDArray[Any], begins: Counts) -> None:
        counts, call = self._instructions, self._call
        first = begins[0] if len(begins) else len(lengths)
        counts[call] += lengths[:first].sum(dtype=np.int64)
        if len(begins):
            new = np.add.reduceat(lengths, begins, dtype=np.int64)
            counts[call + 1 : call + 1 + len(begins)] += new

    def _count_copying(self, entered: Numbers, facts: Numbers, begins: Counts) -> None:
        which, counts = self._code.copied(entered, facts, int(self._last[0]))
        if len(which):
            calls = self._call + np.searchsorted(begins, which, side="right")
            np.add.at(self._copying, calls, counts)

    def _count_accesses(
        self, told: NDArray[np.void], first: int, facts: Numbers, begins: Counts
    ) -> None:
        """Those of blocks that count as no instructions, the program's own, are left out.

        facts: from the block on that was entered last before this piece.
        """
        first = (first + BLOCK_STEP * self._entries) & HALF
        entry = (told["entry"] - np.uint32(first)).astype(np.int32) // BLOCK_STEP
        counts = np.flatnonzero(facts.take(entry + 1, mode="clip") & LENGTH)
        calls = np.searchsorted(begins, entry[counts], side="right")
        kinds = np.bincount(
            calls * 2 + (told["kind"][counts] == WRITE), minlength=2 * len(begins) + 2
        )
        here = slice(self._call, self._call + len(begins) + 1)
        self._reads[here] += kinds[0::2]
        self._writes[here] += kinds[1::2]
        self._count_lines(told["address"][counts], told["size"][counts], calls, here)

    def _count_lines(self, address: Words, size: Bytes, calls: Counts, here: slice) -> None:
        """What a call touched before this piece is not counted again."""
        end = address + size - np.uint64(1)
        above = calls.astype(np.uint64) << np.uint64(_LINE_BITS)
        low, high = above | address >> np.uint64(LINE), above | end >> np.uint64(LINE)
        keys = np.concatenate((self._touched, _without_neighbours(low), high[low != high]))
        keys.sort(kind="stable")
        found = _without_neighbours(keys)
        for counts, bits in ((self._lines, 0), (self._pages, PAGE - LINE)):
            counts[here] += self._per_call(found, bits, here)
            counts[here.start] -= len(_without_neighbours(self._touched >> np.uint64(bits)))
        last = np.uint64(here.stop - here.start - 1) << np.uint64(_LINE_BITS)
        self._touched = found[found >= last] - last

    @staticmethod
    def _per_call(found: Words, bits: int, here: slice) -> Counts:
        keys = _without_neighbours(found >> np.uint64(bits))
        calls = (keys >> np.uint64(_LINE_BITS - bits)).astype(np.int64)
        return np.bincount(calls, minlength=here.stop - here.start)


def _without_neighbours(keys: Words) -> Words:
    """Without those that equal the one before."""
    if len(keys) < 2:
        return keys
    found: Words = keys[np.append(True, keys[1:] != keys[:-1])]
    return found
