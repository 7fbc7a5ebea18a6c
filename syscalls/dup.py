"""dup(2), dup2(2), dup3(2): another descriptor of an open file, with the same offset and flags.

dup2: "If oldfd is a valid file descriptor, and newfd has the same value as oldfd, then dup2() does
nothing, and returns newfd."
"""

from __future__ import annotations

from syscalls.abi import EBADF, EINVAL, Errno
from syscalls.context import Context
from syscalls.files.numbers import Open


def dup(context: Context, fd: int) -> int:
    return context.files.add(context.files.at(fd, path_too=True))


def dup2(context: Context, fd: int, wanted: int) -> int:
    if fd == wanted:
        context.files.at(fd, path_too=True)
        return wanted
    return dup3(context, fd, wanted, 0)


def dup3(context: Context, fd: int, wanted: int, flags: int) -> int:
    if flags & ~Open.CLOEXEC or fd == wanted:
        raise Errno(EINVAL)
    if not 0 <= wanted < context.files.most:
        raise Errno(EBADF)
    file = context.files.at(fd, path_too=True)
    context.files.put(wanted, file, close_on_exec=bool(flags & Open.CLOEXEC))
    return wanted
