"""write(2), to the standard output and the standard error, which are captured.

Of each, the first MiB is kept.
"""

from __future__ import annotations

from syscalls.abi import EBADF, EFAULT, MAX_RW_COUNT, TASK_SIZE, Errno
from syscalls.call import Context

MOST_KEPT = 1 << 20


def write(context: Context, fd: int, buffer: int, count: int) -> int:
    if fd not in context.output:
        raise Errno(EBADF)
    if buffer + count > TASK_SIZE:
        raise Errno(EFAULT)
    wanted = min(count, MAX_RW_COUNT)
    readable = context.space.readable(buffer, wanted)
    if readable == 0 and wanted:
        raise Errno(EFAULT)
    kept = min(readable, max(0, MOST_KEPT - len(context.output[fd])))
    context.output[fd] += context.space.memory.read(buffer, kept)
    return readable
