"""The registers that gdb knows of x86-64 Linux, in its order, and their values as bytes.

A register's number is its place in REGISTERS. Values are little-endian, as in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple


class Register(NamedTuple):
    """bits: of its value. type: gdb's name for how it is shown. group: "" for the usual one."""

    name: str
    bits: int
    type: str
    group: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return self.bits // 8


_POINTERS = {"rsp": "data_ptr", "rbp": "data_ptr", "rip": "code_ptr"}
_CORE = (
    *(Register(name, 64, _POINTERS.get(name, "int64"))
      for name in "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()),
    Register("eflags", 32, "i386_eflags"),
    *(Register(name, 32, "int32") for name in "cs ss ds es fs gs".split()),
    *(Register(f"st{number}", 80, "i387_ext") for number in range(8)),
    *(Register(name, 32, "int", "float")
      for name in "fctrl fstat ftag fiseg fioff foseg fooff fop".split()),
)  # fmt: skip
_SSE = (
    *(Register(f"xmm{number}", 128, "vec128") for number in range(16)),
    Register("mxcsr", 32, "i386_mxcsr", "vector"),
)
_ORIG_RAX = "orig_rax"
_LINUX = (Register(_ORIG_RAX, 64, "int"),)
_SEGMENTS = (Register("fs_base", 64, "int"), Register("gs_base", 64, "int"))

FEATURES: Mapping[str, tuple[Register, ...]] = {
    "org.gnu.gdb.i386.core": _CORE,
    "org.gnu.gdb.i386.sse": _SSE,
    "org.gnu.gdb.i386.linux": _LINUX,
    "org.gnu.gdb.i386.segments": _SEGMENTS,
}
"""gdb's names for the parts of the register file."""
REGISTERS = tuple(register for part in FEATURES.values() for register in part)
NUMBERS = {register.name: number for number, register in enumerate(REGISTERS)}

_NO_SYSTEM_CALL = (1 << 64) - 1
_PLACES = list(accumulate((register.size for register in REGISTERS), initial=0))
SIZE = _PLACES[-1]
"""Bytes of all registers."""


def encoded(register: Register, values: Mapping[str, int]) -> bytes:
    """The bytes of one register."""
    # A system call that was interrupted is begun anew by the kernel itself: there is none to show.
    value = _NO_SYSTEM_CALL if register.name == _ORIG_RAX else values[register.name]
    return (value & (1 << register.bits) - 1).to_bytes(register.size, "little")


def all_encoded(values: Mapping[str, int]) -> bytes:
    """The bytes of all registers, by number."""
    return b"".join(encoded(register, values) for register in REGISTERS)


def decoded(register: Register, data: bytes) -> dict[str, int]:
    """What is to be set: nothing for orig_rax, which has no meaning here."""
    return {} if register.name == _ORIG_RAX else {register.name: int.from_bytes(data, "little")}


def all_decoded(data: bytes) -> dict[str, int]:
    """What is to be set of all registers. data: SIZE bytes."""
    values: dict[str, int] = {}
    for register, place in zip(REGISTERS, _PLACES, strict=False):
        values |= decoded(register, data[place : place + register.size])
    return values
