"""How a process takes signals: rt_sigaction(2), rt_sigprocmask(2), sigaltstack(2) and their kin.

"The signals SIGKILL and SIGSTOP cannot be caught, blocked, or ignored." Waiting for a signal that
nobody can send ends the run, since nobody else is there.
"""

from __future__ import annotations

import struct
from typing import NoReturn

from syscalls.abi import EAGAIN, EINTR, EINVAL, Errno
from syscalls.context import Context
from syscalls.ending import SignalReturn
from syscalls.frame import restore
from syscalls.signal_numbers import LAST, bit
from syscalls.signals import UNBLOCKABLE, Action, AlternateStack, SignalInfo
from syscalls.timespec import read_timespec

_SIGACTION = struct.Struct("<QQQQ")
_SET = struct.Struct("<Q")
_STACK = struct.Struct("<QiIQ")
_SIG_BLOCK, _SIG_UNBLOCK, _SIG_SETMASK = range(3)
_KNOWN_FLAGS = 0xDC00_0807
"""UAPI_SA_FLAGS with SA_RESTORER: others are forgotten."""


def rt_sigaction(context: Context, number: int, new: int, old: int, set_size: int) -> int:
    user, signals = context.user, context.signals
    if set_size != _SET.size:
        raise Errno(EINVAL)
    action = None
    if new:
        handler, flags, restorer, mask = user.unpack(_SIGACTION, new)
        action = Action(handler, flags & _KNOWN_FLAGS, restorer, mask)
    if not 1 <= number <= LAST or (action and bit(number) & UNBLOCKABLE):
        raise Errno(EINVAL)
    before = signals.action(number)
    if action:
        signals.set_action(number, action)
    if old:
        user.pack(_SIGACTION, old, before.handler, before.flags, before.restorer, before.mask)
    return 0


def rt_sigprocmask(context: Context, how: int, new: int, old: int, set_size: int) -> int:
    signals = context.signals
    if set_size != _SET.size:
        raise Errno(EINVAL)
    before = signals.blocked
    if new:
        (given,) = context.user.unpack(_SET, new)
        changed = {
            _SIG_BLOCK: before | given,
            _SIG_UNBLOCK: before & ~given,
            _SIG_SETMASK: given,
        }.get(how)
        if changed is None:
            raise Errno(EINVAL)
        signals.block(changed)
    if old:
        context.user.pack(_SET, old, before)
    return 0


def rt_sigpending(context: Context, answer: int, set_size: int) -> int:
    if set_size > _SET.size:
        raise Errno(EINVAL)
    pending = context.signals.pending & context.signals.blocked
    context.user.write(answer, _SET.pack(pending)[:set_size])
    return 0


def rt_sigsuspend(context: Context, mask: int, set_size: int) -> NoReturn:
    signals = context.signals
    if set_size != _SET.size:
        raise Errno(EINVAL)
    (given,) = context.user.unpack(_SET, mask)
    signals.saved_mask = signals.blocked
    signals.block(given)
    context.timers.wait_for_signal()


def pause(context: Context) -> NoReturn:
    context.timers.wait_for_signal()


def rt_sigtimedwait(context: Context, wanted: int, answer: int, timeout: int, size: int) -> int:
    """Takes a pending signal of the set; one that is not pending may come by a timer."""
    if size != _SET.size:
        raise Errno(EINVAL)
    (given,) = context.user.unpack(_SET, wanted)
    given &= ~UNBLOCKABLE
    duration = read_timespec(context.user, timeout) if timeout else None
    found = context.signals.take(given)
    if found is None:
        found = _wait_for(context, given, duration)
    if answer:
        context.user.write(answer, found.pack())
    return found.number


def _wait_for(context: Context, given: int, duration: int | None) -> SignalInfo:
    """The set's signals get through while it is waited for; others interrupt."""
    signals = context.signals
    before = signals.blocked
    signals.block(before & ~given)
    try:
        if duration != 0:
            context.timers.wait(duration)
    finally:
        signals.block(before)
    found = signals.take(given)
    if found is None:
        raise Errno(EINTR if signals.due else EAGAIN)
    return found


def sigaltstack(context: Context, new: int, old: int) -> int:
    signals = context.signals
    stack_pointer = context.processor.get("rsp")
    given = context.user.unpack(_STACK, new) if new else None
    before = signals.stack
    shown = _STACK.pack(before.address, before.status(stack_pointer), 0, before.size)
    if given is not None:
        address, flags, _, size = given
        signals.set_stack(AlternateStack(address, size, flags & 0xFFFF_FFFF), stack_pointer)
    if old:
        context.user.write(old, shown)
    return 0


def rt_sigreturn(context: Context) -> NoReturn:
    """The frame lies behind the restorer's address, which the handler's `ret` has taken off."""
    processor = context.processor
    try:
        restored = restore(context.user, processor.get("rsp"), processor.get("rflags"))
    except Errno:
        raise SignalReturn(None) from None
    raise SignalReturn(restored)
