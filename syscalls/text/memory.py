"""Memory: rights, flags of mappings, advice.

Source: asm-generic/mman-common.h, asm-generic/mman.h, linux/mman.h.
"""

from __future__ import annotations

from syscalls.text.sight import Sight, array, low, number, signed_decimal
from syscalls.text.words import bits, choice, flag_words, flags, long_flags, names, numbered

PROT = long_flags(
    names("PROT_NONE 0 PROT_READ 1 PROT_WRITE 2 PROT_EXEC 4 PROT_SEM 8"
          " PROT_GROWSDOWN 0x1000000 PROT_GROWSUP 0x2000000"), "PROT"
)  # fmt: skip
_MAP_TYPES = numbered("MAP_FILE MAP_SHARED MAP_PRIVATE MAP_SHARED_VALIDATE")
_MAP = names("""
    MAP_FIXED 0x10 MAP_ANONYMOUS 0x20 MAP_32BIT 0x40 MAP_NORESERVE 0x4000 MAP_POPULATE 0x8000
    MAP_NONBLOCK 0x10000 MAP_GROWSDOWN 0x100 MAP_DENYWRITE 0x800 MAP_EXECUTABLE 0x1000
    MAP_LOCKED 0x2000 MAP_STACK 0x20000 MAP_HUGETLB 0x40000 MAP_SYNC 0x80000
    MAP_FIXED_NOREPLACE 0x100000
""")
_HUGE_SHIFT = 26
_HUGE_MASK = 0x3F << _HUGE_SHIFT

_MOVED = 3
MREMAP = long_flags(bits("MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP"), "MREMAP")
MADVICE = choice(
    numbered("NORMAL RANDOM SEQUENTIAL WILLNEED DONTNEED - - - FREE REMOVE DONTFORK DOFORK"
             " MERGEABLE UNMERGEABLE HUGEPAGE NOHUGEPAGE DONTDUMP DODUMP WIPEONFORK KEEPONFORK"
             " COLD PAGEOUT POPULATE_READ POPULATE_WRITE DONTNEED_LOCKED COLLAPSE", "MADV_")
    | names("MADV_HWPOISON 100 MADV_SOFT_OFFLINE 101"), "MADV"
)  # fmt: skip
MSYNC = flags(names("MS_SYNC 4 MS_ASYNC 1 MS_INVALIDATE 2"), "MS")
MLOCK2 = flags(bits("MLOCK_ONFAULT"), "MLOCK")
MLOCKALL = flags(bits("MCL_CURRENT MCL_FUTURE MCL_ONFAULT"), "MCL")
PKEY_RIGHTS = long_flags(
    bits("PKEY_DISABLE_ACCESS PKEY_DISABLE_WRITE PKEY_DISABLE_EXECUTE"), "PKEY"
)


def map_flags(value: int, _: Sight) -> str:
    """The type, the flags, and the logarithm of the size of huge pages."""
    value = low(value)
    kind, rest, huge = value & 0xF, value & ~0xF & ~_HUGE_MASK, (value & _HUGE_MASK) >> _HUGE_SHIFT
    words = [_MAP_TYPES.get(kind, f"{kind:#x} /* MAP_??? */")]
    if rest:
        words.append(flag_words(rest, _MAP, "MAP").removesuffix(" /* MAP_??? */"))
    if huge:
        words.append(f"{huge}<<MAP_HUGE_SHIFT")
    return "|".join(words)


def tells_no_target(word: int) -> bool:
    """Where a mapping shall go counts only if it may move, and is fixed."""
    return word & _MOVED != _MOVED


def offset(value: int, sight: Sight) -> str:
    """mmap's, its sixth argument, is in hexadecimal; those of files are not."""
    return number(value) if sight.index == 5 else signed_decimal(value, sight)


def resident(value: int, sight: Sight) -> str:
    """mincore: a byte a page, of which the lowest bit counts."""
    pages = (sight.arg(-1) + 4095) // 4096
    return array(value, pages, 1, sight, lambda data: str(data[0] & 1))
