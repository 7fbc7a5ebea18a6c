"""wait4(2), waitid(2): "ECHILD: The calling process does not have any unwaited-for children." """

from __future__ import annotations

import struct

from syscalls.abi import EBADF, ECHILD, EINVAL, ESRCH, Errno
from syscalls.context import Context

_NOHANG, _STOPPED, _EXITED, _CONTINUED, _NOWAIT = 1, 2, 4, 8, 0x0100_0000
_THREADS = 0xE000_0000 - (1 << 32)
"""__WNOTHREAD, __WALL and __WCLONE, in a signed word."""
_WAIT4 = _NOHANG | _STOPPED | _CONTINUED | _THREADS
_WAITID = _WAIT4 | _EXITED | _NOWAIT
_NOBODY = -(1 << 31)
_ALL, _PID, _GROUP, _PIDFD = range(4)
_SIGINFO = (struct.Struct("<3i"), struct.Struct("<3i"))
"""signo, errno and code; pid, uid and status, from the 16th byte on."""


def wait4(context: Context, pid: int, status: int, options: int, usage: int) -> int:
    if options & ~_WAIT4:
        raise Errno(EINVAL)
    raise Errno(ESRCH if pid == _NOBODY else ECHILD)


def waitid(context: Context, which: int, who: int, info: int, options: int, usage: int) -> int:
    """Nobody is told of even where there is an error, so that a bad address outdoes it."""
    error = _waitid(context, which, who, options)
    if info:
        head, tail = _SIGINFO
        context.user.pack(head, info, 0, 0, 0)
        context.user.pack(tail, info + 16, 0, 0, 0)
    raise error


def _waitid(context: Context, which: int, who: int, options: int) -> Errno:
    """What is wrong."""
    if options & ~_WAITID or not options & (_EXITED | _STOPPED | _CONTINUED):
        return Errno(EINVAL)
    if which not in (_ALL, _PID, _GROUP, _PIDFD):
        return Errno(EINVAL)
    if which != _ALL and (who < 0 or (which == _PID and who == 0)):
        return Errno(EINVAL)
    return Errno(EBADF if which == _PIDFD else ECHILD)
