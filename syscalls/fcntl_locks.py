"""fcntl(2), advisory locks on ranges: a process never stands in its own way.

Deviation: nor do two open files of one process (F_OFD_SETLK), which on Linux may.
"""

from __future__ import annotations

import struct

from syscalls.abi import EBADF, EINVAL, EOVERFLOW, Errno
from syscalls.context import Context
from syscalls.files.file import File
from syscalls.files.numbers import MOST_OFFSET, SEEK_CUR, SEEK_END, SEEK_SET

_FLOCK = struct.Struct("<hh4xqqi4x")
_READ, _WRITE, _UNLOCK = range(3)


def get_lock(context: Context, file: File, address: int) -> int:
    """F_GETLK: nobody else holds one."""
    kind, whence, start, length, pid = context.user.unpack(_FLOCK, address)
    if kind not in (_READ, _WRITE):
        raise Errno(EINVAL)
    _check_range(file, whence, start, length)
    context.user.pack(_FLOCK, address, _UNLOCK, whence, start, length, pid)
    return 0


def get_file_lock(context: Context, file: File, address: int) -> int:
    """F_OFD_GETLK, which may also ask for what is not locked."""
    kind, whence, start, length, pid = context.user.unpack(_FLOCK, address)
    if kind not in (_READ, _WRITE, _UNLOCK) or pid:
        raise Errno(EINVAL)
    _check_range(file, whence, start, length)
    context.user.pack(_FLOCK, address, _UNLOCK, whence, start, length, pid)
    return 0


def set_lock(context: Context, file: File, address: int) -> int:
    """It is granted, where it could be."""
    kind, whence, start, length, _ = context.user.unpack(_FLOCK, address)
    _check_range(file, whence, start, length)
    if kind not in (_READ, _WRITE, _UNLOCK):
        raise Errno(EINVAL)
    allowed = {_READ: file.readable, _WRITE: file.writable, _UNLOCK: True}[kind]
    if not allowed:
        raise Errno(EBADF)
    return 0


def set_file_lock(context: Context, file: File, address: int) -> int:
    """F_OFD_SETLK: the lock belongs to no process."""
    answer = set_lock(context, file, address)
    if context.user.unpack(_FLOCK, address)[-1]:
        raise Errno(EINVAL)
    return answer


def _check_range(file: File, whence: int, start: int, length: int) -> None:
    if whence not in (SEEK_SET, SEEK_CUR, SEEK_END):
        raise Errno(EINVAL)
    if whence == SEEK_CUR:
        start += file.seek(0, SEEK_CUR) if file.seekable else 0
    elif whence == SEEK_END:
        start += file.stat().size
    if start > MOST_OFFSET or (length > 0 and start + length - 1 > MOST_OFFSET):
        raise Errno(EOVERFLOW)
    if start < 0 or start + min(length, 0) < 0:
        raise Errno(EINVAL)
