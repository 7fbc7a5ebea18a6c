"""The CPU: an engine with Linux's manners.

What Unicorn does wrong for Linux is put right here: start values of MXCSR, FPCW and RFLAGS; rcx
and r11 after `syscall`; AVX, which it would compute wrongly; exceptions raised inside callbacks,
which it would lose.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any

from emu.closing import Closing
from emu.errors import InternalError
from emu.process import engine
from emu.process.counter import Counter, make_counter
from emu.process.disassembly import first_avx
from emu.process.engine import Engine, Hook, Status

GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags".split()
CONTROL = ["mxcsr", "fpcw", "fpsw", "fptag"]
XMM = [f"xmm{number}" for number in range(16)]

MXCSR, FPCW, RFLAGS = 0x1F80, 0x037F, 0x202
"""What Linux gives a new process."""

_FPSW, _FPTAG = 0, 0xFFFF
"""An x87 stack with nothing on it."""

STATE = GENERAL + CONTROL + XMM


def new_state(
    general: Mapping[str, int] = MappingProxyType({}), xmm: Sequence[int] = (0,) * 32
) -> list[int]:
    """The values of STATE as Linux starts a process, but for what is given."""
    start = {"rflags": RFLAGS, "mxcsr": MXCSR, "fpcw": FPCW, "fpsw": _FPSW, "fptag": _FPTAG}
    return [*({**start, **general}.get(name, 0) for name in GENERAL + CONTROL), *xmm]


SLICE = 200_000_000
"""Instructions between two looks at pending signals, so that Ctrl-C works."""

_MANY_FILLS = 2048
"""Walks after which the TLB is flushed: only then does Unicorn make it larger, and it begins with
256 entries."""

_SYSCALL_LENGTH = 2
_NEVER = 1 << 62
"""The length of a block that no budget pays for."""


class Access(IntEnum):
    """What the page-table walk is asked for; Unicorn's numbers."""

    READ = 16
    WRITE = 17
    EXECUTE = 18

    def __str__(self) -> str:
        return self.name.lower()


class Stop(Enum):
    """Why the CPU stopped."""

    HALTED = "halted"
    BUDGET = "budget spent"
    PAGE_FAULT = "page fault"
    INVALID = "invalid instruction"
    REFUSED = "an instruction that would compute wrong results"
    EXCEPTION = "exception"
    ASKED = "asked to"
    MEMORY = "memory spent"


Walk = Callable[[int, int], str]
OnSyscall = Callable[[int, tuple[int, ...]], int | None]


