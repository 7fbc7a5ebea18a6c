"""What the server debugs: the protocol that whatever executes has to fulfil, and why it stops.

It stands at an instruction that has not run yet, of a history that may be longer in both
directions. gdb's side of it, packets and all, is the rest of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, NamedTuple, Protocol

Kind = Literal["write", "read", "access"]


class Watch(NamedTuple):
    """A watchpoint: size bytes at an address. access: both reads and writes."""

    address: int
    size: int
    kind: Kind


class Reason(Enum):
    """Why the target stopped."""

    STEPPED = auto()
    BREAKPOINT = auto()
    """The instruction at the breakpoint has not run yet; going back, it has been taken back."""
    WATCHPOINT = auto()
    """The instruction that touched the bytes has run; going back, it has been taken back."""
    SIGNAL = auto()
    """The guest stands at the instruction that faults, or was sent a signal."""
    EXITED = auto()
    KILLED = auto()
    BEGIN = auto()
    """Of the recorded history: there is nothing before."""
    END = auto()
    """Of the recorded history: there is nothing behind."""
    INTERRUPTED = auto()


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why, and what belongs to it.

    number: the signal as Linux counts, or the exit status. watch: the watchpoint that was hit;
    address: the first byte of it that was touched.
    """

    reason: Reason
    number: int = 0
    watch: Watch | None = None
    address: int = 0


class Mapping(NamedTuple):
    """A row of the memory map: [start, end), "rw-" and the like, and what it is."""

    start: int
    end: int
    rights: str
    name: str


class Target(Protocol):
    """breakpoints, watches: where to stop; the server changes the sets between two runs."""

    breakpoints: set[int]
    watches: set[Watch]

    def registers(self) -> dict[str, int]:
        """All of emu.debug.registers.REGISTERS by name, but for orig_rax."""

    def set_register(self, name: str, value: int) -> None:
        """ValueError where it cannot be changed here."""

    def read(self, address: int, size: int) -> bytes:
        """As many bytes as are mapped from there on, whatever their rights; b"" for none."""

    def write(self, address: int, data: bytes) -> bool:
        """False where a byte is not mapped, or cannot be changed here; then none is written."""

    def step(self) -> Stopped:
        """One instruction. Breakpoints do not count, watchpoints do."""

    def resume(self) -> Stopped:
        """Until something stops it, after one instruction at least."""

    def step_back(self) -> Stopped:
        """One instruction is taken back. Breakpoints do not count, watchpoints do."""

    def resume_back(self) -> Stopped:
        """Back until something stops it, after one instruction at least."""

    def interrupt(self) -> None:
        """From another thread: a resume or resume_back answers INTERRUPTED soon.

        That is the one under way, or else the next: one that comes while it is still entering
        must not be lost. The server sees to one that came too late.
        """

    def memory_map(self) -> list[Mapping]:
        """In the order of addresses."""

    def auxv(self) -> bytes:
        """The auxiliary vector as Linux lays it out, to AT_NULL; b"" where there is none."""

    def executable(self) -> tuple[str, bytes]:
        """The ELF file for gdb, and its path; ("", b"") where there is none."""

    def moment(self) -> str:
        """Where in its history it stands, for people: "#12 +345"."""

    def monitor(self, words: list[str]) -> str:
        """What `monitor WORDS` of gdb's prints; "" where the target does not know the words.

        For ["help"]: a line for each of its own, which the server shows below its own.
        """
