"""The CPU: an engine with Linux's manners.

What Unicorn does wrong for Linux is put right here: start values of MXCSR, FPCW and RFLAGS; rcx
and r11 after `syscall`; instructions that it would run wrongly (screening.py) and accesses that it
should refuse (minding.py); the time stamp, which is the count of instructions; exceptions raised
inside callbacks, which it would lose.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from emu.closing import Closing
from emu.process import binding, cpuid, host_code, screening, time_stamp
from emu.process.access_probe import OnAccesses
from emu.process.binding import Hook, Status
from emu.process.counter import Counter, make_counter, take_back_rest
from emu.process.cpu_state import registers_place
from emu.process.disassembly import statements
from emu.process.engine import Engine
from emu.process.exit_check import exit_check
from emu.process.journal import Journal
from emu.process.minding import Minding, Screen
from emu.process.probes import Probes
from emu.process.registers import Registers, new_state
from emu.process.residues import REGISTERS
from emu.process.screening import GENERAL_PROTECTION, Refused, first_refused
from emu.process.step_probe import OnSteps
from emu.process.stop import Access, Stop

if TYPE_CHECKING:
    from emu.process.shadow import Shadow
    from emu.process.shadow_probe import OnTouch, ShadowProbe

SLICE = 2_000_000
"""Instructions between two looks at pending signals, so that Ctrl-C works, and at what is kept."""

_MANY_BLOCKS = 1 << 18
"""Where more were translated, all are forgotten: code that rewrites itself makes any number."""

_FILLS, _MOST_FILLS = 512, 1 << 17
"""Walks after which the TLB is flushed, at first and at last: only then does Unicorn make it
larger, to twice as many entries, and it begins with 256."""
WAY_OUT = 0xFF
"""The software interrupt that ends a run."""
_SYSCALL_LENGTH = 2
_WITHIN_A_BLOCK = (Status.INVALID, Status.EXCEPTION)
_HLT = b"\xf4"
_LOW = (1 << 32) - 1
LONGEST_INSTRUCTION = 15
_NEVER = 1 << 62
"""The length of a block that no budget pays for."""

Walk = Callable[[int, int], tuple[str, int]]
OnSyscall = Callable[[int, tuple[int, ...]], int | None]
CpuState = tuple[bytes, int, tuple[tuple[int, int] | None, int | None, Refused | None, bool]]
"""Registers, the count of instructions, and how the last run ended."""


class Cpu(Registers, Closing):
    """One x86-64 CPU.

    walk(page, access) -> rights as a string of "r", "w", "x", "" to refuse; and the physical page.
    Asked on a TLB miss.
    on_syscall(number, arguments) -> what rax shall be; None stops the run.
    """

    def __init__(self, walk: Walk, on_syscall: OnSyscall) -> None:
        self._engine = Engine()
        super().__init__(self._engine)
        self._walk, self._on_syscall = walk, on_syscall
        self._asked_for = self._engine.batch("rax rdi rsi rdx r10 r8 r9 rip rflags".split())
        self._answer = self._engine.batch("rax rcx r11".split())
        self._raised: BaseException | None = None
        self._excepted = False
        self._asked = False
        self._cut: int | None = None
        self._fills, self._many_fills = 0, _FILLS
        self.read_code: Callable[[int, int], bytes] = self._engine.read
        """Bytes of the program: by physical address, unless told otherwise."""
        self.uncounted: frozenset[int] = frozenset()
        """Addresses of blocks that count as no instructions: the way in and the way out."""
        self.fault: tuple[int, int] | None = None
        """Address and access of the last page fault."""
        self.interrupt: int | None = None
        """Number of the last exception or software interrupt."""
        self.refused: Refused | None = None
        """The instruction that was not run, since it would have run wrongly."""
        self.counter: Counter = make_counter(binding.library, exit_check(self._engine))
        self._engine.hook(Hook.WALK, binding.WALK(self._fill))
        syscall = binding.SYSCALL(self._syscall)
        self._engine.hook(Hook.INSTRUCTION, syscall, binding.SYSCALL_INSTRUCTION)
        self._engine.hook(Hook.INTERRUPT, binding.INTERRUPT(self._interrupted))
        self._engine.hook(Hook.TRANSLATED, binding.TRANSLATED(self._translated))
        blocks = self._engine.hook(Hook.BLOCK, self.counter.callback, user=self.counter.user)
        self.counter.bind(self._engine.user_data(blocks))
        self._minding = Minding(self._engine, self.counter, blocks)
        self.probes = Probes(self._engine, self.counter, blocks)
        self._engine.hook(Hook.INSTRUCTION, binding.CPUID(self._cpuid), binding.CPUID_INSTRUCTION)
        self._looking: ShadowProbe | None = None
        place = registers_place(self._engine) if host_code.runs_here() else None
        kept = binding.U64 * (len(REGISTERS) + 1)
        self._kept = None if place is None else kept.from_address(place)
        self._general = self._engine.batch(REGISTERS)
        self.map_window, self.forget_code = self._engine.map_window, self._engine.forget_code
        self.set_state(new_state())

    def close(self) -> None:
        self._engine.close()
        self.counter.close()

    def flush_tlb(self) -> None:
        """After pages lost rights: the walk is asked again."""
        self._fills = 0
        self._engine.flush_tlb()

    def instructions(self) -> int:
        """How many it has executed."""
        return self.counter.count

    @property
    def rip(self) -> int:
        """The instruction that runs, or would be next: quickly, also from inside a callback."""
        return self.get("rip") if self._kept is None else self._kept[-1]

    def general(self) -> list[int]:
        """The registers of REGISTERS: quickly, also from inside a callback."""
        return self._general.read() if self._kept is None else self._kept[:-1]

    # Recording

    def record(
        self,
        journal: Journal | None,
        on_accesses: OnAccesses | None = None,
        on_steps: OnSteps | None = None,
    ) -> None:
        """From now on a journal is told of blocks, or nobody is.

        on_accesses and on_steps are told of accesses, and of registers before each instruction.
        Not while it runs. Code that nobody watches is as fast as it was.
        """
        self.probes.record(journal, on_accesses, on_steps)
        self._forget_blocks()

    # Looking at accesses

    def look(self, shadow: Shadow, on_touch: OnTouch) -> ShadowProbe:
        """From now on on_touch is told of what the shadow does not let pass. Not while it runs.

        What it raises, `run` raises.
        """
        from emu.process.shadow_probe import make_shadow_probe

        probe = make_shadow_probe(self._engine, shadow, self._guarded(on_touch))
        self._forget_blocks()
        self._looking = probe  # which the engine calls
        return probe

    def look_away(self, probe: ShadowProbe) -> None:
        """Nobody is told of accesses any more. Not while it runs."""
        self._looking = None
        if self._engine.address:
            probe.close()
            self._forget_blocks()

    def tell_entries(
        self,
        entries: Collection[int],
        on_entry: Callable[[int], None],
        screen: Screen = lambda on_entry: None,
    ) -> None:
        """on_entry is told of a function's address when it is entered, before it runs.

        entries: it may grow before the code there runs for the first time. screen: a probe's, that
        keeps what is no news. Not while it runs.
        """
        self._minding.entries, self._minding.on_entry = entries, self._guarded(on_entry)
        self._minding.screen = screen
        self._forget_blocks()

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        """Nothing may escape from what the engine calls: it would lose it."""

        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except BaseException as error:  # noqa: BLE001 - kept, and raised by run
                self._fail(error)

        return guarded

    # Going back

    def saved(self) -> CpuState:
        """Everything about it but the code that it knows. Not while it runs."""
        last = self.fault, self.interrupt, self.refused, self._excepted
        return self._engine.saved(), self.counter.count, last

    def put_back(self, saved: CpuState) -> None:
        """What `saved` gave, be it of another CPU."""
        registers, count, (self.fault, self.interrupt, self.refused, self._excepted) = saved
        self._engine.put_back(registers)
        self.counter.go_to(count)

    # Running

    def stop(self) -> None:
        """From inside a system call: the run ends behind it."""
        self._asked = True
        self._engine.stop()

    def run(self, start: int, budget: int) -> Stop:
        """Runs from `start` until `hlt`, a fault, or until `budget` instructions are spent.

        Afterwards the counter has counted exactly what ran.
        """
        counter = self.counter
        end = counter.count + budget
        address: int | None = start
        while address is not None:
            self._forget_last_run()
            if counter.known > _MANY_BLOCKS:
                self._forget_blocks()
            counter.arm(min(end, counter.count + SLICE))
            status = self._emulate(address)
            stop = self._why(status)
            address = self._resumed(stop, end)
        return stop

    def _resumed(self, stop: Stop, end: int) -> int | None:
        """Where to run on, if what stopped the CPU is no affair of the guest's or the kernel's."""
        if stop is Stop.BUDGET:
            again = self._minding.translate()
            if again is not None:
                return again
            goes_on = self.counter.full or self.counter.limit != end
            return self.get("rip") if goes_on else None
        if stop is Stop.EXCEPTION and self.interrupt == GENERAL_PROTECTION:
            return self._after_time_stamp()
        return None

    def run_part(self, instructions: int) -> Stop:
        """Runs the first instructions of the block at rip, which has more. BUDGET behind them."""
        self._forget_last_run()
        block = self.get("rip")
        code = self.read_code(block, instructions * LONGEST_INSTRUCTION)
        last, size, _ = statements(code, block)[instructions - 1]
        end = last + size
        stop = self._run_cut(block, end, instructions)
        if stop is Stop.EXCEPTION and self.interrupt == GENERAL_PROTECTION:
            again = self._after_time_stamp()
            if again is not None:  # a part of the part
                self.set("rip", again)
                return Stop.BUDGET
        return Stop.BUDGET if stop is Stop.HALTED else stop

    def _forget_blocks(self) -> None:
        """A new beginning: what is kept of a block does not know that it was translated anew."""
        self._engine.forget_all_code()
        self.counter.forget()

    def _forget_last_run(self) -> None:
        if self._excepted:
            self._engine.forget_exception()
            self._excepted = False
        self.fault = self.interrupt = None
        self._asked = False
        self.refused = self._cut = None
        self._minding.forget()

    def _run_up_to(self, refused: Refused) -> Stop:
        """Runs what stands before a refused instruction in its block."""
        block = self.get("rip")
        if block != refused.address:
            self.refused = None
            stop = self._run_cut(block, refused.address, refused.index)
            if stop is not Stop.HALTED:
                return stop
        self._engine.forget_code(block, block + 1)  # it is refused when it is translated
        self.refused = refused
        self.interrupt = refused.exception
        return Stop.REFUSED

    def _run_cut(self, block: int, end: int, instructions: int) -> Stop:
        """Runs a block that ends before one of its instructions, this once. HALTED there."""
        self._cut = block
        self._engine.forget_code(block, block + 1)
        self._minding.forget()
        self.counter.arm(self.counter.count + instructions)
        with self._minding.watching(self.read_code(block, end - block), block):
            stop = self._why(self._emulate(block, end))
        self._engine.forget_code(block, block + 1)
        return stop

    def _after_time_stamp(self) -> int | None:
        """rdtsc and rdtscp, which the kernel keeps for itself: they tell instructions."""
        rip = self.get("rip")
        asked = time_stamp.asked(self.read_code(rip, time_stamp.LONGEST))
        if asked is None:
            return None
        self.counter.add(rip, len(asked))
        self.update(time_stamp.answer(asked, self.counter.count))
        return rip + len(asked)

    def _emulate(self, address: int, until: int = 0) -> int:
        hook, sys.unraisablehook = sys.unraisablehook, self._unraisable
        try:
            status = self._engine.run(address, until)
        finally:
            sys.unraisablehook = hook
        if self._raised is not None:
            raised, self._raised = self._raised, None
            if self.fault is not None:
                self._settle()
            raise raised
        return status

    def _why(self, status: int) -> Stop:
        if self._asked or self.interrupt == WAY_OUT:
            return Stop.ASKED if self._asked else Stop.HALTED
        if self.refused is not None and self.counter.spent:
            return self._run_up_to(self.refused)
        if self._minding.broken:
            self.interrupt = GENERAL_PROTECTION
        if self.interrupt is not None or status in _WITHIN_A_BLOCK:
            self._settle()
            return self._why_within(status)
        binding.check(status)
        held = self.counter.spent or self.counter.uneven is not None
        return Stop.BUDGET if held else Stop.HALTED

    def _why_within(self, status: int) -> Stop:
        """After a stop that is no end of a block."""
        if self.interrupt == GENERAL_PROTECTION and self.read_code(self.get("rip"), 1) == _HLT:
            return Stop.HALTED
        if self.interrupt is not None:
            return Stop.EXCEPTION
        if status == Status.INVALID:
            return Stop.INVALID
        return Stop.PAGE_FAULT if self.fault else Stop.EXCEPTION

    def _settle(self) -> None:
        """After a stop within a block: what was counted and did not run is taken back."""
        if self.fault is None or self.fault[1] != Access.EXECUTE:  # else the block had ended
            take_back_rest(self.counter, self.get("rip"), self.read_code)

    # Callbacks. Nothing may escape from them: Unicorn would lose it.

    def _fill(self, _: int, page: int, access: int, entry: Any, __: int) -> bool:
        try:
            rights, place = self._walk(page, access)
            if not rights:
                self._refuse(page, access)
                return False
            self._fills += 1
            if self._fills > self._many_fills:
                self._many_fills = min(2 * self._many_fills, _MOST_FILLS)
                self.flush_tlb()
            entry[0].paddr = place
            entry[0].perms = sum(map(binding.PERMISSIONS.__getitem__, rights))
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._refuse(page, access)
            self._fail(error)
            return False
        return True

    def _refuse(self, page: int, access: int) -> None:
        self.fault = (page, access)
        self._excepted = True

    def _syscall(self, _: int, __: int) -> None:
        try:
            number, *args, rip, rflags = self._asked_for.read()
            result = self._on_syscall(number, tuple(args))
            if result is None:
                self.stop()
            else:
                self._answer.write([result, rip + _SYSCALL_LENGTH, rflags])
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _interrupted(self, _: int, number: int, __: int) -> None:
        self.interrupt = number
        self._excepted = number < screening.FIRST_SOFTWARE_INTERRUPT
        self._engine.stop()

    def _translated(self, _: int, block: Any, __: int, ___: int) -> None:
        try:
            address, size = block[0].pc, block[0].size
            instructions = 0 if address in self.uncounted else block[0].icount
            instructions -= address == self._cut  # its end is no instruction of the guest's
            code = self.read_code(address, size)
            self._screen(address, code, instructions)
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)

    def _screen(self, address: int, code: bytes, instructions: int) -> None:
        """A new block: how long it is, or that it may not run as it stands."""
        refused = first_refused(code, address)
        if refused is not None:
            self.refused = refused
        held = refused is not None
        if not held and address != self._cut:  # a block that is cut is watched
            held = self._minding.holds(code, address, instructions)
        self.counter.learn(address, len(code), _NEVER if held else instructions)

    def _cpuid(self, _: int, __: int) -> int:
        """Whether it is answered here; if not, the engine answers."""
        try:
            shown = cpuid.answer(self.get("rax") & _LOW, self.get("rcx") & _LOW)
            if shown is None:
                return 0
            self.update(dict(zip(("rax", "rbx", "rcx", "rdx"), shown, strict=True)))
        except BaseException as error:  # noqa: BLE001 - kept, and raised by run
            self._fail(error)
        return 1

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
