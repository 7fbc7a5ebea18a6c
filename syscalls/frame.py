"""The frame that Linux puts on the stack for a signal handler, and takes back at rt_sigreturn.

arch/x86/include/uapi/asm/sigcontext.h and ucontext.h: from rsp upwards the address of the
restorer, the ucontext with all registers, the siginfo; above them, aligned to 64 bytes, the
floating point state as `fxsave` stores it. The red zone of 128 bytes below the interrupted
program's rsp is left alone (System V ABI, AMD64 supplement, 3.2.2).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from syscalls.signals import SIGINFO_SIZE, AlternateStack, SignalInfo
from syscalls.user import UserMemory

RED_ZONE = 128
FLOATING_SIZE = 512
_GREGS = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip rflags".split()
# uc_flags, uc_link, uc_stack; 18 registers; cs gs fs ss; err, trapno, oldmask, cr2; fpstate;
# reserved; uc_sigmask
_UCONTEXT = struct.Struct("<QQQiIQ18QHHHHQQQQQ64xQ")
_FXSAVE_HEAD = struct.Struct("<HHBBHQQII")
_RESTORER_SIZE = 8
_UC_STRICT_RESTORE_SS, _UC_SIGCONTEXT_SS = 4, 2
_CS, _SS = 0x33, 0x2B
_MXCSR_MASK = 0xFFFF
_EMPTY = 3
"""The tag of an x87 register that holds nothing."""
_SETTABLE_FLAGS = 0x50DD5
"""Of rflags, what a handler may change: AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF."""


@dataclass(frozen=True, slots=True)
class Trap:
    """What a ucontext shows of the last exception: its number, error code, and cr2."""

    number: int = 0
    error: int = 0
    address: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as bytes and where it belongs; siginfo and ucontext are addresses in it."""

    address: int
    data: bytes
    siginfo: int
    ucontext: int


def build(
    top: int,
    registers: Mapping[str, int],
    floating: Sequence[int],
    info: SignalInfo,
    *,
    restorer: int,
    mask: int,
    stack: AlternateStack,
    trap: Trap,
) -> Frame:
    """A frame below `top`. mask: of blocked signals.

    floating: the floating point registers as their file stores them: MXCSR, FPCW, FPSW, FPTAG,
    then two words each of st0 to st7 and xmm0 to xmm15.
    """
    floating_at = (top - FLOATING_SIZE) & -64
    address = floating_at - _RESTORER_SIZE - _UCONTEXT.size - SIGINFO_SIZE
    address = (address & -16) - 8  # as if a call had pushed the restorer
    general = [registers[name] for name in _GREGS]
    ucontext = _UCONTEXT.pack(
        _UC_STRICT_RESTORE_SS | _UC_SIGCONTEXT_SS, 0, stack.address, stack.flags, 0, stack.size,
        *general, _CS, 0, 0, _SS,
        trap.error, trap.number, mask, trap.address, floating_at, mask,
    )  # fmt: skip
    head = struct.pack("<Q", restorer) + ucontext + info.pack()
    data = head.ljust(floating_at - address, b"\0") + _fxsave(floating)
    ucontext_at = address + _RESTORER_SIZE
    return Frame(address, data, ucontext_at + _UCONTEXT.size, ucontext_at)


@dataclass(frozen=True, slots=True)
class Restored:
    """What rt_sigreturn found. floating: as Cpu.set_floating takes it; None where there is none."""

    general: dict[str, int]
    mask: int
    stack: AlternateStack
    floating: list[int] | None


def restore(user: UserMemory, address: int, rflags: int) -> Restored:
    """Reads a frame back. rflags: as they are now; user code may set only some of them."""
    fields = user.unpack(_UCONTEXT, address)
    _, _, stack_address, stack_flags, _, size = fields[:6]
    general = dict(zip(_GREGS, fields[6:24], strict=True))
    general["rflags"] = rflags & ~_SETTABLE_FLAGS | general["rflags"] & _SETTABLE_FLAGS
    floating_at, mask = fields[-2:]
    floating = _fxrstor(user.read(floating_at, FLOATING_SIZE)) if floating_at else None
    stack = AlternateStack(stack_address, size, stack_flags & 0xFFFF_FFFF)
    return Restored(general, mask, stack, floating)


# Floating point: Intel SDM, volume 1, 10.5.1


def _fxsave(floating: Sequence[int]) -> bytes:
    mxcsr, fpcw, fpsw, fptag, *registers = floating
    abridged = sum(1 << i for i in range(8) if fptag >> 2 * i & 3 != _EMPTY)
    head = _FXSAVE_HEAD.pack(fpcw, fpsw, abridged, 0, 0, 0, 0, mxcsr, _MXCSR_MASK)
    return (head + struct.pack("<48Q", *registers)).ljust(FLOATING_SIZE, b"\0")


def _fxrstor(data: bytes) -> list[int]:
    """The floating point state of a frame, for Cpu.set_floating."""
    fpcw, fpsw, abridged, _, _, _, _, mxcsr, _ = _FXSAVE_HEAD.unpack_from(data)
    fptag = sum((0 if abridged >> i & 1 else _EMPTY) << 2 * i for i in range(8))
    registers = struct.unpack_from("<48Q", data, _FXSAVE_HEAD.size)
    return [mxcsr & _MXCSR_MASK, fpcw, fpsw, fptag, *registers]
