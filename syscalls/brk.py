"""brk(2).

"On success, the system call returns the new program break. On failure, the system call returns
the current break." So it never answers an errno, not even a planned one.
"""

from __future__ import annotations

from syscalls.call import Context


def brk(context: Context, address: int) -> int:
    if context.planned_errno is not None:
        return context.space.brk
    return context.space.set_break(address)
