"""Linux's names and numbers, x86-64.

Sources: include/uapi/asm-generic/{errno-base,errno,mman,mman-common}.h, arch/x86.
"""

from __future__ import annotations

import errno as _host_errno
from enum import IntEnum, IntFlag

PAGE = 4096
TASK_SIZE = 0x7FFF_FFFF_F000
"""The end of what a process may map: 2^47 less a page."""
MMAP_MIN_ADDR = 0x10000
"""Below, only the privileged may map (/proc/sys/vm/mmap_min_addr)."""
MMAP_BASE = 0x7FFF_F7FF_F000
"""Where mappings grow down from, without randomization and with a stack of 8 MiB."""
STACK_GUARD_GAP = 256 * PAGE
MAX_MAP_COUNT = 65530
"""Regions that a process may have (/proc/sys/vm/max_map_count)."""
LARGEST_FILE = (1 << 63) - 1
"""Bytes that a file may have."""
MAX_RW_COUNT = 0x7FFF_F000
"""Bytes that one read or write moves at most."""

# The errnos that our kernel answers with; the names and numbers are those of Linux.
(
    EPERM, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EFAULT,
    EBUSY, EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, EMFILE, ENOTTY, EFBIG, ENOSPC, ESPIPE,
    EROFS, EMLINK, EPIPE, EDOM, ERANGE, EDEADLK, ENAMETOOLONG, ENOSYS, ENOTEMPTY, ELOOP,
    EOVERFLOW, ENOTSOCK, EOPNOTSUPP, EAFNOSUPPORT, ETIMEDOUT,
) = (
    1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14,
    16, 17, 18, 19, 20, 21, 22, 24, 25, 27, 28, 29,
    30, 31, 32, 33, 34, 35, 36, 38, 39, 40,
    75, 88, 95, 97, 110,
)  # fmt: skip
ENFILE, ENODATA = 23, 61
MAX_ERRNO = 4095
"""The largest that a system call can answer: from its negative on, an answer is an errno."""

_NAMES = {number: name for number, name in _host_errno.errorcode.items() if name != "EWOULDBLOCK"}
_NUMBERS = {name: number for number, name in _NAMES.items()}


def errno_name(number: int) -> str:
    """12 as "ENOMEM"."""
    return _NAMES.get(number, f"errno {number}")


def errno_number(name: str) -> int | None:
    """ "ENOMEM" as 12; None for a name that Linux does not have."""
    return _NUMBERS.get(name)


class Errno(Exception):
    """Raised by a handler; the kernel answers the negative number."""

    def __init__(self, number: int) -> None:
        super().__init__(errno_name(number))
        self.number = number


class Prot(IntFlag):
    """mmap(2), mprotect(2)."""

    PROT_READ = 1
    PROT_WRITE = 2
    PROT_EXEC = 4
    PROT_SEM = 8
    PROT_GROWSDOWN = 0x01000000
    PROT_GROWSUP = 0x02000000


class Map(IntFlag):
    """mmap(2), but for the two bits of the type."""

    MAP_FIXED = 0x10
    MAP_ANONYMOUS = 0x20
    MAP_32BIT = 0x40
    MAP_ABOVE4G = 0x80
    MAP_GROWSDOWN = 0x100
    MAP_DENYWRITE = 0x800
    MAP_EXECUTABLE = 0x1000
    MAP_LOCKED = 0x2000
    MAP_NORESERVE = 0x4000
    MAP_POPULATE = 0x8000
    MAP_NONBLOCK = 0x10000
    MAP_STACK = 0x20000
    MAP_HUGETLB = 0x40000
    MAP_SYNC = 0x80000
    MAP_FIXED_NOREPLACE = 0x100000


class MapType(IntEnum):
    """mmap(2), the low four bits of flags."""

    MAP_SHARED = 1
    MAP_PRIVATE = 2
    MAP_SHARED_VALIDATE = 3
    MAP_DROPPABLE = 8


MAP_TYPE_MASK = 0xF


def page_down(address: int) -> int:
    return address & ~(PAGE - 1)


def page_up(address: int) -> int:
    return (address + PAGE - 1) & ~(PAGE - 1)


class Remap(IntFlag):
    """mremap(2)."""

    MREMAP_MAYMOVE = 1
    MREMAP_FIXED = 2
    MREMAP_DONTUNMAP = 4


class Advice(IntEnum):
    """madvise(2)."""

    MADV_NORMAL = 0
    MADV_RANDOM = 1
    MADV_SEQUENTIAL = 2
    MADV_WILLNEED = 3
    MADV_DONTNEED = 4
    MADV_FREE = 8
    MADV_REMOVE = 9
    MADV_DONTFORK = 10
    MADV_DOFORK = 11
    MADV_MERGEABLE = 12
    MADV_UNMERGEABLE = 13
    MADV_HUGEPAGE = 14
    MADV_NOHUGEPAGE = 15
    MADV_DONTDUMP = 16
    MADV_DODUMP = 17
    MADV_WIPEONFORK = 18
    MADV_KEEPONFORK = 19
    MADV_COLD = 20
    MADV_PAGEOUT = 21
    MADV_POPULATE_READ = 22
    MADV_POPULATE_WRITE = 23
    MADV_DONTNEED_LOCKED = 24
    MADV_COLLAPSE = 25
    MADV_HWPOISON = 100
    MADV_SOFT_OFFLINE = 101
    MADV_GUARD_INSTALL = 102
    MADV_GUARD_REMOVE = 103


class Msync(IntFlag):
    """msync(2)."""

    MS_ASYNC = 1
    MS_INVALIDATE = 2
    MS_SYNC = 4


class LockAll(IntFlag):
    """mlockall(2)."""

    MCL_CURRENT = 1
    MCL_FUTURE = 2
    MCL_ONFAULT = 4


MLOCK_ONFAULT = 1
