"""getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2): remembered, and without effect.

"The nice value (-20 to +19)"; the system call answers 20 less it, so that it is never negative.
"""

from __future__ import annotations

from syscalls.abi import EACCES, EINVAL, EPERM, ESRCH, Errno
from syscalls.context import Context
from syscalls.credentials import Cap
from syscalls.identity import PID
from syscalls.resources import Resource

_PROCESS, _GROUP, _USER = 0, 1, 2
_HIGHEST, _LOWEST = -20, 19
_CLASS_SHIFT = 13
_NO_CLASS, _REALTIME, _BEST_EFFORT, _IDLE = range(4)
_LEVELS = 8
_DEFAULT_IO = 4
"""IOPRIO_NORM."""


def getpriority(context: Context, which: int, who: int) -> int:
    _find(context, which, who)
    return 20 - context.task.nice


def setpriority(context: Context, which: int, who: int, nice: int) -> int:
    _find(context, which, who)
    wanted = max(_HIGHEST, min(nice, _LOWEST))
    task = context.task
    limited = wanted < task.nice and not task.credentials.can(Cap.SYS_NICE)
    if limited and 20 - wanted > task.resources.soft(context, Resource.NICE):
        raise Errno(EACCES)
    task.nice = wanted
    return 0


def ioprio_get(context: Context, which: int, who: int) -> int:
    _find(context, which - 1, who)
    return context.task.io_priority


def ioprio_set(context: Context, which: int, who: int, priority: int) -> int:
    kind, data = priority >> _CLASS_SHIFT, priority & (1 << _CLASS_SHIFT) - 1
    if kind not in (_NO_CLASS, _REALTIME, _BEST_EFFORT, _IDLE) or (kind == _NO_CLASS and data):
        raise Errno(EINVAL)
    if kind == _REALTIME and not context.task.credentials.can(Cap.SYS_NICE):
        raise Errno(EPERM)
    _find(context, which - 1, who)
    context.task.io_priority = priority
    return 0


def _find(context: Context, which: int, who: int) -> None:
    """ESRCH unless it is the process, its group or its user that is meant; 0 is always."""
    task = context.task
    ours = {_PROCESS: PID, _GROUP: task.group, _USER: task.credentials.user.real}
    if which not in ours:
        raise Errno(EINVAL)
    if who not in (0, ours[which]):
        raise Errno(ESRCH)
