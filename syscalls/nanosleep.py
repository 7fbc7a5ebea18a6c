"""nanosleep(2), clock_nanosleep(2): until a time has passed, or a clock tells it.

A timer's signal may interrupt a sleep. On the process's own CPU clock nothing passes while it
sleeps, so that is a Deadlock.
"""

from __future__ import annotations

from syscalls.abi import EINTR, EINVAL, EOPNOTSUPP, Errno
from syscalls.clock_gettime import ALARM, ClockId, clock_id, is_file, now
from syscalls.context import Context
from syscalls.timespec import read_timespec, write_timespec

_ABSOLUTE = 1
_SLEEPING = (
    ClockId.REALTIME,
    ClockId.MONOTONIC,
    ClockId.PROCESS_CPUTIME_ID,
    ClockId.BOOTTIME,
    ClockId.TAI,
)


def nanosleep(context: Context, request: int, remaining: int) -> int:
    return _sleep(context, read_timespec(context.user, request), remaining)


def clock_nanosleep(context: Context, clock: int, flags: int, request: int, remaining: int) -> int:
    """Unknown flags are ignored."""
    _check_kind(clock)
    time = read_timespec(context.user, request)
    known = _sleeping(clock)
    duration = time - now(context, known) if flags & _ABSOLUTE else time
    cpu = known == ClockId.PROCESS_CPUTIME_ID
    rest = 0 if flags & _ABSOLUTE else remaining
    return _sleep(context, None if cpu and duration > 0 else max(0, duration), rest)


def _sleep(context: Context, duration: int | None, remaining: int) -> int:
    """remaining: where to store the time that a signal left; 0 for nowhere."""
    left = context.timers.wait(duration)
    if context.signals.due:
        if remaining:
            write_timespec(context.user, remaining, left)
        raise Errno(EINTR)
    return 0


def _check_kind(number: int) -> None:
    """EOPNOTSUPP for a clock that nobody can sleep by, EINVAL for no clock."""
    if is_file(number):
        raise Errno(EOPNOTSUPP)
    if number >= 0 and clock_id(number) not in (*_SLEEPING, *ALARM):
        raise Errno(EOPNOTSUPP)


def _sleeping(number: int) -> ClockId:
    """What is looked at only once the time is known to be one: the owner of a CPU clock, alarms."""
    clock = clock_id(number)
    if number < 0 and clock == ClockId.THREAD_CPUTIME_ID:  # of the thread that would sleep
        raise Errno(EINVAL)
    if clock in ALARM:
        raise Errno(EOPNOTSUPP)
    return clock
