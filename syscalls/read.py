"""read(2), readv(2), pread64(2), preadv(2), preadv2(2).

"If the file offset is at or past the end of file, no bytes are read, and read() returns zero."
Deviation: of the flags of preadv2, those are accepted that change nothing for one process.
"""

from __future__ import annotations

from syscalls.context import Context
from syscalls.files.file import File
from syscalls.transfer import (
    Buffers,
    buffer,
    check_flags,
    check_offset,
    check_position,
    fill,
    readable_file,
    vector,
)


def read(context: Context, fd: int, address: int, count: int) -> int:
    file = readable_file(context, fd)
    return fill(context, file, buffer(address, count))


def readv(context: Context, fd: int, address: int, count: int) -> int:
    file = readable_file(context, fd)
    return _fill_vector(context, file, vector(context, address, count), None)


def pread64(context: Context, fd: int, address: int, count: int, offset: int) -> int:
    check_position(context, fd, offset)
    file = readable_file(context, fd)
    into = buffer(address, count)
    check_offset(offset, count)
    return fill(context, file, into, offset)


def preadv(context: Context, fd: int, address: int, count: int, offset: int) -> int:
    check_position(context, fd, offset)
    file = readable_file(context, fd)
    return _fill_vector(context, file, vector(context, address, count), offset)


def preadv2(
    context: Context, fd: int, address: int, count: int, offset: int, _: int, flags: int
) -> int:
    """Offset -1: where the file stands."""
    check_flags(context, fd, flags)
    if offset == -1:
        return readv(context, fd, address, count)
    return preadv(context, fd, address, count, offset)


def _fill_vector(context: Context, file: File, into: Buffers, offset: int | None) -> int:
    if not into.total:
        return 0
    check_offset(offset or 0, into.total)
    return fill(context, file, into, offset)
