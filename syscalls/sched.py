"""sched_setaffinity(2), sched_setscheduler(2) and kin, getcpu(2): one CPU, the first.

There is nobody to share it with, so policies and priorities are remembered. Deviation:
SCHED_DEADLINE and SCHED_EXT are unknown.
"""

from __future__ import annotations

import struct
from enum import IntEnum

from syscalls.abi import EINVAL, EPERM, Errno
from syscalls.clock import NANOSECONDS
from syscalls.context import Context
from syscalls.credentials import Cap
from syscalls.identity import own
from syscalls.resources import Resource
from syscalls.timespec import write_timespec


class Policy(IntEnum):
    """sched(7)."""

    OTHER = 0
    FIFO = 1
    RR = 2
    BATCH = 3
    IDLE = 5
    DEADLINE = 6


_REALTIME = (Policy.FIFO, Policy.RR)
_SETTABLE = (*_REALTIME, Policy.OTHER, Policy.BATCH, Policy.IDLE)
_RESET_ON_FORK = 0x4000_0000
_HIGHEST = 99
_MASK_SIZE = 8
"""Bytes of the kernel's own set of CPUs."""
_FIRST_CPU = 1
_INT, _UNSIGNED = struct.Struct("<i"), struct.Struct("<I")
_TURN = {Policy.FIFO: 0, Policy.RR: NANOSECONDS // 10}
_FAIR_TURN = 3_000_000
_LOW = 0xFFFF_FFFF


def sched_yield(context: Context) -> int:
    return 0


def getcpu(context: Context, cpu: int, node: int, unused: int) -> int:
    for place in (cpu, node):
        if place:
            context.user.pack(_UNSIGNED, place, 0)
    return 0


def sched_getaffinity(context: Context, pid: int, size: int, mask: int) -> int:
    """How many bytes of the set were stored."""
    size &= _LOW
    if size == 0 or size % _MASK_SIZE:
        raise Errno(EINVAL)
    own(pid)
    context.user.write(mask, _FIRST_CPU.to_bytes(_MASK_SIZE, "little"))
    return _MASK_SIZE


def sched_setaffinity(context: Context, pid: int, size: int, mask: int) -> int:
    wanted = int.from_bytes(context.user.read(mask, min(size & _LOW, _MASK_SIZE)), "little")
    own(pid)
    if not wanted & _FIRST_CPU:
        raise Errno(EINVAL)
    return 0


def sched_getscheduler(context: Context, pid: int) -> int:
    _check(pid)
    task = context.task
    return task.policy | (_RESET_ON_FORK if task.reset_on_fork else 0)


def sched_getparam(context: Context, pid: int, param: int) -> int:
    if not param:
        raise Errno(EINVAL)
    _check(pid)
    context.user.pack(_INT, param, context.task.priority)
    return 0


def sched_setscheduler(context: Context, pid: int, policy: int, param: int) -> int:
    if policy < 0:
        raise Errno(EINVAL)
    priority = _param(context, pid, param)
    wanted = policy & ~_RESET_ON_FORK
    if wanted not in _SETTABLE:
        raise Errno(EINVAL)
    return _schedule(context, Policy(wanted), priority, bool(policy & _RESET_ON_FORK))


def sched_setparam(context: Context, pid: int, param: int) -> int:
    priority = _param(context, pid, param)
    task = context.task
    return _schedule(context, Policy(task.policy), priority, task.reset_on_fork)


def sched_get_priority_max(context: Context, policy: int) -> int:
    return _HIGHEST if _policy(policy) in _REALTIME else 0


def sched_get_priority_min(context: Context, policy: int) -> int:
    return 1 if _policy(policy) in _REALTIME else 0


def sched_rr_get_interval(context: Context, pid: int, interval: int) -> int:
    _check(pid)
    turn = _TURN.get(Policy(context.task.policy), _FAIR_TURN)
    write_timespec(context.user, interval, turn)
    return 0


def _check(pid: int) -> None:
    if pid < 0:
        raise Errno(EINVAL)
    own(pid)


def _param(context: Context, pid: int, param: int) -> int:
    """The priority in a struct sched_param."""
    if not param or pid < 0:
        raise Errno(EINVAL)
    priority = context.user.unpack(_INT, param)[0]
    own(pid)
    return priority


def _policy(number: int) -> Policy:
    if number not in tuple(Policy):
        raise Errno(EINVAL)
    return Policy(number)


def _schedule(context: Context, policy: Policy, priority: int, reset: bool) -> int:
    if not 0 <= priority <= _HIGHEST or (policy in _REALTIME) != (priority > 0):
        raise Errno(EINVAL)
    task = context.task
    if not task.credentials.can(Cap.SYS_NICE):
        _check_right(context, policy, priority, reset)
    task.policy, task.priority, task.reset_on_fork = policy, priority, reset
    return 0


def _check_right(context: Context, policy: Policy, priority: int, reset: bool) -> None:
    """What may be had without CAP_SYS_NICE."""
    task = context.task
    if policy in _REALTIME:
        limit = task.resources.soft(context, Resource.RTPRIO)
        if (policy != task.policy and not limit) or priority > max(task.priority, limit):
            raise Errno(EPERM)
    leaves_idle = task.policy == Policy.IDLE != policy
    if leaves_idle and 20 - task.nice > task.resources.soft(context, Resource.NICE):
        raise Errno(EPERM)
    if task.reset_on_fork and not reset:
        raise Errno(EPERM)
