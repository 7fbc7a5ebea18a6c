"""chmod(2), fchmod(2), fchmodat(2), fchmodat2(2).

Deviation: EPERM for a file that shall run with the rights of its owner or group (set-user-ID),
since on the host it really would.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EOPNOTSUPP, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, PERMISSIONS, At
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.paths import find_at

_FLAGS = int(At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)


def chmod(context: Context, path: int, mode: int) -> int:
    return fchmodat2(context, AT_FDCWD, path, mode, 0)


def fchmod(context: Context, fd: int, mode: int) -> int:
    return _set(place_of(context.files.at(fd)), mode)


def fchmodat(context: Context, folder_fd: int, path: int, mode: int) -> int:
    return fchmodat2(context, folder_fd, path, mode, 0)


def fchmodat2(context: Context, folder_fd: int, address: int, mode: int, flags: int) -> int:
    if flags & ~_FLAGS:
        raise Errno(EINVAL)
    return _set(find_at(context, folder_fd, address, flags), mode)


def _set(place: Place, mode: int) -> int:
    node = place.alterable()
    if place.is_link:
        raise Errno(EOPNOTSUPP)
    node.set_mode(mode & PERMISSIONS)
    return 0
