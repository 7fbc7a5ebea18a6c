"""A program: an ELF file in a process of its own, run from its first instruction to its end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from emu.errors import BudgetSpent, Deadlocked, GuestDied, InternalError, MemorySpent, OutputSpent
from emu.process import autopsy
from emu.process.autopsy import Place
from emu.process.machine import Machine
from emu.process.objects import LoadedObject, Objects
from emu.process.sources import Sources
from emu.process.stop import Stop
from syscalls import Limits, ProcessExit, ending
from syscalls.abi import EACCES, Errno
from syscalls.ending import Deadlock, Killed
from syscalls.execve import Executable, Loaded, load
from syscalls.files.file import File
from syscalls.resources import Resource
from syscalls.signal_numbers import signal_name
from syscalls.world import World

_AT_RANDOM = 16
_REMEMBERED = 1000
"""System calls: a program may make any number of them."""
_ANYBODY_EXECUTES = 0o111
_LARGEST_SYMBOLS = 256 << 20
"""Bytes of a file that are looked through for names."""
BUDGET = 100_000_000_000
"""Instructions that a program may take, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. signal: None where it ended itself; core: whether with a core dump.

    death: the report, where a signal killed it. status: as a shell has it.
    """

    exit_status: int
    instructions: int
    signal: int | None = None
    core: bool = False
    death: GuestDied | None = None

    @property
    def status(self) -> int:
        return self.exit_status if self.signal is None else 128 + self.signal


class Program(Machine):
    """A process for an ELF program: `load` it, then `play` it.

    world: what it is given of the host; ValueError where that names folders that are not there.
    """

    _remembered: int | None = _REMEMBERED

    def __init__(
        self,
        *,
        world: World | None = None,
        limits: Limits | None = None,
        budget: int = BUDGET,
    ) -> None:
        super().__init__(limits or Limits(), world=world, remember=self._remembered)
        self.kernel.space.limits = self.limits
        self.budget = budget
        self.path = self._doing = ""
        self.argv: tuple[bytes, ...] = ()
        self.loaded: Loaded | None = None
        """Where it begins, once it is loaded."""
        self._files: list[File] = []

    def executable(self, path: str) -> Executable:
        """A file that the process can see, to be run. Errno where there is none."""
        file = self.kernel.context.filesystem.host_file(path)
        self._files.append(file)
        if not file.stat().mode & _ANYBODY_EXECUTES:
            raise Errno(EACCES)
        return Executable(path, file.source(), file)

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._files.clear()
        super().close()

    def load(self, file: Executable, argv: Sequence[bytes], envp: Sequence[bytes] = ()) -> None:
        """BadElf where Linux would not run it."""
        self.path, self.argv = file.path, tuple(argv)
        self._doing = self.path
        context = self.kernel.context
        random = context.random.bytes(_AT_RANDOM)
        loaded = load(context.space, file, argv, envp, self.executable, random)
        about = context.filesystem.program
        folder = context.filesystem.folder.spelled
        about.executable = os.path.join(folder, os.fsencode(loaded.objects[0][1].path))
        about.arguments, about.environment = loaded.argv, tuple(envp)
        about.auxiliary = loaded.auxiliary
        self.loaded = loaded
        self.cpu.update({"rip": loaded.entry, "rsp": loaded.stack_pointer})
        self.kernel.changed()

    @property
    def file(self) -> tuple[str, bytes]:
        """Its path, and its bytes; not of its interpreter."""
        assert self.loaded is not None
        file = self.loaded.objects[0][1]
        return file.path, file.source.read(0, _LARGEST_SYMBOLS)

    @cached_property
    def objects(self) -> Objects:
        """The program, and its interpreter."""
        assert self.loaded is not None
        return Objects(
            LoadedObject(bias, file.path, file.source.read(0, _LARGEST_SYMBOLS))
            for bias, file in self.loaded.objects
        )

    @property
    def sources(self) -> Sources:
        """Functions and lines of source: the program's, and its interpreter's."""
        return self.objects.sources

    def play(self) -> Ended:
        """Runs it to its end, from where it stands.

        BudgetSpent, MemorySpent, OutputSpent or Deadlocked where one of our limits ends it.
        """
        stop = self.run(self.cpu.get("rip"), self.budget)
        self.died = True
        end = self.ending
        count = self.cpu.counter.count
        if isinstance(end, ProcessExit):
            return Ended(end.status, count)
        if isinstance(end, Killed):
            core = end.core and self._dumps_core()
            return Ended(0, count, end.number, core, self._death(end, stop))
        raise self._limit(stop)

    def _dumps_core(self) -> bool:
        context = self.kernel.context
        return context.task.resources.soft(context, Resource.CORE) > 0

    def _death(self, killed: Killed, stop: Stop) -> GuestDied:
        scene = autopsy.scene(self, stop, self._doing, 0, self._known)
        if stop is Stop.ASKED:
            return GuestDied(f"killed by {signal_name(killed.number)}", scene)
        return autopsy.fault(self, stop, scene)

    def _limit(self, stop: Stop) -> GuestDied | InternalError:
        """Which of our limits ended it."""
        scene = autopsy.scene(self, stop, self._doing, 0, self._known)
        end = self.ending
        if stop is Stop.BUDGET:
            return BudgetSpent(f"not done within {self.budget} instructions", scene)
        if stop is Stop.MEMORY:
            return MemorySpent(f"more than {self.limits.touched} bytes of memory written to", scene)
        if isinstance(end, ending.OutputSpent):
            return OutputSpent(f"more than {end.limit} bytes written", scene)
        if isinstance(end, Deadlock):
            return Deadlocked(str(end), scene)
        return InternalError(f"the CPU stopped, and nobody knows why: {stop.value}")

    def _known(self, address: int) -> Place:
        """The nearest symbol below, of the program or of its interpreter."""
        return self.objects.place_of(address)
