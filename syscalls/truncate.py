"""truncate(2), ftruncate(2), fallocate(2).

Deviation: of the modes of fallocate, only the plain one is supported; the bytes that it sets aside
count as output, since the host has to find room for them.
"""

from __future__ import annotations

from syscalls.abi import EBADF, EFBIG, EINVAL, EISDIR, ENODEV, EOPNOTSUPP, ESPIPE, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, MOST_OFFSET, S_IFDIR, S_IFIFO, S_IFREG
from syscalls.paths import find, path_at


def truncate(context: Context, path: int, size: int) -> int:
    if size < 0:
        raise Errno(EINVAL)
    found = find(context, AT_FDCWD, path_at(context, path))
    if found.is_folder:
        raise Errno(EISDIR)
    if found.node.kind != S_IFREG:
        raise Errno(EINVAL)
    found.changeable().truncate(size)
    return 0


def ftruncate(context: Context, fd: int, size: int) -> int:
    if size < 0:
        raise Errno(EINVAL)
    file = context.files.at(fd)
    if file.stat().kind != S_IFREG or not file.writable:
        raise Errno(EINVAL)
    file.truncate(size)
    return 0


def fallocate(context: Context, fd: int, mode: int, offset: int, size: int) -> int:
    file = context.files.at(fd)
    if offset < 0 or size <= 0:
        raise Errno(EINVAL)
    if mode:
        raise Errno(EOPNOTSUPP)
    if not file.writable:
        raise Errno(EBADF)
    kind = file.stat().kind
    if kind != S_IFREG:
        raise Errno({S_IFIFO: ESPIPE, S_IFDIR: EISDIR}.get(kind, ENODEV))
    if offset + size > MOST_OFFSET:
        raise Errno(EFBIG)
    context.spend(size)
    file.allocate(offset, size)
    return 0
