"""stat(2), lstat(2), fstat(2), newfstatat(2).

Deviations: the times of the standard files are 0, as are those of /dev, /proc and /sys; a pipe, a
buffer or a text of /proc has numbers of ours for its device and inode.
"""

from __future__ import annotations

import struct
from itertools import chain

from syscalls.abi import EINVAL, Errno
from syscalls.clock import NANOSECONDS
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, At
from syscalls.files.stat import Stat
from syscalls.paths import find_at

_STAT = struct.Struct("<QQQIIIIQqqq6q24x")
_FLAGS = int(
    At.SYMLINK_NOFOLLOW | At.NO_AUTOMOUNT | At.EMPTY_PATH
    | At.STATX_FORCE_SYNC | At.STATX_DONT_SYNC
)  # fmt: skip


def stat(context: Context, path: int, into: int) -> int:
    return newfstatat(context, AT_FDCWD, path, into, 0)


def lstat(context: Context, path: int, into: int) -> int:
    return newfstatat(context, AT_FDCWD, path, into, At.SYMLINK_NOFOLLOW)


def fstat(context: Context, fd: int, into: int) -> int:
    _store(context, into, context.files.at(fd, path_too=True).stat())
    return 0


def newfstatat(context: Context, folder_fd: int, address: int, into: int, flags: int) -> int:
    if flags & ~_FLAGS:
        raise Errno(EINVAL)
    found = find_at(context, folder_fd, address, flags)
    _store(context, into, found.node.stat())
    return 0


def _store(context: Context, address: int, stat: Stat) -> None:
    times = (divmod(time, NANOSECONDS) for time in (stat.atime, stat.mtime, stat.ctime))
    context.user.pack(
        _STAT, address, stat.dev, stat.ino, stat.nlink, stat.mode, stat.uid, stat.gid, 0,
        stat.rdev, stat.size, stat.blksize, stat.blocks, *chain(*times),
    )  # fmt: skip
