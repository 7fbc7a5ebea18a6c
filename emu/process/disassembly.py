"""Machine code read back, for reports. The only import of capstone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; str() is its text."""

    address: int
    size: int
    text: str
    detail: Any

    def __str__(self) -> str:
        return self.text

    def accesses(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        """(address, size) of the memory it reads or writes, given the registers before it."""
        return [*self._operands(registers), *self._stack(registers)]

    def _operands(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        import capstone

        found = []
        for operand in self.detail.operands:
            if operand.type != capstone.x86.X86_OP_MEM:
                continue
            place = operand.mem
            address = place.disp
            for register, scale in ((place.base, 1), (place.index, place.scale)):
                name = self.detail.reg_name(register) if register else None
                if name == "rip":
                    address += self.address + self.size
                elif name:
                    address += registers.get(name, 0) * scale
            found.append((address & (1 << 64) - 1, operand.size))
        return found

    def _stack(self, registers: dict[str, int]) -> list[tuple[int, int]]:
        word = self.text.split()[0]
        if word in ("push", "call", "pushfq"):
            return [(registers["rsp"] - 8, 8)]
        return [(registers["rsp"], 8)] if word in ("pop", "ret", "popfq", "leave") else []


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
