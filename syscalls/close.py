"""close(2), close_range(2)."""

from __future__ import annotations

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context

_UNSHARE, _CLOEXEC = 2, 4


def close(context: Context, fd: int) -> int:
    context.files.close(fd)
    return 0


def close_range(context: Context, first: int, last: int, flags: int) -> int:
    """Closes what is open of [first, last], or marks it to be closed by execve."""
    first, last = first & 0xFFFF_FFFF, last & 0xFFFF_FFFF
    if flags & ~(_UNSHARE | _CLOEXEC) or first > last:
        raise Errno(EINVAL)
    for fd in context.files.numbers():
        if not first <= fd <= last:
            continue
        if flags & _CLOEXEC:
            context.files.set_close_on_exec(fd, True)
        else:
            context.files.close(fd)
    return 0
