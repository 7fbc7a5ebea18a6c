"""mmap, munmap, mprotect and brk: one question a case, to Linux and to ours.

Compared are results, errnos, regions with all their pages, and totals (memory_kernels.py).
"""

from __future__ import annotations

import pytest
from memory_kernels import STACK
from questions import (
    ABOVE4G,
    ANON,
    BIT32,
    BRK,
    FILE,
    FIXED,
    GROWSDOWN,
    HUGETLB,
    MADVISE,
    MAP_LOCKED,
    MLOCK,
    MMAP,
    MPROTECT,
    MUNMAP,
    NONBLOCK,
    NOREPLACE,
    NORESERVE,
    PAGE,
    POPULATE,
    PRIVATE,
    SHARED,
    Brk,
    R,
    W,
    X,
    limited,
    lines,
    mapped,
    page,
    read,
    wrote,
)

CASES = {
    "length 0": [(MMAP, 0, 0, R, PRIVATE | ANON, -1, 0)],
    "no type": [(MMAP, page(0), PAGE, R, ANON, -1, 0)],
    "both types": [(MMAP, page(0), PAGE, R, SHARED | PRIVATE | ANON, -1, 0)],
    "no file": [(MMAP, page(0), PAGE, R, PRIVATE, -1, 0)],
    "no file, length 0": [(MMAP, page(0), 0, R, PRIVATE, -1, 0)],
    "a file that is not open": [(MMAP, page(0), PAGE, R, PRIVATE, 77, 0)],
    "odd offset": [(MMAP, page(0), PAGE, R, PRIVATE | ANON, -1, 1)],
    "odd offset, no file": [(MMAP, page(0), PAGE, R, PRIVATE, -1, 1)],
    "huge length": [(MMAP, 0, 1 << 47, R, PRIVATE | ANON, -1, 0)],
    "longest length": [(MMAP, 0, -1, R, PRIVATE | ANON, -1, 0)],
    "longest length, fixed and odd": [(MMAP, 1, -1, R, PRIVATE | ANON | FIXED, -1, 0)],
    "the last offset": [(MMAP, page(0), PAGE, R, PRIVATE | ANON, -1, -PAGE)],
    "fixed, odd": [(MMAP, page(0) + 1, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed beyond the end": [(MMAP, 1 << 47, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed across the end": [(MMAP, (1 << 47) - PAGE, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)],
    "fixed where the errnos are": [
        (MMAP, address, PAGE, R, PRIVATE | ANON | FIXED, -1, 0)
        for address in (-1, -2, -4095, -4096, -4097, -8192)
    ],
    "fixed on free pages": [mapped(3, 2)],
    "fixed over others": [mapped(0, 6), mapped(2, 2, R)],
    "noreplace on free pages": [(MMAP, page(1), PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0)],
    "noreplace on others": [
        mapped(0, 2),
        (MMAP, page(1), 2 * PAGE, R, PRIVATE | ANON | NOREPLACE, -1, 0),
    ],
    "noreplace, no type": [mapped(0, 2), (MMAP, page(1), PAGE, R, ANON | NOREPLACE, -1, 0)],
    "hint on free pages": [(MMAP, page(5), PAGE, R | W, PRIVATE | ANON, -1, 0)],
    "hint in a page": [(MMAP, page(5) + 7, 5, R | W, PRIVATE | ANON, -1, 0)],
    "neighbours alike are one": [mapped(0, 1), mapped(2, 1), mapped(1, 1)],
    "neighbours unlike are not": [mapped(0, 1, R), mapped(1, 1, R | W)],
    "rights are kept as asked for": [mapped(0, 1, W), mapped(1, 1, X), mapped(2, 1, 0)],
    "unknown bits of prot": [(MMAP, page(0), PAGE, R | 0x40, PRIVATE | ANON | FIXED, -1, 0)],
    "unmap nothing": [(MUNMAP, page(0), PAGE)],
    "unmap length 0": [(MUNMAP, page(0), 0)],
    "unmap odd": [(MUNMAP, page(0) + 8, PAGE)],
    "unmap an odd length": [mapped(0, 3), (MUNMAP, page(0), PAGE + 1)],
    "unmap the middle": [mapped(0, 5), (MUNMAP, page(2), PAGE)],
    "unmap over holes": [mapped(0, 1), mapped(2, 1), (MUNMAP, page(0), 4 * PAGE)],
    "unmap beyond the end": [(MUNMAP, 1 << 47, PAGE)],
    "unmap too much": [(MUNMAP, page(0), -PAGE)],
    "unmap all but nothing": [(MUNMAP, page(0), -1)],
    "protect the middle": [mapped(0, 5), (MPROTECT, page(2), PAGE, R)],
    "protect and back": [mapped(0, 5), (MPROTECT, page(2), PAGE, R), (MPROTECT, page(2), 1, R | W)],
    "protect like the neighbour": [
        mapped(0, 2, R),
        mapped(2, 2),
        (MPROTECT, page(0), 4 * PAGE, R | W),
    ],
    "protect over a hole": [mapped(0, 2), mapped(3, 2), (MPROTECT, page(1), 4 * PAGE, R)],
    "protect nothing": [(MPROTECT, page(0), PAGE, R)],
    "protect from a hole": [mapped(1, 2), (MPROTECT, page(0), 2 * PAGE, R)],
    "protect length 0": [(MPROTECT, page(0), 0, R)],
    "protect length 0, odd": [(MPROTECT, page(0) + 1, 0, R)],
    "protect odd": [mapped(0, 1), (MPROTECT, page(0) + 1, PAGE, R)],
    "protect too much": [mapped(0, 1), (MPROTECT, page(0), -PAGE, R)],
    "protect so much that it wraps": [mapped(0, 1), (MPROTECT, page(0), -1, R)],
    "protect with unknown bits": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x100)],
    "protect with unknown bits, nothing": [(MPROTECT, page(0), PAGE, R | 0x100)],
    "protect with a high unknown bit": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 1 << 31)],
    "protect the last page of all": [
        (MPROTECT, -PAGE, 1, R), (MPROTECT, -PAGE, PAGE, R | 0x100), (MPROTECT, -2 * PAGE, PAGE, R),
    ],
    "protect to beyond the end": [mapped(0, 2), mapped(3, 1), (MPROTECT, page(1), 1 << 47, R)],
    "protect, growing, from a hole": [
        mapped(1, 1), (MPROTECT, page(0), 2 * PAGE, R | 0x0100_0000),
        (MPROTECT, page(0), 2 * PAGE, R | 0x0200_0000), (MPROTECT, page(0), 1, R | 0x0100_0000),
    ],
    "protect, growing up": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0200_0000)],
    "protect, growing": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0100_0000)],
    "protect, growing both ways": [mapped(0, 1), (MPROTECT, page(0), PAGE, R | 0x0300_0000)],
    "protect, growing, length 0": [(MPROTECT, page(0), 0, R | 0x0300_0000)],
    "protect beyond the end": [(MPROTECT, 1 << 47, PAGE, R)],
    "the break asked for": [(BRK, 0)],
    "the break grown by bytes": [(BRK, Brk(1)), (BRK, Brk(4096)), (BRK, Brk(100_001)), (BRK, 0)],
    "the break lowered": [(BRK, Brk(100_000)), (BRK, Brk(5)), (BRK, 0)],
    "the break below its start": [(BRK, Brk(100)), (BRK, 1), (BRK, 0x1000), (BRK, 0)],
    "the break at its start": [(BRK, Brk(100)), (BRK, Brk(0)), (BRK, 0)],
    "the break beyond everything": [(BRK, 1 << 47), (BRK, -1), (BRK, 0)],
    "the break into a mapping": [
        (BRK, Brk(0)),
        (MMAP, Brk(8 * PAGE), PAGE, R, PRIVATE | ANON | FIXED, -1, 0),
        (BRK, Brk(6 * PAGE)),
        (BRK, Brk(7 * PAGE)),
        (BRK, Brk(7 * PAGE + 1)),
        (BRK, Brk(9 * PAGE)),
    ],
    "hint below a region that grows down": [
        mapped(300, 1, flags=GROWSDOWN),
        (MMAP, page(44), PAGE, R, PRIVATE | ANON, -1, 0),
        (MMAP, page(43), PAGE, R, PRIVATE | ANON, -1, 0),
    ],
    "32 bit": [(MMAP, 0, PAGE, R, PRIVATE | ANON | BIT32, -1, 0)] * 2,
    "32 bit, too much": [(MMAP, 0, 0x4000_1000, 0, PRIVATE | ANON | BIT32, -1, 0)],
    "32 bit with a hint": [(MMAP, hint, PAGE, R, PRIVATE | ANON | BIT32, -1, 0)
                           for hint in (0x7000_0000, 0x3000_0000, 0x8000_0000, page(0))],
    "above 4G": [(MMAP, 0, PAGE, R, PRIVATE | ANON | ABOVE4G, -1, 0)],
    "huge pages fit": [
        (MMAP, 0, 2 << 20, R, PRIVATE | ANON, -1, 0), (MMAP, 0, PAGE, R, PRIVATE | ANON, -1, 0),
        (MMAP, 0, 4 << 20, R, PRIVATE | ANON, -1, 0), (MMAP, 0, 2 << 20, R, SHARED | ANON, -1, 0),
    ],
    "gaps are filled from above": [
        *((MMAP, 0, n * PAGE, R | W, PRIVATE | ANON, -1, 0) for n in (9, 1, 3, 2)),
        (MUNMAP, 0x7FFF_F7FE_E000, PAGE), (MUNMAP, 0x7FFF_F7FE_B000, 2 * PAGE),
        *((MMAP, 0, n * PAGE, R, PRIVATE | ANON, -1, 0) for n in (2, 1, 1)),
    ],
    "a gap too small for the first serves the second": [
        (MMAP, 0, 8 * PAGE, R, PRIVATE | ANON, -1, 0), (MUNMAP, 0x7FFF_F7FF_3000, PAGE),
        *((MMAP, 0, n * PAGE, R | W, PRIVATE | ANON, -1, 0) for n in (2, 1)),
    ],
    "everything below is taken": [
        (MMAP, 1 << 20, (1 << 46) + (1 << 45), 0, PRIVATE | ANON | NORESERVE, -1, 0),
        (MMAP, 0, 1 << 45, 0, PRIVATE | ANON | NORESERVE, -1, 0),
    ],
    "grows down on a touch": [
        mapped(20, 1, flags=GROWSDOWN), wrote(18), read(19), wrote(20, 8), read(18),
    ],
    "grows down as far as the stack may": [
        mapped(20, 1, flags=GROWSDOWN), limited(STACK, 3), wrote(18), wrote(17),
    ],
    "grows down to nobody's neighbour": [
        mapped(20, 1, flags=GROWSDOWN), mapped(2, 1), wrote(19), (MPROTECT, page(2), PAGE, 0),
        wrote(19), wrote(3),
    ],
    "grows down beside its like": [
        mapped(20, 1, flags=GROWSDOWN), mapped(2, 1, flags=GROWSDOWN), wrote(4), wrote(1),
    ],
    "grows down for those who may not write": [
        mapped(20, 1, R, GROWSDOWN), wrote(18), read(18),
    ],
    "grows down, shared": [(MMAP, page(0), PAGE, R, SHARED | ANON | FIXED | GROWSDOWN, -1, 0)],
    "protect what grows down": [
        mapped(20, 2, flags=GROWSDOWN), wrote(18),
        (MPROTECT, page(20), PAGE, R | 0x0100_0000), (MPROTECT, page(2), 20 * PAGE, 0x0100_0000),
    ],
    "no huge pages": [
        (MMAP, 0, PAGE, R, PRIVATE | ANON | HUGETLB, -1, 0),
        (MMAP, page(0), PAGE, R, PRIVATE | ANON | FIXED | HUGETLB, -1, 0),
        (MMAP, page(1), PAGE, R, PRIVATE | ANON | FIXED | HUGETLB, -1, 0),
        (MMAP, 0, 0, R, PRIVATE | ANON | HUGETLB, -1, 0),
        (MMAP, 0, PAGE, R, ANON | HUGETLB, -1, 0),
        (MMAP, 0, PAGE, R, PRIVATE | ANON | HUGETLB | 20 << 26, -1, 0),
        (MMAP, 0, PAGE, R, PRIVATE | ANON | HUGETLB | 30 << 26, -1, 0),
        (MMAP, 0, PAGE, R, PRIVATE | HUGETLB, FILE, 0),
        (MMAP, 0, PAGE, R, PRIVATE | HUGETLB, -1, 0),
        (MMAP, 0, PAGE, R, PRIVATE | ANON | HUGETLB, -1, PAGE),
    ],
    "no huge pages, but the place is emptied": [
        mapped(0, 2), (MMAP, page(0), PAGE, R, PRIVATE | ANON | FIXED | HUGETLB, -1, 0),
    ],
    "populated": [mapped(0, 2, flags=POPULATE), mapped(2, 2, R, POPULATE),
                  mapped(4, 2, 0, POPULATE), mapped(6, 2, R | W, POPULATE | NONBLOCK)],
    "droppable": [
        (MMAP, page(0), PAGE, R | W, 8 | ANON | FIXED, -1, 0), wrote(0), (MLOCK, page(0), PAGE),
        (MADVISE, page(0), PAGE, 17), (MADVISE, page(0), PAGE, 19),
        (MMAP, page(1), PAGE, R, 8 | ANON | FIXED | MAP_LOCKED, -1, 0),
        (MMAP, page(1), PAGE, R, 8 | ANON | FIXED | GROWSDOWN, -1, 0),
        (MMAP, page(1), PAGE, R, 8 | FIXED, FILE, 0),
    ],
    "one promise too large": [(MMAP, 0, 1 << 46, R | W, PRIVATE | ANON, -1, 0),
                              (MMAP, 0, 1 << 46, R, PRIVATE | ANON, -1, 0),
                              (MMAP, 0, 1 << 45, R | W, PRIVATE | ANON | NORESERVE, -1, 0)],
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_linux_answers_the_same(case, linux):
    calls = lines(CASES[case])
    assert linux.like().play(calls) == linux.play(calls)
