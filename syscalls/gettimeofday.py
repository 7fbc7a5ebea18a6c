"""gettimeofday(2), settimeofday(2), time(2): the time of day, in microseconds or seconds.

The time zone is UTC. Deviation: nobody has the right to set the time.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.clock import MICROSECOND, MICROSECONDS, NANOSECONDS
from syscalls.context import Context

_TIMEVAL = struct.Struct("<qq")
_TIMEZONE = struct.Struct("<ii")
_TIME = struct.Struct("<q")


def gettimeofday(context: Context, time: int, zone: int) -> int:
    """NULL for what is not wanted."""
    seconds, rest = divmod(context.clock.realtime(), NANOSECONDS)
    if time:
        context.user.pack(_TIMEVAL, time, seconds, rest // MICROSECOND)
    if zone:
        context.user.pack(_TIMEZONE, zone, 0, 0)
    return 0


def settimeofday(context: Context, time: int, zone: int) -> int:
    seconds, rest = context.user.unpack(_TIMEVAL, time) if time else (0, 0)
    if not 0 <= rest < MICROSECONDS:
        raise Errno(EINVAL)
    if zone:
        context.user.read(zone, _TIMEZONE.size)
    if seconds < 0:
        raise Errno(EINVAL)
    raise Errno(EPERM)


def time(context: Context, place: int) -> int:
    seconds = context.clock.realtime() // NANOSECONDS
    if place:
        context.user.pack(_TIME, place, seconds)
    return seconds
