"""Accesses to memory: what the probe wrote, put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.process.binding import WRITE
from emu.process.probe_ring import BLOCK_STEP
from emu.trace.blocks import Blocks, Places
from emu.trace.growing import Growing
from emu.trace.trace import ACCESS, Accesses, Trace

_PLAIN = np.dtype(
    [("address", "<u8"), ("value", "<u8"), ("entry", "<u4"), ("offset", "<u2"), ("size", "u1"),
     ("write", "u1")]
)  # fmt: skip
"""ACCESS as the probe writes it: the low bits of rip for `offset`, Unicorn's number for `write`."""
_AT_ONCE = 1 << 14
"""Records that are worked on together, while they are in the cache."""


class AccessRecords:
    """What the probe tells, as it comes; `entry` counts from the first entry of the trace.

    Records become accesses where they stand: memory touched for the first time costs more than all
    else.
    """

    def __init__(self) -> None:
        self._records = Growing(_PLAIN)
        self._done = 0
        """How many of them are accesses by now."""
        self._dropped: list[Places] = [np.zeros(0, np.int64)]

    def append(self, records: memoryview | bytes, first: int) -> None:
        """As the probe tells them."""
        told = np.frombuffer(records, _PLAIN)
        part = self._records.more(len(told))
        _words(part)[:] = _words(told)
        part["entry"] = (told["entry"] - np.uint32(first)) // np.uint32(BLOCK_STEP)

    def of(self, trace: Trace) -> tuple[Accesses, Places]:
        """The accesses of a trace's instructions, and which records are none, by number."""
        records = self._records.all
        low = trace.blocks.address.astype(np.uint16)
        partial = _partial(trace)
        gone = sum(map(len, self._dropped))
        kept = self._done
        for first in range(self._done, len(records), _AT_ONCE):
            part = records[first : first + _AT_ONCE]
            part["offset"] -= low.take(trace.entries.take(part["entry"]))
            part["write"] = part["write"] == WRITE
            none = _not_run(part, np.flatnonzero(partial.take(part["entry"])), trace)
            self._dropped.append(gone + first + none)
            if len(none) or kept < first:
                left = np.delete(_words(part), none, axis=0)
                _words(records)[kept : kept + len(left)] = left
            kept += len(part) - len(none)
        _put_in_order(records[self._done : kept].view(ACCESS), trace.blocks, trace.entries)
        self._records.keep(kept)
        self._done = kept
        return self._records.all.view(ACCESS), np.concatenate(self._dropped)


def _words(records: Accesses) -> NDArray[np.uint64]:
    """The same records as numbers, which are copied several times as fast."""
    words: NDArray[np.uint64] = records.view(np.uint64).reshape(len(records), -1)
    return words


def _partial(trace: Trace) -> NDArray[np.bool_]:
    """Which entries did not run to their end, or count as nothing."""
    found: NDArray[np.bool_] = (trace.blocks.instructions == 0)[trace.entries]
    found[trace.cuts[:, 0]] = True
    return found


def _not_run(part: Accesses, suspects: Places, trace: Trace) -> Places:
    """Which of the suspects are of the way in, or of instructions that faulted.

    The engine tells of a store before it tries it. Of a store that faults in its second page it has
    written the first page's bytes, which a real CPU does not: they are not in the trace either.
    """
    entry = part["entry"][suspects]
    offsets = part["offset"][suspects].astype(np.int64)
    numbers = trace.blocks.number_at(trace.entries[entry].astype(np.int64), offsets)
    found: Places = suspects[(numbers < 0) | (numbers >= trace.lengths_of(entry))]
    return found


def _put_in_order(accesses: Accesses, blocks: Blocks, entries: NDArray[np.uint32]) -> None:
    """What movbe read is told as it stands in the register, the highest byte first in memory."""
    for row, offset in blocks.swapped:
        of_row = entries[accesses["entry"]] == row
        told = np.flatnonzero(of_row & (accesses["offset"] == offset) & ~accesses["write"])
        part = accesses[told]
        part["value"] = part["value"].byteswap() >> (64 - 8 * part["size"].astype(np.uint64))
        accesses[told] = part
