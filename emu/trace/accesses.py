"""Accesses to memory: what the probe wrote, put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.process.binding import WRITE
from emu.process.probe_ring import BLOCK_STEP
from emu.trace.blocks import Blocks, Places
from emu.trace.trace import ACCESS, Accesses, Trace

_PLAIN = np.dtype(
    [("address", "<u8"), ("value", "<u8"), ("entry", "<u4"), ("offset", "<u2"), ("size", "u1"),
     ("write", "u1")]
)  # fmt: skip
"""ACCESS as the probe writes it: the low bits of rip for `offset`, Unicorn's number for `write`."""


def accesses_of(chunks: list[tuple[bytes, int]], trace: Trace) -> tuple[Accesses, Places]:
    """The accesses of a trace's instructions, and which records are none, by number.

    chunks: as the probe tells them.
    """
    found = np.empty(sum(len(data) for data, _ in chunks) // _PLAIN.itemsize, _PLAIN)
    low = trace.blocks.address.astype(np.uint16)
    partial = _partial(trace)
    seen = kept = 0
    dropped = []
    for data, first in chunks:
        records = np.frombuffer(data, _PLAIN)
        part = found[kept : kept + len(records)]
        part[:] = records
        entry = (records["entry"] - np.uint32(first)) // np.uint32(BLOCK_STEP)
        rows = trace.entries.take(entry)
        part["entry"] = entry
        part["offset"] = records["offset"] - low.take(rows)
        part["write"] = records["write"] == WRITE
        none = _not_run(part, np.flatnonzero(partial.take(entry)), trace)
        if len(none):
            part[: len(part) - len(none)] = np.delete(part, none)
        dropped.append(seen + none)
        seen += len(records)
        kept += len(records) - len(none)
    accesses = found[:kept].view(ACCESS)
    _put_in_order(accesses, trace.blocks, trace.entries)
    return accesses, np.concatenate(dropped) if dropped else np.zeros(0, np.int64)


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
    found: Places = suspects[(numbers < 0) | (numbers >= trace.lengths[entry])]
    return found


def _put_in_order(accesses: Accesses, blocks: Blocks, entries: NDArray[np.uint32]) -> None:
    """What movbe read is told as it stands in the register, the highest byte first in memory."""
    for row, offset in blocks.swapped:
        of_row = entries[accesses["entry"]] == row
        told = np.flatnonzero(of_row & (accesses["offset"] == offset) & ~accesses["write"])
        part = accesses[told]
        part["value"] = part["value"].byteswap() >> (64 - 8 * part["size"].astype(np.uint64))
        accesses[told] = part
