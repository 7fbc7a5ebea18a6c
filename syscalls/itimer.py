"""Interval timers: alarm(2), getitimer(2), setitimer(2). The timers themselves: timers.py."""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.clock import END_OF_TIME, MICROSECOND, MICROSECONDS, NANOSECONDS
from syscalls.context import Context
from syscalls.timers import Which

_ITIMERVAL = struct.Struct("<qqqq")
_UNSIGNED = (1 << 32) - 1


def alarm(context: Context, seconds: int) -> int:
    """The seconds that were left of the one before, rounded as Linux rounds: never to 0."""
    left, _ = context.timers.get(Which.ITIMER_REAL)
    context.timers.set(Which.ITIMER_REAL, (seconds & _UNSIGNED) * NANOSECONDS, 0)
    whole, rest = divmod(left, NANOSECONDS)
    return whole + (rest >= NANOSECONDS // 2 or (whole == 0 and rest > 0))


def getitimer(context: Context, which: int, answer: int) -> int:
    timer = _timer(which)
    context.user.write(answer, _value(context, timer))
    return 0


def setitimer(context: Context, which: int, new: int, old: int) -> int:
    """A null pointer disarms it: an oddity that Linux keeps."""
    interval = left = 0
    if new:
        *pair, left_seconds, left_rest = context.user.unpack(_ITIMERVAL, new)
        interval, left = _nanoseconds(*pair), _nanoseconds(left_seconds, left_rest)
    timer = _timer(which)
    before = _value(context, timer)
    context.timers.set(timer, left, interval)
    if old:
        context.user.write(old, before)
    return 0


def _timer(which: int) -> Which:
    if which not in tuple(Which):
        raise Errno(EINVAL)
    return Which(which)


def _value(context: Context, timer: Which) -> bytes:
    left, interval = context.timers.get(timer)
    return _ITIMERVAL.pack(*_split(interval), *_split(left))


def _split(time: int) -> tuple[int, int]:
    """Seconds and microseconds; what is left of a microsecond counts as one."""
    return divmod(-(-time // MICROSECOND), MICROSECONDS)


def _nanoseconds(seconds: int, microseconds: int) -> int:
    if seconds < 0 or not 0 <= microseconds < MICROSECONDS:
        raise Errno(EINVAL)
    return min(seconds * NANOSECONDS + microseconds * MICROSECOND, END_OF_TIME)
