"""getuid(2), setuid(2) and kin: the ids of user and group.

An id is 32 bits; -1 is none, or "as it is". Who changes its effective id can no longer be dumped.
"""

from __future__ import annotations

import struct

from syscalls.abi import EFAULT, EINVAL, Errno
from syscalls.context import Context
from syscalls.credentials import KEEP, Cap, Change, Ids

_ID = struct.Struct("<I")
_MOST_GROUPS = 65536


def getuid(context: Context) -> int:
    return context.task.credentials.user.real


def geteuid(context: Context) -> int:
    return context.task.credentials.user.effective


def getgid(context: Context) -> int:
    return context.task.credentials.group.real


def getegid(context: Context) -> int:
    return context.task.credentials.group.effective


def getresuid(context: Context, real: int, effective: int, saved: int) -> int:
    return _tell(context, context.task.credentials.user, real, effective, saved)


def getresgid(context: Context, real: int, effective: int, saved: int) -> int:
    return _tell(context, context.task.credentials.group, real, effective, saved)


def setuid(context: Context, user: int) -> int:
    return _change_user(context, lambda ids, can: ids.set(user & KEEP, can))


def setgid(context: Context, group: int) -> int:
    return _change_group(context, lambda ids, can: ids.set(group & KEEP, can))


def setreuid(context: Context, real: int, effective: int) -> int:
    return _change_user(context, lambda ids, can: ids.set_two(real & KEEP, effective & KEEP, can))


def setregid(context: Context, real: int, effective: int) -> int:
    return _change_group(context, lambda ids, can: ids.set_two(real & KEEP, effective & KEEP, can))


def setresuid(context: Context, real: int, effective: int, saved: int) -> int:
    wanted = (real & KEEP, effective & KEEP, saved & KEEP)
    return _change_user(context, lambda ids, can: ids.set_three(wanted, can))


def setresgid(context: Context, real: int, effective: int, saved: int) -> int:
    wanted = (real & KEEP, effective & KEEP, saved & KEEP)
    return _change_group(context, lambda ids, can: ids.set_three(wanted, can))


def setfsuid(context: Context, user: int) -> int:
    """The id before: "both on success and failure"."""
    credentials = context.task.credentials
    old = credentials.user
    new = old.set_filesystem(user & KEEP, credentials.can(Cap.SETUID))
    credentials.become_on_files(new)
    _no_dump(context, old, new)
    return old.filesystem


def setfsgid(context: Context, group: int) -> int:
    credentials = context.task.credentials
    old = credentials.group
    credentials.group = old.set_filesystem(group & KEEP, credentials.can(Cap.SETGID))
    _no_dump(context, old, credentials.group)
    return old.filesystem


def getgroups(context: Context, size: int, groups: int) -> int:
    """How many there are; told where there is room, or none is offered."""
    held = context.task.credentials.groups
    if size < 0 or (size and len(held) > size):
        raise Errno(EINVAL)
    if size:
        context.user.write(groups, b"".join(map(_ID.pack, held)))
    return len(held)


def setgroups(context: Context, size: int, groups: int) -> int:
    """Kept in order of number. A bad id before a bad page is EINVAL, behind it EFAULT."""
    credentials = context.task.credentials
    credentials.require(Cap.SETGID)
    if not 0 <= size <= _MOST_GROUPS:
        raise Errno(EINVAL)
    whole = context.user.readable(groups, size * _ID.size) // _ID.size
    wanted = [group for (group,) in _ID.iter_unpack(context.user.read(groups, whole * _ID.size))]
    if KEEP in wanted:
        raise Errno(EINVAL)
    if whole < size:
        raise Errno(EFAULT)
    credentials.groups = tuple(sorted(wanted))
    return 0


def _tell(context: Context, ids: Ids, *places: int) -> int:
    for place, value in zip(places, ids.three, strict=True):
        context.user.pack(_ID, place, value)
    return 0


def _change_user(context: Context, change: Change) -> int:
    credentials = context.task.credentials
    old = credentials.user
    credentials.become(change(old, credentials.can(Cap.SETUID)))
    _no_dump(context, old, credentials.user)
    return 0


def _change_group(context: Context, change: Change) -> int:
    credentials = context.task.credentials
    old = credentials.group
    credentials.group = change(old, credentials.can(Cap.SETGID))
    _no_dump(context, old, credentials.group)
    return 0


def _no_dump(context: Context, old: Ids, new: Ids) -> None:
    if (old.effective, old.filesystem) != (new.effective, new.filesystem):
        context.task.dumpable = context.task.death_signal = 0
