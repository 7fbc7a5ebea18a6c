"""Accesses to memory, recorded while guest code runs: machine code of ours, or Python elsewhere.

asm/probe/access.s has the layout of a record. Physical addresses are what the engine tells.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, Protocol

from emu.process import binding, host_code
from emu.process.binding import Hook
from emu.process.counter import Counter
from emu.process.cpu_state import rip_place
from emu.process.engine import Engine
from emu.process.machine_counter import MachineCounter
from emu.process.probe_ring import BLOCK_STEP, HALF, ProbeRing

RECORD = struct.Struct("<QQIHBB")
"""Address, value, entry, low bits of rip, size, kind."""
_ROOM = 1 << 15
"""Records between two drains."""
_MOST_IN_BLOCK = 1 << 16
"""More than the accesses of 512 instructions: fxsave makes 55."""
_WORD, _PLACE = (1 << 64) - 1, (1 << 16) - 1

OnAccesses = Callable[[memoryview | bytes, int], None]
"""Told of records, and what `entry` is for the first block that was entered, modulo 2^32.

What is not copied is lost."""


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
        self._engine, self._tell = engine, on_accesses
        self._told = 0
        self._ring = ProbeRing("access", counter, _ROOM, _MOST_IN_BLOCK, {"PC": rip})
        routine = ctypes.c_void_p(host_code.address_of("access", "record_access"))
        self._hook = engine.hook(Hook.ACCESS, routine, user=self._ring.address)

    @property
    def made(self) -> int:
        return self._told + len(self._ring)

    def drain(self) -> None:
        if len(self._ring):
            self._told += len(self._ring)
            self._tell(*self._ring.take())

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
            self._tell(b"".join(self._records), BLOCK_STEP)
            self._told += len(self._records)
            self._records.clear()

    def close(self) -> None:
        self._engine.unhook(self._hook)

    def _accessed(self, _: Any, kind: int, address: int, size: int, value: int, __: Any) -> None:
        entry = self._counter.entered * BLOCK_STEP
        place = self._engine.get("rip") & _PLACE
        self._records.append(RECORD.pack(address, value & _WORD, entry & HALF, place, size, kind))
