"""From the numbers of a system call to a place in the tree: the door of all calls with paths."""

from __future__ import annotations

from syscalls.abi import ENAMETOOLONG, ENOENT, Errno
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, PATH_MAX, At
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.files.walk import Last


def path_at(context: Context, address: int, *, empty: bool = False) -> bytes:
    """A path in the guest's memory: EFAULT, ENAMETOOLONG, and ENOENT unless it may be empty."""
    if empty and not address:  # as Linux has it since 6.11
        return b""
    path = context.user.string(address, PATH_MAX, ENAMETOOLONG)
    if not path and not empty:
        raise Errno(ENOENT)
    return path


def start_of(context: Context, folder_fd: int, path: bytes) -> Place:
    """Where a path begins. EBADF; an absolute path does not ask for the descriptor."""
    if path.startswith(b"/"):
        return context.filesystem.root
    if folder_fd == AT_FDCWD:
        return context.filesystem.folder
    return place_of(context.files.at(folder_fd, path_too=True))


def find(context: Context, folder_fd: int, path: bytes, *, follow: bool = True) -> Place:
    """What is there. An empty path is the descriptor itself: `path_at` let it through."""
    start = start_of(context, folder_fd, path)
    if not path:
        return start
    return context.filesystem.walk().locate(start, path, follow=follow)


def find_at(context: Context, folder_fd: int, address: int, flags: int) -> Place:
    """What is at a path in the guest's memory, as AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW say."""
    path = path_at(context, address, empty=bool(flags & At.EMPTY_PATH))
    return find(context, folder_fd, path, follow=not flags & At.SYMLINK_NOFOLLOW)


def last_of(context: Context, folder_fd: int, path: bytes) -> Last:
    """Where a path ends, for those who make and remove names."""
    return context.filesystem.walk().parent(start_of(context, folder_fd, path), path)
