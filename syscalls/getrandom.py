"""getrandom(2): bytes that follow from the seed of the world; never too few, never EAGAIN."""

from __future__ import annotations

from syscalls.abi import EFAULT, EINVAL, MAX_RW_COUNT, TASK_SIZE, Errno
from syscalls.context import Context

_NONBLOCK, _RANDOM, _INSECURE = 1, 2, 4
_PIECE = 1 << 20


def getrandom(context: Context, buffer: int, count: int, flags: int) -> int:
    """As many as can be stored; EFAULT where that is none of them."""
    flags &= 0xFFFF_FFFF
    if flags & ~(_NONBLOCK | _RANDOM | _INSECURE) or (flags & _RANDOM and flags & _INSECURE):
        raise Errno(EINVAL)
    wanted = min(count, MAX_RW_COUNT)
    if buffer + wanted > TASK_SIZE:
        raise Errno(EFAULT)
    writable = context.user.writable(buffer, wanted)
    if wanted and not writable:
        raise Errno(EFAULT)
    for done in range(0, writable, _PIECE):
        piece = context.random.bytes(min(_PIECE, writable - done))
        context.user.write(buffer + done, piece)
    return writable
