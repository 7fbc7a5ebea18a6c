"""Signals of the one process there is: what is pending, what is blocked, how each is taken.

signal(7); kernel/signal.c.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from syscalls.abi import EINVAL, ENOMEM, EPERM, Errno
from syscalls.ending import Deadlock, Killed
from syscalls.signal_numbers import (
    FIRST_REALTIME,
    SaFlag,
    Signal,
    StackFlag,
    bit,
    bits,
    signal_name,
)

MOST_QUEUED = 1024
"""Signals that may be pending at once; RLIMIT_SIGPENDING (resources.py) is only told."""

UNBLOCKABLE = bits(Signal.SIGKILL, Signal.SIGSTOP)
_IGNORED = bits(Signal.SIGCHLD, Signal.SIGCONT, Signal.SIGURG, Signal.SIGWINCH)
_STOPPING = bits(Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU)
_FAULTS = bits(Signal.SIGSEGV, Signal.SIGBUS, Signal.SIGILL, Signal.SIGTRAP, Signal.SIGFPE)
_SYNCHRONOUS = _FAULTS | bit(Signal.SIGSYS)
"""Taken before all others: they belong to the instruction."""
_CORE = _SYNCHRONOUS | bits(Signal.SIGQUIT, Signal.SIGABRT, Signal.SIGXCPU, Signal.SIGXFSZ)
SIG_DFL, SIG_IGN = 0, 1


_SENT = struct.Struct("<iii4xiIQ")
_FAULT = struct.Struct("<iii4xQ")
SIGINFO_SIZE = 128


@dataclass(frozen=True, slots=True)
class SignalInfo:
    """siginfo_t. address: of a fault, None for what somebody sent; value: of sigqueue."""

    number: int
    code: int
    address: int | None = None
    pid: int = 0
    uid: int = 0
    value: int = 0

    def pack(self) -> bytes:
        """As handlers find it in memory."""
        head = self.number, 0, self.code
        if self.address is not None:
            data = _FAULT.pack(*head, self.address)
        else:
            data = _SENT.pack(*head, self.pid, self.uid, self.value & (1 << 64) - 1)
        return data.ljust(SIGINFO_SIZE, b"\0")


@dataclass(frozen=True, slots=True)
class Action:
    """struct sigaction as the kernel has it."""

    handler: int = SIG_DFL
    flags: int = 0
    restorer: int = 0
    mask: int = 0


@dataclass(frozen=True, slots=True)
class AlternateStack:
    """stack_t: where handlers with SA_ONSTACK run. flags: as they were given."""

    address: int = 0
    size: int = 0
    flags: int = 0

    @property
    def top(self) -> int:
        return self.address + self.size

    def holds(self, stack_pointer: int) -> bool:
        return 0 < stack_pointer - self.address <= self.size

    def in_use(self, stack_pointer: int) -> bool:
        """A stack that is disarmed while it is in use never is."""
        return self.holds(stack_pointer) and not self.flags & StackFlag.SS_AUTODISARM

    def status(self, stack_pointer: int) -> int:
        """What sigaltstack(2) tells of it."""
        if not self.size:
            state = StackFlag.SS_DISABLE
        else:
            state = StackFlag.SS_ONSTACK if self.in_use(stack_pointer) else StackFlag(0)
        return state | self.flags & StackFlag.SS_AUTODISARM


NO_STACK = AlternateStack(flags=StackFlag.SS_DISABLE)
_SMALLEST_STACK = 2048
"""MINSIGSTKSZ."""


class Signals:
    """Everything about signals that the kernel keeps for a process.

    blocked: the mask. saved_mask: what it was before rt_sigsuspend, to be put back by the handler
    that ends it. watch: told of every signal that is taken to be delivered.
    """

    lasting: ClassVar = ("watch",)

    def __init__(self) -> None:
        self.watch: Callable[[SignalInfo], None] | None = None
        self.blocked = 0
        self.saved_mask: int | None = None
        self.stack = NO_STACK
        self._actions: dict[int, Action] = {}
        self._pending: list[SignalInfo] = []

    # How signals are taken

    def action(self, number: int) -> Action:
        return self._actions.get(number, Action())

    def set_action(self, number: int, action: Action) -> None:
        """What is ignored from now on is pending no more."""
        self._actions[number] = replace(action, mask=action.mask & ~UNBLOCKABLE)
        if self.is_ignored(number):
            self._pending = [info for info in self._pending if info.number != number]

    def block(self, mask: int) -> None:
        self.blocked = mask & ~UNBLOCKABLE

    def is_ignored(self, number: int) -> bool:
        """Whether it is forgotten as soon as it is sent."""
        handler = self.action(number).handler
        return handler == SIG_IGN or (handler == SIG_DFL and bool(bit(number) & _IGNORED))

    def set_stack(self, stack: AlternateStack, stack_pointer: int) -> None:
        """sigaltstack(2): EPERM, EINVAL or ENOMEM where it may not be."""
        if self.stack.in_use(stack_pointer):
            raise Errno(EPERM)
        mode = stack.flags & ~int(StackFlag.SS_AUTODISARM)
        if mode not in (0, StackFlag.SS_DISABLE, StackFlag.SS_ONSTACK):
            raise Errno(EINVAL)
        if mode == StackFlag.SS_DISABLE:
            stack = AlternateStack(flags=stack.flags)
        elif stack.size < _SMALLEST_STACK:
            raise Errno(ENOMEM)
        self.stack = stack

    # What is pending

    @property
    def pending(self) -> int:
        """The set of signals that were sent and not yet taken."""
        found = 0
        for info in self._pending:
            found |= bit(info.number)
        return found

    @property
    def due(self) -> bool:
        """Whether the process has a signal to take before it goes on."""
        return bool(self._pending) and bool(self.pending & ~self.blocked)

    def send(self, info: SignalInfo) -> bool:
        """Somebody sends a signal. False where the queue is full.

        What is ignored is forgotten at once; of the classic signals, one is pending at most.
        """
        number = info.number
        if self.is_ignored(number) and not bit(number) & self.blocked:
            return True
        if number < FIRST_REALTIME and self.pending & bit(number):
            return True
        if len(self._pending) >= MOST_QUEUED:
            return False
        self._pending.append(info)
        return True

    def force(self, info: SignalInfo) -> None:
        """A fault: where the signal is blocked or ignored, it takes its default action."""
        number = info.number
        if bit(number) & self.blocked or self.action(number).handler == SIG_IGN:
            self._actions[number] = replace(self.action(number), handler=SIG_DFL)
            self.blocked &= ~bit(number)
        self._pending.insert(0, info)

    def force_default(self, info: SignalInfo) -> None:
        """A fault that no handler may see."""
        self._actions[info.number] = Action()
        self.force(info)

    def take(self, wanted: int) -> SignalInfo | None:
        """The next pending signal of a set; it is pending no more."""
        found = [info for info in self._pending if bit(info.number) & wanted]
        if not found:
            return None
        chosen = min(found, key=_urgency)
        self._pending.remove(chosen)
        return chosen

    # Delivery

    def next(self) -> tuple[SignalInfo, Action] | None:
        """The next signal that has a handler. Killed or Deadlock where one has none."""
        while (info := self.take(~self.blocked)) is not None:
            action = self.action(info.number)
            if self.watch:
                self.watch(info)
            if action.handler == SIG_DFL:
                _take_default(info.number)
            elif action.handler != SIG_IGN:
                return info, action
        return None

    def mask_to_save(self) -> int:
        """What the handler's frame keeps: the mask to be put back."""
        return self.blocked if self.saved_mask is None else self.saved_mask

    def enter(self, info: SignalInfo, action: Action) -> None:
        """The handler begins: what it blocks, and what it loses."""
        self.saved_mask = None
        own = 0 if action.flags & SaFlag.SA_NODEFER else bit(info.number)
        self.block(self.blocked | action.mask | own)
        if action.flags & SaFlag.SA_RESETHAND:
            self._actions[info.number] = replace(action, handler=SIG_DFL)
        if self.stack.flags & StackFlag.SS_AUTODISARM:
            self.stack = NO_STACK

    def restore_mask(self) -> None:
        """No handler ended rt_sigsuspend's waiting: the mask comes back without one."""
        if self.saved_mask is not None:
            self.block(self.saved_mask)
            self.saved_mask = None


def _urgency(info: SignalInfo) -> tuple[bool, int]:
    return not bit(info.number) & _SYNCHRONOUS, info.number


def _take_default(number: int) -> None:
    """signal(7), the default dispositions."""
    if bit(number) & _IGNORED:
        return
    if bit(number) & _STOPPING:
        raise Deadlock(f"{signal_name(number)} stopped the process, and nobody would continue it")
    raise Killed(number, core=bool(bit(number) & _CORE))
