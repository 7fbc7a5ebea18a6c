"""What a region is: bits, as Linux keeps them in vm_flags.

These are the state of a region, not the flags of a system call. Regions join only where all of
them are equal. The lowest three are those of PROT_READ, PROT_WRITE and PROT_EXEC.
Source: include/linux/mm.h.
"""

from __future__ import annotations

READ, WRITE, EXECUTE, SHARED = 1, 2, 4, 8
MAY_READ, MAY_WRITE, MAY_EXECUTE, MAY_SHARE = 0x10, 0x20, 0x40, 0x80
"""What mprotect may allow: SHARED and MAY_WRITE are gone where the file is open for reading."""
GROWS_DOWN = 0x100
MAYBE_GUARDED = 0x800
"""Set where guards were ever installed: the one flag that may differ where regions join."""
LOCKED = 0x2000
SEQUENTIAL, RANDOM = 0x8000, 0x1_0000
NOT_FORKED = 0x2_0000
LOCK_ON_FAULT = 0x8_0000
ACCOUNTED = 0x10_0000
"""The pages count as promised memory."""
NO_RESERVE = 0x20_0000
SYNC = 0x80_0000
WIPED_ON_FORK = 0x200_0000
NOT_DUMPED = 0x400_0000
HUGE, NOT_HUGE = 0x2000_0000, 0x4000_0000
MERGEABLE = 0x8000_0000
DROPPABLE = 0x100_0000_0000

ACCESS = READ | WRITE | EXECUTE
MAY_ALL = MAY_READ | MAY_WRITE | MAY_EXECUTE
LOCKS = LOCKED | LOCK_ON_FAULT
WRITABLE_DATA = READ | WRITE | MAY_ALL | ACCOUNTED
"""The heap and the stack."""

LETTERS = ("", "r", "rw", "rw", "rx", "rx", "rwx", "rwx")
"""What a page allows, by ACCESS: x86 has none that can be written or executed, but not read."""
WITHOUT_WRITE = {"r": "r", "rw": "r", "rx": "rx", "rwx": "rx"}


def is_data(flags: int) -> bool:
    """Whether RLIMIT_DATA counts it: private, writable, no stack."""
    return flags & (WRITE | SHARED | GROWS_DOWN) == WRITE


def is_accountable(flags: int) -> bool:
    """Whether it is promised memory: private, writable, and the promise was asked for."""
    return flags & (NO_RESERVE | SHARED | WRITE) == WRITE


def is_private(flags: int) -> bool:
    return not flags & MAY_SHARE
