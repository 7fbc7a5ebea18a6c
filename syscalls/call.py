"""What a handler is given, and how it may end other than by a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from syscalls.address_space import AddressSpace
from syscalls.clock import Clock, HostClock, InstructionClock
from syscalls.descriptors import Descriptors
from syscalls.processor import NoProcessor, Processor
from syscalls.random import RandomBytes
from syscalls.user import UserMemory
from syscalls.world import World


class Ending(Exception):
    """A system call that does not come back.

    answer: what it has answered all the same, or a negative errno, for those who watch.
    """

    answer: int | None = None


class ProcessExit(Ending):
    """The process asked to end."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Killed(Ending):
    """A signal kills the process. core: whether its default action is to leave a core dump."""

    def __init__(self, number: int, core: bool) -> None:
        super().__init__(f"killed by signal {number}")
        self.number, self.core = number, core


class SignalReturn(Ending):
    """rt_sigreturn: the registers come back from the frame on the stack."""


class Interrupted(Ending):
    """A signal is to be delivered before the process goes on: nothing else ended."""


class Deadlock(Ending):
    """The call waits for what can never happen, since nobody else runs."""


class OutputSpent(Ending):
    """The process has written more than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes of output")
        self.limit = limit


@dataclass(slots=True)
class Context:
    """The process as its system calls see it.

    user: its memory, as far as the guest may reach it. world: what it was given of the host.
    files: what it has open. clock, random: its time, and what is random for it.
    planned_errno: set while a call is to fail by plan, for the one handler (brk) that has its own
    way to fail.
    """

    space: AddressSpace
    world: World = field(default_factory=World)
    processor: Processor = field(default_factory=NoProcessor)
    planned_errno: int | None = None
    user: UserMemory = field(init=False)
    files: Descriptors = field(init=False)
    clock: Clock = field(init=False)
    random: RandomBytes = field(init=False)

    def __post_init__(self) -> None:
        self.user = UserMemory(self.space)
        self.files = Descriptors(self.world)
        self.clock = HostClock() if self.world.host_time else InstructionClock(self.processor)
        self.random = RandomBytes(self.world.seed)
