"""What a handler is given, and how it may end other than by a result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from syscalls.address_space import AddressSpace
from syscalls.user import UserMemory
from syscalls.world import World


class ProcessExit(Exception):
    """The process asked to end."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


def _none() -> int:
    return 0


@dataclass(slots=True)
class Context:
    """The process as its system calls see it.

    user: its memory, as far as the guest may reach it. world: what it was given of the host.
    instructions: how many it has executed, which is its time. planned_errno: set while a call is
    to fail by plan, for the one handler (brk) that has its own way to fail.
    """

    space: AddressSpace
    world: World = field(default_factory=World)
    instructions: Callable[[], int] = _none
    planned_errno: int | None = None
    user: UserMemory = field(init=False)

    def __post_init__(self) -> None:
        self.user = UserMemory(self.space)
