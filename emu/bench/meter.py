"""The meter: what each call of a replay costs, counted while it runs.

The probes tell of blocks and accesses in pieces; a piece is worked on and forgotten, so that a
replay may be of any length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emu.bench.code import Code, Names
from emu.process.access_probe import RECORD
from emu.process.binding import WRITE
from emu.process.cpu import Cpu
from emu.process.probe_ring import BLOCK_STEP
from emu.trace.costs import LINE, PAGE

Counts = NDArray[np.int64]
_RECORD = np.dtype(
    [("address", "<u8"), ("value", "<u8"), ("entry", "<u4"), ("place", "<u2"), ("size", "u1"),
     ("kind", "u1")]
)  # fmt: skip
assert _RECORD.itemsize == RECORD.size
_LINE_BITS = 48 - LINE
"""Bits of a line's number. Above them stands a call's."""


@dataclass(eq=False)
class Counted:
    """A number for each call; rows are calls, in order.

    copying: instructions that copy or clear: repetitions of `rep movs` and `rep stos`, and what
    runs in functions like memcpy. lines, pages: different ones that a call touches.
    """

    calls: int
    instructions: Counts = field(init=False)
    copying: Counts = field(init=False)
    reads: Counts = field(init=False)
    writes: Counts = field(init=False)
    lines: Counts = field(init=False)
    pages: Counts = field(init=False)

    def __post_init__(self) -> None:
        for name in ("instructions", "copying", "reads", "writes", "lines", "pages"):
            # One more in front, and one behind: what runs before the first call and after the last.
            setattr(self, name, np.zeros(self.calls + 2, np.int64))


class Meter:
    """Watches a CPU within a `with`. Told of blocks as a Journal is (emu/process/journal.py)."""

    def __init__(self, cpu: Cpu, code: Code, calls: int, *, accesses: bool) -> None:
        self._cpu, self._code = cpu, code
        self._watches_accesses = accesses
        self.counted = Counted(calls)
        self._call = self._last = self._entries = 0
        self._told: list[NDArray[np.void]] = []
        self._touched = np.zeros(0, np.uint64)
        """Lines that the call which still runs has touched."""

    def __enter__(self) -> Meter:
        self._cpu.record(self, self._accessed if self._watches_accesses else None)
        return self

    def __exit__(self, *_: object) -> None:
        self._cpu.record(None)

    # What the probes tell

    def learned(self, name: int, address: int, size: int, instructions: int) -> None:
        """A block was translated, and has a name from now on."""
        self._code.learn(name, address, size, instructions)

    def entered(self, names: bytes) -> None:
        """Blocks were entered, in order. What they accessed was told before."""
        entered: Names = np.frombuffer(names, np.uint32)
        begins = np.flatnonzero(self._code.begins_call.take(entered))
        lengths = self._code.length.take(entered)
        self._count_instructions(lengths, begins)
        self._count_copying(entered, begins)
        for told in self._told:
            self._count_accesses(told, lengths, begins)
        self._told.clear()
        self._call += len(begins)
        self._entries += len(entered)
        if len(entered):
            self._last = int(entered[-1])

    def cut(self, instructions: int) -> None:
        """So many of the last block entered did not run."""
        self.counted.instructions[self._call] -= instructions

    def _accessed(self, records: bytes, first: int) -> None:
        told = np.frombuffer(records, _RECORD).copy()
        told["entry"] = (told["entry"] - np.uint32(first)) // np.uint32(BLOCK_STEP)
        self._told.append(told)

    # Counting

    def _count_instructions(self, lengths: NDArray[np.int32], begins: Counts) -> None:
        counts, call = self.counted.instructions, self._call
        if not len(begins):
            counts[call] += lengths.sum(dtype=np.int64)
            return
        counts[call] += lengths[: begins[0]].sum(dtype=np.int64)
        new = np.add.reduceat(lengths, begins, dtype=np.int64)
        counts[call + 1 : call + 1 + len(begins)] += new

    def _count_copying(self, entered: Names, begins: Counts) -> None:
        which, counts = self._code.copied(entered, self._last)
        if len(which):
            calls = self._call + np.searchsorted(begins, which, side="right")
            np.add.at(self.counted.copying, calls, counts)

    def _count_accesses(
        self, told: NDArray[np.void], lengths: NDArray[np.int32], begins: Counts
    ) -> None:
        """The program's own, in blocks that count as none, are left out."""
        entry = told["entry"].astype(np.int64) - self._entries % (1 << 30)
        of_allocator = lengths[np.maximum(entry, 0)] > 0
        told, entry = told[of_allocator], entry[of_allocator]
        calls = np.searchsorted(begins, entry, side="right")
        is_write = told["kind"] == WRITE
        counted, here = self.counted, slice(self._call, self._call + len(begins) + 1)
        counted.writes[here] += np.bincount(calls[is_write], minlength=len(begins) + 1)
        counted.reads[here] += np.bincount(calls[~is_write], minlength=len(begins) + 1)
        self._count_lines(told, calls.astype(np.uint64), here)

    def _count_lines(self, told: NDArray[np.void], calls: NDArray[np.uint64], here: slice) -> None:
        """What a call touched before this piece is not counted again."""
        low = told["address"] >> np.uint64(LINE)
        high = (told["address"] + np.maximum(told["size"], 1) - np.uint64(1)) >> np.uint64(LINE)
        above = calls << np.uint64(_LINE_BITS)
        crosses = low != high
        keys = np.concatenate((self._touched, above | low, (above | high)[crosses]))
        found = np.unique(_without_neighbours(keys))
        for name, bits in (("lines", 0), ("pages", PAGE - LINE)):
            counts = getattr(self.counted, name)
            counts[here] += self._per_call(found, bits, here)
            counts[here.start] -= len(_without_neighbours(self._touched >> np.uint64(bits)))
        last = np.uint64(here.stop - here.start - 1) << np.uint64(_LINE_BITS)
        self._touched = found[found >= last] - last

    @staticmethod
    def _per_call(found: NDArray[np.uint64], bits: int, here: slice) -> Counts:
        keys = _without_neighbours(found >> np.uint64(bits))
        calls = (keys >> np.uint64(_LINE_BITS - bits)).astype(np.int64)
        return np.bincount(calls, minlength=here.stop - here.start)


def _without_neighbours(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Without those that equal the one before."""
    if len(keys) < 2:
        return keys
    return keys[np.append(True, keys[1:] != keys[:-1])]
