"""What a handler is given, and how it may end other than by a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from syscalls.address_space import AddressSpace


class ProcessExit(Exception):
    """The process asked to end."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


@dataclass(slots=True)
class Context:
    """The process as its system calls see it.

    output: what was written, by file descriptor. planned_errno: set while a call is to fail by
    plan, for the one handler (brk) that has its own way to fail.
    """

    space: AddressSpace
    output: dict[int, bytearray] = field(default_factory=lambda: {1: bytearray(), 2: bytearray()})
    planned_errno: int | None = None
