"""umask(2). "This system call always succeeds and the previous value of the mask is returned." """

from __future__ import annotations

from syscalls.context import Context


def umask(context: Context, mask: int) -> int:
    old, context.filesystem.umask = context.filesystem.umask, mask & 0o777
    return old
