"""arch_prctl(2): the code says what the address is. Source: asm/prctl.h, asm/fpu/types.h."""

from __future__ import annotations

from syscalls.text.process import pointer_out
from syscalls.text.sight import Sight, at, low, number
from syscalls.text.words import choice, flag_words, names, numbered

_CODES = names("""
    ARCH_SET_GS 0x1001 ARCH_SET_FS 0x1002 ARCH_GET_FS 0x1003 ARCH_GET_GS 0x1004
    ARCH_GET_CPUID 0x1011 ARCH_SET_CPUID 0x1012 ARCH_GET_XCOMP_SUPP 0x1021
    ARCH_GET_XCOMP_PERM 0x1022 ARCH_REQ_XCOMP_PERM 0x1023 ARCH_GET_XCOMP_GUEST_PERM 0x1024
    ARCH_REQ_XCOMP_GUEST_PERM 0x1025 ARCH_MAP_VDSO_X32 0x2001 ARCH_MAP_VDSO_32 0x2002
    ARCH_MAP_VDSO_64 0x2003
""")
CODE = choice(_CODES, "ARCH")
_BASES = (0x1003, 0x1004)
_FEATURES = (0x1021, 0x1022, 0x1024)
_ONE_FEATURE = (0x1023, 0x1025)
_GET_CPUID = 0x1011
_FEATURE = numbered(
    "FP SSE YMM BNDREGS BNDCSR OPMASK ZMM_Hi256 Hi16_ZMM"
    " PT_UNIMPLEMENTED_SO_FAR PKRU PASID - - - - LBR - XTILE_CFG XTILE_DATA", "XFEATURE_"
)  # fmt: skip
_FEATURE_BITS = names("""
    FPSSE 3 FP 1 SSE 2 YMM 4 BNDREGS 8 BNDCSR 0x10 AVX512 0xe0 OPMASK 0x20 ZMM_Hi256 0x40
    Hi16_ZMM 0x80 PT 0x100 PKRU 0x200 PASID 0x400 LBR 0x8000 XTILE 0x60000 XTILE_CFG 0x20000
    XTILE_DATA 0x40000
""", "XFEATURE_MASK_")  # fmt: skip


def address(value: int, sight: Sight) -> str | None:
    """A base, or where it shall be stored; or features of the processor."""
    code = low(sight.arg(-1))
    if code == _GET_CPUID:
        return None
    if code in _BASES:
        return pointer_out(value, sight)
    if code in _FEATURES:
        return _features(value, sight)
    return _feature(value) if code in _ONE_FEATURE else number(value)


def is_late(sight: Sight) -> bool:
    """Whether the address is where something is stored."""
    return low(sight.arg(-1)) in (*_BASES, *_FEATURES)


def answer(_: int, sight: Sight) -> str | None:
    """A request for a feature answers which there are."""
    features = sight.result or 0
    if low(sight.arg(-1)) not in _ONE_FEATURE or not features:
        return None
    return f"{features:#x} ({flag_words(features, _FEATURE_BITS, 'XFEATURE_MASK')})"


def _feature(value: int) -> str:
    return f"{number(value)} /* {_FEATURE.get(value, 'XFEATURE_???')} */"


def _feature_set(value: int) -> str:
    if not value:
        return "[0]"
    words = flag_words(value, _FEATURE_BITS, "XFEATURE_MASK")
    comment = words.partition("/* ")[2] or f"{words} */"
    return f"[{value:#x} /* {comment}]"


_features = at("<Q", _feature_set)
