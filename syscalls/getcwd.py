"""getcwd(2), chdir(2), fchdir(2)."""

from __future__ import annotations

from syscalls.abi import ENOENT, ENOTDIR, ERANGE, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.paths import find, path_at


def getcwd(context: Context, into: int, size: int) -> int:
    """The length with its NUL. ENOENT where the folder was removed."""
    folder = context.filesystem.folder
    if folder.removed:
        raise Errno(ENOENT)
    path = folder.spelled + b"\0"
    if size < len(path):
        raise Errno(ERANGE)
    context.user.write(into, path)
    return len(path)


def chdir(context: Context, path: int) -> int:
    return _enter(context, find(context, AT_FDCWD, path_at(context, path)))


def fchdir(context: Context, fd: int) -> int:
    return _enter(context, place_of(context.files.at(fd, path_too=True)))


def _enter(context: Context, place: Place) -> int:
    if not place.is_folder:
        raise Errno(ENOTDIR)
    context.filesystem.folder = place
    return 0
