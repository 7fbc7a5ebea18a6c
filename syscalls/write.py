"""write(2), writev(2), pwrite64(2), pwritev(2), pwritev2(2), to an open file.

"The number of bytes written may be less than count." Deviations: of the flags of pwritev2, those
are accepted that change nothing for one process; more output than the world allows ends the run.
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
    drain,
    vector,
    writable_file,
)


def write(context: Context, fd: int, address: int, count: int) -> int:
    file = writable_file(context, fd)
    return drain(context, file, buffer(address, count))


def writev(context: Context, fd: int, address: int, count: int) -> int:
    file = writable_file(context, fd)
    return _drain_vector(context, file, vector(context, address, count), None)


def pwrite64(context: Context, fd: int, address: int, count: int, offset: int) -> int:
    check_position(context, fd, offset)
    file = writable_file(context, fd)
    out_of = buffer(address, count)
    check_offset(offset, count)
    return drain(context, file, out_of, offset)


def pwritev(context: Context, fd: int, address: int, count: int, offset: int) -> int:
    check_position(context, fd, offset)
    file = writable_file(context, fd)
    return _drain_vector(context, file, vector(context, address, count), offset)


def pwritev2(
    context: Context, fd: int, address: int, count: int, offset: int, _: int, flags: int
) -> int:
    """Offset -1: where the file stands."""
    check_flags(context, fd, flags)
    if offset == -1:
        return writev(context, fd, address, count)
    return pwritev(context, fd, address, count, offset)


def _drain_vector(context: Context, file: File, out_of: Buffers, offset: int | None) -> int:
    if not out_of.total:
        return 0
    check_offset(offset or 0, out_of.total)
    return drain(context, file, out_of, offset)
