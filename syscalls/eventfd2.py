"""eventfd(2): a counter as a file.

A read at zero waits for ever, as does a write that overflows: EAGAIN with EFD_NONBLOCK, else the
run ends as a deadlock.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.eventfd import EventFile
from syscalls.files.numbers import Open

_SEMAPHORE = 1


def eventfd(context: Context, count: int) -> int:
    return eventfd2(context, count, 0)


def eventfd2(context: Context, count: int, flags: int) -> int:
    if flags & ~(_SEMAPHORE | Open.CLOEXEC | Open.NONBLOCK):
        raise Errno(EINVAL)
    semaphore = bool(flags & _SEMAPHORE)
    file = EventFile(count & 0xFFFF_FFFF, flags & Open.NONBLOCK, semaphore=semaphore)
    return context.files.add(file, close_on_exec=bool(flags & Open.CLOEXEC))
