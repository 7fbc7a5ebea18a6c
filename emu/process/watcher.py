"""Who is told of what a machine does, while somebody watches it."""

from __future__ import annotations

from typing import Protocol

from emu.process.event import Effect
from syscalls import SystemCall


class Watcher(Protocol):
    """Told of events as they happen. What the kernel does to memory, the memory tells."""

    def called(self, function: str, arguments: tuple[int, ...]) -> None:
        """The program is about to call a function."""

    def begins(self) -> None:
        """The call is set up, and its first instruction will run next."""

    def returned(self, result: int) -> None:
        """It came back; rax."""

    def asked(self) -> None:
        """A system call begins."""

    def answered(self, call: SystemCall) -> None:
        """It was answered, or ended the process."""

    def faulted(self, rip: int, what: str, address: int | None) -> None:
        """An exception of the CPU: of the instruction at rip, which did not run."""


class MemoryWatcher(Protocol):
    """Told of what the kernel, or a person, does to memory."""

    def changed(self, effect: Effect) -> None:
        """Something is about to be done to memory."""

    def walking(self) -> None:
        """The CPU asks for a page."""

    def walked(self, page: int, access: int, *, new: bool) -> None:
        """It was given one. new: it had nothing before."""


class Nobody:
    """Is told and forgets."""

    def called(self, function: str, arguments: tuple[int, ...]) -> None:
        pass

    def begins(self) -> None:
        pass

    def returned(self, result: int) -> None:
        pass

    def asked(self) -> None:
        pass

    def answered(self, call: SystemCall) -> None:
        pass

    def faulted(self, rip: int, what: str, address: int | None) -> None:
        pass
