"""chown(2), fchown(2), lchown(2), fchownat(2): -1 leaves the owner or the group as it is.

The host decides who may; where we are not its superuser, it answers EPERM.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, At
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.paths import find_at

_FLAGS = int(At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)
_ID = 0xFFFF_FFFF


def chown(context: Context, path: int, uid: int, gid: int) -> int:
    return fchownat(context, AT_FDCWD, path, uid, gid, 0)


def lchown(context: Context, path: int, uid: int, gid: int) -> int:
    return fchownat(context, AT_FDCWD, path, uid, gid, At.SYMLINK_NOFOLLOW)


def fchown(context: Context, fd: int, uid: int, gid: int) -> int:
    return _set(place_of(context.files.at(fd)), uid, gid)


def fchownat(context: Context, folder_fd: int, address: int, uid: int, gid: int, flags: int) -> int:
    if flags & ~_FLAGS:
        raise Errno(EINVAL)
    found = find_at(context, folder_fd, address, flags)
    return _set(found, uid, gid)


def _set(place: Place, uid: int, gid: int) -> int:
    place.alterable().set_owner(uid & _ID, gid & _ID)
    return 0
