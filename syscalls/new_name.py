"""What every call checks that makes a name (fs/namei.c, filename_create)."""

from __future__ import annotations

from syscalls.abi import EEXIST, ENOENT, Errno
from syscalls.context import Context
from syscalls.files.host_node import HostNode
from syscalls.files.opening import NEW_FILE_COST
from syscalls.files.walk import Last
from syscalls.paths import last_of


def name_to_make(context: Context, folder_fd: int, path: bytes, *, folder: bool = False) -> Last:
    """Where the name goes. EEXIST, or ENOENT for a slash behind what shall be no folder."""
    last = last_of(context, folder_fd, path)
    if not last.is_name or context.filesystem.walk().look(last) is not None:
        raise Errno(EEXIST)
    if last.slash and not folder:
        raise Errno(ENOENT)
    return last


def folder_to_change(context: Context, last: Last) -> HostNode:
    """The folder, which the guest may change; EROFS. The new name is counted."""
    node = last.parent.changeable()
    context.spend(NEW_FILE_COST)
    return node
