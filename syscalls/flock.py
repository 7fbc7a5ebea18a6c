"""flock(2): locks on whole files. Two open files of one process may stand in each other's way."""

from __future__ import annotations

from syscalls.abi import EAGAIN, EBADF, EINVAL, Errno
from syscalls.context import Context
from syscalls.files.file import WouldWait

_SHARED, _EXCLUSIVE, _NONBLOCKING, _UNLOCK = 1, 2, 4, 8


def flock(context: Context, fd: int, operation: int) -> int:
    wanted = operation & ~_NONBLOCKING
    if wanted not in (_SHARED, _EXCLUSIVE, _UNLOCK):
        raise Errno(EINVAL)
    file = context.files.at(fd)
    locks = context.filesystem.locks
    if wanted == _UNLOCK:
        locks.unlock(file)
        return 0
    if not file.readable and not file.writable:
        raise Errno(EBADF)
    try:
        locks.lock(file, exclusive=wanted == _EXCLUSIVE)
    except WouldWait:
        if operation & _NONBLOCKING:
            raise Errno(EAGAIN) from None
        context.timers.wait_for_signal("a lock")
    return 0
