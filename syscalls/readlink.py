"""readlink(2), readlinkat(2): what a symbolic link says, without a NUL behind it."""

from __future__ import annotations

from syscalls.abi import EINVAL, ENOENT, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD
from syscalls.paths import find, path_at

_INT = (1 << 32) - 1
"""The size is an int, of 32 bits."""


def readlink(context: Context, path: int, into: int, size: int) -> int:
    return readlinkat(context, AT_FDCWD, path, into, size)


def readlinkat(context: Context, folder_fd: int, address: int, into: int, size: int) -> int:
    """An empty path is the descriptor, if a link was opened with O_PATH and O_NOFOLLOW."""
    if not 0 < size & _INT <= _INT >> 1:
        raise Errno(EINVAL)
    path = path_at(context, address, empty=bool(address))
    found = find(context, folder_fd, path, follow=False)
    if not found.is_link:
        raise Errno(EINVAL if path else ENOENT)
    told = found.node.target()[: size & _INT]
    context.user.write(into, told)
    return len(told)
