"""The language of what happened: calls, and the events of a trace.

In a trace, beside instructions and accesses, stand events in order. Each has two moments: `at`,
how many instructions had been executed, and `entry`, how many blocks had been entered, both since
the trace began.
"""

from __future__ import annotations

from dataclasses import dataclass

from emu.process.convention import Violation
from syscalls import SystemCall

KINDS = ("malloc", "calloc", "realloc", "free")
"""What the functions of an allocator are for, whatever they are called."""


def kind_of(function: str) -> str:
    """Of KINDS, by the end of a function's name: os_malloc, mm_malloc; "" for another function."""
    return next((kind for kind in KINDS if function.endswith(kind)), "")


@dataclass(frozen=True, slots=True)
class Call:
    """index counts from 1. result is None where the function gives none, 0 for NULL.

    name: the function's own, "os_malloc"; kind: which of KINDS it is.
    """

    index: int
    name: str
    args: tuple[int, ...]
    result: int | None
    instructions: int
    syscalls: tuple[SystemCall, ...]
    violations: tuple[Violation, ...]
    errno: int

    @property
    def kind(self) -> str:
        return kind_of(self.name)


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes in memory were replaced."""

    address: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Discarded:
    """Pages of [start, end) lost what they had; they read as zeros, or cannot be read at all."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What the pages of [start, end) had is at `to` now."""

    start: int
    end: int
    to: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A page shows a frame from now on: what is written to one page that shows it is in all."""

    page: int
    frame: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Owned:
    """A page has bytes of its own from now on: what it had shown, or zeros."""

    page: int


@dataclass(frozen=True, slots=True)
class Refilled:
    """A frame has other bytes at its beginning."""

    frame: int
    data: bytes


Effect = Wrote | Discarded | Moved | Shown | Owned | Refilled
"""What the kernel, or a person, did to memory."""


@dataclass(frozen=True, slots=True)
class Event:
    """at: instructions executed before it. entry: blocks entered; accesses: made before it."""

    at: int
    entry: int
    accesses: int


@dataclass(frozen=True, slots=True)
class Called(Event):
    """The program called a function of the allocator. index counts from 1.

    effects: what was laid on the stack for it.
    """

    index: int
    name: str
    args: tuple[int, ...]
    effects: tuple[Effect, ...] = ()

    @property
    def kind(self) -> str:
        """Which of KINDS the function is."""
        return kind_of(self.name)


@dataclass(frozen=True, slots=True)
class Returned(Event):
    """The call came back; rax."""

    index: int
    result: int


@dataclass(frozen=True, slots=True)
class SystemCalled(Event):
    """A system call, and what it did to memory."""

    call: SystemCall
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class PageFaulted(Event):
    """A page was touched for the first time, or first written to: the kernel gave it something.

    access: "read", "write" or "execute".
    """

    page: int
    access: str
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Faulted(Event):
    """An exception of the CPU at an instruction, which did not run. address: of a page fault."""

    rip: int
    what: str
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Interrupted(Event):
    """The kernel changed memory between two instructions: a signal's frame, a person's hand."""

    effects: tuple[Effect, ...] = ()
