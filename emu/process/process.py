"""A process: an image, a CPU and a kernel put together, and calls into it.

0x400000          text, data          the image, unless it is laid elsewhere
heap start        heap                to the break
... mappings, top-down ...
STACK_TOP - 8 MiB stack
HARNESS           way in, way out     above what a process may map, out of its reach
LAID              what is laid there  for a time: the replay loop and its table
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NoReturn, Self

from asm.assembler import assemble
from asm.image import Image
from asm.source import PACKAGE
from emu.errors import BudgetSpent, ClosedError, GuestExited, GuestFault, MemorySpent
from emu.process import autopsy, convention
from emu.process.autopsy import Place
from emu.process.convention import CANARY, Violation
from emu.process.machine import NOBODY, Machine
from emu.process.sources import Sources, of_images
from emu.process.stop import Stop
from syscalls import Limits, ProcessExit, SystemCall
from syscalls.abi import PAGE, TASK_SIZE, page_up
from syscalls.ending import Ending, Killed
from syscalls.region import READ_WRITE, Rights
from syscalls.signal_numbers import signal_name
from syscalls.world import World

STACK_TOP = TASK_SIZE
STACK_SIZE = 8 << 20
HARNESS = 1 << 47
LAID = HARNESS + (1 << 32)
BUDGET = 2_000_000_000
"""Instructions that one call may take, unless told otherwise."""

_SP = STACK_TOP - PAGE
"""rsp at the way in: the function's address, the return address, the caller's frame."""
_FRAME = struct.Struct("<QQ")
_EVERY_BYTE = 0x0101_0101_0101_0101
_NOP_LENGTH, INTERRUPT_LENGTH = 1, 2


@dataclass(frozen=True, slots=True)
class Returned:
    """A call that came back: rax, what it cost, what it asked of the kernel, what it broke."""

    result: int
    instructions: int
    syscalls: tuple[SystemCall, ...]
    violations: tuple[Violation, ...]


class CallableProcess(Machine, ABC):
    """A process whose functions can be called, whatever they came from."""

    budget: int
    heap_start: int
    """Where the allocator's heap begins: the first break."""
    violations: tuple[str, ...] = ()
    """What its initialization broke of the calling convention."""
    _stack_pointer = _SP
    """rsp at the way in."""
    _caller_frame = CANARY
    """What stands above the return address."""

    @abstractmethod
    def address_of(self, name: str) -> int | None:
        """Where a function or a variable is; None where it has no such."""

    @abstractmethod
    def fork(self) -> Self:
        """Another process in the same state, that knows nothing of this one. Close it, too."""

    @property
    @abstractmethod
    def sources(self) -> Sources:
        """What is known of its code."""

    @abstractmethod
    def _place_of(self, address: int) -> Place:
        """What is known of an address of its code."""

    def call(
        self, function: str | int, *arguments: int, goes_on: Callable[[], bool] = lambda: False
    ) -> Returned:
        """Calls a function by name or address, as the System V ABI has it.

        goes_on: asked where the budget is spent: whether the call may have it once more.
        GuestFault, BudgetSpent or GuestExited where it does not come back.
        """
        if isinstance(function, str):
            name, address = function, self._function(function)
        else:
            name, address = None, function
        if self.watcher is not NOBODY:
            self.watcher.called(name or self._name_of(address), arguments)
        returned = self._call(address, name, arguments, goes_on)
        self.watcher.returned(returned.result)
        return returned

    def fill(self, address: int, byte: int, count: int) -> None:
        """The program writes its own memory, by guest instructions, so that rights apply."""
        if count:
            self._call(self._harness.symbols["fill"], "fill", (address, byte * _EVERY_BYTE, count))

    def look(self, address: int, count: int) -> None:
        """The program reads its own memory, by guest instructions, so that rights apply."""
        if count:
            self._call(self._harness.symbols["look"], "look", (address, count))

    def lay(self, address: int, data: bytes, rights: str) -> None:
        """Lays something of ours from LAID on: the program's own kernel knows nothing of it.

        address: of a page. rights: "rx" or "rw".
        """
        self.memory.write(address, data)
        self._laid[address] = page_up(address + len(data)), rights

    def _call(
        self,
        address: int,
        name: str | None,
        arguments: tuple[int, ...],
        goes_on: Callable[[], bool] = lambda: False,
    ) -> Returned:
        first_syscall = len(self.kernel.calls)
        before = self.cpu.counter.count
        stop = self._enter(address, arguments)
        while stop is Stop.BUDGET and goes_on():
            stop = self.run(self.cpu.get("rip"), self.budget)
        registers = self.cpu.state()
        if stop is not Stop.HALTED or registers["rip"] != self.way_out:
            self._dies(stop, _spelled(name or self._name_of(address), arguments), before)
        frame = self._stack_pointer + _FRAME.size
        canary = self.memory.read(frame, len(self._caller_frame))
        return Returned(
            registers["rax"],
            self.cpu.counter.count - before,
            tuple(self.kernel.calls[first_syscall:]),
            tuple(convention.violations(registers, frame, canary, self._caller_frame)),
        )

    def _function(self, name: str) -> int:
        address = self.address_of(name)
        if address is None:
            raise KeyError(name)
        return address

    def _name_of(self, function: int) -> str:
        return self._known(function).symbol or hex(function)

    # Surrounding

    def _surround(self) -> None:
        """Lays the ways in and out around it."""
        self._laid: dict[int, tuple[int, str]] = {}
        self._harness = harness()
        self.memory.write(HARNESS, self._harness.segments[0].data)
        self._enter_at = self._harness.symbols["enter"]
        self._leave = self._harness.symbols["leave"] + _NOP_LENGTH
        self.way_out = self._leave + INTERRUPT_LENGTH
        self.cpu.uncounted = frozenset({self._enter_at, self._leave})

    def _fault(self, page: int, access: str) -> str:
        if page < HARNESS:
            return super()._fault(page, access)
        return "rx" if page == HARNESS else self._laid_rights(page, access)

    def _laid_rights(self, page: int, access: str) -> str:
        for start, (end, rights) in self._laid.items():
            if start <= page < end and access in rights:
                return rights
        return super()._fault(page, access)

    # Running

    def _enter(self, address: int, arguments: tuple[int, ...]) -> Stop:
        if self.died:
            raise ClosedError("this process is dead: its state means nothing any more")
        if self.closed:
            raise ClosedError("this process is closed")
        stack_pointer = self._stack_pointer
        frame = _FRAME.pack(address, self._leave) + self._caller_frame
        self.memory.write(stack_pointer, frame)
        convention.prepare(self.cpu, arguments, stack_pointer)
        self.cpu.set("rip", self._enter_at)
        self.watcher.begins()
        return self.run(self._enter_at, self.budget)

    # Dying

    def _dies(self, stop: Stop, name: str, before: int) -> NoReturn:
        self.died = True
        scene = autopsy.scene(self, stop, name, before, self._known)
        if isinstance(self.ending, ProcessExit):
            status = self.ending.status
            raise GuestExited(f"the process ended itself with exit status {status}", scene, status)
        if stop is Stop.ASKED:
            raise GuestFault(_how(self.ending), scene)
        if stop is Stop.BUDGET:
            raise BudgetSpent(f"no return within {self.budget} instructions", scene)
        if stop is Stop.MEMORY:
            raise MemorySpent(f"more than {self.limits.touched} bytes of memory written to", scene)
        raise autopsy.fault(self, stop, scene)

    def _known(self, address: int) -> Place:
        return _place_in(self._harness, address) if address >= HARNESS else self._place_of(address)


