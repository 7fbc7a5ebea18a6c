"""What killed a program: where it was, at which instruction, and what was wrong, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from emu.errors import GuestFault, Scene
from emu.process.counter import LONGEST_BLOCK
from emu.process.disassembly import Instruction, disassemble
from emu.process.fault import fault_address, instruction_at
from emu.process.machine import Machine
from emu.process.registers import GENERAL
from emu.process.screening import INVALID_OPCODE
from emu.process.stop import Access, Stop
from syscalls.abi import PAGE, TASK_SIZE
from syscalls.region import Region

_NEAR = 1 << 20
_EXCEPTIONS = {
    0: "a division error (#DE)",
    1: "a debug exception (#DB)",
    3: "a breakpoint (int3)",
    4: "an overflow (#OF)",
    INVALID_OPCODE: "an illegal instruction (#UD)",
    13: "a protection fault (#GP)",
    16: "an x87 error (#MF)",
    17: "an alignment error (#AC)",
    19: "an SSE error (#XM)",
}


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of an address of code: "find_best+0x12", "search.s:40", the line's text."""

    symbol: str | None = None
    place: str | None = None
    text: str | None = None


class Known(Protocol):
    """Who knows code by address."""

    def __call__(self, address: int) -> Place:
        """The place, as far as it is known."""


def fault(machine: Machine, stop: Stop, scene: Scene) -> GuestFault:
    """The error for a stop that is an exception of the CPU."""
    if stop is Stop.PAGE_FAULT and machine.cpu.fault:
        return _page_fault(machine, scene, *machine.cpu.fault)
    if stop is Stop.REFUSED and machine.cpu.refused:
        return GuestFault(machine.cpu.refused.why, scene)
    if stop is Stop.HALTED:
        return GuestFault("a privileged instruction (#GP)", scene)
    number = INVALID_OPCODE if stop is Stop.INVALID else machine.cpu.interrupt
    what = None if number is None else _EXCEPTIONS.get(number)
    return GuestFault(what or f"exception or interrupt {number}", scene)


def scene(machine: Machine, stop: Stop, running: str, before: int, known: Known) -> Scene:
    """Where it stands. running: what it was doing; before: the count when that began."""
    registers = machine.cpu.state()
    rip = culprit(machine, stop, registers["rip"])
    if not _fetch_failed(machine):
        registers["rip"] = rip
    code = instruction_at(machine.kernel.space, machine.memory, rip)
    place = known(rip)
    return Scene(
        running=running,
        address=rip,
        symbol=place.symbol,
        code=str(code[0]) if code else "(no instruction)",
        place=place.place,
        text=place.text,
        registers={name: registers[name] for name in GENERAL},
        instructions=machine.cpu.counter.count - before,
    )


def culprit(machine: Machine, stop: Stop, rip: int) -> int:
    """The instruction that is to blame: rip may be behind it, or where it jumped to."""
    if _fetch_failed(machine):
        return _jump(machine) or rip
    if stop in (Stop.BUDGET, Stop.REFUSED):
        return rip
    executed = _instructions(machine, machine.cpu.counter.block, rip)
    if executed and (stop is Stop.ASKED or executed[-1].text.startswith("int")):
        return executed[-1].address
    return rip


def _page_fault(machine: Machine, scene: Scene, _: int, access: int) -> GuestFault:
    place = scene.address, scene.registers
    address = fault_address(machine.cpu, machine.kernel.space, machine.memory, *place)
    verb = {Access.READ: "read of", Access.WRITE: "write to"}.get(Access(access), "jump to")
    what = f"page fault: {verb} {address:#x}, {_what_is_at(machine, address)}"
    return GuestFault(what, scene, address, str(Access(access)))


def _what_is_at(machine: Machine, address: int) -> str:
    space = machine.kernel.space
    if region := space.at(address):
        name = space.name_of(region) or "a mapping"
        if space.beyond_file(address & -PAGE):
            return f"where {name} goes on behind the end of its file"
        return f"where {name} allows {region.rights}"
    if address >= TASK_SIZE:
        return "which is no user address"
    below = max((r for r in space.regions if r.end <= address), key=_end, default=None)
    if below is not None and address - below.end < _NEAR:
        name = space.name_of(below) or "a mapping"
        behind = address - below.end
        far = f"{behind} bytes behind" if behind else "right behind"
        return f"where nothing is mapped, {far} the end of {name}"
    return "where nothing is mapped"


def _fetch_failed(machine: Machine) -> bool:
    return machine.cpu.fault is not None and machine.cpu.fault[1] == Access.EXECUTE


def _jump(machine: Machine) -> int | None:
    """The jump that led to where nothing may be executed: the end of the last block."""
    counter = machine.cpu.counter
    if not counter.length:
        return None
    code = machine.memory.read(counter.block, LONGEST_BLOCK)
    last = disassemble(code, counter.block)[: counter.length]
    return last[-1].address if last and last[-1].jumps else None


def _instructions(machine: Machine, start: int, end: int) -> list[Instruction]:
    """The instructions in [start, end); none if that is no piece of a block."""
    if not start <= end <= start + LONGEST_BLOCK:
        return []
    return disassemble(machine.memory.read(start, end - start), start)


def _end(region: Region) -> int:
    return region.end
