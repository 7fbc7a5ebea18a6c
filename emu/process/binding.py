"""Unicorn's C interface: its functions, types and numbers. The only import of unicorn."""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any

from unicorn import unicorn_const as uc
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

from emu.errors import InternalError

library: Any = uclib
"""Unicorn's functions."""
library.uc_context_size.restype = ctypes.c_size_t

U64 = ctypes.c_uint64
POINTER = ctypes.c_void_p


class Entry(ctypes.Structure):
    """A TLB entry, for the page-table walk to fill in."""

    _fields_ = (("paddr", U64), ("perms", ctypes.c_uint32))


class Block(ctypes.Structure):
    """A translated block: where, how many instructions, how many bytes."""

    _fields_ = (("pc", U64), ("icount", ctypes.c_uint16), ("size", ctypes.c_uint16))


WALK = ctypes.CFUNCTYPE(
    ctypes.c_bool, POINTER, U64, ctypes.c_int, ctypes.POINTER(Entry), POINTER
)  # fmt: skip
SYSCALL = ctypes.CFUNCTYPE(None, POINTER, POINTER)
INTERRUPT = ctypes.CFUNCTYPE(None, POINTER, ctypes.c_uint32, POINTER)
TRANSLATED = ctypes.CFUNCTYPE(None, POINTER, ctypes.POINTER(Block), POINTER, POINTER)
CODE = ctypes.CFUNCTYPE(None, POINTER, U64, ctypes.c_uint32, POINTER)
CPUID = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER)
ACCESS = ctypes.CFUNCTYPE(
    None, POINTER, ctypes.c_int, U64, ctypes.c_int, ctypes.c_int64, POINTER
)  # fmt: skip
"""Signatures of callbacks."""

PERMISSIONS = {"r": uc.UC_PROT_READ, "w": uc.UC_PROT_WRITE, "x": uc.UC_PROT_EXEC}


class Hook(IntEnum):
    """When the engine calls back."""

    WALK = uc.UC_HOOK_TLB_FILL
    INSTRUCTION = uc.UC_HOOK_INSN
    INTERRUPT = uc.UC_HOOK_INTR
    TRANSLATED = uc.UC_HOOK_EDGE_GENERATED
    BLOCK = uc.UC_HOOK_BLOCK
    CODE = uc.UC_HOOK_CODE
    ACCESS = uc.UC_HOOK_MEM_READ_AFTER | uc.UC_HOOK_MEM_WRITE


class Status(IntEnum):
    """How a run ended, as the engine puts it: `hlt`, `stop` and `until` are all OK."""

    OK = uc.UC_ERR_OK
    INVALID = uc.UC_ERR_INSN_INVALID
    EXCEPTION = uc.UC_ERR_EXCEPTION


SYSCALL_INSTRUCTION = x86.UC_X86_INS_SYSCALL
CPUID_INSTRUCTION = x86.UC_X86_INS_CPUID
_CONTROL_ARGUMENTS, _CONTROL_DIRECTION = 26, 30
"""Bits of what uc_ctl is asked: how many arguments, and which way they go (unicorn.h)."""


READ_AFTER, WRITE = uc.UC_MEM_READ_AFTER, uc.UC_MEM_WRITE
"""What an access is, as Hook.ACCESS is told."""


class Control(IntEnum):
    """What `control` asks for."""

    TLB_TYPE = uc.UC_CTL_TLB_TYPE
    FLUSH_TLB = uc.UC_CTL_TLB_FLUSH
    FORGET_CODE = uc.UC_CTL_TB_REMOVE_CACHE
    FORGET_ALL_CODE = uc.UC_CTL_TB_FLUSH


VIRTUAL_TLB = uc.UC_TLB_VIRTUAL
"""For Control.TLB_TYPE."""


class _Msr(ctypes.Structure):
    _fields_ = (("number", ctypes.c_uint32), ("value", U64))


def check(status: int) -> None:
    """InternalError for everything but success: what we asked of the engine was wrong."""
    if status != Status.OK:
        raise InternalError(f"Unicorn: {library.uc_strerror(status).decode()}")


def new_handle() -> ctypes.c_void_p:
    """A new x86-64 engine."""
    handle = POINTER()
    check(library.uc_open(uc.UC_ARCH_X86, uc.UC_MODE_64, ctypes.byref(handle)))
    return handle


def control(handle: ctypes.c_void_p, what: Control, *values: int) -> None:
    """uc_ctl, of the kinds that are written to."""
    code = what | len(values) << _CONTROL_ARGUMENTS | uc.UC_CTL_IO_WRITE << _CONTROL_DIRECTION
    check(library.uc_ctl(handle, code, *map(U64, values)))


def translate(handle: ctypes.c_void_p, address: int) -> None:
    """The block at an address is translated, if it is not yet."""
    made = Block()
    code = uc.UC_CTL_TB_REQUEST_CACHE | 2 << _CONTROL_ARGUMENTS
    code |= uc.UC_CTL_IO_READ_WRITE << _CONTROL_DIRECTION
    check(library.uc_ctl(handle, code, U64(address), ctypes.byref(made)))


def map_memory(handle: ctypes.c_void_p, address: int, size: int, host_address: int) -> None:
    """Physical [address, address + size) is host memory; the page-table walk decides on rights."""
    check(library.uc_mem_map_ptr(handle, address, size, uc.UC_PROT_ALL, host_address))


def write_msr(handle: ctypes.c_void_p, number: int, value: int) -> None:
    pair = _Msr(number, value)
    check(library.uc_reg_write(handle, x86.UC_X86_REG_MSR, ctypes.byref(pair)))


def register_number(name: str) -> int:
    """Unicorn's number of a register, by its name in small letters."""
    number: int = getattr(x86, f"UC_X86_REG_{name.upper()}")
    return number
