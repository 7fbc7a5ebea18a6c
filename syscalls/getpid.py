"""getpid(2) and kin: pids, process groups and sessions, in a world of one process.

"These functions are always successful." Deviation: the parent is told, and cannot be found.
"""

from __future__ import annotations

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.context import Context
from syscalls.identity import PID, PPID, own


def getpid(context: Context) -> int:
    return PID


def getppid(context: Context) -> int:
    return PPID


def getpgrp(context: Context) -> int:
    return context.task.group


def getpgid(context: Context, pid: int) -> int:
    own(pid)
    return context.task.group


def getsid(context: Context, pid: int) -> int:
    own(pid)
    return context.task.session


def setsid(context: Context) -> int:
    """EPERM for who leads a process group, as the process does from its start."""
    task = context.task
    if PID in (task.group, task.session):
        raise Errno(EPERM)
    task.group = task.session = PID
    return PID


def setpgid(context: Context, pid: int, group: int) -> int:
    """The only group that exists is its own."""
    if (group or pid) < 0:
        raise Errno(EINVAL)
    own(pid)
    if context.task.session == PID or group not in (0, PID):
        raise Errno(EPERM)
    context.task.group = PID
    return 0
