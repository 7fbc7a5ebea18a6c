"""statx(2): what stat(2) tells, in a larger structure.

"stx_mask: Mask of bits indicating filled fields." Deviation: nothing beyond STATX_BASIC_STATS is
filled; when a file was born, or on which mount it lies, is not told.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.clock import NANOSECONDS
from syscalls.context import Context
from syscalls.files.numbers import At
from syscalls.files.stat import Stat
from syscalls.paths import find_at

_STATX = struct.Struct("<IIQIIIHxxQQQQ" + "qIxxxx" * 4 + "IIII" + "112x")
_BASIC = 0x7FF
_RESERVED = 0x8000_0000
_SYNC = int(At.STATX_FORCE_SYNC | At.STATX_DONT_SYNC)
_FLAGS = int(At.SYMLINK_NOFOLLOW | At.NO_AUTOMOUNT | At.EMPTY_PATH) | _SYNC


def statx(context: Context, folder_fd: int, address: int, flags: int, mask: int, into: int) -> int:
    if mask & _RESERVED or flags & _SYNC == _SYNC or flags & ~_FLAGS:
        raise Errno(EINVAL)
    found = find_at(context, folder_fd, address, flags)
    _store(context, into, found.node.stat())
    return 0


def _store(context: Context, address: int, stat: Stat) -> None:
    access, change, modify = (
        divmod(time, NANOSECONDS) for time in (stat.atime, stat.ctime, stat.mtime)
    )
    context.user.pack(
        _STATX, address, _BASIC, stat.blksize, 0, stat.nlink, stat.uid, stat.gid, stat.mode,
        stat.ino, stat.size, stat.blocks, 0, *access, 0, 0, *change, *modify,
        *_major_minor(stat.rdev), *_major_minor(stat.dev),
    )  # fmt: skip


def _major_minor(device: int) -> tuple[int, int]:
    return device >> 8 & 0xFFF, device & 0xFF | device >> 12 & 0xFFF00
