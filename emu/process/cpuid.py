"""What CPUID shows: the engine's CPU (a Haswell without AVX), less what it gets wrong.

Hidden, and refused where it is used all the same (screening.py):

- BMI1 and BMI2: blsi sets carry the wrong way round; bextr, bzhi and pdep compute wrong results
  for some operands.
- XSAVE and its areas, since only a kernel that knows AVX lets a program ask for it; RDRAND, which
  is not deterministic; SYSENTER, which is not how this kernel is entered.

ERMS only is untrue: `rep movsb` works, and copies a tenth as fast as a loop does, so that a C
library had better not choose it. SMEP is the kernel's affair.

Wrong as well, and in everything's way if it were refused: SSE and the x87 note no exceptions
(inexact, overflow, ..); of two NaNs the one with the larger fraction is the result; flush-to-zero
is not done; fprem, fprem1 and the x87's transcendental functions compute with 53 bits; fisttp and
fbstp store another number where there is none that fits.
"""

from __future__ import annotations

from functools import cache

from emu.process.engine import Engine

Registers = tuple[int, int, int, int]
"""eax, ebx, ecx, edx."""

FEATURES, EXTENDED_FEATURES, XSAVE_AREAS = 1, 7, 0xD
_HIGHEST, _HYPERVISOR, _EXTENDED, _HIGHEST_EXTENDED = 0xD, 0x4000_0000, 0x8000_0000, 0x8000_0008
_XSAVE, _OSXSAVE, _RDRAND = 1 << 26, 1 << 27, 1 << 30
_SYSENTER = 1 << 11
_BMI1, _SMEP, _BMI2, _ERMS = 1 << 3, 1 << 7, 1 << 8, 1 << 9
_HIDDEN: dict[int, Registers] = {
    FEATURES: (0, 0, _XSAVE | _OSXSAVE | _RDRAND, _SYSENTER),
    EXTENDED_FEATURES: (0, _BMI1 | _SMEP | _BMI2 | _ERMS, 0, 0),
}
_NOTHING = (0, 0, 0, 0)
_CPUID = b"\x0f\xa2"


def answer(leaf: int, subleaf: int) -> Registers | None:
    """What it shows; None for a leaf that is as the engine answers it."""
    if leaf == XSAVE_AREAS or not _exists(leaf) or (leaf == EXTENDED_FEATURES and subleaf):
        return _NOTHING
    if leaf not in _HIDDEN:
        return None
    shown = zip(_of_engine(leaf), _HIDDEN[leaf], strict=True)
    eax, ebx, ecx, edx = (value & ~hidden for value, hidden in shown)
    return eax, ebx, ecx, edx


def _exists(leaf: int) -> bool:
    """The engine answers other leaves as it answers the highest."""
    return leaf <= _HIGHEST or leaf == _HYPERVISOR or _EXTENDED <= leaf <= _HIGHEST_EXTENDED


@cache
def _of_engine(leaf: int) -> Registers:
    """A leaf, its first part, as the engine answers it."""
    engine = Engine()
    engine.set("rax", leaf)
    engine.set("rcx", 0)
    engine.boot(_CPUID)
    return engine.get("rax"), engine.get("rbx"), engine.get("rcx"), engine.get("rdx")
