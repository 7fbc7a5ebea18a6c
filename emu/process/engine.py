"""Unicorn's C interface: one engine, its hooks, its registers. The only import of unicorn.

Driven directly: that is 3 to 50 times faster than the binding's wrappers, and leaves no reference
cycles that would keep a closed engine's memory.
"""

from __future__ import annotations

import ctypes
import weakref
from enum import IntEnum
from itertools import accumulate
from typing import Any

from unicorn import unicorn_const as uc
from unicorn import x86_const as x86
from unicorn.unicorn_py3.unicorn import uclib

from emu.errors import InternalError

library: Any = uclib
"""Unicorn's functions."""

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
"""Signatures of callbacks."""

PERMISSIONS = {"r": uc.UC_PROT_READ, "w": uc.UC_PROT_WRITE, "x": uc.UC_PROT_EXEC}


class Hook(IntEnum):
    """When the engine calls back."""

    WALK = uc.UC_HOOK_TLB_FILL
    INSTRUCTION = uc.UC_HOOK_INSN
    INTERRUPT = uc.UC_HOOK_INTR
    TRANSLATED = uc.UC_HOOK_EDGE_GENERATED
    BLOCK = uc.UC_HOOK_BLOCK


class Status(IntEnum):
    """How a run ended, as the engine puts it: `hlt`, `stop` and `until` are all OK."""

    OK = uc.UC_ERR_OK
    INVALID = uc.UC_ERR_INSN_INVALID
    EXCEPTION = uc.UC_ERR_EXCEPTION


SYSCALL_INSTRUCTION = x86.UC_X86_INS_SYSCALL


def check(status: int) -> None:
    """InternalError for everything but success: what we asked of the engine was wrong."""
    if status != Status.OK:
        raise InternalError(f"Unicorn: {library.uc_strerror(status).decode()}")


class Engine:
    """One x86-64 engine in virtual TLB mode. Gone when it is closed, or when nobody holds it."""

    def __init__(self) -> None:
        self._handle = POINTER()
        check(library.uc_open(uc.UC_ARCH_X86, uc.UC_MODE_64, ctypes.byref(self._handle)))
        self._callbacks: list[Any] = []
        self._hooks: list[ctypes.c_size_t] = []
        self._release = weakref.finalize(self, _release, self._handle, self._hooks)
        self._control(uc.UC_CTL_TLB_TYPE, uc.UC_TLB_VIRTUAL)

    def close(self) -> None:
        """Gives the engine back; the second time does nothing."""
        self._release()
        self._handle = POINTER()
        self._callbacks.clear()

    def hook(self, kind: Hook, callback: Any, *extra: int, user: int | None = None) -> None:
        """Calls a C function, everywhere. extra: the instruction, for Hook.INSTRUCTION."""
        handle = ctypes.c_size_t()
        self._callbacks.append(callback)
        pointer = ctypes.cast(callback, POINTER)
        everywhere = (U64(1), U64(0))  # begin > end; what is extra is a variadic int
        arguments = [*everywhere, *(ctypes.c_int(value) for value in extra)]
        engine, place = self._handle, ctypes.byref(handle)
        check(library.uc_hook_add(engine, place, int(kind), pointer, user, *arguments))
        self._hooks.append(handle)

    # Memory

    def map_window(self, address: int, size: int, host_address: int) -> None:
        """Physical [address, address + size) is host memory, which must outlive the engine."""
        every = uc.UC_PROT_ALL
        check(library.uc_mem_map_ptr(self._handle, address, size, every, host_address))

    def read(self, address: int, size: int) -> bytes:
        """Bytes by physical address."""
        data = ctypes.create_string_buffer(size)
        check(library.uc_mem_read(self._handle, U64(address), data, U64(size)))
        return data.raw

    def flush_tlb(self) -> None:
        """The walk is asked again, for every page."""
        self._control(uc.UC_CTL_TLB_FLUSH)

    def forget_code(self, start: int, end: int) -> None:
        """Code in the range is translated again."""
        self._control(uc.UC_CTL_TB_REMOVE_CACHE, start, end)

    def forget_all_code(self) -> None:
        """All code is translated again: also what a changed `until` or hook had cut."""
        self._control(uc.UC_CTL_TB_FLUSH)

    # Registers

    def get(self, name: str) -> int:
        """A register by its name in small letters."""
        value = U64()
        check(library.uc_reg_read(self._handle, _number(name), ctypes.byref(value)))
        return value.value

    def set(self, name: str, value: int) -> None:
        check(library.uc_reg_write(self._handle, _number(name), ctypes.byref(U64(value))))

    def batch(self, names: list[str]) -> Batch:
        """A list of registers for reading and writing together."""
        return Batch(self._handle, names)

    # Running

    def run(self, address: int, until: int = 0) -> int:
        """Until `hlt`, `stop`, a fault, or `until`; how it ended is a Status, or an error."""
        status: int = library.uc_emu_start(self._handle, address, until, 0, 0)
        return status

    def stop(self) -> None:
        """From inside a callback: ends the run."""
        library.uc_emu_stop(self._handle)

    def _control(self, what: int, *values: int) -> None:
        code = what | len(values) << 26 | uc.UC_CTL_IO_WRITE << 30
        check(library.uc_ctl(self._handle, code, *(U64(value) for value in values)))


class Batch:
    """A fixed list of registers, read or written in one call; xmm registers are two words each."""

    def __init__(self, engine: ctypes.c_void_p, names: list[str]) -> None:
        sizes = [2 if name.startswith("xmm") else 1 for name in names]
        self._engine, self._count = engine, len(names)
        self._values = (U64 * sum(sizes))()
        self._numbers = (ctypes.c_int32 * len(names))(*map(_number, names))
        start = ctypes.addressof(self._values)
        places = (start + 8 * words for words in accumulate(sizes[:-1], initial=0))
        self._pointers = (POINTER * len(names))(*places)

    def read(self) -> list[int]:
        check(self._call(library.uc_reg_read_batch))
        return list(self._values)

    def write(self, values: list[int]) -> None:
        self._values[:] = values  # type: ignore[assignment]
        check(self._call(library.uc_reg_write_batch))

    def _call(self, function: Any) -> int:
        status: int = function(self._engine, self._numbers, self._pointers, self._count)
        return status


def _number(name: str) -> int:
    number: int = getattr(x86, f"UC_X86_REG_{name.upper()}")
    return number


def _release(engine: ctypes.c_void_p, hooks: list[ctypes.c_size_t]) -> None:
    """Knows no Engine, so that one that nobody closed can go."""
    for hook in hooks:
        library.uc_hook_del(engine, hook)
    check(library.uc_close(engine))
