"""adjtimex(2), clock_adjtime(2): how the clock is disciplined. It may be read, not changed.

Nobody disciplines it: "TIME_ERROR: The system clock is not synchronized to a reliable server."
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, EOPNOTSUPP, EPERM, Errno
from syscalls.clock import MICROSECOND, NANOSECONDS
from syscalls.clock_gettime import ClockId, clock_id, is_file
from syscalls.context import Context

_TIMEX = struct.Struct("<I4x4qi4x3q2q3qi4x5qi44x")
"""modes; offset, freq, maxerror, esterror; status; constant, precision, tolerance; seconds and
microseconds; tick, ppsfreq, jitter; shift; stabil and four counts; tai."""
_ADJTIME, _READ_ONLY, _SINGLE_SHOT = 0x8000, 0x2000, 0x0001
_TICK, _SET_OFFSET, _NANO = 0x4000, 0x0100, 0x2000
_FREQUENCY = 0x0002
_HIGHEST_FREQUENCY = ((1 << 63) - 1) // (1000 << 16)
"""What can be scaled by PPM_SCALE."""
_LONGEST_ERROR = 16_000_000
"""NTP_PHASE_LIMIT, in microseconds."""
_CONSTANT, _PRECISION, _TOLERANCE = 2, 1, 500 << 16
_TICK_LENGTH = 10_000
_UNSYNCHRONIZED, _TIME_ERROR = 0x40, 5


def adjtimex(context: Context, timex: int) -> int:
    """The structure is stored even where it is not allowed to change: EFAULT outdoes EPERM."""
    fields = context.user.read(timex, _TIMEX.size)
    context.user.write(timex, fields)
    return _adjust(context, timex)


def _adjust(context: Context, timex: int) -> int:
    modes, _, frequency, *_ = context.user.unpack(_TIMEX, timex)
    _check(modes, frequency)
    seconds, rest = divmod(context.clock.realtime(), NANOSECONDS)
    context.user.pack(
        _TIMEX, timex, modes, 0, 0, _LONGEST_ERROR, _LONGEST_ERROR, _UNSYNCHRONIZED, _CONSTANT,
        _PRECISION, _TOLERANCE, seconds, rest // MICROSECOND, _TICK_LENGTH, *(0,) * 9,
    )  # fmt: skip
    return _TIME_ERROR


def clock_adjtime(context: Context, clock: int, timex: int) -> int:
    context.user.read(timex, _TIMEX.size)
    if is_file(clock):
        raise Errno(EINVAL)
    if clock < 0 or clock_id(clock) != ClockId.REALTIME:
        raise Errno(EOPNOTSUPP)
    return _adjust(context, timex)


def _check(modes: int, frequency: int) -> None:
    """Reading, in either of two ways, is for everybody."""
    if modes & _ADJTIME and not modes & _SINGLE_SHOT:
        raise Errno(EINVAL)
    reading = modes & _READ_ONLY if modes & _ADJTIME else not modes
    if not reading or modes & _SET_OFFSET:
        raise Errno(EPERM)
    if modes & _FREQUENCY and not -_HIGHEST_FREQUENCY <= frequency <= _HIGHEST_FREQUENCY:
        raise Errno(EINVAL)
