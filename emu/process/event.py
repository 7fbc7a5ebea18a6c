"""The program called the allocator, and it came back."""

from __future__ import annotations

from dataclasses import dataclass

from emu.process.convention import Violation
from syscalls import SystemCall


@dataclass(frozen=True, slots=True)
class Call:
    """index counts from 1. result is None where the function gives none, 0 for NULL."""

    index: int
    name: str
    args: tuple[int, ...]
    result: int | None
    instructions: int
    syscalls: tuple[SystemCall, ...]
    violations: tuple[Violation, ...]
    errno: int
