"""unlink(2), rmdir(2), unlinkat(2)."""

from __future__ import annotations

from syscalls.abi import EBUSY, EINVAL, EISDIR, ENOENT, ENOTDIR, ENOTEMPTY, Errno
from syscalls.context import Context
from syscalls.files.host_node import HostNode
from syscalls.files.numbers import AT_FDCWD, At
from syscalls.files.walk import Last
from syscalls.paths import last_of, path_at


def unlink(context: Context, path: int) -> int:
    return unlinkat(context, AT_FDCWD, path, 0)


def rmdir(context: Context, path: int) -> int:
    return unlinkat(context, AT_FDCWD, path, At.REMOVEDIR)


def unlinkat(context: Context, folder_fd: int, address: int, flags: int) -> int:
    if flags & ~At.REMOVEDIR:
        raise Errno(EINVAL)
    last = last_of(context, folder_fd, path_at(context, address))
    if flags & At.REMOVEDIR:
        _remove_folder(context, last)
    else:
        _remove(context, last)
    last.parent.forget(last.name)
    return 0


def _remove_folder(context: Context, last: Last) -> None:
    if not last.is_name:
        raise Errno({b"..": ENOTEMPTY, b".": EINVAL}.get(last.name, EBUSY))
    folder = last.parent.changeable()
    found = context.filesystem.walk().look(last)
    if found is None:
        raise Errno(ENOENT)
    if not isinstance(found.node, HostNode) or found.writable is not None:
        raise Errno(EBUSY)  # the host has something else under this name
    folder.remove_folder(last.name)


def _remove(context: Context, last: Last) -> None:
    if not last.is_name:
        raise Errno(EISDIR)
    folder = last.parent.changeable()
    found = context.filesystem.walk().look(last)
    if found is None:
        raise Errno(ENOENT)
    if found.is_folder:
        raise Errno(EISDIR)
    if last.slash:
        raise Errno(ENOTDIR)
    folder.remove(last.name)
