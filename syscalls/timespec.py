"""struct timespec, as every call about time reads and writes it."""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.clock import END_OF_TIME, NANOSECONDS
from syscalls.user import UserMemory

_TIMESPEC = struct.Struct("<qq")
TIMESPEC_SIZE = _TIMESPEC.size


def read_timespec(user: UserMemory, address: int) -> int:
    """In nanoseconds, no later than the end of time. EFAULT, or EINVAL where it is no time."""
    return duration(*user.unpack(_TIMESPEC, address))


def duration(seconds: int, rest: int) -> int:
    """Seconds and nanoseconds in nanoseconds, no more than to the end of time. EINVAL."""
    if seconds < 0 or not 0 <= rest < NANOSECONDS:
        raise Errno(EINVAL)
    return min(seconds * NANOSECONDS + rest, END_OF_TIME)


def write_timespec(user: UserMemory, address: int, nanoseconds: int) -> None:
    """EFAULT where it cannot be stored."""
    user.pack(_TIMESPEC, address, *divmod(nanoseconds, NANOSECONDS))