class Process(CallableProcess):
    """An image loaded into a fresh address space. Close it, or use it as a context manager."""

    def __init__(
        self,
        image: Image,
        *,
        limits: Limits | None = None,
        budget: int = BUDGET,
        world: World | None = None,
    ) -> None:
        super().__init__(limits or Limits(), page_up(image.end), world)
        self.image = image
        self.budget = budget
        self.heap_start = self.kernel.space.heap_start
        self._load()
        self._surround()
        self.kernel.space.limits = self.limits  # for what the process asks, not for its loading

    def address_of(self, name: str) -> int | None:
        return self.image.symbols.get(name)

    @property
    def sources(self) -> Sources:
        return self._sources

    @cached_property
    def _sources(self) -> Sources:
        """Of the image, and of the ways in and out."""
        return of_images((self.image, self._harness))

    def fork(self) -> Process:
        new = Process(self.image, limits=self.limits, budget=self.budget)
        try:
            new.become(self)
        except BaseException:
            new.close()
            raise
        return new

    def _place_of(self, address: int) -> Place:
        return _place_in(self.image, address)

    def _load(self) -> None:
        space = self.kernel.space
        for segment in self.image.segments:
            rights = Rights(read=True, write=segment.writable, execute=segment.executable)
            space.map(segment.address, page_up(len(segment.data)), rights, segment.name)
            self.memory.write(segment.address, segment.data)
        space.map(STACK_TOP - STACK_SIZE, STACK_SIZE, READ_WRITE, "stack")


def _place_in(image: Image, address: int) -> Place:
    line = image.line_at(address)
    symbol = image.symbol_at(address)
    return Place(symbol, line.place, line.text) if line else Place(symbol)


def _spelled(function: str, arguments: tuple[int, ...]) -> str:
    shown = (hex(argument) if argument > 0xFFFF else str(argument) for argument in arguments)
    return f"{function}({', '.join(shown)})"


def _how(ending: Ending | None) -> str:
    return f"killed by {signal_name(ending.number)}" if isinstance(ending, Killed) else str(ending)


@cache
def harness() -> Image:
    """What surrounds the code under test: harness.s."""
    return assemble(PACKAGE / "harness.s", HARNESS)
