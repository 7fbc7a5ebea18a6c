"""write(2), to the standard output and the standard error."""

from __future__ import annotations

from syscalls.abi import EBADF, EFAULT, MAX_RW_COUNT, TASK_SIZE, Errno
from syscalls.call import Context


def write(context: Context, fd: int, buffer: int, count: int) -> int:
    streams = {1: context.world.stdout, 2: context.world.stderr}
    if fd not in streams:
        raise Errno(EBADF)
    if buffer + count > TASK_SIZE:
        raise Errno(EFAULT)
    wanted = min(count, MAX_RW_COUNT)
    readable = context.user.readable(buffer, wanted)
    if readable == 0 and wanted:
        raise Errno(EFAULT)
    return streams[fd].write(context.user.read(buffer, readable))