class Cpu(Closing):
    """One x86-64 CPU.

    walk(page, access) -> rights as a string of "r", "w", "x"; "" refuses. Asked on a TLB miss.
    on_syscall(number, arguments) -> what rax shall be; None stops the run.
    """

    def __init__(self, walk: Walk, on_syscall: OnSyscall) -> None:
        self._engine = Engine()
        self._walk, self._on_syscall = walk, on_syscall
        self._state = self._engine.batch(STATE)
        self._scalars = self._engine.batch(GENERAL + CONTROL)
        self._asked_for = self._engine.batch("rax rdi rsi rdx r10 r8 r9 rip rflags".split())
        self._answer = self._engine.batch("rax rcx r11".split())
        self._raised: BaseException | None = None
        self._asked = False
        self._refused: tuple[int, int, int] | None = None
        self._cut: int | None = None
        self._fills = 0
        self.uncounted: frozenset[int] = frozenset()
        """Addresses of blocks that count as no instructions: the way in and the way out."""
        self.fault: tuple[int, int] | None = None
        """Address and access of the last page fault."""
        self.interrupt: int | None = None
        """Number of the last exception or software interrupt."""
        self.counter: Counter = make_counter(engine.library)
        self._engine.hook(Hook.WALK, engine.WALK(self._fill))
        syscall = engine.SYSCALL(self._syscall)
        self._engine.hook(Hook.INSTRUCTION, syscall, engine.SYSCALL_INSTRUCTION)
        self._engine.hook(Hook.INTERRUPT, engine.INTERRUPT(self._interrupted))
        self._engine.hook(Hook.TRANSLATED, engine.TRANSLATED(self._translated))
        self._engine.hook(Hook.BLOCK, self.counter.callback, user=self.counter.user)
        self.get, self.set = self._engine.get, self._engine.set
        self.map_window, self.forget_code = self._engine.map_window, self._engine.forget_code
        self.set_state(new_state())

    def close(self) -> None:
        self._engine.close()
        self.counter.close()

    def flush_tlb(self) -> None:
        """After pages lost rights: the walk is asked again."""
        self._fills = 0
        self._engine.flush_tlb()

    # Registers; get and set, for one of them, are the engine's

    def state(self) -> dict[str, int]:
        """The registers of GENERAL and CONTROL."""
        return dict(zip(GENERAL + CONTROL, self._scalars.read(), strict=True))

    def set_state(self, values: list[int]) -> None:
        """All of STATE at once: a word each, but two for an xmm register, the low one first."""
        self._state.write(values)

    # Running

    def run(self, start: int, budget: int) -> Stop:
        """Runs from `start` until `hlt`, a fault, or until `budget` instructions are spent."""
        if self._fills > _MANY_FILLS:
            self.flush_tlb()
        counter = self.counter
        end = counter.count + budget
        address = start
        self._forget_last_run()
        while True:
            counter.arm(min(end, counter.count + SLICE))
            status = self._emulate(address)
            if self._refused is not None:
                return self._run_up_to(*self._refused)
            stop = self._why(status)
            if stop is not Stop.BUDGET or counter.limit == end:
                return stop
            address = self.get("rip")

    def _forget_last_run(self) -> None:
        self.fault = self.interrupt = None
        self._asked = False
        self._refused = self._cut = None

    def _run_up_to(self, block: int, end: int, instructions: int) -> Stop:
        """Runs what stands before a refused instruction in its block."""
        if block == end:
            return Stop.REFUSED
        self._refused, self._cut = None, block
        self.counter.arm(self.counter.count + instructions)
        self._engine.forget_all_code()
        stop = self._why(self._emulate(block, end))
        return Stop.REFUSED if stop is Stop.HALTED else stop

    def _emulate(self, address: int, until: int = 0) -> int:
        hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            status = self._engine.run(address, until)
        finally:
            sys.unraisablehook = hook
        if self._raised is not None:
            raised, self._raised = self._raised, None
            raise raised
        if self.counter.misses:
            raise InternalError(f"{self.counter.misses} blocks were not counted")
        return status

    def _why(self, status: int) -> Stop:
        if self._asked:
            return Stop.ASKED
        if self.interrupt is not None:
            return Stop.EXCEPTION
        if status == Status.INVALID:
            return Stop.INVALID
        if status == Status.EXCEPTION:
            return Stop.PAGE_FAULT if self.fault else Stop.EXCEPTION
        engine.check(status)
        return Stop.BUDGET if self.counter.spent else Stop.HALTED

    # Callbacks. Nothing may escape from them: Unicorn would lose it.

    def _fill(self, _: int, page: int, access: int, entry: Any, __: int) -> bool:
        try:
            rights = self._walk(page, access)
            if not rights:
                self.fault = (page, access)
                return False
            self._fills += 1
            entry[0].paddr = page
            entry[0].perms = sum(map(engine.PERMISSIONS.__getitem__, rights))
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)
            return False
        return True

    def _syscall(self, _: int, __: int) -> None:
        try:
            number, *args, rip, rflags = self._asked_for.read()
            result = self._on_syscall(number, tuple(args))
            if result is None:
                self._asked = True
                self._engine.stop()
            else:
                self._answer.write([result, rip + _SYSCALL_LENGTH, rflags])
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _interrupted(self, _: int, number: int, __: int) -> None:
        self.interrupt = number
        self._engine.stop()

    def _translated(self, _: int, block: Any, __: int, ___: int) -> None:
        try:
            address, size = block[0].pc, block[0].size
            instructions = 0 if address in self.uncounted else block[0].icount
            instructions -= address == self._cut  # its end is no instruction of the guest's
            avx = first_avx(self._engine.read(address, size), address)
            if avx is not None:
                self._refused = (address, *avx)
                instructions = _NEVER
            self.counter.learn(address, size, instructions)
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _unraisable(self, lost: Any) -> None:
        """Ctrl-C strikes where a callback is entered, before its `try`: ctypes would only print."""
        if "ctypes callback" in (lost.err_msg or ""):
            self._fail(lost.exc_value)
        else:
            sys.__unraisablehook__(lost)

    def _fail(self, error: BaseException) -> None:
        if self._raised is None:
            self._raised = error
        self._engine.stop()
