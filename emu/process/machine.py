"""A CPU, its memory and a kernel, wired together: what every kind of process is made of."""

from __future__ import annotations

from dataclasses import dataclass

from emu.closing import Closing
from emu.errors import ClosedError, SnapshotError
from emu.process.counter import MOST_IN_BLOCK
from emu.process.cpu import Cpu, CpuState
from emu.process.delivery import deliver, leave
from emu.process.exceptions import signal_of
from emu.process.mmu import Mmu
from emu.process.stop import Stop
from emu.process.versions import Version
from emu.process.watcher import Nobody, Watcher
from syscalls import Kernel, Limits
from syscalls.cannot_keep import CannotKeep
from syscalls.ending import Ending, SignalReturn
from syscalls.frame import Trap
from syscalls.kernel import KernelState
from syscalls.memory import TooMuchTouched
from syscalls.signal_numbers import signal_name
from syscalls.signals import SignalInfo
from syscalls.world import World

_FAULTS = (Stop.PAGE_FAULT, Stop.INVALID, Stop.REFUSED, Stop.EXCEPTION, Stop.HALTED)
_LOOK = 2_000_000
"""Instructions between two looks at a timer on the host's time."""
_FOREVER = 1 << 62
NOBODY = Nobody()


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A machine at one time. Whoever drops the last one drops the pages that it kept.

    own: ending, died, and the trap that a signal's frame would tell of.
    """

    machine: Machine
    memory: Version
    cpu: CpuState
    kernel: KernelState
    own: tuple[Ending | None, bool, Trap]


class Machine(Closing):
    """No code yet, an empty address space. Close it, or use it as a context manager.

    remember: how many of the last system calls are kept; None for all of them.
    ending: why the process came to an end, where it did by a system call or a signal.
    running: whether the CPU is, now. bound: why it may not go back, while somebody watches it who
    would not know.
    """

    way_out: int | None = None
    """Behind the software interrupt by which a run ends, where it is no fault."""

    bound = ""

    def __init__(
        self,
        limits: Limits,
        break_at: int = 0,
        world: World | None = None,
        remember: int | None = None,
    ) -> None:
        self.limits = limits
        self.memory = Mmu(self._fault, limits.touched)
        self.cpu = Cpu(self.memory.walk, self._syscall)
        self.kernel = Kernel(
            self.memory, break_at, world=world, processor=self.cpu, remember=remember
        )
        self.memory.windows.map_window = self.cpu.map_window
        self.cpu.read_code = self.memory.read
        self.memory.flush_tlb = self.cpu.flush_tlb
        self.memory.forget_code = self.cpu.forget_code
        self.ending: Ending | None = None
        self.died = self.closed = self.running = False
        self._trap = Trap()
        self.watcher: Watcher = NOBODY

    def close(self) -> None:
        """Gives the host's memory and files back."""
        self.closed = True
        self.kernel.close()
        self.cpu.close()
        self.memory.close()

    # Going back

    def snapshot(self) -> Snapshot:
        """All that the process is now: memory, registers, kernel. Costs what is changed later.

        SnapshotError where it runs, or has done what cannot be undone.
        """
        self._stands()
        try:
            kernel = self.kernel.saved()
        except CannotKeep as reason:
            raise SnapshotError(f"the process cannot be taken back: {reason}") from None
        own = self.ending, self.died, self._trap
        return Snapshot(self, self.memory.take(), self.cpu.saved(), kernel, own)

    def restore(self, snapshot: Snapshot) -> None:
        """The process is as it was, also where it has died since. To any snapshot, any time.

        SnapshotError where it runs, is recorded or bound, or the snapshot is another's.
        """
        self._stands()
        if self.bound:
            raise SnapshotError(f"the process does not go back: {self.bound}")
        if self.cpu.counter.recording:
            raise SnapshotError("the process is recorded: a trace does not go back")
        if snapshot.machine is not self:
            raise SnapshotError("the snapshot is of another process")
        if not (
            self.kernel.stands_at(snapshot.kernel) and self.memory.put_bytes_back(snapshot.memory)
        ):
            self.kernel.put_back(snapshot.kernel)
            self.memory.go_to(snapshot.memory)
        self.cpu.put_back(snapshot.cpu)
        self.ending, self.died, self._trap = snapshot.own

    def become(self, other: Machine) -> None:
        """Goes on from where another stands. It is made like the other one, of the same program.

        SnapshotError where that runs, or has done what cannot be undone.
        """
        other._stands()
        try:
            self.kernel = other.kernel.again(self.memory, self.cpu)
        except CannotKeep as reason:
            raise SnapshotError(f"the process cannot be made again: {reason}") from None
        self.memory.become(other.memory)
        self.cpu.put_back(other.cpu.saved())
        self.ending, self.died, self._trap = other.ending, other.died, other._trap

    def _stands(self) -> None:
        if self.closed:
            raise ClosedError("this process is closed")
        if self.running:
            raise SnapshotError("the process runs: nothing is whole before it stands")

    # Running

    def run(self, start: int, budget: int) -> Stop:
        """Runs until something stops it that no handler of the program's takes."""
        self.running = True
        try:
            return self._run(start, budget)
        finally:
            self.running = False

    def _run(self, start: int, budget: int) -> Stop:
        end = self.cpu.counter.count + budget
        while True:
            left = end - self.cpu.counter.count
            timed = min(left, self._before_timer())
            stop = self._run_to_stop(start, timed)
            if stop is Stop.HALTED and self.cpu.get("rip") == self.way_out:
                return stop
            try:
                if not self._take(stop, timed < left or self._timer_is_due()):
                    return stop
                deliver(self.cpu, self.kernel.context, self._trap)
            except Ending as ending:
                self.ending = ending
                return stop
            start = self.cpu.get("rip")

    def _run_to_stop(self, start: int, budget: int) -> Stop:
        self.ending = None
        try:
            return self.cpu.run(start, budget)
        except TooMuchTouched:
            return Stop.MEMORY
        except BaseException:  # ours, or Ctrl-C: the process stands half way
            self.died = True
            raise

    def _timer_is_due(self) -> bool:
        """Whether the next block would pass a timer's time, whatever the budget was.

        So a run that is stopped anywhere goes on as if it had not been.
        """
        context = self.kernel.context
        left = context.timers.left
        if left is None or context.world.host_time:
            return False
        return self.cpu.counter.held_back > left

    def _before_timer(self) -> int:
        """Instructions until a timer may fire; where time is the host's, until the next look."""
        context = self.kernel.context
        left = context.timers.left
        if left is None:
            return _FOREVER
        return _LOOK if context.world.host_time else left

    def _take(self, stop: Stop, timed: bool) -> bool:
        """What comes of a stop; False where it is the end. timed: a timer had cut the budget."""
        self.kernel.changed()
        context = self.kernel.context
        if stop is Stop.ASKED and isinstance(self.ending, SignalReturn):
            leave(self.cpu, context, self.ending.restored)
        elif stop is Stop.ASKED:
            return self.ending is None
        elif stop is Stop.BUDGET and timed:
            # It fires at the end of the block before its time.
            context.timers.fire(within=0 if context.world.host_time else MOST_IN_BLOCK)
        elif stop in _FAULTS:
            space = self.kernel.space
            info, self._trap = signal_of(self.cpu, space, self.memory, stop, self._trap)
            self._tell_fault(info)
            context.signals.force(info)
        else:
            return False
        return True

    def _tell_fault(self, info: SignalInfo) -> None:
        is_page_fault = self.cpu.fault is not None
        what = "page fault" if is_page_fault else signal_name(info.number)
        self.watcher.faulted(self.cpu.get("rip"), what, info.address if is_page_fault else None)

    def _fault(self, page: int, access: str) -> str:
        return self.kernel.space.fault(page, access)

    def _syscall(self, number: int, arguments: tuple[int, ...]) -> int | None:
        self.watcher.asked()
        try:
            result = self.kernel.call(number & 0xFFFF_FFFF, arguments)
        except Ending as ending:
            self.ending = ending
            self.watcher.answered(self.kernel.calls[-1])
            return None
        self.watcher.answered(self.kernel.calls[-1])
        context = self.kernel.context
        if context.signals.due or context.timers.changed:
            context.timers.changed = False
            self.cpu.stop()  # to deliver, or to run no further than the timer allows
        return result
