"""write(2), to an open file."""

from __future__ import annotations

from syscalls.abi import EBADF, EFAULT, MAX_RW_COUNT, TASK_SIZE, Errno
from syscalls.call import Context


def write(context: Context, fd: int, buffer: int, count: int) -> int:
    file = context.files.at(fd)
    if not file.writable:
        raise Errno(EBADF)
    if buffer + count > TASK_SIZE:
        raise Errno(EFAULT)
    wanted = min(count, MAX_RW_COUNT)
    readable = context.user.readable(buffer, wanted)
    if readable == 0 and wanted:
        raise Errno(EFAULT)
    return file.write(context.user.read(buffer, readable))
