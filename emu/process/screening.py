"""What the engine would run wrongly, found in a block of code before it runs.

Unicorn computes AVX as if it were SSE, and what AMD had beside SSE as something else; gets BMI and
some of SSE4 wrong; lets user code at the ports; knows instructions that its CPUID does not show;
and minds no alignment. Each block is looked at once, when it is translated; most of them are done
with after a search for a few bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emu.process.disassembly import Operand, statements, wide_operands

INVALID_OPCODE, GENERAL_PROTECTION = 6, 13
"""Exceptions (Intel SDM, volume 3, 6.15)."""
FIRST_SOFTWARE_INTERRUPT = 32
"""From here on, interrupts are what `int` raises."""


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
_PORT = re.compile(r"(rep(n?e)? )?(in|out|ins[bwd]|outs[bwd])\b")
_HIDDEN = re.compile(
    r"rdrand|rdseed|sysenter|sysexit|sysret|monitor|mwait|rdpmc|xgetbv|xsetbv|xsave|xrstor|x(begin|"
    r"abort|end|test)\b"
)
_BMI = re.compile(r"andn |bextr|bls[ir]|blsmsk|bzhi|mulx|pdep|pext |rorx|sarx|shlx|shrx")
_AMD = re.compile(r"extrq|insertq|movnts[sd]|blc|blsfill|blsic|t1mskc|tzmsk|llwpcb|slwpcb|lwp")
_WRONG = re.compile(r"lock neg|dpp[sd]|pcmpestr|pcmpistr.*, 0x.?[c-f]$")
"""`lock neg` leaves the flags of another number. dpps and dppd add in another order, and so round
otherwise. pcmpestri and pcmpestrm read beside their operands, and so from the host's memory, where
a length is -2^31; like pcmpistri and pcmpistrm, they miss a match at the end where they look for
one string in another (bits 2 and 3 of the last operand, both set)."""
_XOP = b"\x8f"
_ABSENT = "an instruction that this CPU does not have (#UD)"
_REASONS = (
    (_AVX, INVALID_OPCODE, "an AVX instruction, which this CPU does not have (#UD)"),
    (_PORT, GENERAL_PROTECTION, "a privileged instruction (#GP)"),
    (_HIDDEN, INVALID_OPCODE, _ABSENT),
    (_BMI, INVALID_OPCODE, "a BMI instruction, which this CPU does not have (#UD)"),
    (_AMD, INVALID_OPCODE, _ABSENT),
    (_WRONG, INVALID_OPCODE, "an instruction that this CPU would compute wrongly (#UD)"),
)
_MAYBE_REFUSED = re.compile(
    rb"[\x62\xc4\xc5\x6c-\x6f\xe4-\xe7\xec-\xef]|\x0f[\xc7\x01\x33-\x35\x2b\x78\x79\xae]"
    rb"|\x0f\x3a[\x40\x41\x60-\x63]|\x8f[^\x00-\x07\x40-\x47\x80-\x87\xc0-\xc7]|[\xc6\xc7]\xf8"
    rb"|\xf0\x66?[\x40-\x4f]?[\xf6\xf7]"
)


def first_refused(code: bytes, address: int) -> Refused | None:
    """What a block may not get to."""
    if not _MAYBE_REFUSED.search(code):
        return None
    found = statements(code, address)
    for index, (place, _, text) in enumerate(found):
        for pattern, exception, why in _REASONS:
            if pattern.match(text):
                return Refused(place, index, exception, why)
    return _refused_rest(code, address, found)


def _refused_rest(code: bytes, address: int, found: list[tuple[int, int, str]]) -> Refused | None:
    """XOP, whose first byte the engine takes for a pop: its block may end within it."""
    end = found[-1][0] + found[-1][1] if found else address
    if code[end - address :].startswith(_XOP):
        return Refused(end, len(found), INVALID_OPCODE, _ABSENT)
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
