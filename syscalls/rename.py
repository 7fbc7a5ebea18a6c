"""rename(2), renameat(2), renameat2(2), with RENAME_NOREPLACE and RENAME_EXCHANGE.

Deviation: RENAME_WHITEOUT is EINVAL, as where a filesystem has no whiteouts.
"""

from __future__ import annotations

from syscalls.abi import EBUSY, EEXIST, EINVAL, ENOENT, ENOTDIR, ENOTEMPTY, EXDEV, Errno
from syscalls.context import Context
from syscalls.files.host_node import HostNode
from syscalls.files.numbers import AT_FDCWD, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from syscalls.files.place import Place
from syscalls.files.walk import Last
from syscalls.paths import last_of, path_at


def rename(context: Context, old: int, new: int) -> int:
    return renameat2(context, AT_FDCWD, old, AT_FDCWD, new, 0)


def renameat(context: Context, old_fd: int, old: int, new_fd: int, new: int) -> int:
    return renameat2(context, old_fd, old, new_fd, new, 0)


def renameat2(context: Context, old_fd: int, old: int, new_fd: int, new: int, flags: int) -> int:
    """The questions are asked in the order in which Linux asks them."""
    exchange, replace = bool(flags & RENAME_EXCHANGE), not flags & RENAME_NOREPLACE
    known = RENAME_EXCHANGE | RENAME_NOREPLACE
    if flags & ~(known | RENAME_WHITEOUT) or (exchange and flags != RENAME_EXCHANGE):
        raise Errno(EINVAL)
    old_path, new_path = path_at(context, old), path_at(context, new)
    source, target = last_of(context, old_fd, old_path), last_of(context, new_fd, new_path)
    if source.parent.domain is not target.parent.domain:
        raise Errno(EXDEV)
    if not source.is_name:
        raise Errno(EBUSY)
    if not target.is_name:
        raise Errno(EBUSY if replace else EEXIST)
    folder, new_folder = source.parent.changeable(), target.parent.changeable()
    moved = context.filesystem.walk().look(source)
    if moved is None:
        raise Errno(ENOENT)
    replaced = context.filesystem.walk().look(target)
    _check(source, target, moved, replaced, exchange=exchange, replace=replace)
    if flags & RENAME_WHITEOUT:
        raise Errno(EINVAL)
    if replaced and moved.node.identity == replaced.node.identity:
        return 0
    folder.rename(source.name, new_folder, target.name, flags)
    _follow(source, target, exchange=exchange)
    return 0


def _check(
    source: Last,
    target: Last,
    moved: Place,
    replaced: Place | None,
    *,
    exchange: bool,
    replace: bool,
) -> None:
    if replaced is not None and not replace:
        raise Errno(EEXIST)
    if replaced is None and exchange:
        raise Errno(ENOENT)
    if exchange and replaced and target.slash and not replaced.is_folder:
        raise Errno(ENOTDIR)
    if not moved.is_folder and (source.slash or (target.slash and not exchange)):
        raise Errno(ENOTDIR)
    if _is_above(moved, target.parent):
        raise Errno(EINVAL)
    if replaced and _is_above(replaced, source.parent):
        raise Errno(EINVAL if exchange else ENOTEMPTY)
    for place in (moved, replaced):
        if place and (not isinstance(place.node, HostNode) or place.writable is not None):
            raise Errno(EBUSY)  # the host has something else under this name


def _is_above(place: Place, other: Place | None) -> bool:
    while other is not None and other is not place:
        other = other.parent
    return other is place


def _follow(source: Last, target: Last, *, exchange: bool) -> None:
    """The tree as we know it is moved likewise."""
    if exchange:
        target.parent.exchange(target.name, source.parent, source.name)
    else:
        target.parent.adopt(target.name, source.parent, source.name)
