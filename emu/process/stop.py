"""Why the CPU stopped, and what an access to memory was."""

from __future__ import annotations

from enum import Enum, IntEnum


class Access(IntEnum):
    """What the page-table walk is asked for; Unicorn's numbers."""

    READ = 16
    WRITE = 17
    EXECUTE = 18

    def __str__(self) -> str:
        return self.name.lower()


class Stop(Enum):
    """Why the CPU stopped."""

    HALTED = "halted"
    """At the software interrupt that ends a run, or at `hlt`, which is privileged."""
    BUDGET = "budget spent"
    PAGE_FAULT = "page fault"
    INVALID = "invalid instruction"
    REFUSED = "an instruction that would compute wrong results"
    EXCEPTION = "exception"
    ASKED = "asked to"
    MEMORY = "memory spent"
