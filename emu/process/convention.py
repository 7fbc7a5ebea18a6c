"""The System V promise, checked at every call.

System V ABI, AMD64 supplement, 3.2: rbx, rbp, r12 to r15 and rsp come back as they were; the
direction flag is clear on entry and on return; MXCSR's and the x87 control bits are kept; the
stack is aligned to 16 bytes where the call instruction stands. Every other register starts as
garbage here, so that code which hopes for a zero is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emu.process.cpu import Cpu
from emu.process.registers import FPCW, GENERAL, MXCSR, RFLAGS, new_state

ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
KEPT = ("rbx", "rbp", "r12", "r13", "r14", "r15")

_ARITHMETIC_FLAGS = 0x8D5
_DIRECTION = 0x400
_MXCSR_STATUS = 0x3F
CANARY = bytes.fromhex("c0ffee5afe57ac4b") * 8
"""What stands above the return address: the caller's frame, which is not the callee's."""

_WORD = (1 << 64) - 1
_POISON = {name: (0xBAD0_0000_0000_0001 + 0x0101_0101 * i) for i, name in enumerate(GENERAL)}
_POISONED = new_state(
    {**_POISON, "rflags": RFLAGS | _ARITHMETIC_FLAGS},
    xmm=[0x7FF8_BAD0_0000_0001 + i for i in range(32)],
)
_RSP = GENERAL.index("rsp")
_ARGUMENTS = [GENERAL.index(name) for name in ARGUMENTS]


@dataclass(frozen=True, slots=True)
class Violation:
    """A part of the promise that was broken, and how."""

    what: str
    message: str


def prepare(cpu: Cpu, arguments: tuple[int, ...], stack_pointer: int) -> None:
    """Every register as a hostile caller may leave it, and the arguments in theirs."""
    if len(arguments) > len(ARGUMENTS):
        raise ValueError("a call takes at most six arguments in registers")
    values = list(_POISONED)
    values[_RSP] = stack_pointer
    for index, argument in zip(_ARGUMENTS, arguments, strict=False):
        values[index] = argument & _WORD
    cpu.set_state(values)


def violations(
    registers: Mapping[str, int], stack_pointer: int, canary: bytes, planted: bytes = CANARY
) -> list[Violation]:
    """After the call: what is not as it was. `canary` is what now stands where `planted` did."""
    found = [
        Violation(name, f"{name} was {_POISON[name]:#x} and came back as {registers[name]:#x}")
        for name in KEPT
        if registers[name] != _POISON[name]
    ]
    if registers["rsp"] != stack_pointer:
        off = registers["rsp"] - stack_pointer
        found.append(Violation("rsp", f"rsp came back {off:+d} bytes from where it was"))
    if registers["rflags"] & _DIRECTION:
        found.append(Violation("DF", "the direction flag came back set"))
    mxcsr, fpcw = registers["mxcsr"], registers["fpcw"]
    if mxcsr & ~_MXCSR_STATUS != MXCSR:
        found.append(Violation("mxcsr", f"mxcsr was {MXCSR:#x} and came back as {mxcsr:#x}"))
    if fpcw != FPCW:
        found.append(Violation("fpcw", f"fpcw was {FPCW:#x} and came back as {fpcw:#x}"))
    if canary != planted:
        first = next(
            i for i, pair in enumerate(zip(canary, planted, strict=True)) if pair[0] != pair[1]
        )
        found.append(
            Violation(
                "stack",
                f"the caller's frame was overwritten, {first} bytes above the return address",
            )
        )
    return found
