"""Which byte a page fault was about: the engine tells the page alone, the instruction the rest."""

from __future__ import annotations

from emu.process.cpu import Cpu
from emu.process.disassembly import Instruction, disassemble
from emu.process.mmu import Mmu
from emu.process.stop import Access
from syscalls import AddressSpace
from syscalls.abi import PAGE, TASK_SIZE

_LONGEST_INSTRUCTION = 15


def fault_address(
    cpu: Cpu, space: AddressSpace, memory: Mmu, rip: int, registers: dict[str, int]
) -> int:
    """The first byte that was refused. rip: the instruction; registers: before it."""
    page, access = cpu.fault or (0, Access.READ)
    if access == Access.EXECUTE:
        return max(page, registers["rip"])
    for start, size in _accesses(instruction_at(space, memory, rip), access, registers):
        if start < page + PAGE and page < start + size:
            return max(page, start)
    return page


def instruction_at(space: AddressSpace, memory: Mmu, address: int) -> list[Instruction]:
    """What stands at an address, and perhaps more behind it; nothing where it cannot be read."""
    readable = space.readable(address, _LONGEST_INSTRUCTION)
    if address >= TASK_SIZE:
        readable = _LONGEST_INSTRUCTION if memory.has_touched(address & -PAGE) else 0
    return disassemble(memory.read(address, readable), address)


def _accesses(
    code: list[Instruction], access: int, registers: dict[str, int]
) -> list[tuple[int, int]]:
    """What the first instruction touches; what it reads or writes first, whichever was refused."""
    if not code:
        return []
    fitting = code[0].writes if access == Access.WRITE else code[0].reads
    return fitting(registers) + code[0].accesses(registers)
