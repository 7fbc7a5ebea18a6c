"""The language of the trace: what happened, in the order in which it did.

Call        the program called the allocator, and it came back
Store       the program wrote its own memory
SystemCall  what a call asked of the kernel (syscalls/kernel.py); a part of its Call
"""

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
