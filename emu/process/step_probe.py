"""Registers before each instruction, recorded while guest code runs.

Machine code of ours, or Python elsewhere. asm/probe/step.s has the layout of a record: 152 bytes.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any, Protocol

from emu.process import binding, host_code
from emu.process.binding import Hook
from emu.process.counter import MOST_IN_BLOCK, Counter
from emu.process.cpu_state import registers_place
from emu.process.engine import Engine
from emu.process.machine_counter import MachineCounter
from emu.process.probe_ring import BLOCK_STEP, HALF, ProbeRing
from emu.process.residues import REGISTERS

RECORDED = [*REGISTERS, "rip", "rflags"]
"""The registers in a record, in order."""
RECORD = struct.Struct(f"<{len(RECORDED)}QI4x")
_ROOM = 1 << 14
"""Records between two drains: 2.4 MB."""
_MOST_BEHIND = 2 * MOST_IN_BLOCK
"""An instruction that faults is begun once more, by what handles it."""

OnSteps = Callable[[memoryview | bytes, int], None]
"""Told of records, and what `entry` is for the first block that was entered, modulo 2^32.

What is not copied is lost."""


class StepProbe(Protocol):
    """Watches an engine until it is closed."""

    def drain(self) -> None:
        """What was recorded is told now."""

    def close(self) -> None:
        """It watches no more."""


def make_step_probe(engine: Engine, counter: Counter, on_steps: OnSteps) -> StepProbe:
    """The fastest probe that this host can run. The counter must be recording, not in line."""
    place = registers_place(engine) if host_code.runs_here() else None
    if place is not None and isinstance(counter, MachineCounter):
        return MachineStepProbe(engine, counter, on_steps, place)
    return PythonStepProbe(engine, counter, on_steps)


class MachineStepProbe:
    """Layout and meaning of the header: asm/probe/step.s."""

    def __init__(
        self, engine: Engine, counter: MachineCounter, on_steps: OnSteps, state: int
    ) -> None:
        self._engine, self._tell = engine, on_steps
        read = ctypes.cast(binding.library.uc_reg_read, ctypes.c_void_p).value or 0
        words = {"STATE": state, "READ": read, "NUMBER": binding.register_number("rflags")}
        self._ring = ProbeRing("step", counter, _ROOM, _MOST_BEHIND, words)
        routine = ctypes.c_void_p(host_code.address_of("step", "record_step"))
        self._hook = engine.hook(Hook.CODE, routine, user=self._ring.address)

    def drain(self) -> None:
        if len(self._ring):
            self._tell(*self._ring.take())

    def close(self) -> None:
        self._engine.unhook(self._hook)


class PythonStepProbe:
    """The same in Python: some thirty times slower, on any host."""

    def __init__(self, engine: Engine, counter: Counter, on_steps: OnSteps) -> None:
        self._engine, self._counter, self._tell = engine, counter, on_steps
        self._records: list[bytes] = []
        self._registers = engine.batch(RECORDED)
        self._hook = engine.hook(Hook.CODE, binding.CODE(self._begins))

    def drain(self) -> None:
        if self._records:
            self._tell(b"".join(self._records), BLOCK_STEP)
            self._records.clear()

    def close(self) -> None:
        self._engine.unhook(self._hook)

    def _begins(self, _: Any, address: int, __: int, ___: Any) -> None:
        *general, _, rflags = self._registers.read()
        entry = self._counter.entered * BLOCK_STEP & HALF
        self._records.append(RECORD.pack(*general, address, rflags, entry))
