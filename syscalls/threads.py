"""set_tid_address(2), get_robust_list(2), rseq(2): what threads register with the kernel.

The one thread there is registers it; it is remembered, and used by nobody: the address is cleared,
and the list walked, for other threads, when one ends.

rseq answers ENOSYS, as a kernel without CONFIG_RSEQ: C libraries then take the ways that they have
for older kernels. To register means to be promised that critical sections are restarted, at every
signal; a library that never uses them gains nothing from that, and one that does must be right.
"""

from __future__ import annotations

import struct

from syscalls.abi import EINVAL, ENOSYS, Errno
from syscalls.context import Context
from syscalls.identity import PID, own

_WORD = struct.Struct("<Q")
_HEAD_SIZE = 24
"""struct robust_list_head."""


def gettid(context: Context) -> int:
    return PID


def set_tid_address(context: Context, address: int) -> int:
    context.task.tid_address = address
    return PID


def set_robust_list(context: Context, head: int, size: int) -> int:
    if size != _HEAD_SIZE:
        raise Errno(EINVAL)
    context.task.robust_list = head
    return 0


def get_robust_list(context: Context, pid: int, head: int, size: int) -> int:
    own(pid)
    context.user.pack(_WORD, size, _HEAD_SIZE)
    context.user.pack(_WORD, head, context.task.robust_list)
    return 0


def rseq(context: Context, area: int, size: int, flags: int, signature: int) -> int:
    raise Errno(ENOSYS)
