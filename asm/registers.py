"""The names that x86-64 has taken already."""

from __future__ import annotations

_SMALLER = "eax ebx ecx edx esi edi ebp esp ax bx cx dx si di bp sp al bl cl dl sil dil bpl spl"
_SMALLER += " ah bh ch dh " + " ".join(f"r{n}{w}" for n in range(8, 16) for w in "dwb")

WIDE = frozenset("rax rbx rcx rdx rsi rdi rbp rsp".split()) | {f"r{n}" for n in range(8, 16)}
"""64 bits."""
INDEXABLE = WIDE | frozenset("eax ebx ecx edx esi edi ebp esp".split())
SEGMENT_REGISTERS = frozenset("cs ds es fs gs ss".split())
REGISTERS = (
    WIDE
    | frozenset(_SMALLER.split())
    | frozenset(f"{kind}{n}" for kind in ("xmm", "ymm") for n in range(16))
    | frozenset(f"mm{n}" for n in range(8))
    | frozenset({"st"} | {f"st({n})" for n in range(8)})
    | SEGMENT_REGISTERS
)
"""Those that a program may name."""
HIGH_BYTES = frozenset("ah bh ch dh".split())
REX_ONLY = frozenset("sil dil bpl spl".split()) | {
    name for name in REGISTERS if name.startswith("r") and name[1].isdigit()
}

_UNUSABLE = frozenset(
    [f"{kind}{n}" for kind in ("cr", "dr") for n in range(16)]
    + [f"{kind}mm{n}" for kind in "xyz" for n in range(32)]
    + [f"k{n}" for n in range(8)]
    + [f"bnd{n}" for n in range(4)]
    + [f"fp{n}" for n in range(8)]
    + "rip eip ip riz eiz flags fpsw".split()
)
_SYNTAX = frozenset(
    "byte word dword fword qword mmword tbyte oword xmmword ymmword zmmword ptr offset flat "
    "short near far and or xor not mod shl shr eq ne lt le gt ge".split()
)
RESERVED = REGISTERS | _UNUSABLE | _SYNTAX
"""No label and no constant is called so: one assembler or the other reads something else."""


def bits(register: str) -> int:
    """How wide a general register is; 0 for any other."""
    if register in WIDE:
        return 64
    if register not in REGISTERS or register in SEGMENT_REGISTERS or "m" in register:
        return 0
    if register.endswith(("l", "b", "ah", "bh", "ch", "dh")):
        return 8
    if register.startswith("e") or register.endswith("d"):
        return 32
    return 0 if register.startswith("st") else 16
