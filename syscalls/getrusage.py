"""getrusage(2), times(2): what the process has used.

All time is spent in user mode: the kernel's work takes none. The largest resident set is told as
the most that was found mapped. Deviation: there are no page faults, switches or transfers to tell.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, Errno
from syscalls.clock import MICROSECOND, NANOSECONDS, TICK
from syscalls.context import Context

_SELF, _CHILDREN, _THREAD = 0, -1, 1
_RUSAGE = struct.Struct("<18q")
"""struct rusage: two times of two words, and 14 counts, the first of them in KiB."""
_TMS = struct.Struct("<4q")


def getrusage(context: Context, who: int, usage: int) -> int:
    if who not in (_SELF, _CHILDREN, _THREAD):
        raise Errno(EINVAL)
    spent = 0 if who == _CHILDREN else context.clock.cpu()
    resident = 0 if who == _CHILDREN else _most_mapped(context) >> 10
    seconds, rest = divmod(spent, NANOSECONDS)
    fields = (seconds, rest // MICROSECOND, 0, 0, resident)
    context.user.pack(_RUSAGE, usage, *fields, *(0,) * (18 - len(fields)))
    return 0


def times(context: Context, buffer: int) -> int:
    """In ticks of 10 ms; the result counts from the start of the system."""
    if buffer:
        context.user.pack(_TMS, buffer, context.clock.cpu() // TICK, 0, 0, 0)
    return context.clock.monotonic() // TICK


def _most_mapped(context: Context) -> int:
    space, task = context.space, context.task
    mapped = space.size if space.limits.ram is None else min(space.size, space.limits.ram)
    task.most_mapped = max(task.most_mapped, mapped)
    return task.most_mapped
