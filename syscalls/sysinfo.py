"""sysinfo(2): memory, as far as the limits tell, and the time since the start.

One process, no load, no swap. What is mapped counts as used.
"""

from __future__ import annotations

import struct

from syscalls.abi import TASK_SIZE
from syscalls.clock import NANOSECONDS
from syscalls.context import Context

_SYSINFO = struct.Struct("<q3Q6QH6x2QI4x")
"""uptime; loads; memory, total, free, shared and of buffers, swap, total and free; processes; high
memory, total and free; the unit of memory."""


def sysinfo(context: Context, info: int) -> int:
    space = context.space
    ram = TASK_SIZE if space.limits.ram is None else space.limits.ram
    free = max(0, ram - space.size)
    uptime = -(-context.clock.monotonic() // NANOSECONDS)
    context.user.pack(_SYSINFO, info, uptime, 0, 0, 0, ram, free, 0, 0, 0, 0, 1, 0, 0, 1)
    return 0
