"""Registers before each instruction: what the probe wrote, put where it belongs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emu.errors import InternalError
from emu.process.probe_ring import BLOCK_STEP
from emu.process.step_probe import RECORD, RECORDED
from emu.trace.blocks import Places, Words
from emu.trace.growing import Growing
from emu.trace.trace import REGISTERS, Registers, Trace

_WORDS = RECORD.size // 8
_RIP, _ENTRY = RECORDED.index("rip"), len(RECORDED)
"""Words of a record; registers are before the entry."""
_AT_ONCE = 1 << 13
"""Records that are worked on together, while they are in the cache."""


class StepRecords:
    """What the probe tells, as it comes; the entry counts from the first entry of the trace."""

    def __init__(self) -> None:
        self._records = Growing((np.uint64, _WORDS))

    def append(self, records: memoryview | bytes, first: int) -> None:
        """As the probe tells them."""
        told = np.frombuffer(records, np.uint64).reshape(-1, _WORDS)
        part = self._records.more(len(told))
        part[:] = told
        entry = told[:, _ENTRY].astype(np.uint32) - np.uint32(first)
        part[:, _ENTRY] = entry // np.uint32(BLOCK_STEP)

    def of(self, trace: Trace) -> Registers:
        """A row for each instruction of a trace.

        Of an instruction that faulted nothing is kept, unless that very instruction ran next: the
        kernel may run it in the CPU's stead, or put right what it found.
        """
        records = self._records.all
        found = np.empty((len(trace), _ENTRY), np.uint64)
        known = np.zeros(len(trace), bool)
        addresses = trace.addresses()
        for first in range(0, len(records), _AT_ONCE):
            told = records[first : first + _AT_ONCE]
            moments, kept = _moments(told, trace, addresses)
            _copy(told[:, :_ENTRY], kept, found, moments)
            known[moments] = True
        if not known.all():
            raise InternalError(f"no registers of instruction {np.argmin(known)} were recorded")
        registers: Registers = found.view(REGISTERS).reshape(-1)
        return registers


def _moments(records: NDArray[np.uint64], trace: Trace, addresses: Words) -> tuple[Places, Places]:
    """The moments that records tell of, and which records those are."""
    rip, entry = records[:, _RIP], records[:, _ENTRY].astype(np.int64)
    rows = trace.entries[entry].astype(np.int64)
    offsets = (rip - trace.blocks.address[rows]).astype(np.int64)
    numbers = trace.blocks.number_at(rows, offsets)
    moments = trace.starts[entry] + numbers
    fitting = (numbers >= 0) & (numbers <= trace.lengths[entry]) & (moments < len(trace))
    fitting[fitting] = addresses[moments[fitting]] == rip[fitting]
    kept = np.flatnonzero(fitting)
    return moments[kept], kept


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
