"""Machine code read back, for reports. The only import of capstone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

_WORD = (1 << 64) - 1
_LOW = (1 << 32) - 1
_PUSHES = {"push", "call", "pushfq", "enter"}
_POPS = {"pop", "ret", "popfq", "iretq"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; str() is its text."""

    address: int
    size: int
    text: str
    detail: Any

    def __str__(self) -> str:
        return self.text

    @property
    def end(self) -> int:
        return self.address + self.size

    @property
    def jumps(self) -> bool:
        """Whether it may go elsewhere than to the instruction behind it."""
        import capstone

        groups = (capstone.CS_GRP_JUMP, capstone.CS_GRP_CALL, capstone.CS_GRP_RET)
        return any(map(self.detail.group, groups))

    def accesses(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it reads or writes, given the registers before it."""
        return self.reads(registers) + [
            place for place in self.writes(registers) if place not in self.reads(registers)
        ]

    def reads(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it reads."""
        import capstone

        found = self._operands(registers, capstone.CS_AC_READ)
        name = self.detail.insn_name()
        if name in _POPS:
            found.append((registers["rsp"], 8))
        elif name == "leave":
            found.append((registers["rbp"], 8))
        elif name == "xlatb":
            found.append((registers["rbx"] + (registers["rax"] & 0xFF) & _WORD, 1))
        return found

    def writes(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it writes."""
        import capstone

        found = self._operands(registers, capstone.CS_AC_WRITE)
        if self.detail.insn_name() in _PUSHES:
            found.append((registers["rsp"] - 8 & _WORD, 8))
        return found

    def _operands(self, registers: dict[str, int], kind: int) -> list[tuple[int, int]]:
        import capstone

        if self.detail.insn_name() in ("lea", "nop"):
            return []
        return [
            (self._address(operand.mem, registers), operand.size)
            for operand in self.detail.operands
            if operand.type == capstone.x86.X86_OP_MEM and operand.access in (kind, 0, 3)
        ]

    def _address(self, place: Any, registers: dict[str, int]) -> int:
        """Of a memory operand. Segments begin at 0."""
        base, index = (self.detail.reg_name(r) or "" for r in (place.base, place.index))
        narrow = base.startswith("e") or index.startswith("e") or (base + index).endswith("d")
        address: int = place.disp + self._value(base, registers)
        address += self._value(index, registers) * place.scale
        if self.detail.insn_name() == "pop" and base == "rsp":
            address += 8  # it is popped before it is used
        return address & (_LOW if narrow else _WORD)

    def _value(self, register: str, registers: dict[str, int]) -> int:
        if register in ("rip", "eip"):
            return self.end
        if register.startswith("e"):
            return registers.get(f"r{register[1:]}", 0)
        return registers.get(register.removesuffix("d"), 0)


@cache
def _engine() -> Any:
    import capstone

    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return engine


def disassemble(code: bytes, address: int) -> list[Instruction]:
    """The instructions in `code`, up to the first bytes that are none."""
    return [
        Instruction(found.address, found.size, f"{found.mnemonic} {found.op_str}".strip(), found)
        for found in _engine().disasm(code, address)
    ]


_MAYBE_AVX = re.compile(rb"[\x62\xc4\xc5]")
_AVX = re.compile(r"v(?!err|erw|m)|v(mov|min|max|mul|mask|mpsad)|k")


def first_avx(code: bytes, address: int) -> tuple[int, int] | None:
    """Address of the first AVX instruction, and how many instructions stand before it."""
    if not _MAYBE_AVX.search(code):
        return None
    for index, instruction in enumerate(disassemble(code, address)):
        if _AVX.match(instruction.text):
            return instruction.address, index
    return None
