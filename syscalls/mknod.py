"""mknod(2), mknodat(2): regular files.

Deviation: a device, a fifo or a socket is EPERM, as for a user whom the filesystem gives none.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.context import Context
from syscalls.files import numbers as n
from syscalls.new_name import folder_to_change, name_to_make
from syscalls.paths import path_at

_REGULAR = (0, n.S_IFREG)
_KNOWN = (*_REGULAR, n.S_IFCHR, n.S_IFBLK, n.S_IFIFO, n.S_IFSOCK)


def mknod(context: Context, path: int, mode: int, device: int) -> int:
    return mknodat(context, n.AT_FDCWD, path, mode, device)


def mknodat(context: Context, folder_fd: int, address: int, mode: int, _: int) -> int:
    kind = mode & n.S_IFMT
    if kind not in _KNOWN:
        raise Errno(EPERM if kind == n.S_IFDIR else EINVAL)
    last = name_to_make(context, folder_fd, path_at(context, address))
    folder = folder_to_change(context, last)
    if kind not in _REGULAR:
        raise Errno(EPERM)
    folder.create(last.name)
    permissions = mode & n.PERMISSIONS & ~(n.S_ISUID | n.S_ISGID)
    made = last.parent.child(last.name)
    made.changeable().set_mode(context.filesystem.masked(permissions))
    return 0
