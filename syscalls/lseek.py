"""lseek(2), with SEEK_DATA and SEEK_HOLE where the host's filesystem knows holes."""

from __future__ import annotations

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.numbers import SEEK_HOLE


def lseek(context: Context, fd: int, offset: int, whence: int) -> int:
    file = context.files.at(fd)
    if not 0 <= whence <= SEEK_HOLE:
        raise Errno(EINVAL)
    return file.seek(offset, whence)
