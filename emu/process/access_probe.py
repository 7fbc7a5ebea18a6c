"""Accesses to memory, recorded while guest code runs: machine code of ours, or Python elsewhere.

asm/probe/access.s has the layout of a record. Physical addresses are what the engine tells.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable
from typing import Any, Protocol

from emu.process import binding, host_code
from emu.process.binding import Hook
from emu.process.counter import Counter
from emu.process.cpu_state import rip_place
from emu.process.engine import Engine
from emu.process.machine_counter import MachineCounter

_LAYOUT = host_code.layout_of("access")
_AT, _MARK, _BLOCKS, _END, _PC = (_LAYOUT[n] // 8 for n in "AT MARK BLOCKS END PC".split())
RECORD = struct.Struct("<QQIHBB")
"""Address, value, entry, low bits of rip, size, kind."""
_ROOM = 1 << 17
"""Records between two drains."""
_MOST_IN_BLOCK = 1 << 16
"""More than the accesses of 512 instructions: fxsave makes 55."""
STEP = 4
"""From a block's `entry` to the next one's: the size of a block's record."""
_WORD, _HALF, _PLACE = (1 << 64) - 1, (1 << 32) - 1, (1 << 16) - 1

OnAccesses = Callable[[bytes, int], None]
"""Told of records, and what `entry` is for the first block that was entered, modulo 2^32."""


class AccessProbe(Protocol):
    """Watches an engine until it is closed."""

    @property
    def made(self) -> int:
        """Accesses so far; of a store that the engine is about to try, too."""

    def drain(self) -> None:
        """What was recorded is told now."""

    def close(self) -> None:
        """It watches no more."""


def make_access_probe(engine: Engine, counter: Counter, on_accesses: OnAccesses) -> AccessProbe:
    """The fastest probe that this host can run. The counter must be recording."""
    place = rip_place(engine) if host_code.runs_here() else None
    if place is not None and isinstance(counter, MachineCounter):
        return MachineAccessProbe(engine, counter, on_accesses, place)
    return PythonAccessProbe(engine, counter, on_accesses)


class MachineAccessProbe:
    """Layout and meaning of the header: asm/probe/access.s."""

    def __init__(
        self, engine: Engine, counter: MachineCounter, on_accesses: OnAccesses, rip: int
    ) -> None:
        self._engine, self._counter, self._tell = engine, counter, on_accesses
        self._told = 0
        self._memory = mmap.mmap(-1, (_ROOM + _MOST_IN_BLOCK) * RECORD.size)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self._header = (ctypes.c_uint64 * (_PC + 1))()
        self._header[_AT] = self._start
        self._header[_MARK] = self._start + _ROOM * RECORD.size
        self._header[_PC] = rip
        _, self._header[_BLOCKS], self._header[_END] = counter.ring
        routine = ctypes.c_void_p(host_code.address_of("access", "record_access"))
        self._hook = engine.hook(Hook.ACCESS, routine, user=ctypes.addressof(self._header))

    @property
    def made(self) -> int:
        return self._told + (self._header[_AT] - self._start) // RECORD.size

    def drain(self) -> None:
        size = self._header[_AT] - self._start
        if size:
            self._header[_AT] = self._start
            self._told += size // RECORD.size
            _, at, _ = self._counter.ring
            now = ctypes.c_uint64.from_address(at).value  # behind the last block's record
            first = now - STEP * (self._counter.entered - 1)
            self._tell(self._memory[:size], first & _HALF)

    def close(self) -> None:
        self._engine.unhook(self._hook)


class PythonAccessProbe:
    """The same in Python: some hundred times slower, on any host."""

    def __init__(self, engine: Engine, counter: Counter, on_accesses: OnAccesses) -> None:
        self._engine, self._counter, self._tell = engine, counter, on_accesses
        self._records: list[bytes] = []
        self._told = 0
        self._callback = binding.ACCESS(self._accessed)
        self._hook = engine.hook(Hook.ACCESS, self._callback)

    @property
    def made(self) -> int:
        return self._told + len(self._records)

    def drain(self) -> None:
        if self._records:
            self._tell(b"".join(self._records), STEP)
            self._told += len(self._records)
            self._records.clear()

    def close(self) -> None:
        self._engine.unhook(self._hook)

    def _accessed(self, _: Any, kind: int, address: int, size: int, value: int, __: Any) -> None:
        entry = self._counter.entered * STEP
        place = self._engine.get("rip") & _PLACE
        self._records.append(RECORD.pack(address, value & _WORD, entry & _HALF, place, size, kind))
