"""Accesses to memory: what the probe wrote, put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.process.access_probe import RECORD
from emu.process.binding import WRITE
from emu.process.byte_order import turned
from emu.process.probe_ring import BLOCK_STEP
from emu.trace.blocks import Blocks, Places
from emu.trace.growing import Growing
from emu.trace.trace import ACCESS, Accesses, Trace

TOLD = np.dtype(
    [("address", "<u8"), ("value", "<u8"), ("entry", "<u4"), ("place", "<u2"), ("size", "u1"),
     ("kind", "u1")]
)  # fmt: skip
"""What the probe tells of an access; where ACCESS has `offset` and `write`, the low bits of rip and
Unicorn's number."""
assert TOLD.itemsize == RECORD.size
_WHOLE = np.dtype((np.void, TOLD.itemsize))
"""A record as one piece: many are picked out several times as fast."""
_AT_ONCE = 1 << 14
"""Records that are worked on together, while they are in the cache."""


class AccessRecords:
    """What the probe tells, as it comes; `entry` counts from the first entry of the trace.

    Records become accesses where they stand: memory touched for the first time costs more than all
    else.
    """

    def __init__(self) -> None:
        self._records = Growing(TOLD)
        self._done = 0
        """How many of them are accesses by now."""
        self._dropped: list[Places] = [np.zeros(0, np.int64)]

    def append(self, records: memoryview | bytes, first: int) -> None:
        """As the probe tells them."""
        told = np.frombuffer(records, TOLD)
        part = self._records.more(len(told))
        part.view(_WHOLE)[:] = told.view(_WHOLE)
        part["entry"] = (told["entry"] - np.uint32(first)) // np.uint32(BLOCK_STEP)

    def of(self, trace: Trace) -> tuple[Accesses, Places]:
        """The accesses of a trace's instructions, and which records are none, by number."""
        records = self._records.all
        low = trace.blocks.address.astype(np.uint16)
        uncounted = trace.blocks.instructions == 0
        gone = sum(map(len, self._dropped))
        kept = self._done
        for first in range(self._done, len(records), _AT_ONCE):
            part = records[first : first + _AT_ONCE]
            rows = trace.entries.take(part["entry"])
            part["place"] -= low.take(rows)
            part["kind"] = part["kind"] == WRITE
            runs = ~uncounted.take(rows)
            _drop_cut(part, runs, trace)
            self._dropped.append(gone + first + np.flatnonzero(~runs))
            left = part.view(_WHOLE)[runs]
            records.view(_WHOLE)[kept : kept + len(left)] = left
            kept += len(left)
        _put_in_order(records[self._done : kept].view(ACCESS), trace.blocks, trace.entries)
        self._records.keep(kept)
        self._done = kept
        return self._records.all.view(ACCESS), np.concatenate(self._dropped)


def _drop_cut(part: Accesses, runs: NDArray[np.bool_], trace: Trace) -> None:
    """What instructions did that faulted, and those behind them, is none of the trace's.

    The engine tells of a store before it tries it. Of a store that faults in its second page it has
    written the first page's bytes, which a real CPU does not: they are not in the trace either.
    """
    entries = part["entry"]
    begin, end = np.searchsorted(trace.cuts[:, 0], (entries[0], entries[-1] + 1))
    for entry, ran in trace.cuts[begin:end].tolist():
        first, last = np.searchsorted(entries, (entry, entry + 1))
        offsets = part["place"][first:last].astype(np.int64)
        rows = trace.entries[part["entry"][first:last]].astype(np.int64)
        runs[first:last] &= trace.blocks.number_at(rows, offsets) < ran


def _put_in_order(accesses: Accesses, blocks: Blocks, entries: NDArray[np.uint32]) -> None:
    """What movbe reads or writes may be told as it stands in the register: turned round."""
    for row, offset in blocks.swapped:
        is_turned = np.where(accesses["write"], turned().writes, turned().reads)
        of_row = entries[accesses["entry"]] == row
        told = np.flatnonzero(of_row & (accesses["offset"] == offset) & is_turned)
        part = accesses[told]
        part["value"] = part["value"].byteswap() >> (64 - 8 * part["size"].astype(np.uint64))
        accesses[told] = part
