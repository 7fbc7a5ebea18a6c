"""A CPU, its memory and a kernel, wired together: what every kind of process is made of."""

from __future__ import annotations

from emu.closing import Closing
from emu.process.cpu import Cpu, Stop
from emu.process.mmu import Mmu, TooMuchTouched
from syscalls import Kernel, Limits
from syscalls.call import Ending
from syscalls.world import World


class Machine(Closing):
    """No code yet, an empty address space. Close it, or use it as a context manager.

    ending: why the process asked the CPU to stop, where a system call ended the run.
    """

    def __init__(self, limits: Limits, break_at: int = 0, world: World | None = None) -> None:
        self.limits = limits
        self.memory = Mmu(self._fault, limits.touched)
        self.cpu = Cpu(self.memory.walk, self._syscall)
        self.kernel = Kernel(self.memory, break_at, world=world, processor=self.cpu)
        self.memory.windows.map_window = self.cpu.map_window
        self.cpu.read_code = self.memory.read
        self.memory.flush_tlb = self.cpu.flush_tlb
        self.memory.forget_code = self.cpu.forget_code
        self.ending: Ending | None = None
        self.died = self.closed = False

    def close(self) -> None:
        """Gives the host's memory and files back."""
        self.closed = True
        self.kernel.close()
        self.cpu.close()
        self.memory.close()

    def run(self, start: int, budget: int) -> Stop:
        """Runs until something stops the CPU."""
        self.ending = None
        try:
            return self.cpu.run(start, budget)
        except TooMuchTouched:
            return Stop.MEMORY
        except BaseException:  # ours, or Ctrl-C: the process stands half way
            self.died = True
            raise

    def _fault(self, page: int, access: str) -> str:
        return self.kernel.space.fault(page, access)

    def _syscall(self, number: int, arguments: tuple[int, ...]) -> int | None:
        try:
            return self.kernel.call(number & 0xFFFF_FFFF, arguments)
        except Ending as ending:
            self.ending = ending
            return None
