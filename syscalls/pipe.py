"""pipe(2), pipe2(2): within the one process there is.

Whoever waits for the other end waits for ever: EAGAIN with O_NONBLOCK, else the run ends as a
deadlock. Deviation: O_DIRECT (packets) is EINVAL.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.numbers import Open
from syscalls.files.pipe import make_pipe

_FDS = struct.Struct("<ii")


def pipe(context: Context, into: int) -> int:
    return pipe2(context, into, 0)


def pipe2(context: Context, into: int, flags: int) -> int:
    if flags & ~(Open.CLOEXEC | Open.NONBLOCK):
        raise Errno(EINVAL)
    files = context.files
    first = files.free()
    second = files.free(first + 1)
    context.user.pack(_FDS, into, first, second)
    ends = make_pipe(context.filesystem.serial(), flags & Open.NONBLOCK)
    for fd, end in zip((first, second), ends, strict=True):
        files.put(fd, end, close_on_exec=bool(flags & Open.CLOEXEC))
    return 0
