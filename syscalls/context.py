"""What a handler is given."""

from __future__ import annotations

from dataclasses import dataclass, field

from syscalls.address_space import AddressSpace
from syscalls.clock import Clock, HostClock, InstructionClock
from syscalls.descriptors import Descriptors
from syscalls.ending import OutputSpent
from syscalls.files.filesystem import Filesystem
from syscalls.processor import NoProcessor, Processor
from syscalls.random import RandomBytes
from syscalls.signals import Signals
from syscalls.task import Task
from syscalls.timers import Timers
from syscalls.user import UserMemory
from syscalls.world import World


@dataclass(slots=True)
class Context:
    """The process as its system calls see it.

    user: its memory, as far as the guest may reach it. world: what it was given of the host.
    files: what it has open. clock, random: its time, and what is random for it. task: the rest
    that Linux keeps of it.
    planned_errno: set while a call is to fail by plan, for the one handler (brk) that has its own
    way to fail.
    filesystem: what its paths lead to. signals: what is pending for it, and how it takes them.
    timers: its alarm clocks, and waiting. written: bytes of output.
    """

    space: AddressSpace
    world: World = field(default_factory=World)
    processor: Processor = field(default_factory=NoProcessor)
    planned_errno: int | None = None
    task: Task = field(default_factory=Task)
    user: UserMemory = field(init=False)
    files: Descriptors = field(init=False)
    clock: Clock = field(init=False)
    random: RandomBytes = field(init=False)
    signals: Signals = field(init=False)
    timers: Timers = field(init=False)
    filesystem: Filesystem = field(init=False)
    written: int = 0

    def __post_init__(self) -> None:
        self.user = UserMemory(self.space)
        self.files = Descriptors(self.world)
        self.clock = HostClock() if self.world.host_time else InstructionClock(self.processor)
        self.random = RandomBytes(self.world.seed)
        self.signals = Signals()
        self.timers = Timers(self.clock, self.signals)
        self.filesystem = Filesystem(self.world, self.files, self.space, self.random, self.spend)
        self.files.closed = self.filesystem.locks.drop
        self.filesystem.disk.mappings = self.space

    def spend(self, size: int) -> None:
        """So many bytes of output more; OutputSpent where that is more than the world allows."""
        if self.written + size > self.world.most_output:
            raise OutputSpent(self.world.most_output)
        self.written += size

    def close(self) -> None:
        """Gives back what the process had of the host."""
        self.files.close_all()
        self.filesystem.close()
