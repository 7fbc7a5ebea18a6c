"""How a system call may end other than by a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syscalls.frame import Restored


class Ending(Exception):
    """A system call that does not come back, or not at once.

    answer: what it has answered all the same, or a negative errno, for those who watch.
    """

    answer: int | None = None


class ProcessExit(Ending):
    """The process asked to end."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.status = status


class Killed(Ending):
    """A signal kills the process. core: whether its default action is to leave a core dump."""

    def __init__(self, number: int, core: bool) -> None:
        super().__init__(f"killed by signal {number}")
        self.number, self.core = number, core


class SignalReturn(Ending):
    """rt_sigreturn: the registers come back from the frame on the stack; None: it is none."""

    def __init__(self, restored: Restored | None) -> None:
        super().__init__("a signal handler returns")
        self.restored = restored
        self.answer = restored.general["rax"] if restored else None


class Deadlock(Ending):
    """The call waits for what can never happen, since nobody else runs."""

    def __init__(self, what: str = "the process waits, and nobody is there to end that") -> None:
        super().__init__(what)


class OutputSpent(Ending):
    """The process has written more than it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes of output")
        self.limit = limit
