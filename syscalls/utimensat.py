"""utimensat(2), futimesat(2), utimes(2), utime(2): the times of a file.

"UTIME_NOW: the corresponding file timestamp is set to the current time", which is the process's,
not the host's.
"""

from __future__ import annotations

import struct

from syscalls.abi import EFAULT, EINVAL, Errno
from syscalls.clock import MICROSECOND, MICROSECONDS, NANOSECONDS
from syscalls.context import Context
from syscalls.files.numbers import AT_FDCWD, At
from syscalls.files.own import place_of
from syscalls.files.place import Place
from syscalls.paths import find_at

_TIMES = struct.Struct("<qqqq")
_TWO = struct.Struct("<qq")
_NOW, _OMIT = 0x3FFF_FFFF, 0x3FFF_FFFE
_FLAGS = int(At.SYMLINK_NOFOLLOW | At.EMPTY_PATH)
Times = tuple[int, int, int, int]
"""Seconds and nanoseconds of the last access, then of the last change."""


def utimensat(context: Context, folder_fd: int, path: int, address: int, flags: int) -> int:
    """Without a path, the descriptor is meant."""
    times = (0, _NOW, 0, _NOW)
    if address:
        first, first_rest, second, second_rest = context.user.unpack(_TIMES, address)
        times = (first, first_rest, second, second_rest)
        if first_rest == second_rest == _OMIT:
            return 0
    return _set_times(context, folder_fd, path, times, flags)


def futimesat(context: Context, folder_fd: int, path: int, address: int) -> int:
    """In microseconds."""
    times = (0, _NOW, 0, _NOW)
    if address:
        first, first_rest, second, second_rest = context.user.unpack(_TIMES, address)
        if not (0 <= first_rest < MICROSECONDS and 0 <= second_rest < MICROSECONDS):
            raise Errno(EINVAL)
        times = (first, MICROSECOND * first_rest, second, MICROSECOND * second_rest)
    return _set_times(context, folder_fd, path, times, 0)


def utimes(context: Context, path: int, address: int) -> int:
    return futimesat(context, AT_FDCWD, path, address)


def utime(context: Context, path: int, address: int) -> int:
    """In seconds."""
    times = (0, _NOW, 0, _NOW)
    if address:
        first, second = context.user.unpack(_TWO, address)
        times = (first, 0, second, 0)
    return _set_times(context, AT_FDCWD, path, times, 0)


def _set_times(context: Context, folder_fd: int, address: int, times: Times, flags: int) -> int:
    place = _find(context, folder_fd, address, flags)
    if not all(0 <= rest < NANOSECONDS or rest in (_NOW, _OMIT) for rest in times[1::2]):
        raise Errno(EINVAL)
    node = place.alterable()
    now = divmod(context.clock.realtime(), NANOSECONDS)
    first = now if times[1] == _NOW else times[:2]
    second = now if times[3] == _NOW else times[2:]
    node.set_times(_TIMES.pack(*first, *second))
    return 0


def _find(context: Context, folder_fd: int, address: int, flags: int) -> Place:
    if not address and folder_fd != AT_FDCWD:
        if flags:
            raise Errno(EINVAL)
        return place_of(context.files.at(folder_fd))
    if flags & ~_FLAGS:
        raise Errno(EINVAL)
    if not address:
        raise Errno(EFAULT)
    return find_at(context, folder_fd, address, flags)
