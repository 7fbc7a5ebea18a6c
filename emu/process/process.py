"""A process: an image, a CPU and a kernel put together, and calls into it.

0x400000          text, data          the image
heap start        heap                to the break
... mappings, top-down ...
STACK_TOP - 8 MiB stack
HARNESS           way in, way out     above what a process may map, out of its reach
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import NoReturn

from asm.assembler import assemble
from asm.image import Image
from asm.source import PACKAGE
from emu.closing import Closing
from emu.errors import BudgetSpent, ClosedError, GuestExited, GuestFault, MemorySpent, Scene
from emu.process import convention
from emu.process.convention import CANARY, Violation
from emu.process.cpu import GENERAL, Access, Cpu, Stop
from emu.process.disassembly import Instruction, disassemble
from emu.process.mmu import Mmu, TooMuchTouched
from syscalls import Kernel, Limits, ProcessExit, SystemCall
from syscalls.abi import PAGE, TASK_SIZE, page_up
from syscalls.region import READ_WRITE, Region, Rights

STACK_TOP = TASK_SIZE
STACK_SIZE = 8 << 20
HARNESS = 1 << 47
BUDGET = 2_000_000_000
"""Instructions that one call may take, unless told otherwise."""

_SP = STACK_TOP - 4096
"""rsp at the way in: the function's address, the return address, the caller's frame."""
_FRAME = struct.Struct("<QQ")
_CANARY_AT = _SP + _FRAME.size
_EVERY_BYTE = 0x0101_0101_0101_0101
_LONGEST_BLOCK = 512 * 15
_LONGEST_INSTRUCTION = 15
_INT_LENGTH = 2
_NEAR = 1 << 20

_INVALID_OPCODE = 6
_EXCEPTIONS = {
    0: "a division error (#DE)",
    1: "a debug exception (#DB)",
    3: "a breakpoint (int3)",
    4: "an overflow (#OF)",
    _INVALID_OPCODE: "an illegal instruction (#UD)",
    13: "a protection fault (#GP)",
    16: "an x87 error (#MF)",
    17: "an alignment error (#AC)",
    19: "an SSE error (#XM)",
}


@dataclass(frozen=True, slots=True)
class Returned:
    """A call that came back: rax, what it cost, what it asked of the kernel, what it broke."""

    result: int
    instructions: int
    syscalls: tuple[SystemCall, ...]
    violations: tuple[Violation, ...]


class Process(Closing):
    """An image loaded into a fresh address space. Close it, or use it as a context manager."""

    def __init__(self, image: Image, *, limits: Limits | None = None, budget: int = BUDGET) -> None:
        self.image = image
        self.budget = budget
        limits = limits or Limits()
        self.memory = Mmu(self._rights, limits.touched)
        self.kernel = Kernel(self.memory, page_up(image.end))
        self._limits = limits
        self.cpu = Cpu(self.memory.walk, self._syscall)
        self.memory.map_window = self.cpu.map_window
        self.memory.flush_tlb = self.cpu.flush_tlb
        self.memory.forget_code = self.cpu.forget_code
        self._exit: ProcessExit | None = None
        self.died = self.closed = False
        self._load()
        self.kernel.space.limits = limits  # for what the process asks, not for its loading

    def close(self) -> None:
        self.closed = True
        self.cpu.close()
        self.memory.close()

    def call(self, function: str | int, *arguments: int) -> Returned:
        """Calls a function of the image by name or address, as the System V ABI has it.

        GuestFault, BudgetSpent or GuestExited where it does not come back.
        """
        address = function if isinstance(function, int) else self.image.symbols[function]
        first_syscall = len(self.kernel.calls)
        before = self.cpu.counter.count
        stop = self._enter(address, arguments)
        registers = self.cpu.state()
        if stop is not Stop.HALTED or registers["rip"] != self._left:
            self._dies(stop, self._spelled(address, arguments), registers, before)
        canary = self.memory.read(_CANARY_AT, len(CANARY))
        return Returned(
            registers["rax"],
            self.cpu.counter.count - before,
            tuple(self.kernel.calls[first_syscall:]),
            tuple(convention.violations(registers, _SP + _FRAME.size, canary)),
        )

    def fill(self, address: int, byte: int, count: int) -> None:
        """The program writes its own memory, by guest instructions, so that rights apply."""
        if count:
            self.call(self._harness.symbols["fill"], address, byte * _EVERY_BYTE, count)

    def _spelled(self, function: int, arguments: tuple[int, ...]) -> str:
        name = self._harness.symbol_at(function) or self.image.symbol_at(function) or hex(function)
        return f"{name}({', '.join(hex(a) if a > 0xFFFF else str(a) for a in arguments)})"

    # Loading

    def _load(self) -> None:
        space = self.kernel.space
        for segment in self.image.segments:
            rights = Rights(read=True, write=segment.writable, execute=segment.executable)
            space.map(segment.address, page_up(len(segment.data)), rights, segment.name)
            self.memory.write(segment.address, segment.data)
        space.map(STACK_TOP - STACK_SIZE, STACK_SIZE, READ_WRITE, "stack")
        self._harness = _harness()
        self.memory.write(HARNESS, self._harness.segments[0].data)
        self._enter_at = self._harness.symbols["enter"]
        self._leave = self._harness.symbols["leave"]
        self._left = self._leave + _INT_LENGTH
        self.cpu.uncounted = frozenset({self._enter_at, self._leave})
        self.cpu.counter.learn(self._enter_at, 1, 0)  # the first block of a run, never reported

    def _rights(self, page: int) -> str:
        region = self.kernel.space.at(page)
        if region is None:
            return "rx" if page == HARNESS else ""
        rights = region.rights
        return "r" * rights.readable + "w" * rights.write + "x" * rights.execute

    # Running

    def _enter(self, address: int, arguments: tuple[int, ...]) -> Stop:
        if self.died:
            raise ClosedError("this process is dead: its state means nothing any more")
        if self.closed:
            raise ClosedError("this process is closed")
        self.memory.write(_SP, _FRAME.pack(address, self._leave) + CANARY)
        convention.prepare(self.cpu, arguments, _SP)
        try:
            return self.cpu.run(self._enter_at, self.budget)
        except TooMuchTouched:
            return Stop.MEMORY
        except BaseException:  # ours, or Ctrl-C: the call stands half way
            self.died = True
            raise

    def _syscall(self, number: int, arguments: tuple[int, ...]) -> int | None:
        try:
            return self.kernel.call(number & 0xFFFF_FFFF, arguments)
        except ProcessExit as exit_:
            self._exit = exit_
            return None

    # Dying

    def _dies(self, stop: Stop, name: str, registers: dict[str, int], before: int) -> NoReturn:
        self.died = True
        scene = self._scene(stop, name, registers, before)
        if stop is Stop.ASKED and self._exit is not None:
            status = self._exit.status
            raise GuestExited(f"the process ended itself with exit status {status}", scene, status)
        if stop is Stop.BUDGET:
            raise BudgetSpent(f"no return within {self.budget} instructions", scene)
        if stop is Stop.MEMORY:
            raise MemorySpent(f"more than {self._limits.touched} bytes of memory written to", scene)
        if stop is Stop.PAGE_FAULT and self.cpu.fault:
            raise self._page_fault(scene, *self.cpu.fault)
        if stop is Stop.REFUSED and self.cpu.refused:
            raise GuestFault(self.cpu.refused.why, scene)
        if stop is Stop.HALTED:
            raise GuestFault("a privileged instruction (#GP)", scene)
        number = _INVALID_OPCODE if stop is Stop.INVALID else self.cpu.interrupt
        what = None if number is None else _EXCEPTIONS.get(number)
        raise GuestFault(what or f"exception or interrupt {number}", scene)

    def _scene(self, stop: Stop, name: str, registers: dict[str, int], before: int) -> Scene:
        rip = self._culprit(stop, registers["rip"])
        if not self._fetch_failed():
            registers["rip"] = rip
        code = disassemble(self._code(rip), rip)
        image = self._harness if rip >= HARNESS else self.image
        line = image.line_at(rip)
        return Scene(
            running=name,
            address=rip,
            symbol=image.symbol_at(rip),
            code=str(code[0]) if code else "(no instruction)",
            place=line.place if line else None,
            text=line.text if line else None,
            registers={name: registers[name] for name in GENERAL},
            instructions=self.cpu.counter.count - before,
        )

    def _culprit(self, stop: Stop, rip: int) -> int:
        """The instruction that is to blame: rip may be behind it, or where it jumped to."""
        if self._fetch_failed():
            return self._jump() or rip
        if stop in (Stop.BUDGET, Stop.REFUSED):
            return rip
        executed = self._instructions(self.cpu.counter.block, rip)
        if executed and (stop is Stop.ASKED or executed[-1].text.startswith("int")):
            return executed[-1].address
        return rip

    def _fetch_failed(self) -> bool:
        return self.cpu.fault is not None and self.cpu.fault[1] == Access.EXECUTE

    def _jump(self) -> int | None:
        """The jump that led to where nothing may be executed: the end of the last block."""
        counter = self.cpu.counter
        if not counter.length:
            return None
        code = self.memory.read(counter.block, _LONGEST_BLOCK)
        last = disassemble(code, counter.block)[: counter.length]
        return last[-1].address if last and last[-1].jumps else None

    def _instructions(self, start: int, end: int) -> list[Instruction]:
        """The instructions in [start, end); none if that is no piece of a block."""
        if not start <= end <= start + _LONGEST_BLOCK:
            return []
        return disassemble(self.memory.read(start, end - start), start)

    def _code(self, address: int) -> bytes:
        """The bytes of an instruction, as far as it can be read."""
        if address >= HARNESS:
            return self._harness.bytes_at(address, _LONGEST_INSTRUCTION)
        return self.memory.read(address, self.kernel.space.readable(address, _LONGEST_INSTRUCTION))

    def _page_fault(self, scene: Scene, page: int, access: int) -> GuestFault:
        address = page
        if access == Access.EXECUTE:
            address = max(page, scene.registers["rip"])
        else:
            code = disassemble(self._code(scene.address), scene.address)
            for start, size in _accesses(code, access, scene.registers):
                if start < page + PAGE and page < start + size:
                    address = max(page, start)
                    break
        verb = {Access.READ: "read of", Access.WRITE: "write to"}.get(Access(access), "jump to")
        what = f"page fault: {verb} {address:#x}, {self._what_is_at(address)}"
        return GuestFault(what, scene, address, str(Access(access)))

    def _what_is_at(self, address: int) -> str:
        space = self.kernel.space
        if region := space.at(address):
            return f"where {region.name or 'a mapping'} allows {region.rights}"
        if address >= TASK_SIZE:
            return "which is no user address"
        below = max((r for r in space.regions if r.end <= address), key=_end, default=None)
        if below is not None and address - below.end < _NEAR:
            name = below.name or "a mapping"
            behind = address - below.end
            far = f"{behind} bytes behind" if behind else "right behind"
            return f"where nothing is mapped, {far} the end of {name}"
        return "where nothing is mapped"


def _accesses(
    code: list[Instruction], access: int, registers: dict[str, int]
) -> list[tuple[int, int]]:
    """What the first instruction touches; what it reads or writes first, whichever was refused."""
    if not code:
        return []
    fitting = code[0].writes if access == Access.WRITE else code[0].reads
    return fitting(registers) + code[0].accesses(registers)


def _end(region: Region) -> int:
    return region.end


@cache
def _harness() -> Image:
    return assemble(PACKAGE / "harness.s", HARNESS)
