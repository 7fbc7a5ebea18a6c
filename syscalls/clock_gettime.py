"""clock_gettime(2), clock_getres(2), clock_settime(2).

There are CLOCK_REALTIME, TAI, MONOTONIC, MONOTONIC_RAW, BOOTTIME; the coarse ones, which tell the
last tick of 4 ms; and the CPU clocks of the process by name or by its pid.

Deviations: the alarm clocks answer EINVAL, as without a real-time clock that wakes the machine;
clock_settime never has the right to set anything.
"""

from __future__ import annotations

from enum import IntEnum

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.clock import NANOSECONDS
from syscalls.context import Context
from syscalls.identity import PID
from syscalls.timespec import TIMESPEC_SIZE, read_timespec, write_timespec


class ClockId(IntEnum):
    """include/uapi/linux/time.h."""

    REALTIME = 0
    MONOTONIC = 1
    PROCESS_CPUTIME_ID = 2
    THREAD_CPUTIME_ID = 3
    MONOTONIC_RAW = 4
    REALTIME_COARSE = 5
    MONOTONIC_COARSE = 6
    BOOTTIME = 7
    REALTIME_ALARM = 8
    BOOTTIME_ALARM = 9
    TAI = 11


COARSE = NANOSECONDS // 250
"""The period of the timer interrupt."""
_REAL = (ClockId.REALTIME, ClockId.REALTIME_COARSE, ClockId.TAI)
_COARSE = (ClockId.REALTIME_COARSE, ClockId.MONOTONIC_COARSE)
ALARM = (ClockId.REALTIME_ALARM, ClockId.BOOTTIME_ALARM)
_SETTABLE = (ClockId.REALTIME,)
_FILE = 3
"""The kind of a negative number that stands for an open clock, of which there are none."""
_SCHED = 2
"""The CPU clock that counts nanoseconds; 0 and 1, of older Linux, count ticks."""


def clock_id(number: int) -> ClockId:
    """The clock of a number. EINVAL where there is none.

    A negative one is the CPU clock of a process: ~pid << 3, 4 if it is of the thread alone, and
    which of three counts (include/linux/posix-timers.h).
    """
    if number < 0:
        return _cpu_clock(~(number >> 3), thread=bool(number & 4), which=number & 3)
    if number not in tuple(ClockId):
        raise Errno(EINVAL)
    return ClockId(number)


def is_file(number: int) -> bool:
    """Whether it is the number of an open clock."""
    return number < 0 and number & 7 == _FILE


def _cpu_clock(pid: int, *, thread: bool, which: int) -> ClockId:
    if pid not in (0, PID) or which > _SCHED:
        raise Errno(EINVAL)
    return ClockId.THREAD_CPUTIME_ID if thread else ClockId.PROCESS_CPUTIME_ID


def now(context: Context, clock: ClockId) -> int:
    """What a clock tells, in nanoseconds."""
    if clock in (ClockId.PROCESS_CPUTIME_ID, ClockId.THREAD_CPUTIME_ID):
        return context.clock.cpu()
    time = context.clock.realtime() if clock in _REAL else context.clock.monotonic()
    return time - time % COARSE if clock in _COARSE else time


def clock_gettime(context: Context, clock: int, time: int) -> int:
    write_timespec(context.user, time, now(context, _told(clock)))
    return 0


def clock_getres(context: Context, clock: int, resolution: int) -> int:
    """A nanosecond, but for the clocks that tick. NULL is no place to store it, and no error."""
    ticks = _told(clock) in _COARSE or (clock < 0 and clock & 3 < _SCHED)
    if resolution:
        write_timespec(context.user, resolution, COARSE if ticks else 1)
    return 0


def clock_settime(context: Context, clock: int, time: int) -> int:
    """CPU clocks cannot be set at all, which is EPERM as well, and comes before a wrong time."""
    if clock >= 0 and clock_id(clock) not in _SETTABLE:
        raise Errno(EINVAL)
    context.user.read(time, TIMESPEC_SIZE)
    if clock < 0:
        clock_id(clock)
    else:
        read_timespec(context.user, time)
    raise Errno(EPERM)


def _told(number: int) -> ClockId:
    clock = clock_id(number)
    if clock in ALARM:
        raise Errno(EINVAL)
    return clock
