"""syslog(2): the kernel's log, which needs CAP_SYSLOG: no process here has it."""

from __future__ import annotations

from syscalls.abi import EPERM, Errno
from syscalls.context import Context


def syslog(context: Context, action: int, buffer: int, size: int) -> int:
    raise Errno(EPERM)
