"""Where Unicorn keeps the registers of a CPU: found by trying, once."""

from __future__ import annotations

import ctypes
import os
import struct
from functools import cache

from emu.process import host_code
from emu.process.binding import Hook
from emu.process.engine import Engine
from emu.process.exit_check import exit_check
from emu.process.residues import REGISTERS

_SIZE = 8
_NOP = b"\x90"
_RIP = _SIZE * len(REGISTERS)


@cache
def registers_found() -> bool:
    """Whether a hook on blocks finds the registers at rbp."""
    return _offset() is not None


def flag_beside() -> int | None:
    """How far the flag of the exit check is from where rbp points; None where it is not known."""
    offset = _offset()
    return None if offset is None else -offset


def registers_place(engine: Engine) -> int | None:
    """The address of an engine's registers, REGISTERS and rip; None where it is not known."""
    offset, check = _offset(), exit_check(engine)
    return None if offset is None or check is None else check.flag + offset


def rip_place(engine: Engine) -> int | None:
    """The address of an engine's rip; None where it is not known."""
    place = registers_place(engine)
    return None if place is None else place + _RIP


@cache
def _offset() -> int | None:
    """From the flag of the exit check to the registers; None where they are not as expected."""
    engine = Engine()
    values = [0x1234_5678_9ABC_DEF1 * (number + 3) & (1 << 64) - 1 for number in range(16)]
    for name, value in zip(REGISTERS, values, strict=True):
        engine.set(name, value)
    found = ctypes.c_uint64()
    routine = ctypes.c_void_p(host_code.address_of("count", "find_state"))
    engine.hook(Hook.BLOCK, routine, user=ctypes.addressof(found))
    engine.boot(_NOP)
    end = engine.get("rip")
    state = _own_memory(found.value, _RIP + _SIZE)
    check = exit_check(engine)
    engine.close()
    if check is None or state != struct.pack("<17Q", *values, end):
        return None
    return found.value - check.flag


def _own_memory(address: int, size: int) -> bytes:
    """Bytes of this process; none where it has nothing there."""
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        try:
            return os.pread(memory.fileno(), size, address)
        except OSError:
            return b""
