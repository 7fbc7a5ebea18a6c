"""Who the process is: numbers that system calls and /proc must tell alike.

It is a job that init (1) has started: it leads a process group, but no session. Nobody else can be
seen: any other pid is ESRCH.
"""

from __future__ import annotations

from syscalls.abi import ESRCH, Errno

PID = 1000
PPID = 1
SESSION = PPID
UID = GID = 0


def own(pid: int) -> None:
    """ESRCH unless a pid, where 0 stands for the caller, is the process's."""
    if pid not in (0, PID):
        raise Errno(ESRCH)
