"""access(2), faccessat(2), faccessat2(2), for the superuser.

"If the calling process is privileged, X_OK is granted for a regular file if execute permission is
enabled for any of the file owner, group, or other"; reading and writing are always granted, but
for a filesystem that is read-only.
"""

from __future__ import annotations

from syscalls.abi import EACCES, EINVAL, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, S_IFDIR, S_IFLNK, S_IFREG, At
from syscalls.files.place import Place
from syscalls.paths import find_at

_EXECUTE, _WRITE, _READ = 1, 2, 4
_FLAGS = int(At.EACCESS | At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)


def access(context: Context, path: int, mode: int) -> int:
    return faccessat2(context, AT_FDCWD, path, mode, 0)


def faccessat(context: Context, folder_fd: int, path: int, mode: int) -> int:
    return faccessat2(context, folder_fd, path, mode, 0)


def faccessat2(context: Context, folder_fd: int, address: int, mode: int, flags: int) -> int:
    if mode & ~(_READ | _WRITE | _EXECUTE) or flags & ~_FLAGS:
        raise Errno(EINVAL)
    found = find_at(context, folder_fd, address, flags)
    _check(found, execute=bool(mode & _EXECUTE), write=bool(mode & _WRITE))
    return 0


def _check(place: Place, *, execute: bool, write: bool) -> None:
    if execute and place.node.kind == S_IFREG and not place.node.stat().mode & 0o111:
        raise Errno(EACCES)
    if write and place.node.kind in (S_IFREG, S_IFDIR, S_IFLNK):
        place.changeable()
