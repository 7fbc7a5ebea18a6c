"""Registers before each instruction: what the probe wrote, put where it belongs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.errors import InternalError
from emu.process.probe_ring import BLOCK_STEP
from emu.process.step_probe import RECORD, RECORDED
from emu.trace.blocks import Places
from emu.trace.trace import REGISTERS, Registers, Trace

_WORDS = RECORD.size // 8
_RIP, _ENTRY = RECORDED.index("rip"), len(RECORDED)
"""Words of a record; registers are before the entry."""


def registers_of(chunks: list[tuple[bytes, int]], trace: Trace) -> Registers:
    """A row for each instruction of a trace. chunks: as the probe tells them.

    Of an instruction that faulted nothing is kept, unless that very instruction ran next: the
    kernel may run it in the CPU's stead, or put right what it found.
    """
    found = np.empty((len(trace), len(RECORDED)), np.uint64)
    known = np.zeros(len(trace), bool)
    addresses = trace.addresses()
    for data, first in chunks:
        records = np.frombuffer(data, np.uint64).reshape(-1, _WORDS)
        rip = records[:, _RIP]
        entry = ((records[:, _ENTRY].astype(np.uint32) - np.uint32(first)) // BLOCK_STEP).astype(
            int
        )
        rows = trace.entries[entry].astype(np.int64)
        offsets = (rip - trace.blocks.address[rows]).astype(np.int64)
        numbers = trace.blocks.number_at(rows, offsets)
        moments = trace.starts[entry] + numbers
        fitting = (numbers >= 0) & (numbers <= trace.lengths[entry]) & (moments < len(trace))
        fitting[fitting] = addresses[moments[fitting]] == rip[fitting]
        kept = np.flatnonzero(fitting)
        _copy(records[:, :_ENTRY], kept, found, moments[kept])
        known[moments[kept]] = True
    if not known.all():
        raise InternalError(f"the registers of instruction {np.argmin(known)} were not recorded")
    registers: Registers = found.view(REGISTERS).reshape(-1)
    return registers


def _copy(
    records: NDArray[np.uint64], kept: Places, found: NDArray[np.uint64], moments: Places
) -> None:
    """found[moments] = records[kept]; three times as fast where both are without gaps."""
    if len(kept) and len(kept) == _reach(kept) == _reach(moments) and (np.diff(moments) == 1).all():
        found[moments[0] : moments[-1] + 1] = records[kept[0] : kept[-1] + 1]
    else:
        found[moments] = records[kept]


def _reach(numbers: Places) -> int:
    return int(numbers[-1] - numbers[0]) + 1
