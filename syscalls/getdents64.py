"""getdents64(2), getdents(2): the entries of a folder, as many as fit.

Deviation: they come in the order of their names, and d_off counts them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from syscalls.abi import EINVAL, ENOTDIR, Errno
from syscalls.context import Context
from syscalls.files.folder import FolderFile
from syscalls.files.node import Entry

_HEAD = struct.Struct("<QqH")


def getdents64(context: Context, fd: int, into: int, size: int) -> int:
    return _tell(context, fd, into, size, _entry64)


def getdents(context: Context, fd: int, into: int, size: int) -> int:
    return _tell(context, fd, into, size, _entry)


def _tell(
    context: Context, fd: int, into: int, size: int, form: Callable[[Entry, int], bytes]
) -> int:
    """EINVAL where not even one fits, EFAULT where it cannot be stored."""
    folder = context.files.at(fd)
    if not isinstance(folder, FolderFile):
        raise Errno(ENOTDIR)
    size &= 0xFFFF_FFFF
    told, entries = bytearray(), folder.entries()
    count = 0
    for entry in entries:
        shaped = form(entry, folder.position + count + 1)
        if len(told) + len(shaped) > size:
            break
        told += shaped
        count += 1
    if entries and not count:
        raise Errno(EINVAL)
    context.user.write(into, bytes(told))
    folder.told(entries[:count])
    return len(told)


def _entry64(entry: Entry, following: int) -> bytes:
    """struct linux_dirent64: the type, then the name."""
    length = _rounded(_HEAD.size + 1 + len(entry.name) + 1)
    head = _HEAD.pack(entry.ino, following, length) + bytes([entry.kind >> 12])
    return (head + entry.name).ljust(length, b"\0")


def _entry(entry: Entry, following: int) -> bytes:
    """struct linux_dirent: the name, and the type in the last byte."""
    length = _rounded(_HEAD.size + len(entry.name) + 2)
    head = _HEAD.pack(entry.ino, following, length)
    return (head + entry.name).ljust(length - 1, b"\0") + bytes([entry.kind >> 12])


def _rounded(size: int) -> int:
    return size + 7 & ~7
