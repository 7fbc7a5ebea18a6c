"""futex(2), as far as one thread sees: nobody waits, so nobody is woken.

To wait for a value that is there passes the timeout on the clock (ETIMEDOUT), and is a Deadlock
without one. Locks that inherit priority are taken and given back; one that a thread holds which
does not exist answers ESRCH.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from syscalls.abi import (
    EAGAIN,
    EDEADLK,
    EFAULT,
    EINTR,
    EINVAL,
    ENOSYS,
    EPERM,
    ESRCH,
    ETIMEDOUT,
    TASK_SIZE,
    Errno,
)
from syscalls.context import Context
from syscalls.futex_op import changed, holds
from syscalls.identity import PID
from syscalls.timespec import read_timespec

(
    _WAIT, _WAKE, _FD, _REQUEUE, _CMP_REQUEUE, _WAKE_OP, _LOCK_PI, _UNLOCK_PI, _TRYLOCK_PI,
    _WAIT_BITSET, _WAKE_BITSET, _WAIT_REQUEUE_PI, _CMP_REQUEUE_PI, _LOCK_PI2,
) = range(14)  # fmt: skip
_PRIVATE, _REALTIME = 0x80, 0x100
_TIMED = (_WAIT, _LOCK_PI, _LOCK_PI2, _WAIT_BITSET, _WAIT_REQUEUE_PI)
_BY_CLOCK = (_WAIT_BITSET, _WAIT_REQUEUE_PI, _LOCK_PI2)
_WORD = struct.Struct("<I")
_LOW = 0xFFFF_FFFF
_WAITERS, _OWNER_DIED, _TID = 0x8000_0000, 0x4000_0000, 0x3FFF_FFFF
_HIGH_BIT = 0x8000_0000


class _Call:
    """The arguments of one call, decoded. duration: until the timeout, in nanoseconds."""

    def __init__(self, context: Context, word: int, operation: int, args: tuple[int, ...]) -> None:
        self.context, self.word = context, word
        self.value, self.timeout, self.other, self.value3 = args
        self.shared = not operation & _PRIVATE
        self.realtime = bool(operation & _REALTIME)
        self.command = operation & ~(_PRIVATE | _REALTIME)
        self.duration = self._duration() if self.timeout and self.command in _TIMED else None
        if self.realtime and self.command not in _BY_CLOCK:
            raise Errno(ENOSYS)

    def _duration(self) -> int:
        time = read_timespec(self.context.user, self.timeout)
        if self.command == _WAIT:
            return time
        clock = self.context.clock
        by_real = self.realtime or self.command == _LOCK_PI
        return time - (clock.realtime() if by_real else clock.monotonic())

    def check(self, place: int) -> None:
        """What Linux asks of every futex; one that others could share must be writable.

        Of a private one only where it begins matters, as long as it is not read.
        """
        if place % _WORD.size:
            raise Errno(EINVAL)
        if place > TASK_SIZE:
            raise Errno(EFAULT)
        if self.shared and not self.context.user.writable(place, _WORD.size):
            raise Errno(EFAULT)

    def read(self, place: int) -> int:
        return self.context.user.unpack(_WORD, place)[0]

    def write(self, place: int, value: int) -> None:
        self.context.user.pack(_WORD, place, value)


def futex(
    context: Context, word: int, operation: int, value: int, timeout: int, other: int, value3: int
) -> int:
    args = (value & _LOW, timeout, other, value3 & _LOW)
    call = _Call(context, word, operation & _LOW, args)
    handler = _HANDLERS.get(call.command)
    if handler is None:
        raise Errno(ENOSYS)
    return handler(call)


def _wait(call: _Call) -> int:
    if not _bitset(call):
        raise Errno(EINVAL)
    _wait_for_change(call)
    raise Errno(ETIMEDOUT)


def _wait_for_change(call: _Call) -> None:
    """EAGAIN if the value is another already."""
    call.check(call.word)
    if call.read(call.word) != call.value:
        raise Errno(EAGAIN)
    call.context.timers.wait(call.duration, "a futex")
    if call.context.signals.due:
        raise Errno(EINTR)


def _wait_requeue_pi(call: _Call) -> int:
    if call.word == call.other:
        raise Errno(EINVAL)
    call.check(call.other)
    _wait_for_change(call)
    raise Errno(ETIMEDOUT)


def _wake(call: _Call) -> int:
    if not _bitset(call):
        raise Errno(EINVAL)
    call.check(call.word)
    return 0


def _bitset(call: _Call) -> int:
    return call.value3 if call.command in (_WAIT_BITSET, _WAKE_BITSET) else _LOW


def _requeue(call: _Call) -> int:
    """How many are woken, and how many moved, are counts: not below 0."""
    if (call.value | call.timeout) & _HIGH_BIT:
        raise Errno(EINVAL)
    if call.command == _CMP_REQUEUE_PI and (call.word == call.other or call.value != 1):
        raise Errno(EINVAL)
    call.check(call.word)
    call.check(call.other)
    if call.command != _REQUEUE and call.read(call.word) != call.value3:
        raise Errno(EAGAIN)
    if call.command == _CMP_REQUEUE_PI:
        call.read(call.other)  # whose it is, for the first to be moved
    return 0


def _wake_op(call: _Call) -> int:
    """The second word is changed, though nobody waits for either."""
    call.check(call.word)
    call.check(call.other)
    if not call.context.user.writable(call.other, _WORD.size):
        raise Errno(EFAULT if changed(call.value3, 0) is not None else ENOSYS)
    old = call.read(call.other)
    new = changed(call.value3, old)
    if new is None:
        raise Errno(ENOSYS)
    call.write(call.other, new)
    if holds(call.value3, old) is None:
        raise Errno(ENOSYS)
    return 0


def _lock_pi(call: _Call) -> int:
    call.check(call.word)
    held = call.read(call.word)
    owner = held & _TID
    if owner == PID:
        raise Errno(EDEADLK)
    call.write(call.word, held | _WAITERS if owner else held & _OWNER_DIED | PID)
    if owner:
        raise Errno(ESRCH)
    return 0


def _unlock_pi(call: _Call) -> int:
    if call.read(call.word) & _TID != PID:
        raise Errno(EPERM)
    call.check(call.word)
    call.write(call.word, 0)
    return 0


_HANDLERS: dict[int, Callable[[_Call], int]] = {
    _WAIT: _wait,
    _WAIT_BITSET: _wait,
    _WAKE: _wake,
    _WAKE_BITSET: _wake,
    _REQUEUE: _requeue,
    _CMP_REQUEUE: _requeue,
    _CMP_REQUEUE_PI: _requeue,
    _WAKE_OP: _wake_op,
    _LOCK_PI: _lock_pi,
    _LOCK_PI2: _lock_pi,
    _TRYLOCK_PI: _lock_pi,
    _UNLOCK_PI: _unlock_pi,
    _WAIT_REQUEUE_PI: _wait_requeue_pi,
}
