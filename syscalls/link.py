"""link(2), linkat(2), symlink(2), symlinkat(2).

A file has its names in one place: from outside the writable folder into it is EXDEV, since what
may only be read there could be written here.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EPERM, EXDEV, Errno
from syscalls.context import Context
from syscalls.files.host_node import HostNode
from syscalls.files.numbers import AT_FDCWD, At
from syscalls.new_name import folder_to_change, name_to_make
from syscalls.paths import find, path_at

_FLAGS = int(At.SYMLINK_FOLLOW | At.EMPTY_PATH)


def link(context: Context, old: int, new: int) -> int:
    return linkat(context, AT_FDCWD, old, AT_FDCWD, new, 0)


def linkat(context: Context, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> int:
    if flags & ~_FLAGS:
        raise Errno(EINVAL)
    old_path = path_at(context, old, empty=bool(flags & At.EMPTY_PATH))
    found = find(context, old_fd, old_path, follow=bool(flags & At.SYMLINK_FOLLOW))
    last = name_to_make(context, new_fd, path_at(context, new))
    folder = folder_to_change(context, last)
    if found.domain is not last.parent.domain or not isinstance(found.node, HostNode):
        raise Errno(EXDEV)
    if found.is_folder:
        raise Errno(EPERM)
    folder.create_name(last.name, found.node)
    return 0


def symlink(context: Context, target: int, path: int) -> int:
    return symlinkat(context, target, AT_FDCWD, path)


def symlinkat(context: Context, target: int, folder_fd: int, address: int) -> int:
    says = path_at(context, target)
    last = name_to_make(context, folder_fd, path_at(context, address))
    folder_to_change(context, last).create_link(last.name, says)
    return 0
