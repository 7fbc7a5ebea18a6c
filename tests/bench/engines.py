"""Unicorn as its binding gives it: what ours is measured against."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import unicorn
from unicorn import x86_const as x86

from asm.assembler import assemble
from asm.image import Image

_PAGE = 4096
_STACK, _SENTINEL = 0x7000_0000, 0x7100_0000
_TOP = _STACK + 0x8000
_BRK = 12
_ARGUMENTS = (x86.UC_X86_REG_RDI, x86.UC_X86_REG_RSI)
_READ_WRITE = unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE
_READ_EXECUTE = unicorn.UC_PROT_READ | unicorn.UC_PROT_EXEC

Piece = tuple[int, bytes, bool]
"""Address, bytes, and whether they are code."""


def image(source: str) -> Image:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "guest.s"
        path.write_text(f".intel_syntax noprefix\n{source}\n")
        return assemble(path)


def pieces(of: Image) -> list[Piece]:
    return [(segment.address, segment.data, segment.executable) for segment in of.segments]


def hook_accesses(handle: object) -> unicorn.Uc:
    """An engine of ours is given a memory hook by the binding: in Python, and it does nothing.

    Hold what is returned as long as the engine runs.
    """
    lent = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
    own, lent._uch = lent._uch, handle
    lent.hook_add(unicorn.UC_HOOK_MEM_READ | unicorn.UC_HOOK_MEM_WRITE, lambda *_: None)
    lent._uch = own
    return lent


class Engine:
    """An engine with memory and no hook; in virtual TLB mode, with the page walk alone."""

    def __init__(self, memory: Iterable[Piece], *, virtual: bool = False) -> None:
        self._engine = unicorn.Uc(unicorn.UC_ARCH_X86, unicorn.UC_MODE_64)
        self._rights: dict[int, int] = {}
        for address, data, is_code in [
            *memory,
            (_STACK, bytes(0x1_0000), False),
            (_SENTINEL, b"\xf4", True),
        ]:
            self._map(address, data, _READ_EXECUTE if is_code else _READ_WRITE)
        if virtual:
            self._engine.ctl_set_tlb_mode(unicorn.UC_TLB_VIRTUAL)
            self._engine.hook_add(unicorn.UC_HOOK_TLB_FILL, self._fill)

    def call(self, function: int, *arguments: int) -> int:
        engine = self._engine
        engine.mem_write(_TOP, _SENTINEL.to_bytes(8, "little"))
        engine.reg_write(x86.UC_X86_REG_RSP, _TOP)
        for register, argument in zip(_ARGUMENTS, arguments, strict=False):
            engine.reg_write(register, argument)
        engine.emu_start(function, 0)
        result: int = engine.reg_read(x86.UC_X86_REG_RAX)
        return result

    def hook_instructions(self) -> None:
        """Each instruction calls a function in Python, which does nothing."""
        self._engine.hook_add(unicorn.UC_HOOK_CODE, lambda *_: None)

    def answer_brk(self, start: int) -> None:
        """A kernel of one system call; from `start` on, all is mapped."""

        def syscall(engine: unicorn.Uc, _: object) -> None:
            assert engine.reg_read(x86.UC_X86_REG_RAX) == _BRK
            asked = engine.reg_read(x86.UC_X86_REG_RDI)
            engine.reg_write(x86.UC_X86_REG_RAX, asked or start)

        number = x86.UC_X86_INS_SYSCALL
        self._engine.hook_add(unicorn.UC_HOOK_INSN, syscall, None, 1, 0, number)

    def start(self, address: int) -> None:
        """Nothing but emu_start, up to a `hlt`."""
        self._engine.emu_start(address, 0)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self._engine.mem_read(address, size))

    def _map(self, address: int, data: bytes, rights: int) -> None:
        size = (len(data) + _PAGE - 1) & -_PAGE
        self._engine.mem_map(address, size, rights)
        self._engine.mem_write(address, data)
        self._rights.update(dict.fromkeys(range(address, address + size, _PAGE), rights))

    def _fill(self, _: object, page: int, access: int, entry: object, __: object) -> bool:
        entry.paddr, entry.perms = page, self._rights[page]  # type: ignore[attr-defined]
        return True
