"""What the kernel needs of the CPU. It executes nothing: it looks at registers, and counts time."""

from __future__ import annotations

from typing import Protocol


class Processor(Protocol):
    """Registers by name ("rsp", "fs_base"), as words of 64 bits."""

    def instructions(self) -> int:
        """How many it has executed: the time of a deterministic process."""

    def get(self, register: str) -> int:
        """A register."""

    def set(self, register: str, value: int) -> None:
        """Changes a register."""


class NoProcessor:
    """Executes nothing, and remembers registers: for a kernel of which only the answers matter."""

    def __init__(self) -> None:
        self._registers: dict[str, int] = {}

    def instructions(self) -> int:
        return 0

    def get(self, register: str) -> int:
        return self._registers.get(register, 0)

    def set(self, register: str, value: int) -> None:
        self._registers[register] = value
