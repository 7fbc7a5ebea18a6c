"""nanosleep(2), clock_nanosleep(2): until a time has passed, or a clock tells it.

"The time remaining" is never stored: a sleep is not interrupted. On the process's own CPU clock
nothing passes while it sleeps, so that is a Deadlock.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EOPNOTSUPP, Errno
from syscalls.call import Context
from syscalls.clock_gettime import ALARM, ClockId, clock_id, is_file, now
from syscalls.timespec import read_timespec
from syscalls.waiting import wait

_ABSOLUTE = 1
_SLEEPING = (
    ClockId.REALTIME,
    ClockId.MONOTONIC,
    ClockId.PROCESS_CPUTIME_ID,
    ClockId.BOOTTIME,
    ClockId.TAI,
)


def nanosleep(context: Context, request: int, remaining: int) -> int:
    wait(context, read_timespec(context.user, request))
    return 0


def clock_nanosleep(context: Context, clock: int, flags: int, request: int, remaining: int) -> int:
    """Unknown flags are ignored."""
    _check_kind(clock)
    time = read_timespec(context.user, request)
    known = _sleeping(clock)
    duration = time - now(context, known) if flags & _ABSOLUTE else time
    cpu = known == ClockId.PROCESS_CPUTIME_ID
    wait(context, None if cpu and duration > 0 else duration)
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
