"""mkdir(2), mkdirat(2)."""

from __future__ import annotations

from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, S_ISGID, S_ISVTX
from syscalls.new_name import folder_to_change, name_to_make
from syscalls.paths import path_at

_MODE = 0o777 | S_ISVTX


def mkdir(context: Context, path: int, mode: int) -> int:
    return mkdirat(context, AT_FDCWD, path, mode)


def mkdirat(context: Context, folder_fd: int, address: int, mode: int) -> int:
    """Of the mode, the set-group-id bit comes from the folder above and not from the caller."""
    last = name_to_make(context, folder_fd, path_at(context, address), folder=True)
    folder_to_change(context, last).create_folder(last.name)
    made = last.parent.child(last.name)
    inherited = made.node.stat().mode & S_ISGID
    made.changeable().set_mode(context.filesystem.masked(mode & _MODE) | inherited)
    return 0
