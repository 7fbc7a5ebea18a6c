"""Sending signals: kill(2), tkill(2), tgkill(2), rt_sigqueueinfo(2).

The process is alone: a signal for another answers ESRCH, one for all or for its group is its own.
"""

from __future__ import annotations

import struct

from syscalls.abi import EAGAIN, EINVAL, EPERM, ESRCH, Errno
from syscalls.context import Context
from syscalls.identity import PID, UID
from syscalls.signal_numbers import FIRST_REALTIME, LAST, Code
from syscalls.signals import SignalInfo

_SIGINFO = struct.Struct("<iiiiIIQ96x")
_LOWEST = -(1 << 31)


def kill(context: Context, pid: int, number: int) -> int:
    """pid 0 and -PID are its own group; -1 is everybody else, and nobody is there."""
    if not 0 <= number <= LAST:
        raise Errno(EINVAL)
    if pid == _LOWEST or pid not in (PID, 0, -PID):
        raise Errno(ESRCH)
    return _send(context, SignalInfo(number, Code.SI_USER, pid=PID, uid=UID))


def tkill(context: Context, tid: int, number: int) -> int:
    if tid <= 0:
        raise Errno(EINVAL)
    return _to_thread(context, tid, SignalInfo(number, Code.SI_TKILL, pid=PID, uid=UID))


def tgkill(context: Context, pid: int, tid: int, number: int) -> int:
    if pid <= 0 or tid <= 0:
        raise Errno(EINVAL)
    if pid != PID:
        raise Errno(ESRCH)
    return tkill(context, tid, number)


def rt_sigqueueinfo(context: Context, pid: int, number: int, info: int) -> int:
    queued = _given(context, number, info)
    return _to_thread(context, pid, queued)


def rt_tgsigqueueinfo(context: Context, pid: int, tid: int, number: int, info: int) -> int:
    queued = _given(context, number, info)
    if pid <= 0 or tid <= 0:
        raise Errno(EINVAL)
    return _to_thread(context, tid if pid == PID else pid, queued)


def _given(context: Context, number: int, info: int) -> SignalInfo:
    """The sender's own siginfo; only to itself may it claim to be the kernel."""
    _, _, code, _, pid, uid, value = context.user.unpack(_SIGINFO, info)
    return SignalInfo(number, code, pid=pid, uid=uid, value=value)


def _to_thread(context: Context, tid: int, info: SignalInfo) -> int:
    if tid != PID:
        raise Errno(EPERM if _claims(info) and tid > 0 else ESRCH)
    if not 0 <= info.number <= LAST:
        raise Errno(EINVAL)
    return _send(context, info)


def _claims(info: SignalInfo) -> bool:
    """Whether it looks as if the kernel or kill had sent it (rt_sigqueueinfo(2), EPERM)."""
    return info.code >= 0


def _send(context: Context, info: SignalInfo) -> int:
    if info.number == 0:  # "If sig is 0, then no signal is sent, but ... checks are performed."
        return 0
    if not context.signals.send(info) and info.number >= FIRST_REALTIME:
        raise Errno(EAGAIN)
    return 0
