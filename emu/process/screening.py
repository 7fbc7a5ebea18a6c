"""What the engine would run wrongly, found in a block of code before it runs.

Unicorn computes AVX as if it were SSE, lets user code at the ports, knows instructions that its
CPUID does not show, and minds no alignment. Each block is looked at once, when it is translated;
most of them are done with after a search for a few bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emu.process.disassembly import Operand, mnemonics, wide_operands

INVALID_OPCODE, GENERAL_PROTECTION = 6, 13
"""Exceptions (Intel SDM, volume 3, 6.15)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The first instruction of a block that may not run.

    index: how many instructions stand before it. exception: what it raises. why: in words.
    """

    address: int
    index: int
    exception: int
    why: str


@dataclass(frozen=True, slots=True)
class Aligned:
    """An instruction whose memory operand must begin at a multiple of 16."""

    address: int
    operand: Operand


_AVX = re.compile(r"v(?!err|erw|m)|v(mov|min|max|mul|mask|mpsad)|k")
_PORT = re.compile(r"(rep(n?e)? )?(in|out|ins[bwd]|outs[bwd])$")
_HIDDEN = re.compile(r"rdrand|rdseed|sysenter|sysexit|sysret|monitor|mwait|rdpmc")
_REASONS = (
    (_AVX, INVALID_OPCODE, "an AVX instruction, which this CPU does not have (#UD)"),
    (_PORT, GENERAL_PROTECTION, "a privileged instruction (#GP)"),
    (_HIDDEN, INVALID_OPCODE, "an instruction that this CPU does not have (#UD)"),
)
_MAYBE_REFUSED = re.compile(rb"[\x62\xc4\xc5\x6c-\x6f\xe4-\xe7\xec-\xef]|\x0f[\xc7\x01\x33-\x35]")


def first_refused(code: bytes, address: int) -> Refused | None:
    """What a block may not get to."""
    if not _MAYBE_REFUSED.search(code):
        return None
    for index, (place, name) in enumerate(mnemonics(code, address)):
        for pattern, exception, why in _REASONS:
            if pattern.match(name):
                return Refused(place, index, exception, why)
    return None


# SSE behind 0f, or 0f 38, or 0f 3a, with a memory operand (mod is not 3).
_MAYBE_ALIGNED = re.compile(
    rb"\x0f(?:[\x12\x14-\x16\x28-\x2d\x50-\x6f\x70\x74-\x7f\xae\xc2\xc6\xc7\xd0-\xff]"
    rb"|[\x38\x3a].)[\x00-\xbf]",
    re.DOTALL,
)
_MINDS_NOT = re.compile(r"movup|movdqu|lddqu|pcmp[ei]str|xsave|xrstor|prefetch|clflush|v")


def aligned_accesses(code: bytes, address: int) -> list[Aligned]:
    """The accesses of a block that fault where they are not aligned (Intel SDM, 4.1.1)."""
    if not _MAYBE_ALIGNED.search(code):
        return []
    return [
        Aligned(place, operand)
        for place, name, operand in wide_operands(code, address)
        if not _MINDS_NOT.match(name)
    ]
