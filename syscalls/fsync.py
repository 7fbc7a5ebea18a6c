"""fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2).

Deviation: what was written is with the host, and reaches its disk when the host sees fit.
"""

from __future__ import annotations

from syscalls.context import Context


def fsync(context: Context, fd: int) -> int:
    """EINVAL for what keeps nothing, such as a pipe."""
    context.files.at(fd).sync()
    return 0


def sync(_: Context) -> int:
    return 0


def syncfs(context: Context, fd: int) -> int:
    context.files.at(fd)
    return 0
