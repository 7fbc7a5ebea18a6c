"""The words in which questions to two kernels are asked: a case is a list of calls."""

from __future__ import annotations

MMAP, MPROTECT, MUNMAP, BRK, MREMAP, MSYNC, MINCORE, MADVISE = 9, 10, 11, 12, 25, 26, 27, 28
MLOCK, MUNLOCK, MLOCKALL, MUNLOCKALL, MLOCK2, PKEY_MPROTECT = 149, 150, 151, 152, 325, 329
R, W, X = 1, 2, 4
SHARED, PRIVATE, VALIDATE, FIXED, ANON, NOREPLACE = 1, 2, 3, 0x10, 0x20, 0x100000
BIT32, ABOVE4G, GROWSDOWN, MAP_LOCKED, NORESERVE = 0x40, 0x80, 0x100, 0x2000, 0x4000
POPULATE, NONBLOCK, MAP_STACK, HUGETLB, SYNC = 0x8000, 0x10000, 0x20000, 0x40000, 0x80000
MAYMOVE, MOVE_TO, KEEP = 1, 3, 5
FILE, TO_READ, TO_WRITE, AGAIN, OTHER = 10, 11, 12, 13, 14
DONTNEED, FREE, REMOVE, READ_ALL, WRITE_ALL = 4, 8, 9, 22, 23
GUARD, UNGUARD = 102, 103
ARENA, PAGES = 0x1000_0000_0000, 24
PAGE = 4096


class Brk(int):
    """An address counted from the first break."""


def lines(calls):
    """Calls as two_kernels.py reads them; text is a line already."""
    return [c if isinstance(c, str) else " ".join(["s", *map(spelled, c)]) for c in calls]


def spelled(arg):
    return f"b+{int(arg)}" if isinstance(arg, Brk) else str(int(arg))


def page(number):
    return ARENA + number * PAGE


def mapped(number, count, prot=R | W, flags=0):
    return (MMAP, page(number), count * PAGE, prot, PRIVATE | ANON | FIXED | flags, -1, 0)


def shared(number, count, prot=R | W):
    return (MMAP, page(number), count * PAGE, prot, SHARED | ANON | FIXED, -1, 0)


def filed(number, count, prot=R | W, kind=PRIVATE, fd=FILE, first=0):
    return (MMAP, page(number), count * PAGE, prot, kind | FIXED, fd, first * PAGE)


def wrote(number, byte=7):
    return f"w {page(number)} {byte}"


def read(number, at=0):
    return f"r {page(number) + at}"


def limited(resource, count):
    """To so many pages; more than now, where it is about all memory."""
    return f"l {resource} {count * PAGE}"
