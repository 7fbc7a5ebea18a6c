"""Signals reach a program: its handler is entered, and left again. arch/x86/kernel/signal_64.c."""

from __future__ import annotations

from contextlib import suppress

from emu.process.cpu import Cpu
from syscalls import frame
from syscalls.abi import Errno
from syscalls.context import Context
from syscalls.frame import Restored, Trap
from syscalls.signal_numbers import Code, SaFlag, Signal
from syscalls.signals import Action, SignalInfo

_CLEARED = 0x10500
"""Flags that a handler starts without: RF, DF, TF."""
_TO_SIGSEGV = SignalInfo(Signal.SIGSEGV, Code.SI_KERNEL, address=0)


class BadFrame(Exception):
    """The stack has no room for a frame, or what stands there is none."""


def deliver(cpu: Cpu, context: Context, trap: Trap) -> None:
    """Enters the handlers of all signals that are due. Killed or Deadlock where one has none."""
    signals = context.signals
    while (found := signals.next()) is not None:
        try:
            _enter(cpu, context, trap, *found)
        except BadFrame:
            if found[0].number == Signal.SIGSEGV:
                signals.force_default(_TO_SIGSEGV)
            else:
                signals.force(_TO_SIGSEGV)
    signals.restore_mask()


def _enter(cpu: Cpu, context: Context, trap: Trap, info: SignalInfo, action: Action) -> None:
    if not action.flags & SaFlag.SA_RESTORER:  # x86-64 has no other way back
        raise BadFrame
    signals = context.signals
    registers = cpu.state()
    top = _top(context, action, registers["rsp"])
    built = frame.build(
        top, registers, cpu.floating(), info, restorer=action.restorer,
        mask=signals.mask_to_save(), stack=signals.stack, trap=trap,
    )  # fmt: skip
    if _leaves_stack(context, registers["rsp"], top, built.address):
        raise BadFrame
    try:
        context.user.write(built.address, built.data)
    except Errno:
        raise BadFrame from None
    signals.enter(info, action)
    cpu.update({
        "rip": action.handler, "rsp": built.address, "rdi": info.number, "rsi": built.siginfo,
        "rdx": built.ucontext, "rax": 0, "rflags": registers["rflags"] & ~_CLEARED,
    })  # fmt: skip


def _top(context: Context, action: Action, rsp: int) -> int:
    """Above the frame: below the red zone, or the top of the alternate stack."""
    stack = context.signals.stack
    below = rsp - frame.RED_ZONE
    if action.flags & SaFlag.SA_ONSTACK and stack.size and not stack.in_use(below):
        return stack.top
    return below


def _leaves_stack(context: Context, rsp: int, top: int, address: int) -> bool:
    """Whether a handler on the alternate stack would grow out of it."""
    stack = context.signals.stack
    entering = bool(stack.size) and top == stack.top
    return (entering or stack.in_use(rsp)) and not stack.holds(address)


def leave(cpu: Cpu, context: Context, restored: Restored | None) -> None:
    """rt_sigreturn. A frame that is none: SIGSEGV."""
    signals = context.signals
    if restored is None:
        signals.force(_TO_SIGSEGV)
        return
    signals.block(restored.mask)
    cpu.update(restored.general)
    if restored.floating is not None:
        cpu.set_floating(restored.floating)
    with suppress(Errno):  # Linux, too, leaves the stack as it is then
        signals.set_stack(restored.stack, restored.general["rsp"])
