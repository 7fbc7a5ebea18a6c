"""Registers before each instruction: what the probe wrote, put where it belongs."""

from __future__ import annotations

import numpy as np

from emu.errors import InternalError
from emu.process.probe_ring import BLOCK_STEP
from emu.trace.trace import REGISTERS, Registers, Trace

_PLAIN = np.dtype([("registers", REGISTERS), ("entry", "<u4"), ("unused", "<u4")])
"""As the probe writes it."""


def registers_of(chunks: list[tuple[bytes, int]], trace: Trace) -> Registers:
    """A row for each instruction of a trace. chunks: as the probe tells them.

    Of an instruction that faulted nothing is kept, unless that very instruction ran next: the
    kernel may run it in the CPU's stead, or put right what it found.
    """
    found = np.empty(len(trace), REGISTERS)
    known = np.zeros(len(trace), bool)
    addresses = trace.addresses()
    for data, first in chunks:
        records = np.frombuffer(data, _PLAIN)
        entry = ((records["entry"] - np.uint32(first)) // BLOCK_STEP).astype(np.int64)
        rows = trace.entries[entry].astype(np.int64)
        rip = records["registers"]["rip"]
        offsets = (rip - trace.blocks.address[rows]).astype(np.int64)
        numbers = trace.blocks.number_at(rows, offsets)
        moments = trace.starts[entry] + numbers
        kept = (numbers >= 0) & (numbers <= trace.lengths[entry]) & (moments < len(trace))
        kept[kept] = addresses[moments[kept]] == rip[kept]
        found[moments[kept]] = records["registers"][kept]
        known[moments[kept]] = True
    if not known.all():
        raise InternalError(f"the registers of instruction {np.argmin(known)} were not recorded")
    return found
